#include "frontend/format/format.h"

#include <algorithm>
#include <utility>

#include "frontend/format/docs.h"
#include "frontend/syntax/walk.h"

namespace bpc::frontend {

namespace {

struct Place {
  std::uint32_t line = 0, column = 0;
  auto operator<=>(const Place&) const = default;
};
Place begin(const Span& span) {
  return {span.line, span.column};
}
Place end(const Span& span) {
  return {span.end_line, span.end_column};
}
constexpr Place kFileEnd{UINT32_MAX, 0};

class Formatter {
 public:
  Formatter(const Ast& ast, const SourceMap& sources, std::size_t limit) : ast_(ast), sources_(sources), limit_(limit) {}

  std::string run() {
    statements(ast_.top, 0, kFileEnd);
    align_comments();
    std::string text;
    for (const Line& line : lines_) text += line.text + (line.text.empty() || line.comment.empty() ? "" : "  ") + line.comment + "\n";
    return text;
  }

 private:
  // ---- lines and comments ----

  const Comment* next_comment() const { return comment_ < ast_.comments.size() ? &ast_.comments[comment_] : nullptr; }

  // One blank line where the author left any between two things, but none at the ends of a block.
  void separate(std::uint32_t line) {
    if (last_line_ != 0 && line > last_line_ + 1) lines_.push_back({});
  }

  void put(const std::vector<Line>& lines) { lines_.insert(lines_.end(), lines.begin(), lines.end()); }

  // The comments from here to `limit`.
  Notes notes_before(Place limit) const {
    const Comment* first = ast_.comments.data() + comment_;
    const Comment* last = first;
    while (last != ast_.comments.data() + ast_.comments.size() && begin(last->span) < limit) ++last;
    return {first, last};
  }
  void skip(const Notes& notes) { comment_ = static_cast<std::size_t>(notes.end - ast_.comments.data()); }

  // Comments before `limit`, each on a line of its own.
  void comments_before(Place limit, std::size_t indent) {
    for (const Comment* comment; (comment = next_comment()) && begin(comment->span) < limit; ++comment_) {
      separate(comment->span.line);
      lines_.push_back({std::string(indent, ' ') + comment->text, {}});
      last_line_ = comment->span.line;
    }
  }

  // The comment that follows on the line that was just written, if there is one before `limit`.
  void comment_beside(std::uint32_t line, Place limit) {
    const Comment* comment = next_comment();
    if (!comment || comment->span.line != line || begin(comment->span) >= limit || !lines_.back().comment.empty()) return;
    lines_.back().comment = comment->text;
    ++comment_;
  }

  bool has_comment_before(Place limit) const {
    const Comment* comment = next_comment();
    return comment && begin(comment->span) < limit;
  }

  // Comments beside neighbouring lines of one indentation start in one column.
  void align_comments() {
    auto indentation = [&](std::size_t i) { return lines_[i].text.find_first_not_of(' '); };
    for (std::size_t first = 0, end = 0; first < lines_.size(); first = std::max(end, first + 1)) {
      std::size_t width = 0;
      for (end = first; end < lines_.size() && !lines_[end].comment.empty() && indentation(end) == indentation(first); ++end)
        width = std::max(width, code_point_count(lines_[end].text));
      for (std::size_t i = first; i < end; ++i) lines_[i].text.append(width - code_point_count(lines_[i].text), ' ');
    }
  }

  // ---- statements ----

  void statements(const std::vector<StmtId>& ids, std::size_t indent, Place limit) {
    for (std::size_t i = 0, next; i < ids.size(); i = next) {
      const Stmt& statement = ast_.stmt(ids[i]);
      for (next = i + 1; next < ids.size() && ast_.stmt(ids[next]).continues;) ++next;
      const Span whole = statement.span.to(ast_.stmt(ids[next - 1]).span);
      comments_before(begin(statement.span), indent);
      if (next == i + 1)
        write(statement, indent);
      else
        write_several({ids.begin() + static_cast<std::ptrdiff_t>(i), ids.begin() + static_cast<std::ptrdiff_t>(next)}, whole, indent);
      comment_beside(whole.end_line, next < ids.size() ? begin(ast_.stmt(ids[next]).span) : limit);
      last_line_ = whole.end_line;
    }
    comments_before(limit, indent);
  }

  void write(const Stmt& statement, std::size_t indent) {
    std::optional<Place> head_end;  // where the block starts, for statements that have one
    for_each_block(statement.node, [&](const Block& block) {
      if (!head_end) head_end = begin(block.span);
    });
    const auto* train = std::get_if<TrainStmt>(&statement.node);
    if (train) head_end = begin(statement.span);
    Notes notes = notes_before(head_end ? *head_end : end(statement.span));
    const bool has_notes = !notes.are_written();
    auto docs = statement_docs(ast_, sources_, statement, notes);
    if (notes.are_written()) {
      separate(statement.span.line);
      skip(notes);
    } else if (head_end) {  // a comment where no line can end
      comments_before(*head_end, indent);
      separate(statement.span.line);
      docs = statement_docs(ast_, sources_, statement, notes = {});
    } else {
      separate(statement.span.line);
      return verbatim(statement.span, indent);
    }
    if (auto line = has_notes ? std::nullopt : one_line(statement, indent)) return put({{*line}});
    put(lay_out_lines(docs, indent, limit_));
    if (train) settings(*train, statement.span, indent);
    if (const auto* branch = std::get_if<IfStmt>(&statement.node)) {
      write_branches(*branch, indent);
    } else {
      for_each_block(statement.node, [&](const Block& block) { write_block(block, indent); });
    }
  }

  // A declaration of several names.
  void write_several(const std::vector<StmtId>& ids, const Span& whole, std::size_t indent) {
    separate(whole.line);
    if (has_comment_before(end(whole))) return verbatim(whole, indent);
    std::vector<Doc> docs;
    Notes none;
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const Stmt& statement = ast_.stmt(ids[i]);
      if (i > 0) {
        docs.push_back({std::string(",")});
        docs.push_back({Break{" ", statement.span.line > ast_.stmt(ids[i - 1]).span.end_line}});
      }
      for (Doc& doc : statement_docs(ast_, sources_, statement, none)) docs.push_back(std::move(doc));
    }
    put(lay_out_lines(docs, indent, limit_));
  }

  // A statement with blocks that the author wrote on one line stays there if each block holds at most one simple statement, and it fits.
  std::optional<std::string> one_line(const Stmt& statement, std::size_t indent) const {
    bool simple = statement.span.line == statement.span.end_line;
    std::string text;
    auto append = [&](const Stmt& part) {
      Notes none;
      const std::vector<Line> lines = lay_out_lines(statement_docs(ast_, sources_, part, none), 0, limit_);
      simple = simple && lines.size() == 1;
      text += lines.front().text;
    };
    append(statement);
    std::size_t blocks = 0;
    for_each_block(statement.node, [&](const Block& block) {
      if (blocks++ > 0) text += " else {";
      simple = simple && block.statements.size() <= 1;
      if (!simple) return;
      for (StmtId id : block.statements) {
        for_each_block(ast_.stmt(id).node, [&](const Block&) { simple = false; });
        simple = simple && !std::holds_alternative<TrainStmt>(ast_.stmt(id).node);
        text += " ";
        if (simple) append(ast_.stmt(id));
        text += " ";
      }
      text += "}";
    });
    if (!simple || blocks == 0 || indent + code_point_count(text) > limit_) return std::nullopt;
    return std::string(indent, ' ') + text;
  }

  // Comments inside a statement stay where they are: its lines are kept, moved as a whole.
  void verbatim(const Span& span, std::size_t indent) {
    for (std::uint32_t line = span.line; line <= span.end_line; ++line) {
      std::string text(sources_.line_text(span.file, line));
      if (line == span.end_line) text = sources_.text({span.file, line, 1, line, span.end_column});
      const std::string margin = sources_.text({span.file, span.line, 1, span.line, span.column});
      std::size_t blank = std::min(text.find_first_not_of(" \t\r"), text.size());
      if (line == span.line) blank = margin.size();
      const std::size_t start = code_point_count(margin);
      const std::size_t deeper = line == span.line || blank < start ? 0 : blank - start;
      text = text.substr(blank);
      while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) text.pop_back();
      lines_.push_back({text.empty() ? text : std::string(indent + deeper, ' ') + text, {}});
    }
    while (has_comment_before(end(span))) ++comment_;
  }

  // What stands between `{`, which was just written, and `}`.
  void write_block(const Block& block, std::size_t indent) {
    Place first = block.statements.empty() ? end(block.span) : begin(ast_.stmt(block.statements.front()).span);
    comment_beside(block.span.line, first);
    last_line_ = 0;
    statements(block.statements, indent + kIndent, Place{block.span.end_line, block.span.end_column - 1});
    lines_.push_back({std::string(indent, ' ') + "}", {}});
  }

  void write_branches(const IfStmt& first, std::size_t indent) {
    for (const IfStmt* branch = &first; branch;) {
      write_block(branch->then, indent);
      const IfStmt* next = nullptr;
      if (branch->otherwise) {
        const Block& otherwise = *branch->otherwise;
        // `else if` has no braces of its own.
        if (otherwise.statements.size() == 1 && ast_.stmt(otherwise.statements[0]).span == otherwise.span)
          next = &std::get<IfStmt>(ast_.stmt(otherwise.statements[0]).node);
        const Block& block = next ? next->then : otherwise;
        if (has_comment_before(begin(block.span))) lines_.back().comment = ast_.comments[comment_++].text;
        Notes none;
        if (next)
          join(lay_out_lines(statement_docs(ast_, sources_, ast_.stmt(otherwise.statements[0]), none), indent, limit_), indent);
        else
          lines_.back().text += " else {";
        if (!next) write_block(otherwise, indent);
      }
      branch = next;
    }
  }

  // `} else ` before the head of an `if`.
  void join(std::vector<Line> head, std::size_t indent) {
    lines_.back().text += " else " + head.front().text.substr(indent);
    head.erase(head.begin());
    put(head);
  }

  void settings(const TrainStmt& train, const Span& span, std::size_t indent) {
    const Place limit{span.end_line, span.end_column - 1};
    const std::size_t inner = indent + kIndent;
    comment_beside(span.line, train.settings.empty() ? limit : begin(train.settings.front().name.span));
    last_line_ = 0;
    for (std::size_t i = 0; i < train.settings.size(); ++i) {
      const TrainStmt::Setting& setting = train.settings[i];
      const Span whole = setting.name.span.to(ast_.expr(setting.value).span);
      comments_before(begin(whole), inner);
      separate(whole.line);
      Notes notes = notes_before(end(whole));
      const auto docs = setting_docs(ast_, sources_, setting, notes);
      if (notes.are_written()) {
        skip(notes);
        put(lay_out_lines(docs, inner, limit_));
      } else {
        verbatim(whole, inner);
      }
      comment_beside(whole.end_line, i + 1 < train.settings.size() ? begin(train.settings[i + 1].name.span) : limit);
      last_line_ = whole.end_line;
    }
    comments_before(limit, inner);
    lines_.push_back({std::string(indent, ' ') + "}", {}});
  }

  const Ast& ast_;
  const SourceMap& sources_;
  std::size_t limit_;
  std::vector<Line> lines_;
  std::size_t comment_ = 0;      // the next one to write
  std::uint32_t last_line_ = 0;  // of the source, where what was written last ended; 0 at the start of a block
};

}  // namespace

std::string format(const Ast& ast, const SourceMap& sources, std::size_t limit) {
  return Formatter(ast, sources, limit).run();
}

}  // namespace bpc::frontend
