#include "frontend/syntax/parse_broken.h"

#include <algorithm>

#include "frontend/syntax/parse_classes.h"

namespace bpc::frontend {

namespace {

using grammar::BpParser;

bool is_between(const Span& span, const Span& first, const Span& last) {
  return std::pair(first.line, first.column) <= std::pair(span.line, span.column) &&
         std::pair(span.line, span.column) < std::pair(last.end_line, last.end_column);
}

}  // namespace

BrokenStatements::BrokenStatements(const std::vector<Token>& tokens, const std::vector<Skipped>& skipped, const Diagnostics& found)
    : tokens_(tokens) {
  for (const Skipped& each : skipped) {
    begins_[each.begin] = each.end;
    ends_[each.end] = each.begin;
  }
  for (const Diagnostic& each : found.all())
    if (each.code == Code::E0101 || each.code == Code::E0102) unfinished_.push_back(each.span);
}

std::optional<std::size_t> BrokenStatements::end_of_skipped(std::size_t begin) const {
  auto found = begins_.find(begin);
  return found == begins_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<BrokenStatements::Head> BrokenStatements::before(std::size_t begin) const {
  if (auto known = heads_.find(begin); known != heads_.end()) return known->second;
  auto skipped = ends_.find(begin);
  if (skipped == ends_.end() || skipped->second >= begin) return std::nullopt;
  const Span& first = tokens_[skipped->second].span;
  return head(skipped->second).value_or(Head{first.line, first.column});
}

std::optional<BrokenStatements::Head> BrokenStatements::head(std::size_t begin) const {
  const auto broken = before(begin);
  const Span& at = tokens_[begin].span;
  return broken && broken->line < at.line && broken->column < at.column ? broken : std::nullopt;
}

bool BrokenStatements::belongs_to_broken(std::size_t begin) const {
  const bool is_word = tokens_[begin].kind == BpParser::NAME && tokens_[begin + 1].kind == BpParser::EOS;
  return head(begin) || (is_word && before(begin));
}

bool BrokenStatements::is_unfinished(std::size_t begin, std::size_t end) const {
  return std::ranges::any_of(unfinished_, [&](const Span& each) { return is_between(each, tokens_[begin].span, tokens_[end - 1].span); });
}

// Those before a sign of assignment (`a, b = …`, `let a = …`, and in the blocks of a statement); or, of a line without one that starts with
// a name (`def f(x):`), all.
std::vector<Name> BrokenStatements::names_in(std::size_t begin, std::size_t end, bool assigned) const {
  std::vector<Name> names, line;
  int depth = 0;
  bool is_bound = false;
  auto finish = [&] {
    if (is_bound == assigned) names.insert(names.end(), line.begin(), line.end());
    line.clear();
    is_bound = false;
  };
  for (std::size_t i = begin; i < end; ++i) {
    const std::size_t kind = tokens_[i].kind;
    depth = std::max(0, depth + nesting(kind));
    if (kind == BpParser::EOS || kind == BpParser::LBRACE || kind == BpParser::RBRACE) {
      depth = 0;
      finish();
    } else if (is_assignment(kind) && depth == 0) {
      is_bound = true;
    } else if (kind == BpParser::NAME && !is_bound && (depth == 0 || !assigned)) {
      line.push_back({tokens_[i].text, tokens_[i].span});
    }
  }
  finish();
  return names;
}

ErrorStmt BrokenStatements::add(std::size_t begin, std::size_t end) {
  const Span& first = tokens_[begin].span;
  heads_.insert_or_assign(end, head(begin).value_or(Head{first.line, first.column}));
  std::erase_if(unfinished_, [&](const Span& each) { return is_between(each, first, tokens_[end - 1].span); });
  ErrorStmt result;
  result.imports = tokens_[begin].kind == BpParser::IMPORT || tokens_[begin].text == "from" || tokens_[begin].text == "import";
  const std::size_t word = tokens_[begin].kind;
  if (word == BpParser::FN || word == BpParser::LOSS) {
    if (begin + 1 < end && tokens_[begin + 1].kind == BpParser::NAME)
      result.assigned = {{tokens_[begin + 1].text, tokens_[begin + 1].span}};
  } else if (word == BpParser::DIM || word == BpParser::CONST || word == BpParser::INPUT || word == BpParser::PARAM) {
    for (std::size_t i = begin + 1; i < end; ++i)
      if (tokens_[i].kind == BpParser::NAME &&
          (i == begin + 1 || tokens_[i - 1].kind == BpParser::COMMA || is_assignment(tokens_[i + 1].kind)))
        result.assigned.push_back({tokens_[i].text, tokens_[i].span});
  } else {
    result.assigned = names_in(begin, end, true);
    if (word == BpParser::NAME) result.mentioned = names_in(begin, end, false);
  }
  return result;
}

}  // namespace bpc::frontend
