#include "ir/adjoint/squares.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "ir/adjoint/same.h"
#include "ir/clone.h"
#include "ir/rewrite.h"
#include "ir/static_facts.h"
#include "ir/term.h"

namespace bpc::ir {

namespace {

// Whether each element of the result is one of the first operand.
bool moves_elements(Opcode code) {
  return code == Opcode::reshape || code == Opcode::transpose || code == Opcode::broadcast || code == Opcode::slice ||
         code == Opcode::gather || code == Opcode::window || code == Opcode::variable;
}

// A value that is the root of another one, its elements moved by some ops, the last one first.
struct Root {
  const Op* root;
  std::vector<const Op*> moves;
};

class Squares {
 public:
  Squares(const Function& from, const std::vector<bool>& variables, Rewriter& rewriter)
      : from_(from), variables_(variables), rewriter_(rewriter), builder_(rewriter.builder()), to_(builder_.function()) {
    for (std::uint32_t i = 0; i < from.op_count(); ++i)
      if (auto root = squared(from.op(OpId{i})); root && root->root->code == Opcode::custom) radicands_[root->root->results[0]] = {};
  }

  // Emits the square that the op is, if it is one of a value with a kink; and beside a function that is squared somewhere its radicand.
  bool visit(const Op& op) {
    if (auto wanted = op.results.empty() ? radicands_.end() : radicands_.find(op.results[0]); wanted != radicands_.end()) {
      rewriter_.copy(op);
      wanted->second = radicand_inside(op);
      return true;
    }
    auto root = squared(op);
    if (!root) return false;
    const double power = power_of(op);
    if (root->root->code == Opcode::abs) {
      ValueId z = moved(rewriter_.map(root->root->operands[0]), root->moves);
      std::vector<ValueId> operands{z, op.code == Opcode::pow ? rewriter_.map(op.operands[1]) : z};
      rewriter_.set(op.results[0], builder_.emit(op.code, operands, op.attrs));
      return true;
    }
    if (op.code == Opcode::einsum || !same_shape(from_.type(op.operands[0]), from_.type(op.results[0]))) return false;
    auto radicand = radicand_of(*root->root);
    if (!radicand) return false;
    rewriter_.set(op.results[0], power_of_root(op, moved(*radicand, root->moves), power / 2));
    return true;
  }

 private:
  // What the op squares, if that is a root.
  std::optional<Root> squared(const Op& op) const {
    if (op.results.size() != 1 || !is_real(from_.type(op.results[0]).element) || power_of(op) == 0) return std::nullopt;
    auto root = root_of(op.operands[0]);
    return root && (op.code == Opcode::pow || root_of(op.operands[1])) ? root : std::nullopt;
  }

  // The even power of its operand that an op is, or 0.
  double power_of(const Op& op) const {
    if (op.code == Opcode::pow) {
      const double power = constant_value(from_, op.operands[1]).value_or(0);
      return power > 0 && std::fmod(power, 2) == 0 ? power : 0;
    }
    if (op.code == Opcode::einsum) {
      const EinsumSpec spec = *parse_einsum(op.attrs.string(Attr::spec));
      if (spec.a != spec.b) return 0;
    } else if (op.code != Opcode::mul) {
      return 0;
    }
    return computes_same(from_, op.operands[0], op.operands[1]) ? 2 : 0;
  }

  std::optional<Root> root_of(ValueId id) const {
    Root found{nullptr, {}};
    for (const Op* def = from_.def(id); def && !variables_[id.index]; def = from_.def(id)) {
      if (def->code == Opcode::abs || def->code == Opcode::sqrt || def->code == Opcode::custom) {
        found.root = def;
        return found;
      }
      if (!moves_elements(def->code)) return std::nullopt;
      found.moves.push_back(def);
      id = def->operands[0];
    }
    return std::nullopt;
  }

  // `mapped`: what stands here for an old value.
  template <typename Mapped>
  ValueId moved(ValueId value, const std::vector<const Op*>& moves, Mapped mapped) {
    for (auto move = moves.rbegin(); move != moves.rend(); ++move) {
      std::vector<ValueId> operands{value};  // and where the elements are
      for (std::size_t i = 1; i < (*move)->operands.size(); ++i) operands.push_back(mapped((*move)->operands[i]));
      const Type type = from_.type((*move)->results[0]).with_element(to_.type(value).element);
      value = to_.op(builder_.emit_op((*move)->code, operands, (*move)->attrs, std::span(&type, 1))).results[0];
    }
    return value;
  }
  ValueId moved(ValueId value, const std::vector<const Op*>& moves) {
    return moved(value, moves, [&](ValueId old) { return rewriter_.map(old); });
  }

  // What a root is the root of.
  std::optional<ValueId> radicand_of(const Op& root) const {
    return root.code == Opcode::sqrt ? rewriter_.map(root.operands[0]) : radicands_.at(root.results[0]);
  }

  // The radicand of a function with an adjoint, if that is a root: its inside is computed again up to there.
  std::optional<ValueId> radicand_inside(const Op& root) {
    const BlockId inside = root.regions[0];
    if (root.results.size() != 1) return std::nullopt;
    ValueId yield = from_.block(inside).yields[0];
    std::vector<const Op*> moves;
    const Op* def = from_.def(yield);
    for (; def && moves_elements(def->code); def = from_.def(def->operands[0])) moves.push_back(def);
    if (!def || def->code != Opcode::sqrt) return std::nullopt;
    Cloner cloner(builder_, from_);
    for_each_use(from_, inside, [&](ValueId value) {
      if (!is_enclosed(from_, from_.value(value).block, inside)) cloner.set(value, rewriter_.map(value));
    });
    for (std::size_t i = 0; i < root.operands.size(); ++i) cloner.set(from_.block(inside).arguments[i], rewriter_.map(root.operands[i]));
    cloner.leave_effects_out();
    cloner.splice(inside);
    return moved(cloner.map(def->operands[0]), moves, [&](ValueId old) { return cloner.map(old); });
  }

  // The op itself, by a function of s with the derivative of s^n.
  ValueId power_of_root(const Op& op, ValueId s, double n) {
    const Type type = from_.type(op.results[0]);
    ValueId root = builder_.emit(Opcode::stop_grad, {rewriter_.map(op.operands[0])});
    const OpId made = builder_.emit_op(Opcode::custom, {{root, s}}, {}, std::span(&type, 1));
    const Builder outside = builder_;
    {
      const BlockId region = to_.add_block(made);
      builder_.set_block(region);
      ValueId a = to_.add_argument(region, to_.type(root), "root"), b = to_.add_argument(region, to_.type(s), "square");
      ValueId power = builder_.emit(op.code, {a, op.code == Opcode::pow ? rewriter_.map(op.operands[1]) : a});
      // The value comes from the root, and yet it is computed from s.
      to_.block(region).yields = {builder_.emit(Opcode::select, {builder_.integer(1, Element::boolean), power, b})};
    }
    {
      const BlockId region = to_.add_block(made);
      builder_.set_block(region);
      to_.add_argument(region, to_.type(root), "root");
      Term b{&builder_, to_.add_argument(region, to_.type(s), "square")};
      to_.add_argument(region, type, "y");
      Term dy{&builder_, to_.add_argument(region, type, "dy")};
      if (n > 1) dy = dy * (n * (n == 2 ? b : emit(Opcode::pow, {b, b.number(n - 1)})));
      to_.block(region).yields = {builder_.constant(0, to_.type(root)), dy.id};
    }
    builder_.return_to(outside);
    return to_.op(made).results[0];
  }

  const Function& from_;
  const std::vector<bool>& variables_;
  std::map<ValueId, std::optional<ValueId>> radicands_;  // by the result of a function that is squared, from where that is visited
  Rewriter& rewriter_;
  Builder& builder_;
  Function& to_;
};

}  // namespace

Function square_exactly(const Function& function, const std::vector<bool>& variables) {
  Rewriter rewriter(function);
  Squares squares(function, variables, rewriter);
  return rewriter.finish([&](const Op& op) { return squares.visit(op); });
}

}  // namespace bpc::ir
