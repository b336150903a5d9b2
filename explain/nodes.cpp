#include "explain/nodes.h"

#include <algorithm>
#include <map>

namespace bpc::explain {

namespace {

Step::Kind kind_of(Scope::Kind kind) {
  switch (kind) {
    case Scope::Kind::top:
    case Scope::Kind::call:
    case Scope::Kind::library:
      return Step::Kind::call;
    case Scope::Kind::loop:
      return Step::Kind::loop;
    case Scope::Kind::turn:
      return Step::Kind::turns;
    case Scope::Kind::derivative:
      return Step::Kind::derivative;
  }
  return Step::Kind::call;
}

class Tree {
 public:
  Tree(const Trace& trace, const Graph& graph, const Folding& folding) : trace_(trace), graph_(graph), folding_(folding) {}

  std::vector<Node> run() {
    nodes_.push_back({});
    nodes_[0].is_open = true;
    for (std::size_t i = 0; i < graph_.clusters.size(); ++i) place(i);
    for (std::size_t i = 0; i < nodes_.size(); ++i)
      if (nodes_[i].kind == Step::Kind::loop) fold_turns(i);
    open_wanted();
    open_small();
    if (!folding_.all && folding_.lines_of(nodes_, visible_nodes(nodes_)) > folding_.most_lines) fold_statements();
    return std::move(nodes_);
  }

 private:
  void place(std::size_t cluster) {
    std::size_t at = 0;
    for (std::size_t scope : path_to(trace_, graph_.clusters[cluster].scope)) {
      if (trace_.scopes[scope].kind == Scope::Kind::library) break;
      at = child(at, scope);
    }
    nodes_[at].children.push_back(nodes_.size());
    nodes_.push_back({Step::Kind::operation, graph_.clusters[cluster].scope, at, {}, cluster, 0, 0, false});
  }

  std::size_t child(std::size_t parent, std::size_t scope) {
    for (std::size_t each : nodes_[parent].children)
      if (nodes_[each].kind != Step::Kind::operation && nodes_[each].scope == scope) return each;
    nodes_[parent].children.push_back(nodes_.size());
    const Scope& entered = trace_.scopes[scope];
    nodes_.push_back({kind_of(entered.kind), scope, parent, {}, SIZE_MAX, entered.turn, entered.turn, false});
    return nodes_.size() - 1;
  }

  void fold_turns(std::size_t loop) {
    const std::vector<std::size_t> turns = nodes_[loop].children;
    if (turns.empty()) return;
    std::size_t shown = turns.back();
    for (std::size_t turn : turns)
      if (folding_.iteration && nodes_[turn].first_turn == *folding_.iteration) shown = turn;
    std::vector<std::size_t> kept;
    for (std::size_t turn : turns) {
      const bool starts = kept.empty() || turn == shown || kept.back() == shown;
      if (starts) {
        kept.push_back(turn);
        continue;
      }
      Node& range = nodes_[kept.back()];
      range.last_turn = nodes_[turn].last_turn;
      for (std::size_t each : nodes_[turn].children) nodes_[each].parent = kept.back();
      range.children.insert(range.children.end(), nodes_[turn].children.begin(), nodes_[turn].children.end());
    }
    nodes_[loop].children = std::move(kept);
    shown_turns_.insert(shown);
  }

  // Whether a group may be opened: turns that are not shown stay closed.
  bool can_open(std::size_t node) const {
    const Node& each = nodes_[node];
    return each.kind != Step::Kind::operation && !each.is_open && (each.kind != Step::Kind::turns || shown_turns_.contains(node));
  }

  bool is_wanted(std::size_t node) const {
    if (folding_.all) return true;
    const Node& each = nodes_[node];
    if ((each.kind == Step::Kind::call || each.kind == Step::Kind::derivative) && node != 0)
      return folding_.unfolded.contains(folding_.name(trace_.scopes[each.scope]));
    return (each.kind == Step::Kind::loop || each.kind == Step::Kind::turns) && folding_.iteration.has_value();
  }

  // Gives what it has opened.
  std::vector<std::size_t> open(std::size_t node) {
    std::vector<std::size_t> opened;
    if (!std::exchange(nodes_[node].is_open, true)) opened.push_back(node);
    if (nodes_[node].kind != Step::Kind::loop) return opened;
    for (std::size_t turn : nodes_[node].children)
      if (can_open(turn)) open(turn), opened.push_back(turn);
    return opened;
  }

  void open_wanted() {
    for (std::size_t i = 1; i < nodes_.size(); ++i) {
      if (!can_open(i) || !is_wanted(i)) continue;
      std::vector<std::size_t> around;
      for (std::size_t at = i; at != SIZE_MAX; at = nodes_[at].parent) around.push_back(at);
      if (std::all_of(around.begin(), around.end(), [&](std::size_t at) { return nodes_[at].is_open || can_open(at); }))
        for (std::size_t at : around) open(at);
    }
  }

  // Unfolds what comes first, level by level, as long as all of it is short.
  void open_small() {
    while (true) {
      const std::vector<std::size_t> visible = visible_nodes(nodes_);
      std::vector<std::size_t> closed;
      for (std::size_t node : visible)
        if (can_open(node)) closed.push_back(node);
      std::stable_sort(closed.begin(), closed.end(), [&](std::size_t a, std::size_t b) { return depth(a) < depth(b); });
      if (std::none_of(closed.begin(), closed.end(), [&](std::size_t node) { return opens(node, visible.size()); })) return;
    }
  }

  // Opens it if that is short, or the only thing there is.
  bool opens(std::size_t node, std::size_t shown) {
    if (shown > 1 && shown - 1 + rows_of(node) > folding_.lines) return false;
    const std::vector<std::size_t> opened = open(node);
    if (shown == 1 || folding_.lines_of(nodes_, visible_nodes(nodes_)) <= folding_.lines) return true;
    for (std::size_t each : opened) nodes_[each].is_open = false;
    return false;
  }

  // What stands in one line, one after the other, becomes one node, wherever there is more than one step of it.
  void fold_statements() {
    for (std::size_t group = 0, count = nodes_.size(); group < count; ++group) {
      if (!nodes_[group].is_open) continue;
      const std::vector<std::size_t> children = std::exchange(nodes_[group].children, {});
      for (std::size_t i = 0, end = 0; i < children.size(); i = end) {
        const std::uint32_t line = line_of(children[i]);
        for (end = i + 1; line != 0 && end < children.size() && line_of(children[end]) == line;) ++end;
        if (end - i == 1) {
          nodes_[group].children.push_back(children[i]);
          continue;
        }
        nodes_[group].children.push_back(nodes_.size());
        const std::vector<std::size_t> run(children.begin() + static_cast<std::ptrdiff_t>(i),
                                           children.begin() + static_cast<std::ptrdiff_t>(end));
        for (std::size_t child : run) nodes_[child].parent = nodes_.size();
        nodes_.push_back({Step::Kind::statement, nodes_[group].scope, group, run, SIZE_MAX, 0, 0, false});
      }
    }
  }

  std::uint32_t line_of(std::size_t node) const {
    const Node& each = nodes_[node];
    const bool is_step = each.kind == Step::Kind::operation || (each.kind == Step::Kind::call && !each.is_open);
    return is_step ? folding_.line_of(each) : 0;
  }

  // Steps that are shown once it is open.
  std::size_t rows_of(std::size_t node) const {
    if (nodes_[node].kind != Step::Kind::loop) return nodes_[node].children.size();
    std::size_t rows = 0;
    for (std::size_t turn : nodes_[node].children) rows += shown_turns_.contains(turn) ? nodes_[turn].children.size() : 1;
    return rows;
  }

  std::size_t depth(std::size_t node) const {
    std::size_t depth = 0;
    for (; nodes_[node].parent != SIZE_MAX; node = nodes_[node].parent) ++depth;
    return depth;
  }

  const Trace& trace_;
  const Graph& graph_;
  const Folding& folding_;
  std::vector<Node> nodes_;
  std::set<std::size_t> shown_turns_;
};

template <class Visit>
void walk(const std::vector<Node>& nodes, std::size_t node, bool into_closed, Visit visit) {
  for (std::size_t child : nodes[node].children) {
    const bool is_group = nodes[child].kind != Step::Kind::operation;
    if (is_group && (into_closed || nodes[child].is_open))
      walk(nodes, child, into_closed, visit);
    else
      visit(child);
  }
}

}  // namespace

std::vector<Node> make_nodes(const Trace& trace, const Graph& graph, const Folding& folding) {
  return Tree(trace, graph, folding).run();
}

std::vector<std::size_t> visible_nodes(const std::vector<Node>& nodes) {
  std::vector<std::size_t> visible;
  walk(nodes, 0, false, [&](std::size_t node) { visible.push_back(node); });
  return visible;
}

std::vector<std::size_t> clusters_in(const std::vector<Node>& nodes, std::size_t node) {
  if (nodes[node].kind == Step::Kind::operation) return {nodes[node].cluster};
  std::vector<std::size_t> clusters;
  walk(nodes, node, true, [&](std::size_t each) { clusters.push_back(nodes[each].cluster); });
  std::sort(clusters.begin(), clusters.end());
  return clusters;
}

std::vector<bool> hidden_scopes(const Trace& trace, const std::vector<Node>& nodes) {
  std::vector<bool> is_hidden(trace.scopes.size(), false);
  std::map<std::size_t, std::vector<const Node*>> turns;  // by loop
  for (const Node& node : nodes) {
    if (node.kind == Step::Kind::operation || node.kind == Step::Kind::statement || node.is_open) continue;
    if (node.kind == Step::Kind::turns)
      turns[trace.scopes[node.scope].parent].push_back(&node);
    else
      is_hidden[node.scope] = true;
  }
  for (std::size_t scope = 1; scope < trace.scopes.size(); ++scope) {
    const Scope& each = trace.scopes[scope];
    is_hidden[scope] = is_hidden[scope] || is_hidden[each.parent] || each.kind == Scope::Kind::library;
    if (each.kind != Scope::Kind::turn) continue;
    for (const Node* folded : turns[each.parent])
      is_hidden[scope] = is_hidden[scope] || (folded->first_turn <= each.turn && each.turn <= folded->last_turn);
  }
  return is_hidden;
}

}  // namespace bpc::explain
