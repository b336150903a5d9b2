#include "frontend/lower/misfit.h"

#include <fmt/format.h>
#include <algorithm>

#include "frontend/lower/expressions.h"
#include "frontend/names/resolve.h"
#include "frontend/syntax/parse.h"
#include "ir/limits.h"

namespace bpc::frontend::lowering {

namespace {

using ir::ValueId;

void replace_all(std::string& text, const std::string& pattern, const std::string& replacement) {
  for (std::size_t at = text.find(pattern); at != std::string::npos; at = text.find(pattern, at + replacement.size()))
    text.replace(at, pattern.size(), replacement);
}

// "{0}" and "{0.name}" of a shape error become the author's words.
std::string in_authors_words(Context& c, std::string text, const std::vector<Item>& operands) {
  for (std::size_t i = 0; i < operands.size(); ++i) {
    replace_all(text, fmt::format("{{{}}}", i), c.described(operands[i]));
    replace_all(text, fmt::format("{{{}.name}}", i), c.text_of(operands[i].span));
  }
  return text;
}

bool is_bool(Context& c, const Item& operand) {
  return operand.holds<ValueId>() ? c.type(operand).element == Element::boolean : operand.holds<bool>();
}

// ---- in the library ----

// "out [3] and y [4]", of those that are not scalars.
std::string shapes(Context& c, const std::vector<Item>& operands) {
  std::vector<std::string> texts;
  std::vector<const Item*> in_order;
  for (const Item& operand : operands)
    if (!c.type(operand).is_scalar()) in_order.push_back(&operand);
  std::stable_sort(in_order.begin(), in_order.end(), [&](const Item* a, const Item* b) { return c.seen_at(*a) < c.seen_at(*b); });
  for (const Item* operand : in_order) texts.push_back(c.described(*operand));
  texts.erase(std::unique(texts.begin(), texts.end()), texts.end());
  if (texts.size() < 2) return fmt::format("{}", fmt::join(texts, ""));
  const std::string last = texts.back();
  texts.pop_back();
  return fmt::format("{} and {}", fmt::join(texts, ", "), last);
}

// Of [n, 1] and [n], what makes both a vector: predictions of one column meet a vector of targets in every other loss.
std::string squeezed(Context& c, const std::vector<Item>& operands) {
  for (std::size_t i = 0; i < operands.size() && operands.size() == 2; ++i) {
    const Item &column = operands[i], &vector = operands[1 - i];
    const Type &wide = c.type(column), &narrow = c.type(vector);
    bool fits = wide.rank() == 2 && wide.size(1) == 1 && narrow.rank() == 1 && narrow.size(0) == wide.size(0);
    if (fits && !c.is_in_prelude(column.span)) return fmt::format("`squeeze({}, 1)` is a vector", c.text_of(column.span));
  }
  return {};
}

std::string quoted_name(ir::Opcode code) {
  const ir::OpInfo& info = ir::op_info(code);
  return fmt::format("`{}`", info.spelling.empty() ? info.name : info.spelling);
}

// The words of the rule, but for the name of the inner op; of shapes that do not meet, what the author gave.
void speak_of_call(Context& c, Diagnostic& diagnostic, const ir::ShapeError& error, ir::Opcode code, const std::vector<Item>& operands) {
  const LibraryCall& call = *c.frame->authors_call;
  const ir::OpInfo& info = ir::op_info(code);
  const bool meets = info.group == ir::Group::elementwise && (error.code == Code::E0201 || error.code == Code::E0202);
  const bool kind = error.code == Code::E0203 && info.domain != ir::Domain::boolean;  // a bool where there should be none
  const bool is_foreign = std::any_of(operands.begin(), operands.end(), [&](const Item& operand) { return c.is_in_prelude(operand.span); });
  const std::string inner = quoted_name(code);
  const std::string outer = fmt::format("`{}`", call.function);
  if (meets) {
    diagnostic.message = fmt::format("`{}`: {} do not fit{}", c.text_of(call.span), shapes(c, operands),
                                     error.code == Code::E0202 ? ": the sizes are equal, but the dims have different names" : "");
    if (error.code == Code::E0201) diagnostic.help = squeezed(c, operands);
  } else if (auto boolean = std::find_if(call.arguments.begin(), call.arguments.end(), [&](const Item& item) { return is_bool(c, item); });
             kind && boolean != call.arguments.end()) {
    diagnostic.message = fmt::format("{} takes numbers, and {} is bool", outer, c.described(*boolean));
    diagnostic.label(boolean->span, "");
    diagnostic.help = fmt::format("`real({})` makes 1 of true and 0 of false", c.text_of(boolean->span));
  } else {
    if (diagnostic.message.find(inner) == std::string::npos) diagnostic.message = fmt::format("in {}: {}", outer, diagnostic.message);
    replace_all(diagnostic.message, inner, outer);
    if (is_foreign) diagnostic.help.clear();
  }
  if (c.is_in_prelude(diagnostic.span)) diagnostic.span = call.span;
}

// ---- all pairs ----

// The operand's element i: of a vector, of a matrix of one column, of a vector that `expand_dims` made such a matrix.
std::string element_of(Context& c, const Item& operand, const std::string& index) {
  std::string text = c.sources.text(operand.span);
  for (const char* end : {", 1)", ",1)", ", -1)", ",-1)"})
    if (c.type(operand).rank() == 2 && text.starts_with("expand_dims(") && text.ends_with(end)) {
      const std::string inner = text.substr(12, text.size() - 12 - std::string_view(end).size());
      return fmt::format(fmt::runtime(is_code(inner + "[0] = 1") ? "{}[{}]" : "({})[{}]"), inner, index);
    }
  return fmt::format(fmt::runtime(is_code(text + "[0] = 1") ? "{}[{}{}]" : "({})[{}{}]"), text, index,
                     c.type(operand).rank() == 2 ? ", 0" : "");
}

// Of a column [n, 1] and a vector [k]: their table [n, k], and where n is k what goes element by element. Only code that lowers is shown.
std::string all_pairs(Context& c, ir::Opcode code, const std::vector<Item>& operands) {
  const std::string spelling(ir::op_info(code).spelling);
  if (operands.size() != 2 || !is_code("x " + spelling + " y")) return {};
  for (std::size_t column = 0; column < 2; ++column) {
    const Type wide = c.type(operands[column]), narrow = c.type(operands[1 - column]);
    if (wide.rank() != 2 || wide.size(1) != 1 || narrow.rank() != 1) continue;
    std::vector<std::string> indices;
    const Symbols visible = c.visible();
    for (const char* name : {"i", "k", "j", "l", "m", "n"})
      if (!visible.contains(name)) indices.emplace_back(name);
    if (indices.size() < 2) return {};
    auto size = [](const Dim& dim) { return dim.name.empty() ? std::to_string(dim.size) : dim.name.text; };
    const std::string row = element_of(c, operands[column], indices[0]), other = element_of(c, operands[1 - column], indices[1]);
    const std::string pairs = fmt::format("[{} {} {} for {} in 0..{}, {} in 0..{}]", column == 0 ? row : other, spelling,
                                          column == 0 ? other : row, indices[0], size(wide.dims[0]), indices[1], size(narrow.dims[0]));
    const std::string text = c.sources.text(operands[column].span), vector = c.sources.text(operands[1 - column].span);
    const std::string squeezed = fmt::format("squeeze({}, 1)", text);
    const std::string each = fmt::format("{} {} {}", column == 0 ? squeezed : vector, spelling, column == 0 ? vector : squeezed);
    std::string help = lowers(c, pairs) ? fmt::format("for all pairs write `{}`", pairs) : "";
    if (wide.size(0) == narrow.size(0) && lowers(c, each))
      help += fmt::format("{}element by element, `{}`", help.empty() ? "" : "; ", each);
    return help;
  }
  return {};
}

}  // namespace

bool lowers(Context& c, const std::string& code) {
  const FileId file = c.program.sources->add("a proposal", "y = " + code + "\n");
  Diagnostics silent;
  auto ast = parse(*c.program.sources, file, silent);
  if (!ast || ast->top.size() != 1) return false;
  const auto* assign = std::get_if<AssignStmt>(&ast->stmt(ast->top[0]).node);
  if (!assign || assign->values.size() != 1) return false;
  Meanings names(*ast);
  if (!resolve_expression(c.sources, *ast, assign->values[0], c.visible(), names)) return false;
  Temporarily<const Ast*> inside(c.frame->ast, &*ast);
  Temporarily<const Meanings*> meaning(c.frame->names, &names);
  Temporarily<bool> mute(c.is_muted, true);
  try {
    return value(c, assign->values[0]).has_value();
  } catch (const ir::LimitReached&) {
    return false;
  }
}

Diagnostic misfit(Context& c, const ir::ShapeError& error, ir::Opcode code, Span at, const std::vector<Item>& operands) {
  Diagnostic diagnostic = error_at(error.code, at, in_authors_words(c, error.message, operands), in_authors_words(c, error.help, operands));
  for (std::size_t i = 0; i < error.operand_notes.size() && i < operands.size(); ++i)
    if (!error.operand_notes[i].empty()) diagnostic.label(c.seen_at(operands[i]), in_authors_words(c, error.operand_notes[i], operands));
  if (c.frame->authors_call)
    speak_of_call(c, diagnostic, error, code, operands);
  else if (!c.made_of_ops.empty())
    replace_all(diagnostic.message, quoted_name(code), fmt::format("`{}`", c.made_of_ops));
  else if (error.code == Code::E0201 && diagnostic.help.empty() && ir::op_info(code).group == ir::Group::elementwise)
    diagnostic.help = all_pairs(c, code, operands);
  const ir::Domain domain = ir::op_info(code).domain;
  const bool wants_numbers = domain == ir::Domain::number || domain == ir::Domain::real;
  if (error.code == Code::E0203 && wants_numbers && diagnostic.help.empty())
    for (const Item& operand : operands)
      if (is_bool(c, operand)) diagnostic.help = fmt::format("`real({})` makes 1 of true and 0 of false", c.text_of(operand.span));
  return diagnostic;
}

}  // namespace bpc::frontend::lowering
