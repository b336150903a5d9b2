#include "explain/graph.h"

#include <algorithm>
#include <map>
#include <set>

namespace bpc::explain {

using ir::is_arithmetic;
using ir::is_movement;
using ir::Op;
using ir::Opcode;
using ir::OpId;
using ir::ValueId;

std::vector<std::size_t> path_to(const Trace& trace, std::size_t scope) {
  std::vector<std::size_t> path;
  for (; scope != 0; scope = trace.scopes[scope].parent) path.insert(path.begin(), scope);
  return path;
}

namespace {

constexpr std::size_t kNone = SIZE_MAX;

// The outermost function of the library around an op: its inside is nobody's business.
std::size_t library_of(const Trace& trace, std::size_t scope) {
  std::size_t library = kNone;
  for (; scope != 0; scope = trace.scopes[scope].parent)
    if (trace.scopes[scope].kind == Scope::Kind::library) library = scope;
  return library;
}

class Cutter {
 public:
  explicit Cutter(const Trace& trace) : trace_(trace), function_(trace.function), ops_(function_.block(function_.body()).ops) {}

  Graph run() {
    mark_active();
    make_units();
    count_units();
    find_readers();
    join();
    return std::move(graph_);
  }

 private:
  const ir::Value& value(ValueId id) const { return function_.value(id); }

  void mark_active() {
    std::vector<bool>& active = graph_.is_active;
    active.assign(function_.value_count(), false);
    const auto is_real_value = [&](ValueId id) { return is_real(function_.type(id).element); };
    if (!trace_.sweep) {
      for (OpId op : ops_)
        for (ValueId result : function_.op(op).results) {
          const bool is_literal = ir::op_info(function_.op(op).code).group == ir::Group::source && trace_.names[result.index].empty();
          active[result.index] = is_real_value(result) && !is_literal;
        }
      return;
    }
    std::vector<bool> varied(function_.value_count(), false), useful(function_.value_count(), false);
    for (ValueId x : trace_.sweep->xs) varied[x.index] = true;
    for (OpId id : ops_) {
      const Op& op = function_.op(id);
      if (op.code == Opcode::stop_grad) continue;
      const bool is_varied = std::any_of(op.operands.begin(), op.operands.end(), [&](ValueId v) { return varied[v.index]; });
      for (ValueId result : op.results) varied[result.index] = varied[result.index] || (is_varied && is_real_value(result));
    }
    useful[trace_.sweep->y.index] = true;
    for (std::size_t i = ops_.size(); i-- > 0;) {
      const Op& op = function_.op(ops_[i]);
      if (std::none_of(op.results.begin(), op.results.end(), [&](ValueId v) { return useful[v.index]; })) continue;
      for (ValueId operand : op.operands)
        if (is_real_value(operand)) useful[operand.index] = true;
    }
    for (std::size_t v = 0; v < active.size(); ++v) active[v] = varied[v] && useful[v];
  }

  bool is_active(ValueId id) const { return graph_.is_active[id.index]; }
  bool is_x(ValueId id) const {
    return trace_.sweep && std::find(trace_.sweep->xs.begin(), trace_.sweep->xs.end(), id) != trace_.sweep->xs.end();
  }
  bool is_y(ValueId id) const { return trace_.sweep && trace_.sweep->y == id; }

  // Ops that go together in any case: those of one call of a library function.
  struct Unit {
    std::vector<OpId> ops;
    std::size_t scope;
    bool is_library;
  };

  void make_units() {
    unit_of_.assign(function_.op_count(), kNone);
    std::map<std::size_t, std::size_t> of_library;
    for (OpId id : ops_) {
      const Op& op = function_.op(id);
      const bool is_on_way = std::any_of(op.results.begin(), op.results.end(), [&](ValueId v) { return is_active(v) && !is_x(v); });
      if (!is_on_way) continue;
      const std::size_t scope = trace_.scope_of[id.index], library = library_of(trace_, scope);
      if (library == kNone) {
        unit_of_[id.index] = units_.size();
        units_.push_back({{id}, scope, false});
        continue;
      }
      const auto [known, is_new] = of_library.try_emplace(library, units_.size());
      if (is_new) units_.push_back({{}, trace_.scopes[library].parent, true});
      units_[known->second].ops.push_back(id);
      unit_of_[id.index] = known->second;
    }
  }

  // How many units run within a call.
  void count_units() {
    units_in_.assign(trace_.scopes.size(), 0);
    for (const Unit& unit : units_)
      for (std::size_t scope = unit.scope; scope != 0; scope = trace_.scopes[scope].parent) ++units_in_[scope];
  }

  // Where a unit that is all there is of a call stands.
  std::size_t scope_around(const Unit& unit) const {
    std::size_t scope = unit.scope;
    while (scope != 0 && trace_.scopes[scope].kind == Scope::Kind::call && units_in_[scope] == 1) scope = trace_.scopes[scope].parent;
    return scope;
  }

  void find_readers() {
    readers_.assign(function_.value_count(), {});
    for (OpId id : ops_) {
      const std::size_t unit = unit_of_[id.index];
      if (unit == kNone) continue;
      for (ValueId operand : function_.op(id).operands)
        if (is_active(operand)) readers_[operand.index].insert(unit);
    }
  }

  std::size_t maker_of(ValueId id) const { return value(id).op.valid() ? unit_of_[value(id).op.index] : kNone; }

  // What others read of a unit.
  std::vector<ValueId> results_of(std::size_t unit) const {
    std::vector<ValueId> results;
    for (OpId id : units_[unit].ops)
      for (ValueId result : function_.op(id).results) {
        if (!is_active(result)) continue;
        const std::set<std::size_t>& readers = readers_[result.index];
        const bool is_read = std::any_of(readers.begin(), readers.end(), [&](std::size_t reader) { return reader != unit; });
        if (is_read || is_y(result) || (!trace_.sweep && readers.empty())) results.push_back(result);
      }
    return results;
  }

  bool consists_of(std::size_t unit, bool (*kind)(Opcode)) const {
    return !units_[unit].is_library && kind(function_.op(units_[unit].ops[0]).code);
  }

  // Whether the unit becomes a part of the only one that reads it.
  bool is_part(std::size_t unit, const std::vector<ValueId>& results) const {
    if (results.size() != 1 || is_y(results[0]) || !trace_.names[results[0].index].empty()) return false;
    const std::set<std::size_t>& readers = readers_[results[0].index];
    if (readers.size() != 1) return false;
    const std::size_t reader = *readers.begin();
    const bool moves = consists_of(unit, is_movement);
    if (units_[reader].scope != (moves ? scope_around(units_[unit]) : units_[unit].scope)) return false;
    return moves || (consists_of(unit, is_arithmetic) && (consists_of(reader, is_arithmetic) || consists_of(reader, is_movement)));
  }

  void join() {
    graph_.cluster_of.assign(function_.op_count(), kNone);
    std::vector<std::size_t> cluster(units_.size(), kNone);
    // Units in the order of their last op, so that whoever reads one comes after it.
    std::vector<std::size_t> order(units_.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return units_[a].ops.back() < units_[b].ops.back(); });
    std::vector<Cluster> clusters;
    for (std::size_t i = order.size(); i-- > 0;) {
      const std::size_t unit = order[i];
      const std::vector<ValueId> results = results_of(unit);
      if (is_part(unit, results)) cluster[unit] = cluster[*readers_[results[0].index].begin()];
      if (cluster[unit] == kNone) {
        cluster[unit] = clusters.size();
        clusters.push_back({{}, results, results.empty() ? units_[unit].ops.back() : value(results[0]).op, units_[unit].scope});
      }
    }
    const std::size_t last = clusters.size() - 1;
    std::reverse(clusters.begin(), clusters.end());
    for (OpId id : ops_) {
      if (unit_of_[id.index] == kNone) continue;
      const std::size_t at = last - cluster[unit_of_[id.index]];
      graph_.cluster_of[id.index] = at;
      clusters[at].ops.push_back(id);
    }
    graph_.clusters = std::move(clusters);
  }

  const Trace& trace_;
  const ir::Function& function_;
  const std::vector<OpId>& ops_;
  Graph graph_;
  std::vector<Unit> units_;
  std::vector<std::size_t> unit_of_;            // by op
  std::vector<std::set<std::size_t>> readers_;  // by value: units
  std::vector<std::size_t> units_in_;           // by scope
};

}  // namespace

Graph make_graph(const Trace& trace) {
  return Cutter(trace).run();
}

}  // namespace bpc::explain
