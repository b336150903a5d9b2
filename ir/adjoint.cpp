#include "ir/adjoint.h"

#include <fmt/format.h>
#include <algorithm>
#include <set>

#include "ir/dependence.h"
#include "ir/derivatives.h"
#include "ir/rewrite.h"

namespace bpc::ir {

namespace {

// Which values of a function are computed from one of `xs` through real values (activity analysis, forward half). The backward half needs
// no analysis: only what is useful to y ever receives a cotangent.
class Varied {
 public:
  Varied(const Function& function, std::span<const ValueId> xs) : function_(function), varied_(function.value_count(), false) {
    for (ValueId x : xs) varied_[x.index] = true;
    for (std::uint32_t i = 0; i < function.op_count(); ++i) {
      const Op& op = function.op(OpId{i});
      if (op.code == Opcode::stop_grad || !reads_varied(op)) continue;
      for (ValueId result : op.results)
        if (is_real(function.type(result).element)) varied_[result.index] = true;
    }
  }
  bool operator[](ValueId id) const { return varied_[id.index]; }

 private:
  bool reads_varied(const Op& op) const {
    auto is_varied = [&](ValueId id) { return varied_[id.index]; };
    if (std::any_of(op.operands.begin(), op.operands.end(), is_varied)) return true;
    for (BlockId region : op.regions) {
      const Block& block = function_.block(region);
      if (std::any_of(block.yields.begin(), block.yields.end(), is_varied)) return true;
      if (std::any_of(block.ops.begin(), block.ops.end(), [&](OpId inner) { return reads_varied(function_.op(inner)); })) return true;
    }
    return false;
  }

  const Function& function_;
  std::vector<bool> varied_;
};

// The reverse sweep for one gradient: from y back over the ops that are already there, appending the adjoint program at the
// builder's position.
class ReverseSweep {
 public:
  ReverseSweep(Builder& builder, ValueId y, std::span<const ValueId> xs, Diagnostics& diagnostics)
      : builder_(builder), function_(builder.function()), facts_(function_), varied_(function_, xs), y_(y), diagnostics_(diagnostics) {
    adjoints_.resize(function_.value_count());
    for (std::uint32_t i = 0; i < function_.value_count(); ++i) names_.insert(function_.value(ValueId{i}).name);
  }

  void run() {
    Origin origin = function_.origin(builder_.origin());
    builder_.set_origin(made_by("seed", origin));
    adjoints_[y_.index] = {builder_.constant(1, function_.type(y_)), false};
    name_adjoint(y_);
    OpId last = function_.value(y_).op;
    for (std::uint32_t i = last.valid() ? last.index + 1 : 0; i-- > 0;) differentiate(OpId{i});
  }

  // Zeros where y depends on x only through flat operators.
  ValueId gradient(ValueId x) {
    if (adjoints_[x.index].value.valid()) {
      name_adjoint(x);
      return adjoints_[x.index].value;
    }
    return builder_.constant(0, function_.type(x));
  }

 private:
  struct Adjoint {
    ValueId value;  // invalid: zero so far
    bool may_be_zeroed = false;
  };

  OriginId made_by(std::string rule, Origin origin) {
    origin.rule = std::move(rule);
    origin.joined.clear();
    return function_.add_origin(std::move(origin));
  }

  void differentiate(OpId id) {
    Op op = function_.op(id);
    if (op.results.size() != 1 && op.regions.empty()) return;
    auto has_adjoint = [&](ValueId result) { return varied_[result] && adjoints_[result.index].value.valid(); };
    if (std::none_of(op.results.begin(), op.results.end(), has_adjoint)) return;
    Origin origin = function_.origin(op.origin);
    if (!op.regions.empty()) {
      std::string word = op.code == Opcode::if_else ? "if" : op.code == Opcode::for_loop ? "for" : "while";
      diagnostics_.error(Code::E0199, origin.span, fmt::format("the gradient through `{}` is not implemented yet", word));
      for (ValueId result : op.results) adjoints_[result.index] = {};
      return;
    }
    ValueId result = op.results[0];
    builder_.set_origin(made_by(std::string(op_info(op.code).name), origin));
    name_adjoint(result);
    Adjoint adjoint = adjoints_[result.index];
    facts_.update();
    for (std::size_t i = 0; i < op.operands.size(); ++i) {
      ValueId operand = op.operands[i];
      if (!varied_[operand]) continue;
      auto part = contribution({builder_, facts_, op, adjoint.value, adjoint.may_be_zeroed}, i);
      if (part) accumulate(operand, fit(*part, function_.type(operand)), adjoint.may_be_zeroed || zeroes_cotangent(op.code));
    }
  }

  void accumulate(ValueId primal, ValueId part, bool may_be_zeroed) {
    Adjoint& adjoint = adjoints_[primal.index];
    adjoint.value = adjoint.value.valid() ? builder_.emit(Opcode::add, {adjoint.value, part}) : part;
    adjoint.may_be_zeroed = adjoint.may_be_zeroed || may_be_zeroed;
  }

  // The one place where stretched shapes are summed back, and where a contribution that holds for every element is stretched.
  ValueId fit(ValueId part, const Type& type) {
    std::vector<Dim> from = function_.type(part).dims;
    if (same_shape(Type(type.element, from), type)) return part;
    std::vector<std::int64_t> axes;
    std::size_t extra = from.size() > type.rank() ? from.size() - type.rank() : 0;
    for (std::size_t i = 0; i < from.size(); ++i)
      if (i < extra || (from.size() == type.rank() && type.size(i) == 1 && from[i].size != 1)) axes.push_back(static_cast<std::int64_t>(i));
    if (axes.empty()) return builder_.broadcast(part, type.dims);
    return builder_.reduce(Opcode::reduce_sum, part, axes, extra == 0);
  }

  // Called when the adjoint of `primal` is complete: "dJ_da1". A temporary gets a name first, so that its adjoint can be spoken of.
  void name_adjoint(ValueId primal) {
    if (function_.value(primal).name.empty()) function_.value(primal).name = fresh_name();
    ValueId adjoint = adjoints_[primal.index].value;
    if (!function_.value(adjoint).name.empty() || adjoint.index < adjoints_.size()) return;
    if (function_.value(y_).name.empty()) function_.value(y_).name = fresh_name();
    function_.value(adjoint).name = fmt::format("d{}_d{}", function_.value(y_).name, function_.value(primal).name);
  }

  std::string fresh_name() {
    std::string name;
    do name = fmt::format("t{}", ++temporaries_);
    while (!names_.insert(name).second);
    return name;
  }

  Builder& builder_;
  Function& function_;
  StaticFacts facts_;
  Varied varied_;
  ValueId y_;
  Diagnostics& diagnostics_;
  std::vector<Adjoint> adjoints_;  // by primal value; the sweep's own values have none
  std::set<std::string> names_;
  std::size_t temporaries_ = 0;
};

std::string shown_name(const Function& function, ValueId id, const char* otherwise) {
  const std::string& name = function.value(id).name;
  return name.empty() ? otherwise : "`" + name + "`";
}

// Whether the gradients that `op` asks for exist, judged on the program as written. Params that do not reach the loss lose their output.
void check_gradient(Function& function, const Op& op, Diagnostics& diagnostics) {
  Span span = function.origin(op.origin).span;
  ValueId y = op.operands[0];
  std::vector<bool> reached = ancestors(function, y);
  for (std::size_t i = 1; i < op.operands.size(); ++i) {
    ValueId x = op.operands[i];
    if (!reached[x.index]) {
      if (op.attrs.flag(Attr::implicit)) {
        std::erase_if(function.outputs, [&](const Output& output) { return output.value == op.results[i - 1]; });
        diagnostics.warning(Code::W0301, span,
                            fmt::format("param `{}` does not reach the loss `{}` and has no gradient", op.attrs.strings(Attr::names)[i - 1],
                                        function.value(y).name));
      } else {
        diagnostics.error(Code::E0301, span,
                          fmt::format("{} was not computed from {}", shown_name(function, y, "the first argument of `grad`"),
                                      shown_name(function, x, "the value to differentiate by")));
      }
    } else if (depends_through_earlier_turns(function, y, x)) {
      diagnostics
          .error(Code::E0304, span,
                 fmt::format("{} depends on {} through earlier turns of the loop", shown_name(function, y, "the value"),
                             shown_name(function, x, "the other value")))
          .with_help("put the loop in a function and take the gradient of its result");
    }
  }
}

bool is_output(const Function& function, ValueId id) {
  return std::any_of(function.outputs.begin(), function.outputs.end(), [&](const Output& output) { return output.value == id; });
}

}  // namespace

Function expand_gradients(const Function& function, Diagnostics& diagnostics) {
  Function checked = function;
  bool any = false;
  for (std::uint32_t i = 0; i < checked.op_count(); ++i)
    if (checked.op(OpId{i}).code == Opcode::grad) {
      any = true;
      check_gradient(checked, Op(checked.op(OpId{i})), diagnostics);
    }
  if (!any || diagnostics.has_errors()) return checked;

  Rewriter rewriter(checked);
  return rewriter.finish([&](const Op& op) {
    if (op.code != Opcode::grad) return false;
    std::vector<ValueId> xs;
    for (std::size_t i = 1; i < op.operands.size(); ++i) xs.push_back(rewriter.map(op.operands[i]));
    auto& target = rewriter.builder().function();
    std::size_t primal_values = target.value_count();
    ReverseSweep sweep(rewriter.builder(), rewriter.map(op.operands[0]), xs, diagnostics);
    sweep.run();
    for (std::size_t i = 0; i < xs.size(); ++i) {
      if (op.attrs.flag(Attr::implicit) && !is_output(checked, op.results[i])) continue;
      ValueId gradient = sweep.gradient(xs[i]);
      const std::string& name = checked.value(op.results[i]).name;  // the author's, who bound it
      if (!name.empty() && gradient.index >= primal_values) target.value(gradient).name = name;
      rewriter.set(op.results[i], gradient);
    }
    return true;
  });
}

}  // namespace bpc::ir
