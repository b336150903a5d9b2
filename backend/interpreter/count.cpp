#include "backend/interpreter/count.h"

#include "ir/shape_rules.h"

namespace bpc::backend {

using ir::Opcode;

OperationCount& OperationCount::operator+=(const OperationCount& other) {
  elementwise += other.elementwise;
  reduced += other.reduced;
  multiplied += other.multiplied;
  taped += other.taped;
  accumulated += other.accumulated;
  return *this;
}

OperationCount operations_of(const ir::Function& function, ir::OpId id, std::uint64_t times) {
  const ir::Op& op = function.op(id);
  OperationCount count;
  const auto elements = [&](ir::ValueId value) { return times * static_cast<std::uint64_t>(function.type(value).count()); };
  switch (ir::op_info(op.code).group) {
    case ir::Group::elementwise:
      count.elementwise += elements(op.results[0]);
      break;
    case ir::Group::reduction:
      count.reduced += elements(op.operands[0]);
      break;
    case ir::Group::contraction:
      count.multiplied +=
          times * static_cast<std::uint64_t>(ir::multiply_adds(*ir::parse_einsum(op.attrs.string(ir::Attr::spec)),
                                                               function.type(op.operands[0]), function.type(op.operands[1])));
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
  return count;
}

OperationCount Counter::operations() const {
  OperationCount count;
  for (std::uint32_t op = 0; op < times_.size(); ++op)
    if (times_[op] > 0) count += operations_of(function_, {op}, times_[op]);
  return count;
}

}  // namespace bpc::backend
