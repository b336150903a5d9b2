#include "explain/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "explain/absent.h"
#include "explain/borders.h"
#include "explain/chains.h"
#include "explain/element.h"
#include "explain/loops.h"
#include "explain/naming.h"
#include "explain/swept.h"
#include "explain/wording.h"

namespace bpc::explain {

namespace {

using ir::is_arithmetic;
using ir::is_movement;
using ir::Op;
using ir::Opcode;
using ir::OpId;
using ir::ValueId;
using runtime::Tensor;

class Explainer {
 public:
  Explainer(const Trace& trace, const ExplainOptions& options)
      : trace_(trace),
        function_(trace.function),
        options_(options),
        graph_(make_graph(trace)),
        namer_(trace, graph_, *options.sources, options.taken),
        nodes_(make_nodes(trace, graph_, folding())),
        visible_(visible_nodes(nodes_)),
        borders_(trace, graph_, namer_, nodes_, visible_),
        swept_(trace, graph_) {}

  Explanation run(Live* wanted) {
    name_values();
    make_steps();
    if (trace_.sweep) {
      for (ValueId x : trace_.sweep->xs) out_.xs.push_back(quantity(x));
      for (std::size_t i = 0; i < out_.visible.size(); ++i) is_forward(out_) ? contribute_forward(i) : contribute(i);
      for (QuantityId each : is_forward(out_) ? std::vector{out_.of} : out_.xs) out_.chains.push_back(chain_of(out_, each));
      if (!options_.loss.empty()) out_.notes = absent_gradients(trace_, namer_, out_.y);
    }
    const LoopReader loops(trace_, graph_, namer_, [&](ValueId value) { return derivative(value); });
    for (std::size_t i = 0; i < nodes_.size(); ++i)
      if (nodes_[i].kind == Step::Kind::loop && is_shown(i)) summarise(loops, i);
    is_hidden_ = hidden_scopes(trace_, nodes_);
    for (const Branch& branch : trace_.branches) decide(branch);
    decide_for_each();
    if (!options_.element_of.empty()) follow();
    if (wanted) *wanted = live();
    return std::move(out_);
  }

 private:
  // What a contribution is: parts of a cotangent, or a value, or one use of a step's own derivative.
  struct Source {
    std::vector<const ir::ReverseSweep::Part*> parts;
    ValueId value;
    std::size_t step = SIZE_MAX, use = 0;  // into the visible steps, and what its derivative uses
    ValueId arriving;                      // there; invalid where it is no use
  };

  Folding folding() const {
    return {options_.unfold_all,
            options_.unfolded,
            options_.iteration,
            options_.lines,
            [&](const Scope& scope) { return function_called(scope); },
            options_.most_lines,
            [&](const Node& node) { return place_of(node).line; },
            [&](const std::vector<Node>& nodes, const std::vector<std::size_t>& visible) { return lines_of(nodes, visible); }};
  }

  Span place_of(const Node& node) const {
    return node.cluster == SIZE_MAX ? trace_.scopes[node.scope].span : namer_.place_of(graph_.clusters[node.cluster]);
  }

  // One for each step forward, or for each of its results; one for each result on the walk back; two for what the derivative is taken by,
  // and some for each loop.
  std::size_t lines_of(const std::vector<Node>& nodes, const std::vector<std::size_t>& visible) const {
    constexpr std::size_t kMostParams = 6, kLoopLines = 5;
    const Borders borders(trace_, graph_, namer_, nodes, visible);
    std::size_t lines = trace_.sweep ? 2 * std::min(kMostParams, trace_.sweep->xs.size()) : 0;
    for (const Node& node : nodes)
      if (node.kind == Step::Kind::loop && node.is_open) lines += kLoopLines;
    for (std::size_t i = 0; i < visible.size(); ++i)
      lines += std::max<std::size_t>(1, borders[i].results.size()) + (trace_.sweep ? borders[i].results.size() : 0);
    return lines;
  }

  std::string function_called(const Scope& scope) const {
    if (scope.kind == Scope::Kind::derivative) return "grad";
    const std::string text = namer_.text_of(scope.span);
    return text.substr(0, text.find('('));
  }

  // ---- what the sweep has found ----

  // The value of the trace that is the cotangent or the tangent of one; invalid: zero.
  ValueId derivative_of(ValueId value) const {
    return trace_.sweep && value.index < trace_.sweep->derivatives.size() ? trace_.sweep->derivatives[value.index] : ValueId();
  }
  Tensor derivative(ValueId value) const {
    const ValueId found = derivative_of(value);
    return found.valid() ? trace_.value(found) : Tensor();
  }

  // ---- steps and what they hand on ----

  // Values that are not on the way and that the formula of an operation names.
  void collect_given(std::size_t cluster, std::set<ValueId>& values) const {
    const std::vector<OpId>& ops = graph_.clusters[cluster].ops;
    const bool is_library = trace_.scopes[trace_.scope_of[graph_.clusters[cluster].root.index]].kind == Scope::Kind::library;
    std::set<ValueId> inside;
    for (OpId id : ops) inside.insert(function_.op(id).results.begin(), function_.op(id).results.end());
    const std::function<void(ValueId)> collect = [&](ValueId value) {
      if (inside.contains(value) || graph_.is_active[value.index] || function_.type(value).tape) return;
      const Op* made = function_.def(value);
      const bool is_number = made && made->code == Opcode::constant && function_.type(value).is_scalar();
      if (namer_.authors_name(value).empty() && made && (is_number || is_movement(made->code) || is_arithmetic(made->code))) {
        for (ValueId operand : made->operands) collect(operand);
        return;
      }
      const bool is_index = is_integer(function_.type(value).element) && namer_.authors_name(value).empty();
      if (!is_index || !is_library) values.insert(value);
    };
    for (OpId id : ops)
      for (ValueId operand : function_.op(id).operands) collect(operand);
  }

  void name_values() {
    std::set<ValueId> values;
    for (std::size_t i = 0; i < visible_.size(); ++i) {
      values.insert(borders_[i].results.begin(), borders_[i].results.end());
      for (ValueId input : borders_[i].inputs)
        if (borders_.is_handed_on(input)) values.insert(input);
      if (nodes_[visible_[i]].kind == Step::Kind::operation) collect_given(nodes_[visible_[i]].cluster, values);
    }
    if (trace_.sweep) values.insert(trace_.sweep->xs.begin(), trace_.sweep->xs.end()), values.insert(trace_.sweep->y);
    if (trace_.sweep && trace_.sweep->along.valid()) values.insert(trace_.sweep->along);
    names_ = namer_.name(values);
    for (const auto& [value, name] : names_) {
      ids_[value] = out_.quantities.size();
      Quantity quantity{name, kind_of(value), namer_.place_of(value), trace_.value(value), {}, {}};
      const Tensor found = derivative(value);
      if (found.count() > 0) quantity.derivative = found;
      for (std::size_t scope = scope_of(value); scope != 0 && !quantity.turn; scope = trace_.scopes[scope].parent)
        if (trace_.scopes[scope].kind == Scope::Kind::turn) quantity.turn = trace_.scopes[scope].turn;
      out_.quantities.push_back(std::move(quantity));
    }
    if (!trace_.sweep) return;
    out_.of = quantity(trace_.sweep->y);
    if (trace_.sweep->along.valid()) out_.along = quantity(trace_.sweep->along);
    const auto is_differential = [&](const Quantity& each) {
      return std::ranges::any_of(out_.quantities, [&](const Quantity& other) { return other.name == "d" + each.name; });
    };
    out_.has_differentials = is_forward(out_) && std::ranges::any_of(out_.quantities, is_differential);
    const std::string called = namer_.call_that_gives(trace_.sweep->y, trace_.sweep->calls);
    out_.y = !options_.loss.empty() ? options_.loss : !called.empty() ? called : out_.quantities[out_.of].name;
  }

  std::size_t scope_of(ValueId value) const {
    const OpId op = function_.value(value).op;
    return op.valid() ? trace_.scope_of[op.index] : 0;
  }

  Quantity::Kind kind_of(ValueId value) const {
    for (const ir::Parameter& parameter : function_.parameters)
      if (parameter.value == value && parameter.path.find('#') == std::string::npos)
        return parameter.kind == ir::Parameter::Kind::param ? Quantity::Kind::param : Quantity::Kind::input;
    return graph_.is_active[value.index] ? Quantity::Kind::computed : Quantity::Kind::given;
  }

  QuantityId quantity(ValueId value) const {
    const auto known = ids_.find(value);
    return known == ids_.end() ? kNoQuantity : known->second;
  }

  bool is_shown(std::size_t node) const {
    for (std::size_t at = nodes_[node].parent; at != SIZE_MAX; at = nodes_[at].parent)
      if (!nodes_[at].is_open) return false;
    return true;
  }

  bool is_shown_or_turned(const Node& node) const {
    for (std::size_t at = node.parent; at != SIZE_MAX && at != 0; at = nodes_[at].parent)
      if (nodes_[at].kind == Step::Kind::turns && !nodes_[at].is_open) return false;
    return true;
  }

  // Steps for the visible nodes and all that they stand in.
  void make_steps() {
    const std::function<std::size_t(std::size_t)> made = [&](std::size_t node) -> std::size_t {
      if (node == 0) return SIZE_MAX;
      if (const auto known = step_of_.find(node); known != step_of_.end()) return known->second;
      const std::size_t parent = made(nodes_[node].parent);
      Step step;
      step.kind = nodes_[node].kind;
      step.parent = parent;
      step.is_open = nodes_[node].is_open;
      step.first_turn = nodes_[node].first_turn, step.last_turn = nodes_[node].last_turn;
      if (step.kind != Step::Kind::operation && step.kind != Step::Kind::statement) {
        const Scope& scope = trace_.scopes[nodes_[node].scope];
        step.place = scope.span;
        step.function = step.kind == Step::Kind::loop || step.kind == Step::Kind::turns ? "" : function_called(scope);
        const bool is_loop = step.kind == Step::Kind::loop || step.kind == Step::Kind::turns;
        step.expression = is_loop ? namer_.loop_text(scope.span) : namer_.text_of(scope.span);
      }
      out_.steps.push_back(std::move(step));
      const std::size_t id = out_.steps.size() - 1;
      if (parent != SIZE_MAX) out_.steps[parent].inside.push_back(id);
      return step_of_[node] = id;
    };
    for (std::size_t i = 0; i < visible_.size(); ++i) {
      const std::size_t id = made(visible_[i]);
      out_.visible.push_back(id);
      for (ValueId result : borders_[i].results) out_.steps[id].results.push_back(quantity(result));
      for (ValueId input : borders_[i].inputs)
        if (quantity(input) != kNoQuantity) out_.steps[id].inputs.push_back(quantity(input));
      const Node& node = nodes_[visible_[i]];
      if (node.kind == Step::Kind::operation) operate(id, i);
      if (node.kind == Step::Kind::statement) out_.steps[id].place = place_of(nodes_[node.children.back()]);
      if (node.kind == Step::Kind::call || node.kind == Step::Kind::derivative || node.kind == Step::Kind::statement) {
        const Scope& scope = trace_.scopes[node.scope];
        const bool is_statement = node.kind == Step::Kind::statement;
        const Wording wording(trace_, graph_, *options_.sources, namer_, names_);
        out_.steps[id].expression =
            wording.call(is_statement ? out_.steps[id].place : scope.span, borders_[i].inputs, is_statement ? node.scope : scope.parent);
      }
    }
    for (const Node& node : nodes_)
      if ((node.kind == Step::Kind::call || node.kind == Step::Kind::derivative) && node.scope != 0 && !node.is_open &&
          is_shown_or_turned(node))
        if (const std::string name = function_called(trace_.scopes[node.scope]);
            std::find(out_.folded.begin(), out_.folded.end(), name) == out_.folded.end())
          out_.folded.push_back(name);
  }

  void operate(std::size_t id, std::size_t at) {
    const Cluster& cluster = graph_.clusters[nodes_[visible_[at]].cluster];
    LocalStep& local = locals_[at];
    if (cluster.results.size() == 1) {
      const auto name = [&](ValueId value) { return trace_.sweep ? derivative_name(out_, quantity(value)) : "dy"; };
      const Arriving arriving{is_forward(out_), name, [&](ValueId value) { return derivative(value); }};
      local = local_step(trace_, graph_, cluster, names_, options_.real, arriving);
    }
    Step& step = out_.steps[id];
    step.place = namer_.place_of(cluster);
    const ir::Origin& origin = function_.origin(function_.op(cluster.root).origin);
    if (!step.place.valid() && !options_.sources->is_in_prelude(origin.span)) step.place = origin.span;
    step.formula = local.formula;
    const Wording wording(trace_, graph_, *options_.sources, namer_, names_);
    step.function = wording.function_of(cluster);
    step.expression = wording.expression(cluster, local.formula);
    if (step.expression.empty() && !origin.rule.empty())
      step.expression = fmt::format("from the derivative of {}", namer_.text_of(step.place));
    if (!local.formula) return;
    for (QuantityId id = 0; id < out_.quantities.size(); ++id) {
      const bool is_input = std::find(step.inputs.begin(), step.inputs.end(), id) != step.inputs.end();
      const bool is_result = std::find(step.results.begin(), step.results.end(), id) != step.results.end();
      if (!is_input && !is_result && mentions(*local.formula, out_.quantities[id].name)) step.given.push_back(id);
    }
    if (!local.numbers) return;
    step.numbers = text_of(in_numbers(trace_, *local.numbers));
    step.numbered = text_of(local.numbers->formula);
    for (ValueId value : local.numbers->values) step.read.push_back(trace_.value(value));
  }

  // ---- what goes back ----

  void contribute(std::size_t at) {
    const Border& border = borders_[at];
    const bool is_operation = nodes_[visible_[at]].kind == Step::Kind::operation;
    const std::vector<std::size_t> clusters = clusters_in(nodes_, visible_[at]);
    const QuantityId from = border.results.size() == 1 ? quantity(border.results[0]) : kNoQuantity;
    for (ValueId result : border.results) {  // what a group hands on, and reads itself
      const SweptParts parts = swept_.parts_to(result, clusters);
      if (parts.sum.count() > 0 && quantity(result) != kNoQuantity)
        keep({kNoQuantity, quantity(result), at, {}, {}, {}, {}, {}, parts.sum}, {.parts = parts.of});
    }
    for (ValueId input : border.inputs) {
      if (quantity(input) == kNoQuantity) continue;
      const SweptParts parts = swept_.parts_to(input, clusters);
      const Tensor& sum = parts.sum;
      std::vector<LocalDerivative> uses;
      std::vector<std::size_t> places;  // of the uses
      if (is_operation && from != kNoQuantity && out_.quantities[from].derivative)
        for (std::size_t i = 0; i < locals_[at].uses.size(); ++i)
          if (locals_[at].uses[i].to == input) uses.push_back(locals_[at].uses[i]), places.push_back(i);
      Contribution contribution{from, quantity(input), at, {}, {}, {}, {}, {}, sum};
      if (uses.empty()) {
        if (sum.count() > 0) keep(std::move(contribution), {.parts = parts.of});
        continue;
      }
      const bool is_evaluated =
          std::all_of(uses.begin(), uses.end(), [](const LocalDerivative& use) { return use.part_value.count() > 0; });
      if (!is_evaluated && sum.count() > 0) {  // a rule that fails where nothing arrives
        keep(std::move(contribution), {.parts = parts.of});
        continue;
      }
      const Cluster& cluster = graph_.clusters[nodes_[visible_[at]].cluster];
      const Wording wording(trace_, graph_, *options_.sources, namer_, names_);
      for (std::size_t i = 0; i < uses.size(); ++i) {
        const LocalDerivative& use = uses[i];
        if (uses.size() > 1 && use.part && use.part->is_number(0)) continue;
        Contribution each = contribution;
        each.part = use.part;
        each.factor = use.factor;
        each.factor_value = use.factor_value;
        const bool is_whole = uses.size() == 1 && sum.count() > 0;
        each.value = is_whole ? sum : use.part_value;
        each.notation = wording.notation(cluster, input, uses.size());
        each.why = use.factor ? wording.why(*use.factor, out_) : "";
        if (each.value.count() == 0) each.value = Tensor::zeros(function_.type(input));
        keep(std::move(each), {is_whole ? parts.of : SweptParts().of, {}, at, places[i], derivative_of(border.results[0])});
      }
    }
  }

  // In forward mode: what a step's inputs make of the tangents of its results.
  void contribute_forward(std::size_t at) {
    const Border& border = borders_[at];
    const auto moves = [&](ValueId value) { return quantity(value) != kNoQuantity && derivative_of(value).valid(); };
    for (ValueId result : border.results) {
      if (!moves(result)) continue;
      Contribution contribution{kNoQuantity, quantity(result), at, {}, {}, {}, {}, {}, derivative(result)};
      const auto local = locals_.find(at);
      const std::vector<LocalDerivative> uses = local == locals_.end() ? std::vector<LocalDerivative>() : local->second.uses;
      if (uses.empty() || std::ranges::any_of(uses, [](const LocalDerivative& use) { return use.part_value.count() == 0; })) {
        if (std::ranges::count_if(border.inputs, moves) == 1) contribution.from = quantity(*std::ranges::find_if(border.inputs, moves));
        keep(std::move(contribution), {.parts = {}, .value = derivative_of(result)});
        continue;
      }
      const Cluster& cluster = graph_.clusters[nodes_[visible_[at]].cluster];
      const Wording wording(trace_, graph_, *options_.sources, namer_, names_);
      for (std::size_t i = 0; i < uses.size(); ++i) {
        const LocalDerivative& use = uses[i];
        const auto alike = std::ranges::count(uses, use.to, &LocalDerivative::to);
        if (uses.size() > 1 && use.part && use.part->is_number(0)) continue;
        Contribution each = contribution;
        each.from = quantity(use.to);
        each.part = use.part;
        each.factor = use.factor;
        each.factor_value = use.factor_value;
        each.value = use.part_value;
        each.notation = wording.notation(cluster, use.to, static_cast<std::size_t>(alike));
        each.why = use.factor ? wording.why(*use.factor, out_) : "";
        keep(std::move(each), {{}, {}, at, i, derivative_of(use.to)});
      }
    }
  }

  void keep(Contribution contribution, Source source) {
    out_.contributions.push_back(std::move(contribution));
    made_of_.push_back(std::move(source));
  }

  // ---- the numbers as a program ----

  Live live() const {
    LiveBuilder builder(trace_);
    for (const auto& [value, id] : ids_) {
      builder.add(fmt::format("/values/{}/value", id), value);
      builder.add(fmt::format("/values/{}/gradient", id), derivative_of(value));
    }
    for (std::size_t at = 0; at < visible_.size(); ++at) {
      const auto local = locals_.find(at);
      if (local == locals_.end() || !local->second.numbers) continue;
      const std::vector<ValueId>& values = local->second.numbers->values;
      for (std::size_t i = 0; i < out_.steps[out_.visible[at]].read.size(); ++i)
        builder.add(fmt::format("/steps/{}/read/{}", out_.visible[at], i), values[i]);
    }
    for (std::size_t i = 0; i < made_of_.size(); ++i) {
      const Source& source = made_of_[i];
      const std::string path = fmt::format("/contributions/{}/value", i);
      if (!source.parts.empty()) builder.add_sum(path, source.parts);
      builder.add(path, source.value);
      if (!source.arriving.valid()) continue;
      const std::string factor = out_.contributions[i].factor ? fmt::format("/contributions/{}/factor_value", i) : "";
      const LocalStep& step = locals_.at(source.step);
      const LocalDerivative& use = step.uses[source.use];
      builder.add_local(source.parts.empty() ? path : "", factor, step.codes[use.code], use.at, source.arriving);
    }
    for (std::size_t loop = 0; loop < histories_.size(); ++loop)
      for (std::size_t i = 0; i < histories_[loop].size(); ++i)
        for (std::size_t turn = 0; turn < histories_[loop][i].size(); ++turn) {
          const ValueId value = histories_[loop][i][turn];
          builder.add(fmt::format("/loops/{}/values/{}/sizes/{}", loop, i, turn), value);
          builder.add(fmt::format("/loops/{}/values/{}/gradients/{}", loop, i, turn), derivative_of(value));
        }
    for (std::size_t i = 0; i < conditions_.size(); ++i)
      if (out_.decisions[i].each.count() > 0) builder.add(fmt::format("/branches/{}/each", i), conditions_[i]);
    return builder.finish();
  }

  // ---- loops and branches ----

  void summarise(const LoopReader& loops, std::size_t loop) {
    std::vector<LoopReader::History> histories;
    LoopSummary summary = loops.summary(nodes_[loop].scope, clusters_in(nodes_, loop), histories);
    if (const auto step = step_of_.find(loop); step != step_of_.end()) summary.step = step->second;
    if (summary.histories.empty()) return;
    out_.loops.push_back(std::move(summary));
    histories_.push_back(std::move(histories));
  }

  void decide(const Branch& branch) {
    if (is_hidden_[branch.scope]) return;
    // Whether a loop has returned is asked behind it, in no `if` of the author's.
    if (std::ranges::any_of(trace_.counts, [&](const Trace::Count& loop) { return loop.place == branch.place; })) return;
    std::optional<std::int64_t> turn;
    for (std::size_t scope = branch.scope; scope != 0 && !turn; scope = trace_.scopes[scope].parent)
      if (trace_.scopes[scope].kind == Scope::Kind::turn) turn = trace_.scopes[scope].turn;
    const Wording wording(trace_, graph_, *options_.sources, namer_, names_);
    out_.decisions.push_back(wording.decision(branch, turn));
    conditions_.push_back(branch.condition);
  }

  // What each element of a comprehension has decided for itself.
  void decide_for_each() {
    const Wording wording(trace_, graph_, *options_.sources, namer_, names_);
    std::set<ValueId> seen;
    for (OpId id : function_.block(function_.body()).ops) {
      const Op& op = function_.op(id);
      if (!wording.is_if_of_each(op) || !seen.insert(wording.condition_of(op)).second) continue;
      decide({trace_.scope_of[id.index], id.index, {}, wording.condition_of(op), false});
    }
  }

  // ---- one element ----

  void follow() {
    for (ValueId x : trace_.sweep ? trace_.sweep->xs : std::vector<ValueId>()) {
      if (out_.quantities[quantity(x)].name != options_.element_of && namer_.authors_name(x) != options_.element_of) continue;
      ElementFollower follower{trace_, graph_, names_, [&](ValueId value) { return derivative(value); }, {}};
      for (std::size_t i = 0; i < visible_.size(); ++i) {
        std::vector<OpId> ops;
        for (std::size_t cluster : clusters_in(nodes_, visible_[i]))
          ops.insert(ops.end(), graph_.clusters[cluster].ops.begin(), graph_.clusters[cluster].ops.end());
        std::sort(ops.begin(), ops.end());
        follower.steps.push_back({std::move(ops), borders_[i].results, borders_[i].inputs});
      }
      out_.element = follower.follow(x, options_.element);
    }
  }

  const Trace& trace_;
  const ir::Function& function_;
  const ExplainOptions& options_;
  Graph graph_;
  Namer namer_;
  std::vector<Node> nodes_;
  std::vector<std::size_t> visible_;  // nodes
  Borders borders_;
  Swept swept_;
  std::map<std::size_t, std::size_t> step_of_;  // by node
  std::map<std::size_t, LocalStep> locals_;
  std::vector<Source> made_of_;                              // by contribution
  std::vector<std::vector<LoopReader::History>> histories_;  // by loop
  Naming names_;
  std::map<ValueId, QuantityId> ids_;
  std::vector<bool> is_hidden_;      // by scope
  std::vector<ValueId> conditions_;  // by decision
  Explanation out_;
};

}  // namespace

Explanation explain(const Trace& trace, const ExplainOptions& options, Live* live) {
  return Explainer(trace, options).run(live);
}

}  // namespace bpc::explain
