// The explanation as a graph.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "explain/formula.h"
#include "explain/phrases.h"
#include "explain/render.h"
#include "support/xml.h"

namespace bpc::explain {

namespace {

constexpr const char *kValue = "#1b5e20", *kGradient = "#6a1b9a";
// What Graphviz is told of a graph of more values than that: to look for the best places less long.
constexpr std::size_t kLarge = 100;
constexpr const char* kQuickly = "  nslimit=1;\n  nslimit1=1;\n  mclimit=0.1;\n";

// A number, or a shape with the size of what is in it.
std::string short_value(const runtime::Tensor& tensor) {
  if (is_scalar(tensor)) return "= " + number_text(tensor.real_at(0), 4);
  return fmt::format("{} norm {}", shape_text(Type::of_sizes(Element::f32, tensor.type().sizes()).dims), number_text(norm_of(tensor), 3));
}

class Drawing {
 public:
  explicit Drawing(const Explanation& explanation) : e_(explanation), maker_(e_.quantities.size(), SIZE_MAX) {}

  std::string run() {
    for (std::size_t step : e_.visible)
      for (QuantityId result : e_.steps[step].results) maker_[result] = step;
    for (std::size_t step : e_.visible) {
      note(e_.steps[step].inputs);
      note(e_.steps[step].given);
      note(e_.steps[step].results);
    }
    text_ = "digraph explanation {\n  rankdir=LR;\n  nodesep=0.25;\n  ranksep=0.3;\n" + std::string(is_large() ? kQuickly : "") +
            "  node [fontname=\"Helvetica\", fontsize=11, color=\"#37474f\"];\n  edge [color=\"#37474f\", arrowsize=0.6];\n";
    std::vector<std::size_t> top;
    for (std::size_t i = 0; i < e_.steps.size(); ++i)
      if (e_.steps[i].parent == SIZE_MAX) top.push_back(i);
    count_readers();
    for (QuantityId id : shown_)
      if (maker_[id] == SIZE_MAX)
        for (std::size_t copy = 0; copy < copies_of(id); ++copy) source(id, copy);
    for (std::size_t step : top) draw(step, 1);
    edges();
    return text_ + "}\n";
  }

 private:
  bool is_large() const { return shown_.size() > kLarge; }

  void note(const std::vector<QuantityId>& ids) { shown_.insert(ids.begin(), ids.end()); }

  void line(std::size_t depth, const std::string& text) { text_ += std::string(2 * depth, ' ') + text + "\n"; }

  void count_readers() {
    readers_.assign(e_.quantities.size(), 0);
    for (std::size_t step : e_.visible)
      for (QuantityId id : read_by(step)) ++readers_[id];
  }

  std::set<QuantityId> read_by(std::size_t step) const {
    std::set<QuantityId> read(e_.steps[step].inputs.begin(), e_.steps[step].inputs.end());
    read.insert(e_.steps[step].given.begin(), e_.steps[step].given.end());
    return read;
  }

  // What comes from outside and is read everywhere stands beside each step that reads it: lines across the whole graph are hard to follow,
  // and take long to lay out.
  std::size_t copies_of(QuantityId id) const {
    constexpr std::size_t kMany = 6;
    return maker_[id] == SIZE_MAX && readers_[id] > kMany ? readers_[id] : 1;
  }
  // "q3", and "q3x1" of a copy.
  static std::string node(char kind, QuantityId id, std::size_t copy) {
    return copy == 0 ? fmt::format("{}{}", kind, id) : fmt::format("{}{}x{}", kind, id, copy);
  }

  // What comes from outside: a param is a box with round corners, an input an ellipse, what was computed before a plain text.
  void source(QuantityId id, std::size_t copy) {
    const Quantity& quantity = e_.quantities[id];
    const char* shape = quantity.kind == Quantity::Kind::param   ? "shape=box, style=\"rounded,filled\", fillcolor=\"#fff3d6\""
                        : quantity.kind == Quantity::Kind::input ? "shape=ellipse, style=filled, fillcolor=\"#e3f2fd\""
                                                                 : "shape=plaintext";
    line(1, fmt::format("{} [label=\"{}\", {}];", node('s', id, copy), xml_text(quantity.name), shape));
    value(id, 1, copy);
  }

  // The value above a line, the derivative below it; the line goes on as the edges on both sides.
  void value(QuantityId id, std::size_t depth, std::size_t copy = 0) {
    const Quantity& quantity = e_.quantities[id];
    const std::string above = fmt::format("{} {}", quantity.name, short_value(quantity.value));
    std::string below = "&#160;";
    if (quantity.derivative) below = xml_text(fmt::format("{} {}", derivative_name(e_, id), short_value(*quantity.derivative)));
    line(depth, fmt::format("{} [shape=plain, label=<<table border=\"0\" cellborder=\"0\" cellspacing=\"0\" cellpadding=\"2\">"
                            "<tr><td><font color=\"{}\">{}</font></td></tr><hr/><tr><td><font color=\"{}\">{}</font></td></tr></table>>];",
                            node('q', id, copy), kValue, xml_text(above), kGradient, below));
  }

  void draw(std::size_t id, std::size_t depth) {
    const Step& step = e_.steps[id];
    const bool is_shown = std::find(e_.visible.begin(), e_.visible.end(), id) != e_.visible.end();
    if (!is_shown) {
      line(depth, fmt::format("subgraph cluster_{} {{", id));
      const std::string turn = step.kind == Step::Kind::turns ? fmt::format("turn {} of ", step.first_turn) : "";
      line(depth + 1,
           fmt::format("label=\"{}{}\"; labeljust=l; fontname=\"Helvetica\"; fontsize=10; style=\"rounded,dashed\"; color=\"#90a4ae\";",
                       turn, quoted(step.expression)));
      for (std::size_t inner : step.inside) draw(inner, depth + 1);
      line(depth, "}");
      return;
    }
    const bool is_group = step.kind != Step::Kind::operation;
    std::string label = step.expression;
    if (step.kind == Step::Kind::turns)
      label = step.first_turn == step.last_turn ? fmt::format("turn {} of {}", step.first_turn, step.expression)
                                                : fmt::format("turns {}…{} of {}", step.first_turn, step.last_turn, step.expression);
    line(depth, fmt::format("n{} [label=\"{}\", shape={}];", id, quoted(label), is_group ? "box3d" : "box"));
    for (QuantityId result : step.results) value(result, depth);
  }

  static std::string quoted(const std::string& text) {
    std::string result;
    for (char c : text) result += c == '"' || c == '\\' ? std::string("\\") + c : std::string(1, c);
    return result;
  }

  void edges() {
    for (QuantityId id : shown_)
      for (std::size_t copy = 0; copy < copies_of(id); ++copy)
        line(1, fmt::format("{} -> {}:w [arrowhead=none];", maker_[id] == SIZE_MAX ? node('s', id, copy) : fmt::format("n{}", maker_[id]),
                            node('q', id, copy)));
    std::vector<std::size_t> drawn(e_.quantities.size(), 0);
    for (std::size_t step : e_.visible)
      for (QuantityId id : read_by(step)) line(1, fmt::format("{}:e -> n{};", node('q', id, copies_of(id) > 1 ? drawn[id]++ : 0), step));
    if (e_.of == kNoQuantity || !shown_.contains(e_.of)) return;
    line(1, fmt::format("y [label=\"{}\", shape=doubleoctagon, style=filled, fillcolor=\"#fce4ec\"];", quoted(e_.y)));
    line(1, fmt::format("q{}:e -> y;", e_.of));
  }

  const Explanation& e_;
  std::vector<std::size_t> maker_;  // by quantity: the step that gives it
  std::set<QuantityId> shown_;
  std::vector<std::size_t> readers_;  // by quantity: how many steps
  std::string text_;
};

}  // namespace

std::string to_dot(const Explanation& explanation) {
  return Drawing(explanation).run();
}

}  // namespace bpc::explain
