// The tree of a script as text without spans: to compare trees, and to say in a test what a script means.
#pragma once

#include <fmt/format.h>

#include <string>

#include "frontend/syntax/walk.h"

namespace bpc::frontend {

class TreeText {
 public:
  explicit TreeText(const Ast& ast) : ast_(ast) {}

  std::string run() {
    std::string text;
    for (StmtId id : ast_.top) text += fmt::format("{}\n", statement(id));
    return text;
  }

 private:
  using Text = std::string;

  Text expr(ExprId id) const {
    if (!id.valid()) return "_";
    const Expr& e = ast_.expr(id);
    return fmt::format(fmt::runtime(e.parenthesized ? "{{{}}}" : "{}"), bare(e));
  }

  Text bare(const Expr& e) const {
    return std::visit(
        overloaded{
            [](const NumberExpr& n) { return n.text; },
            [](const BoolExpr& b) { return fmt::format("{}", b.value); },
            [](const StringExpr& s) { return fmt::format("'{}'", s.value); },
            [](const NameExpr& n) { return n.name; },
            [&](const UnaryExpr& u) { return fmt::format("({} {})", u.spelling, expr(u.operand)); },
            [&](const BinaryExpr& b) { return binary(b); },
            [&](const ConditionalExpr& c) { return fmt::format("(if {} {} {})", expr(c.condition), expr(c.then), expr(c.otherwise)); },
            [&](const RangeExpr& r) { return fmt::format("(range {} {} {})", expr(r.lo), expr(r.hi), expr(r.step)); },
            [&](const ListExpr& l) { return fmt::format("[{}]", exprs(l.items)); },
            [&](const CallExpr& c) {
              Text list;
              for (const Argument& a : c.arguments)
                list += fmt::format(" {}{}{}", a.name ? a.name->text : "", a.name ? "=" : "", expr(a.value));
              return fmt::format("(call {}{})", c.callee.text, list);
            },
            [&](const IndexExpr& i) { return fmt::format("(at {} {})", expr(i.base), exprs(i.items)); },
            [&](const TransposeExpr& t) { return fmt::format("(T {})", expr(t.operand)); },
            [&](const ComprehensionExpr& c) {
              Text list;
              for (const Generator& g : c.generators) list += fmt::format(" {} {}", g.variable.text, expr(g.range));
              return fmt::format(fmt::runtime(c.bracketed ? "[for {}{}]" : "(for {}{})"), expr(c.body), list);
            },
            [&](const FunctionExpr& f) { return show(f.fn); },
        },
        e.node);
  }

  // Long chains lean to the left.
  Text binary(const BinaryExpr& last) const {
    std::vector<const BinaryExpr*> links{&last};
    for (const Expr* left; (left = &ast_.expr(links.back()->left)) && !left->parenthesized;) {
      const auto* link = std::get_if<BinaryExpr>(&left->node);
      if (!link) break;
      links.push_back(link);
    }
    Text text = Text(links.size(), '(') + expr(links.back()->left);
    for (auto link = links.rbegin(); link != links.rend(); ++link) text += fmt::format(" {} {})", (*link)->spelling, expr((*link)->right));
    return text;
  }

  Text exprs(const std::vector<ExprId>& ids) const {
    Text list;
    for (ExprId id : ids) list += fmt::format("{}{}", list.empty() ? "" : ", ", expr(id));
    return list;
  }
  Text type(const std::optional<TypeExpr>& t) const {
    if (!t) return "";
    return t->scalar ? fmt::format(" : {}", t->element) : fmt::format(" : {}[{}]", t->element, exprs(t->sizes));
  }
  Text block(const Block& b) const {
    Text list;
    for (StmtId id : b.statements) list += fmt::format("{}; ", statement(id));
    return fmt::format("{{ {}}}", list);
  }
  static Text names(const std::vector<Name>& list) {
    Text text;
    for (const Name& name : list) text += fmt::format("{}{}", text.empty() ? "" : ", ", name.text);
    return text;
  }

  Text statement(StmtId id) const {
    return std::visit([&](const auto& s) { return show(s); }, ast_.stmt(id).node);
  }

  Text show(const ErrorStmt& s) const {
    Text names;
    for (const Name& name : s.assigned) names += " " + name.text;
    for (const Name& name : s.mentioned) names += " ?" + name.text;
    return fmt::format("error{}{}", names, s.imports ? " imports" : "");
  }
  Text show(const ImportStmt& s) const { return fmt::format("import '{}'", s.path); }
  Text show(const DimStmt& s) const { return fmt::format("dim {} = {}", s.name.text, expr(s.value)); }
  Text show(const ConstStmt& s) const { return fmt::format("const {}{} = {}", s.name.text, type(s.type), expr(s.value)); }
  Text show(const InputStmt& s) const {
    Text from = s.from ? fmt::format(" from '{}' {}", s.from->path, expr(s.from->selector)) : "";
    return fmt::format("input {}{} = {}{}", s.name.text, type(s.type), expr(s.value), from);
  }
  Text show(const ParamStmt& s) const { return fmt::format("param {}{} = {}", s.name.text, type(s.type), expr(s.value)); }
  Text show(const LossStmt& s) const { return fmt::format("loss {} = {}", s.name.text, expr(s.value)); }
  Text show(const FnStmt& s) const {
    Text list, results;
    for (const FnParameter& p : s.parameters) list += fmt::format("{}{} = {}, ", p.name.text, type(p.type), expr(p.value));
    for (const TypeExpr& result : s.results) results += type(result);
    return fmt::format("fn {}({}){} {}", s.name.text, list, results, s.expression.valid() ? expr(s.expression) : block(s.body));
  }
  Text show(const SeedStmt& s) const { return fmt::format("seed {}", expr(s.value)); }
  Text show(const RealStmt& s) const { return "real " + s.element.text; }
  Text show(const BreakStmt&) const { return "break"; }
  Text show(const ContinueStmt&) const { return "continue"; }
  Text show(const TrainStmt& s) const {
    Text list;
    for (const TrainStmt::Setting& setting : s.settings) list += fmt::format(" {} = {};", setting.name.text, expr(setting.value));
    return fmt::format("train{}", list);
  }
  Text show(const AdjointStmt& s) const {
    return fmt::format("adjoint {}({}) -> {} {}", s.function.text, names(s.inputs), names(s.outputs), block(s.body));
  }
  Text show(const AssignStmt& s) const {
    Text list;
    for (const Target& t : s.targets) {
      Text index = t.index ? fmt::format("[{}]", exprs(*t.index)) : "";
      list += fmt::format("{}{}{}{}", list.empty() ? "" : ", ", t.name.text, index, type(t.type));
    }
    return fmt::format("{} {} {}", list, s.spelling, exprs(s.values));
  }
  Text show(const ExprStmt& s) const { return fmt::format("value {}", expr(s.value)); }
  Text show(const IfStmt& s) const {
    return fmt::format("if {} {}{}", expr(s.condition), block(s.then), s.otherwise ? fmt::format(" else {}", block(*s.otherwise)) : "");
  }
  Text show(const ForStmt& s) const { return fmt::format("for {} {} {}", s.variable.text, expr(s.range), block(s.body)); }
  Text show(const WhileStmt& s) const { return fmt::format("while {} {}", expr(s.condition), block(s.body)); }
  Text show(const ReturnStmt& s) const { return fmt::format("return {}", exprs(s.values)); }
  Text show(const PrintStmt& s) const { return fmt::format("print {}", exprs(s.items)); }
  Text show(const AssertStmt& s) const {
    return fmt::format("assert {}{}", expr(s.condition), s.message ? fmt::format(" '{}'", *s.message) : "");
  }

  const Ast& ast_;
};

inline std::string tree_text(const Ast& ast) {
  return TreeText(ast).run();
}

}  // namespace bpc::frontend
