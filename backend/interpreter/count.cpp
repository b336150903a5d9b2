#include "backend/interpreter/count.h"

#include <map>

#include "ir/shape_rules.h"

namespace bpc::backend {

namespace {

using ir::Opcode;

// One for each choice of the letters of both operands.
std::uint64_t multiply_adds(const ir::Op& op, const Type& a, const Type& b) {
  const ir::EinsumSpec spec = *ir::parse_einsum(op.attrs.string(ir::Attr::spec));
  std::map<char, std::int64_t> sizes;
  for (std::size_t axis = 0; axis < spec.a.size(); ++axis) sizes[spec.a[axis]] = a.size(axis);
  for (std::size_t axis = 0; axis < spec.b.size(); ++axis) sizes[spec.b[axis]] = b.size(axis);
  std::uint64_t product = 1;
  for (const auto& [letter, size] : sizes) product *= static_cast<std::uint64_t>(size);
  return product;
}

// Adds what the op takes when it runs so many times; its regions count for themselves.
void add(OperationCount& count, const ir::Function& function, const ir::Op& op, std::uint64_t times) {
  const auto elements = [&](ir::ValueId value) { return times * static_cast<std::uint64_t>(function.type(value).count()); };
  switch (ir::op_info(op.code).group) {
    case ir::Group::elementwise:
      count.elementwise += elements(op.results[0]);
      break;
    case ir::Group::reduction:
      count.reduced += elements(op.operands[0]);
      break;
    case ir::Group::contraction:
      count.multiplied += times * multiply_adds(op, function.type(op.operands[0]), function.type(op.operands[1]));
      break;
    case ir::Group::movement:
      if (op.code == Opcode::update || op.code == Opcode::scatter_add) count.accumulated += elements(op.operands[1]);
      if (op.code == Opcode::window_add) count.accumulated += elements(op.operands[0]);
      break;
    case ir::Group::library:
      count.multiplied += elements(op.operands[0]) * static_cast<std::uint64_t>(function.type(op.operands[0]).dims.back().size);
      break;
    case ir::Group::tape:
      if (op.code != Opcode::tape) count.taped += elements(op.results[0]);  // of one entry
      break;
    case ir::Group::source:
    case ir::Group::random:
    case ir::Group::control:
    case ir::Group::effect:
    case ir::Group::derivative:
      break;
  }
}

}  // namespace

OperationCount Counter::operations() const {
  OperationCount count;
  for (std::uint32_t op = 0; op < times_.size(); ++op)
    if (times_[op] > 0) add(count, function_, function_.op({op}), times_[op]);
  return count;
}

}  // namespace bpc::backend
