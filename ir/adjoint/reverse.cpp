#include "ir/adjoint/reverse.h"

#include <fmt/format.h>
#include <algorithm>
#include <map>

#include "ir/derivatives.h"

namespace bpc::ir {

ValueId add_in_place(Builder& builder, ValueId sum, ValueId part) {
  Function& function = builder.function();
  const Op* made = function.def(part);
  bool is_sparse = made && (made->code == Opcode::scatter_add || (made->code == Opcode::update && made->attrs.flag(Attr::add)));
  const auto& ops = function.block(builder.block()).ops;
  if (!is_sparse || ops.empty() || function.value(part).op != ops.back() || constant_value(function, made->operands[0]) != 0.0)
    return builder.emit(Opcode::add, {sum, part});
  function.op(ops.back()).operands[0] = sum;
  return part;
}

ReverseSweep::ReverseSweep(Builder& builder, std::span<const ValueId> xs) : ReverseSweep(builder, xs, StaticFacts(builder.function())) {}

ReverseSweep::ReverseSweep(Builder& builder, std::span<const ValueId> xs, StaticFacts facts)
    : builder_(builder),
      function_(builder.function()),
      facts_(std::move(facts)),
      varied_(function_, xs),
      outside_copies_(rerun()),
      first_own_(function_.value_count()) {
  for (std::uint32_t i = 0; i < function_.value_count(); ++i) names_.insert(function_.value(ValueId{i}).name);
}

void ReverseSweep::run(ValueId y, ValueId cotangent, std::string name) {
  y_ = y;
  name_temporary(y);
  y_name_ = name.empty() ? function_.value(y).name : std::move(name);
  if (!cotangent.valid()) {
    builder_.set_origin(made_by("seed", function_.origin(builder_.origin())));
    cotangent = builder_.constant(1, Type(function_.type(y)));
  }
  adjoint(y) = {cotangent, false};
  name_adjoint(y);
  BlockId block = builder_.block();
  sweep(function_.block(block).ops);
  is_outside_block_ = true;
  for (OpId around = function_.block(block).parent; around.valid(); around = function_.block(block).parent) {
    block = function_.op(around).block;
    const auto& ops = function_.block(block).ops;
    sweep({ops.begin(), std::find(ops.begin(), ops.end(), around)});
  }
  number_in_program_order();
}

ValueId ReverseSweep::gradient(ValueId x) {
  if (has_adjoint(x)) name_adjoint(x);
  return value_or_zero(adjoint(x), function_.type(x));
}

OriginId ReverseSweep::made_by(std::string rule, Origin origin) {
  origin.rule = std::move(rule);
  origin.joined.clear();
  return function_.add_origin(std::move(origin));
}

void ReverseSweep::sweep(const std::vector<OpId>& ops) {
  const std::vector<OpId> those(ops);  // the adjoint program is appended to the block they come from
  for (auto id = those.rbegin(); id != those.rend(); ++id) differentiate(*id);
}

void ReverseSweep::differentiate(OpId id) {
  if (is_outside_block_ && scopes_.empty()) id = stand_in(id);
  const std::vector<ValueId>& results = function_.op(id).results;
  if (std::none_of(results.begin(), results.end(), [&](ValueId result) { return matters(result); })) return;
  const Op op = function_.op(id);  // a copy: emitting moves the ops
  builder_.set_origin(made_by(std::string(op_info(op.code).name), function_.origin(op.origin)));
  for (ValueId result : op.results)
    if (matters(result)) name_adjoint(result);
  visited_ = id;
  if (op.code == Opcode::push) return push(op);
  if (op.code == Opcode::pop) return pop(op);
  if (!op.regions.empty()) return region(id);
  straight(op);
}

void ReverseSweep::straight(const Op& op) {
  const Adjoint cotangent = adjoint(op.results[0]);
  facts_.update();
  for (std::size_t k = 0; k < op.operands.size(); ++k) {
    // The part that an update wrote is read before the place is cleared, which then can happen in place.
    std::size_t i = op.code == Opcode::update && k < 2 ? 1 - k : k;
    ValueId operand = op.operands[i];
    if (!varied_[operand]) continue;
    auto part = contribution({builder_, facts_, op, cotangent.value, cotangent.may_be_zeroed}, i);
    if (!part) continue;
    ValueId fitted = fit_to(builder_, *part, function_.type(operand));
    accumulate(operand, fitted, cotangent.may_be_zeroed || zeroes_cotangent(op.code), fitted != cotangent.value);
  }
}

// What was pushed last is popped first: the cotangent of a tape is a tape of cotangents.
void ReverseSweep::push(const Op& op) {
  const Adjoint cotangent = adjoint(op.results[0]);
  const Type types[] = {function_.type(op.operands[0]), function_.type(op.operands[1])};
  OpId popped = builder_.emit_op(Opcode::pop, {{cotangent.value}}, {}, types);
  const std::vector<ValueId> results = function_.op(popped).results;
  accumulate(op.operands[0], results[0], true);
  if (varied_[op.operands[1]]) accumulate(op.operands[1], results[1], true);
}

void ReverseSweep::pop(const Op& op) {
  ValueId tape = value_or_zero(adjoint(op.results[0]), function_.type(op.results[0]));
  ValueId top = value_or_zero(adjoint(op.results[1]), function_.type(op.results[1]));
  accumulate(op.operands[0], builder_.emit(Opcode::push, {tape, top}), true);
}

// ---- adjoints ----

bool ReverseSweep::has_adjoint(ValueId value) const {
  return value.index < adjoints_.size() && adjoints_[value.index].value.valid();
}

ReverseSweep::Adjoint& ReverseSweep::adjoint(ValueId value) {
  if (adjoints_.size() <= value.index) adjoints_.resize(std::max<std::size_t>(function_.value_count(), value.index + 1));
  return adjoints_[value.index];
}

void ReverseSweep::accumulate(ValueId primal, ValueId part, bool may_be_zeroed, bool is_own) {
  enter_scopes(primal);
  Adjoint& sum = adjoint(primal);
  ValueId value = !sum.value.valid() ? part
                  : is_own           ? add_in_place(builder_, sum.value, part)
                                     : builder_.emit(Opcode::add, {sum.value, part});
  if (parts_) parts_->push_back({visited_, primal, part, sum.value, sum.value.valid() && value == part});
  adjoint(primal) = {value, sum.may_be_zeroed || may_be_zeroed};
}

ValueId ReverseSweep::value_or_zero(const Adjoint& adjoint, const Type& type) {
  return adjoint.value.valid() ? adjoint.value : builder_.zero(type);
}

// ---- names ----

// Called when the adjoint of `primal` is complete: "dJ_da1". A temporary gets a name first, so that its adjoint can be spoken of.
void ReverseSweep::name_adjoint(ValueId primal) {
  std::string name = adjoint_name(primal);
  Value& value = function_.value(adjoint(primal).value);
  if (value.name.empty() && adjoint(primal).value.index >= first_own_) value.name = std::move(name);
}

std::string ReverseSweep::adjoint_name(ValueId primal) {
  name_temporary(primal);
  return fmt::format("d{}_d{}", y_name_, function_.value(primal).name);
}

void ReverseSweep::name_temporary(ValueId value) {
  std::string& name = function_.value(value).name;
  if (!name.empty()) return;
  do name = fmt::format("t{}", ++last_number_);
  while (!names_.insert(name).second);
  temporaries_.push_back(value);
}

// The walk back names the last temporary first. Their names, and those that are made of them, are given anew.
void ReverseSweep::number_in_program_order() {
  std::vector<ValueId> in_order = temporaries_;
  std::sort(in_order.begin(), in_order.end(), [](ValueId a, ValueId b) { return a.index < b.index; });
  std::map<std::string, std::string> renamed;
  for (std::size_t i = 0; i < in_order.size(); ++i) renamed[function_.value(in_order[i]).name] = function_.value(temporaries_[i]).name;
  auto anew = [&](const std::string& name) {
    auto found = renamed.find(name);
    return found == renamed.end() ? name : found->second;
  };
  const std::string of_y = fmt::format("d{}_d", y_name_);
  y_name_ = anew(y_name_);
  const std::string of_y_anew = fmt::format("d{}_d", y_name_);
  constexpr std::string_view kTape = "_tape";
  auto rename = [&](ValueId value) {
    std::string& name = function_.value(value).name;
    if (name.starts_with(of_y))
      name = of_y_anew + anew(name.substr(of_y.size()));
    else if (name.ends_with(kTape))
      name = anew(name.substr(0, name.size() - kTape.size())) + std::string(kTape);
    else
      name = anew(name);
  };
  for (ValueId value : temporaries_)
    if (value.index < first_own_) rename(value);
  for (std::size_t i = first_own_; i < function_.value_count(); ++i) rename(ValueId{static_cast<std::uint32_t>(i)});
}

}  // namespace bpc::ir
