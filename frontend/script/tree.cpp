#include "frontend/script/tree.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "frontend/format/docs.h"
#include "frontend/format/format.h"
#include "frontend/syntax/walk.h"
#include "ir/text.h"

namespace bpc::frontend::script {

namespace {

// A sign that does not touch its operands: the formatter sets it apart.
constexpr Span kApart{kNoFile, 0, 1, 0, 1};

Level next(Level level) {
  return static_cast<Level>(static_cast<int>(level) + 1);
}

template <typename F>
void for_each_name(const Ast& ast, ExprId id, F&& f) {
  const ExprNode& node = ast.expr(id).node;
  if (const auto* name = std::get_if<NameExpr>(&node)) f(name->name);
  for_each_child(node, [&](ExprId child) { for_each_name(ast, child, f); });
}

template <typename F>
void for_each_name(const Ast& ast, StmtId id, F&& f) {
  const StmtNode& node = ast.stmt(id).node;
  for_each_assigned(node, [&](const Name& name) { f(name.text); });
  for_each_expr(node, [&](ExprId expr) { for_each_name(ast, expr, f); });
  for_each_block(node, [&](const Block& block) {
    for (StmtId inner : block.statements) for_each_name(ast, inner, f);
  });
}

}  // namespace

// ---- expressions ----

Term Tree::put(ExprNode node, bool is_literal) {
  ast_.exprs.push_back({{}, std::move(node)});
  return {{static_cast<std::uint32_t>(ast_.exprs.size() - 1)}, is_literal};
}

ExprId Tree::within(const Term& term, Level at_least) {
  if (level(term) >= at_least) return term.id;
  Expr copy = expr(term);
  copy.parenthesized = true;
  ast_.exprs.push_back(std::move(copy));
  return {static_cast<std::uint32_t>(ast_.exprs.size() - 1)};
}

std::vector<ExprId> Tree::ids(const std::vector<Term>& terms) {
  std::vector<ExprId> result;
  for (const Term& term : terms) result.push_back(term.id);
  return result;
}

Term Tree::name(const std::string& name) {
  return put(NameExpr{name});
}

Term Tree::truth(bool value) {
  return put(BoolExpr{value});
}

Term Tree::text(std::string value) {
  return put(StringExpr{std::move(value)});
}

Term Tree::integer(std::int64_t value) {
  if (value == INT64_MIN) {
    Term lowest = binary("-", integer(value + 1), integer(1));
    lowest.is_literal = true;
    return lowest;
  }
  const std::int64_t size = std::abs(value);
  const Term number = put(NumberExpr{std::to_string(size), static_cast<double>(size), size}, true);
  return value < 0 ? put(UnaryExpr{"-", number.id}, true) : number;
}

Term Tree::number(const ir::AttrValue& value, Element element) {
  if (const auto* integer = std::get_if<std::int64_t>(&value))
    return element == Element::boolean ? truth(*integer != 0) : this->integer(*integer);
  const double x = std::get<double>(value);
  if (!std::isfinite(x)) {
    const Term one = call(element_spec(element), {integer(std::isnan(x) ? 0 : 1)});
    return binary("/", std::isinf(x) && x < 0 ? negated(one) : one, integer(0));
  }
  std::string text = ir::real_text(std::fabs(x), element);
  if (std::size_t e = text.find('e'); e != std::string::npos) {  // 1e-06 as 1e-6, 1e+20 as 1e20
    const bool small = text[e + 1] == '-';
    text = text.substr(0, e + 1) + (small ? "-" : "") + text.substr(text.find_first_not_of("+-0", e + 1));
  }
  if (x == 0 && std::signbit(x)) text = "0.0";  // `-0` would be an integer
  const Term number = put(NumberExpr{std::move(text), std::fabs(x), {}}, true);
  return std::signbit(x) ? put(UnaryExpr{"-", number.id}, true) : number;
}

Term Tree::negated(const Term& x, const char* spelling) {
  const bool is_not = spelling == std::string_view("not");
  return put(UnaryExpr{spelling, within(x, is_not ? Level::negation : Level::power)});
}

Term Tree::binary(std::string_view spelling, const Term& a, const Term& b) {
  const Level own = operator_level(spelling).value();
  if (own == Level::power) {  // an exponent may carry a sign
    const bool is_number = b.is_literal && level(b) >= Level::sign;
    const ExprId base = within(a, Level::atom);
    return put(BinaryExpr{"^", kApart, base, is_number ? b.id : within(b, Level::atom)});
  }
  // A negative number whose absolute value is one of the same type.
  if (const auto* sign = std::get_if<UnaryExpr>(&expr(b).node); spelling == "+" && sign && b.is_literal && width(b) < 10)
    return binary("-", a, Term{sign->operand, true});
  const ExprId left = within(a, own == Level::comparison ? next(own) : own), right = within(b, next(own));
  return put(BinaryExpr{std::string(spelling), kApart, left, right});
}

Term Tree::conditional(const Term& then, const Term& condition, const Term& otherwise) {
  const ExprId a = within(then, Level::disjunction), c = within(condition, Level::disjunction), b = within(otherwise, Level::disjunction);
  return put(ConditionalExpr{a, c, b});
}

Term Tree::call(const std::string& function, const std::vector<Term>& arguments, const std::vector<std::pair<std::string, Term>>& named) {
  CallExpr call{{function, {}}, {}};
  for (const Term& argument : arguments) call.arguments.push_back({std::nullopt, argument.id});
  for (const auto& [name, argument] : named) call.arguments.push_back({Name{name, {}}, argument.id});
  return put(std::move(call));
}

Term Tree::list(const std::vector<Term>& items) {
  return put(ListExpr{ids(items)});
}

Term Tree::integers(const std::vector<std::int64_t>& items) {
  std::vector<Term> terms;
  for (std::int64_t item : items) terms.push_back(integer(item));
  return list(terms);
}

Term Tree::index(const Term& base, const std::vector<Term>& items) {
  return put(IndexExpr{within(base, Level::atom), ids(items)});
}

Term Tree::transposed(const Term& x) {
  return put(TransposeExpr{within(x, Level::atom)});
}

Term Tree::range(const Term& lo, const Term& hi, const Term& step) {
  auto part = [&](const Term& term) { return term.id.valid() ? within(term, Level::disjunction) : ExprId{}; };
  const ExprId from = part(lo), to = part(hi), by = step.id.valid() && !is_integer(step, 1) ? part(step) : ExprId{};
  return put(RangeExpr{from, to, by});
}

Generator Tree::generator(const std::string& variable, const Term& range) {
  Generator generator;
  generator.variable.text = variable;
  generator.range = range.id;
  return generator;
}

Term Tree::comprehension(const Term& body, std::vector<Generator> generators) {
  return put(ComprehensionExpr{body.id, std::move(generators), true});
}

std::string Tree::element_spec(Element element) const {
  return element == real_ ? "real" : std::string(element_name(element));
}

Term Tree::size(const Dim& dim) {
  const auto known = dims_.find(dim.name.text);
  return known != dims_.end() && known->second == dim.size ? name(known->first) : integer(dim.size);
}

Term Tree::sizes(const Type& type) {
  std::vector<Term> items;
  for (const Dim& dim : type.dims) items.push_back(size(dim));
  return list(items);
}

TypeExpr Tree::type(const Type& type) {
  if (type.is_scalar()) return {element_spec(type.element), {}, true, {}};
  TypeExpr result{type.element == real_ ? "" : std::string(element_name(type.element)), {}, false, {}};
  for (const Dim& dim : type.dims) result.sizes.push_back(size(dim).id);
  return result;
}

// ---- statements ----

StmtId Tree::add(StmtNode node, const std::string& comment) {
  const StmtId id{static_cast<std::uint32_t>(ast_.stmts.size())};
  ast_.stmts.push_back({{}, std::move(node)});
  if (!comment.empty()) comments_[id.index] = "# " + comment;
  return id;
}

Target Tree::target(const std::string& name) {
  Target target;
  target.name.text = name;
  return target;
}

StmtId Tree::assign(const std::string& name, const Term& value, const std::optional<TypeExpr>& type, const std::string& comment) {
  AssignStmt assignment;
  assignment.targets.push_back(target(name));
  assignment.spelling.push_back('=');
  assignment.values.push_back(value.id);
  const auto* sum = std::get_if<BinaryExpr>(&expr(value).node);
  if (sum && (sum->spelling == "+" || sum->spelling == "-") && is_name({sum->left}, name)) {
    assignment.spelling.insert(0, sum->spelling);
    ExprNode change = ast_.expr(sum->right).node;  // without parentheses
    assignment.values[0] = put(std::move(change)).id;
  } else {
    assignment.targets[0].type = type;
  }
  return add(std::move(assignment), comment);
}

// ---- what has been written ----

bool Tree::is_name(const Term& term, std::string_view name) const {
  const auto* written = std::get_if<NameExpr>(&expr(term).node);
  return written && written->name == name;
}

bool Tree::is_word(const Term& term) const {
  return std::holds_alternative<NameExpr>(expr(term).node) || std::holds_alternative<BoolExpr>(expr(term).node);
}

bool Tree::is_integer(const Term& term, std::int64_t value) const {
  const auto* number = std::get_if<NumberExpr>(&expr(term).node);
  return number && number->integer == value;
}

bool Tree::mentions(const Term& term, std::string_view name) const {
  bool found = false;
  for_each_name(ast_, term.id, [&](const std::string& other) { found = found || other == name; });
  return found;
}

std::vector<std::string> Tree::names_in(const std::vector<StmtId>& statements, const std::vector<Term>& terms) const {
  std::vector<std::string> names;
  std::set<std::string> seen;
  auto note = [&](const std::string& name) {
    if (seen.insert(name).second) names.push_back(name);
  };
  for (StmtId statement : statements) for_each_name(ast_, statement, note);
  for (const Term& term : terms) for_each_name(ast_, term.id, note);
  return names;
}

std::size_t Tree::width(const Term& term) const {
  return expression_text(ast_, term.id).size();
}

// ---- places: one statement a line, for the formatter to find comments and blank lines where they belong ----

std::string Tree::text_of(const std::vector<StmtId>& statements, std::size_t limit) {
  line_ = 0;
  for (StmtId id : statements) place(id);
  ast_.top = statements;
  std::string text = format(ast_, {}, limit);
  ast_.comments.clear();
  return text;
}

void Tree::place(StmtId id) {
  constexpr std::uint32_t kBlock = 2, kEnd = 3, kComment = 4;  // columns
  line_ += apart_.contains(id.index) ? 2 : 1;
  if (const auto head = heads_.find(id.index); head != heads_.end()) {
    ast_.comments.push_back({{0, line_, 1, line_, 2}, head->second});
    ++line_;
  }
  Stmt& statement = ast_.stmts[id.index];
  statement.span = {0, line_, 1, line_, kEnd};
  if (const auto comment = comments_.find(id.index); comment != comments_.end())
    ast_.comments.push_back({{0, line_, kComment, line_, kComment + 1}, comment->second});
  for_each_block(statement.node, [&](Block& block) {
    block.span = {0, line_, kBlock, line_, kBlock};
    for (StmtId inner : block.statements) place(inner);
    block.span.end_line = ++line_;
    block.span.end_column = kEnd;
    statement.span.end_line = line_;
  });
}

}  // namespace bpc::frontend::script
