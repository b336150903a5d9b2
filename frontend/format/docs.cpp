#include "frontend/format/docs.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <utility>

#include "frontend/syntax/precedence.h"
#include "frontend/syntax/walk.h"

namespace bpc::frontend {

std::string quote(const std::string& text) {
  std::string result = "\"";
  for (char c : text) {
    switch (c) {
      case '\n':
        result += "\\n";
        break;
      case '\t':
        result += "\\t";
        break;
      case '"':
        result += "\\\"";
        break;
      case '\\':
        result += "\\\\";
        break;
      default:
        result += c;
    }
  }
  return result + "\"";
}

namespace {

using Docs = std::vector<Doc>;
using Where = Break::Where;

Level level(const BinaryExpr& e) {
  return operator_level(e.spelling).value();
}

class Writer {
 public:
  Writer(const Ast& ast, const SourceMap& sources, Notes& notes) : ast_(ast), sources_(sources), notes_(notes) {}
  Docs take() { return std::move(out_); }

  void text(std::string text) { out_.push_back({std::move(text)}); }
  void put(const Docs& docs) { out_.insert(out_.end(), docs.begin(), docs.end()); }
  // `line` is that of what follows in the source: the comments above it stand here.
  void place(std::string flat, bool author, std::uint32_t line, Where where = Where::between) {
    Break place{std::move(flat), author, where};
    for (; notes_.next != notes_.end && notes_.next->span.line < line; ++notes_.next) {
      const Span& at = notes_.next->span;
      const std::string before = sources_.text({at.file, at.line, 1, at.line, at.column});
      place.notes.push_back({notes_.next->text, before.find_first_not_of(" \t") != std::string::npos});
      place.author = true;
    }
    out_.push_back({std::move(place)});
  }

  // Collects what `write` writes into one group.
  template <typename F>
  void group(bool bracketed, F&& write) {
    Docs outer = std::exchange(out_, {});
    write();
    outer.push_back({Group{std::exchange(out_, {}), bracketed}});
    out_ = std::move(outer);
  }

  // Where items stand in the source, to see where the author broke lines.
  struct Lines {
    std::uint32_t first, last;
  };
  Lines lines(ExprId id) const { return {ast_.expr(id).span.line, ast_.expr(id).span.end_line}; }
  Lines lines(const Argument& argument) const {
    return {argument.name ? argument.name->span.line : ast_.expr(argument.value).span.line, ast_.expr(argument.value).span.end_line};
  }
  Lines lines(const FnParameter& parameter) const {
    Span last = parameter.name.span;
    if (parameter.type) last = last.to(parameter.type->span);
    if (parameter.value.valid()) last = last.to(ast_.expr(parameter.value).span);
    return {parameter.name.span.line, last.end_line};
  }
  Lines lines(const TypeExpr& type) const { return {type.span.line, type.span.end_line}; }
  Lines lines(const Target& target) const { return {target.span.line, target.span.end_line}; }

  template <typename Item, typename F>
  void separated(const std::vector<Item>& items, F&& write) {
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (i > 0) {
        text(",");
        place(" ", lines(items[i]).first > lines(items[i - 1]).last, lines(items[i]).first);
      }
      write(items[i]);
    }
  }

  // `opened` is the opening bracket's line, `closed` the closing one's. Only what opens at a line's end closes on a line of its own.
  template <typename Item, typename F>
  void bracketed(const char* brackets, std::uint32_t opened, std::uint32_t closed, const std::vector<Item>& items, F&& write) {
    group(true, [&] {
      text(std::string(1, brackets[0]));
      if (!items.empty()) {
        const bool broken = lines(items.front()).first > opened;
        place("", broken, lines(items.front()).first, Where::opening);
        separated(items, write);
        place("", broken && closed > lines(items.back()).last, closed, Where::closing);
      }
      text(std::string(1, brackets[1]));
    });
  }

  void expr(ExprId id) {
    const Expr& expr = ast_.expr(id);
    const Lines inside = inner_lines(expr);
    if (!expr.parenthesized) return bare(expr, inside);
    group(true, [&] {
      const bool broken = inside.first > expr.span.line;
      text("(");
      place("", broken, inside.first, Where::opening);
      bare(expr, inside);
      place("", broken && inside.last < expr.span.end_line, expr.span.end_line, Where::closing);
      text(")");
    });
  }

  void exprs(const std::vector<ExprId>& ids) {
    separated(ids, [&](ExprId id) { expr(id); });
  }

  void type(const TypeExpr& type) {
    text(type.element);
    if (!type.scalar) bracketed("[]", type.span.line, type.span.end_line, type.sizes, [&](ExprId id) { expr(id); });
  }
  void declared(const char* colon, const std::optional<TypeExpr>& declared_type) {
    if (!declared_type) return;
    text(colon);
    type(*declared_type);
  }
  void value(ExprId id) {
    if (!id.valid()) return;
    sign("=", id);
    expr(id);
  }

  // A line ends after it only where a comment stands there.
  void sign(const std::string& spelling, ExprId value) {
    text(" " + spelling);
    if (notes_.next != notes_.end && notes_.next->span.line < lines(value).first)
      place(" ", true, lines(value).first);
    else
      text(" ");
  }

  void argument(const Argument& argument) {
    if (argument.name) text(argument.name->text + "=");
    expr(argument.value);
  }

 private:
  // Of an expression without its parentheses.
  Lines inner_lines(const Expr& expr) const {
    Lines result{expr.span.line, expr.span.end_line};
    if (!expr.parenthesized) return result;
    const std::string text = sources_.text(expr.span);
    std::uint32_t line = expr.span.line;
    bool is_first = true;
    for (std::size_t i = 1; i + 1 < text.size(); ++i) {
      if (text[i] == '#') i = std::min(text.find('\n', i), text.size() - 2);
      line += text[i] == '\n';
      if (std::isspace(static_cast<unsigned char>(text[i]))) continue;
      if (std::exchange(is_first, false)) result.first = line;
      result.last = line;
      if (text[i] == '"')  // a text, which may hold a `#`
        for (++i; i + 1 < text.size() && text[i] != '"'; ++i) i += text[i] == '\\';
    }
    return result;
  }

  // `inside` are the lines of the expression without parentheses.
  void bare(const Expr& expr, Lines inside) {
    std::visit(overloaded{
                   [&](const NumberExpr& e) { text(e.text); },
                   [&](const BoolExpr& e) { text(e.value ? "true" : "false"); },
                   [&](const StringExpr& e) { text(quote(e.value)); },
                   [&](const NameExpr& e) { text(e.name); },
                   [&](const UnaryExpr& e) {
                     text(e.spelling == "not" ? "not " : e.spelling);
                     this->expr(e.operand);
                   },
                   [&](const BinaryExpr& e) { chain(e); },
                   [&](const ConditionalExpr& e) {
                     group(false, [&] {
                       this->expr(e.then);
                       text(" if");
                       place(" ", lines(e.then).last < lines(e.condition).first, lines(e.condition).first);
                       this->expr(e.condition);
                       text(" else");
                       place(" ", lines(e.condition).last < lines(e.otherwise).first, lines(e.otherwise).first);
                       this->expr(e.otherwise);
                     });
                   },
                   [&](const RangeExpr& e) { range(e); },
                   [&](const ListExpr& e) { bracketed("[]", inside.first, inside.last, e.items, [&](ExprId id) { this->expr(id); }); },
                   [&](const CallExpr& e) {
                     text(e.callee.text);
                     bracketed("()", e.callee.span.end_line, inside.last, e.arguments, [&](const Argument& each) { argument(each); });
                   },
                   [&](const IndexExpr& e) {
                     this->expr(e.base);
                     bracketed("[]", lines(e.base).last, inside.last, e.items, [&](ExprId id) { this->expr(id); });
                   },
                   [&](const TransposeExpr& e) {
                     this->expr(e.operand);
                     text(".T");
                   },
                   [&](const ComprehensionExpr& e) { comprehension(e, inside); },
                   [&](const FunctionExpr& e) {
                     text("fn");
                     bracketed("()", e.fn.name.span.line, lines(e.fn.expression).first, e.fn.parameters,
                               [&](const FnParameter& parameter) { text(parameter.name.text); });
                     value(e.fn.expression);
                   },
               },
               expr.node);
  }

  // Operators of one level, whose operands lean to the left. Arithmetic keeps the author's choice between `a*b` and `a * b`.
  void chain(const BinaryExpr& last) {
    std::vector<const BinaryExpr*> links{&last};
    for (;;) {
      const Expr& left = ast_.expr(links.back()->left);
      const auto* binary = std::get_if<BinaryExpr>(&left.node);
      if (!binary || left.parenthesized || level(*binary) != level(last) || level(last) == Level::power) break;
      links.push_back(binary);
    }
    group(false, [&] {
      expr(links.back()->left);
      for (auto link = links.rbegin(); link != links.rend(); ++link) {
        const BinaryExpr& e = **link;
        const Span &left = ast_.expr(e.left).span, &right = ast_.expr(e.right).span, &sign = e.spelling_span;
        const bool broken = sign.end_line < right.line;
        auto touch = [](const Span& a, const Span& b) { return a.end_line == b.line && a.end_column == b.column; };
        const bool is_arithmetic = level(e) == Level::sum || level(e) == Level::product;
        const bool tight = level(e) == Level::power || (is_arithmetic && touch(left, sign) && (broken || touch(sign, right)));
        text(tight ? e.spelling : " " + e.spelling);
        place(tight ? "" : " ", broken, right.line);
        expr(e.right);
      }
    });
  }

  void range(const RangeExpr& range) {
    if (!range.lo.valid() && !range.hi.valid() && !range.step.valid()) return text(":");
    if (range.lo.valid()) expr(range.lo);
    text("..");
    if (range.hi.valid()) expr(range.hi);
    if (!range.step.valid()) return;
    text(" by ");
    expr(range.step);
  }

  void comprehension(const ComprehensionExpr& e, Lines inside) {
    const bool broken = lines(e.body).first > inside.first;
    group(e.bracketed, [&] {
      if (e.bracketed) {
        text("[");
        place("", broken, lines(e.body).first, Where::opening);
      }
      expr(e.body);
      std::uint32_t last = lines(e.body).last;
      for (std::size_t i = 0; i < e.generators.size(); ++i) {
        const Generator& generator = e.generators[i];
        if (i > 0) text(",");
        place(" ", generator.variable.span.line > last, generator.variable.span.line);
        text(fmt::format("{}{} in ", i == 0 ? "for " : "", generator.variable.text));
        expr(generator.range);
        last = lines(generator.range).last;
      }
      if (e.bracketed) {
        place("", broken && inside.last > last, inside.last, Where::closing);
        text("]");
      }
    });
  }

  const Ast& ast_;
  const SourceMap& sources_;
  Notes& notes_;
  Docs out_;
};

// A left side stays on one line, unless a comment stands in it.
bool has_notes(const Docs& docs) {
  return std::any_of(docs.begin(), docs.end(), [](const Doc& doc) {
    const auto* place = std::get_if<Break>(&doc.node);
    const auto* group = std::get_if<Group>(&doc.node);
    return (place && !place->notes.empty()) || (group && has_notes(group->parts));
  });
}
std::string flat_text(const Docs& docs) {
  std::string result;
  for (const Doc& doc : docs)
    std::visit(overloaded{[&](const std::string& text) { result += text; }, [&](const Break& place) { result += place.flat; },
                          [&](const Group& group) { result += flat_text(group.parts); }},
               doc.node);
  return result;
}

class StatementWriter {
 public:
  StatementWriter(const Ast& ast, const SourceMap& sources, const Stmt& statement, Notes& notes)
      : ast_(ast), sources_(sources), notes_(notes), span_(statement.span), continues_(statement.continues), w_(ast, sources, notes) {}

  Docs run(const StmtNode& node) {
    std::visit([&](const auto& statement) { write(statement); }, node);
    return w_.take();
  }

 private:
  void write(const ErrorStmt&) {}  // only whole trees are written
  void write(const ImportStmt& s) { w_.text("import " + quote(s.path)); }
  void write(const DimStmt& s) {
    w_.text((continues_ ? "" : "dim ") + s.name.text);
    w_.value(s.value);
  }
  void write(const ConstStmt& s) { declaration("const ", s.name, s.type, s.value); }
  void write(const InputStmt& s) {
    w_.text((continues_ ? "" : "input ") + s.name.text);
    w_.declared(" : ", s.type);
    if (s.of.valid()) {
      w_.text(" of ");
      w_.expr(s.of);
    }
    w_.value(s.value);
    if (s.from) source(*s.from);
  }
  void write(const ParamStmt& s) {
    declaration("param ", s.name, s.type, s.value);
    if (s.from) source(*s.from);
  }
  void source(const FromClause& from) {
    w_.text(" from " + quote(from.path));
    if (!from.selector.valid()) return;
    w_.bracketed("[]", from.path_span.line, span_.end_line, std::vector{from.selector}, [&](ExprId id) { w_.expr(id); });
  }
  void write(const LossStmt& s) {
    w_.text(s.name.text == "loss" ? "loss" : "loss " + s.name.text);
    w_.value(s.value);
  }
  void write(const FnStmt& s) {
    w_.text("fn " + s.name.text);
    // The closing parenthesis is on the line of what follows it.
    const Span after = !s.results.empty() ? s.results[0].span : s.expression.valid() ? ast_.expr(s.expression).span : s.body.span;
    w_.bracketed("()", s.name.span.line, after.line, s.parameters, [&](const FnParameter& parameter) {
      w_.text(parameter.name.text);
      w_.declared(": ", parameter.type);
      if (!parameter.value.valid()) return;
      w_.text(parameter.type ? " = " : "=");
      w_.expr(parameter.value);
    });
    if (!s.results.empty()) w_.text(" -> ");
    w_.separated(s.results, [&](const TypeExpr& type) { w_.type(type); });
    if (s.expression.valid())
      w_.value(s.expression);
    else
      w_.text(" {");
  }
  void write(const SeedStmt& s) {
    w_.text("seed ");
    w_.expr(s.value);
  }
  void write(const RealStmt& s) { w_.text("real " + s.element.text); }
  void write(const TrainStmt&) { w_.text("train {"); }
  void write(const AdjointStmt& s) {
    auto list = [](const std::vector<Name>& names) {
      std::string joined;
      for (const Name& name : names) joined += (joined.empty() ? "" : ", ") + name.text;
      return joined;
    };
    w_.text(fmt::format("adjoint {}({}) -> {} {{", s.function.text, list(s.inputs), list(s.outputs)));
  }
  void write(const AssignStmt& s) {
    Writer left(ast_, sources_, notes_);
    left.separated(s.targets, [&](const Target& target) {
      left.text(target.name.text);
      if (target.index) left.bracketed("[]", target.name.span.line, target.span.end_line, *target.index, [&](ExprId id) { left.expr(id); });
      left.declared(" : ", target.type);
    });
    const Docs targets = left.take();
    if (has_notes(targets))
      w_.put(targets);
    else
      w_.text(flat_text(targets));
    w_.sign(s.spelling, s.values.front());
    w_.exprs(s.values);
  }
  void write(const ExprStmt& s) { w_.expr(s.value); }
  void write(const IfStmt& s) { head("if ", s.condition); }
  void write(const ForStmt& s) { head(fmt::format("for {} in ", s.variable.text), s.range); }
  void write(const WhileStmt& s) { head("while ", s.condition); }
  void write(const BreakStmt&) { w_.text("break"); }
  void write(const ContinueStmt&) { w_.text("continue"); }
  void write(const ReturnStmt& s) { list("return", s.values); }
  void write(const PrintStmt& s) { list("print", s.items); }
  void write(const AssertStmt& s) {
    w_.text("assert ");
    w_.expr(s.condition);
    if (!s.message) return;
    w_.text(",");
    w_.place(" ", false, 0);
    w_.text(quote(*s.message));
  }

  void declaration(const char* word, const Name& name, const std::optional<TypeExpr>& type, ExprId value) {
    w_.text((continues_ ? "" : word) + name.text);
    w_.declared(" : ", type);
    w_.value(value);
  }
  void head(std::string words, ExprId expr) {
    w_.text(std::move(words));
    w_.expr(expr);
    w_.text(" {");
  }
  void list(const char* word, const std::vector<ExprId>& values) {
    w_.text(values.empty() ? word : fmt::format("{} ", word));
    w_.exprs(values);
  }

  const Ast& ast_;
  const SourceMap& sources_;
  Notes& notes_;
  Span span_;       // of the statement
  bool continues_;  // the declaration's word stands before it
  Writer w_;
};

}  // namespace

std::vector<Doc> statement_docs(const Ast& ast, const SourceMap& sources, const Stmt& statement, Notes& notes) {
  return StatementWriter(ast, sources, statement, notes).run(statement.node);
}

std::string expression_text(const Ast& ast, ExprId id) {
  const SourceMap nowhere;
  Notes none;
  Writer writer(ast, nowhere, none);
  writer.expr(id);
  const Docs docs = writer.take();
  return flat_text(docs);
}

std::vector<Doc> setting_docs(const Ast& ast, const SourceMap& sources, const TrainStmt::Setting& setting, Notes& notes) {
  Writer writer(ast, sources, notes);
  writer.text(setting.name.text);
  writer.value(setting.value);
  return writer.take();
}

}  // namespace bpc::frontend
