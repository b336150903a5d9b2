#include "frontend/script/blank_tapes.h"

#include <map>
#include <memory>

namespace bpc::frontend::script {

using ir::BlockId;
using ir::Op;
using ir::Opcode;
using ir::OpId;
using ir::ValueId;

namespace {

// What the text says about tapes, statement by statement.
class Reader {
 public:
  explicit Reader(const ir::Function& function) : function_(function) {}

  std::set<ValueId> run() {
    visit(function_.body());
    return std::move(blank_);
  }

 private:
  struct Kind {  // of tapes that hold the same
    bool is_known = false;
    std::set<ValueId> starts;
  };
  using KindId = std::shared_ptr<Kind>;

  void follow(ValueId value, ValueId source) {
    if (auto found = kinds_.find(source); found != kinds_.end()) kinds_[value] = found->second;
  }

  void join(ValueId a, ValueId b) {
    if (!function_.type(a).tape) return;
    const KindId first = kinds_.at(a), second = kinds_.at(b);
    if (first == second) return;
    if (first->is_known || second->is_known) {
      first->is_known = second->is_known = true;
      return;
    }
    first->starts.insert(second->starts.begin(), second->starts.end());
    for (auto& [value, kind] : kinds_)
      if (kind == second) kind = first;
  }

  void visit(BlockId block) {
    for (OpId id : function_.block(block).ops) visit(function_.op(id));
  }

  void visit(const Op& op) {
    if (op.code == Opcode::tape) {
      kinds_[op.results[0]] = std::make_shared<Kind>(Kind{false, {op.results[0]}});
    } else if (op.code == Opcode::push || op.code == Opcode::pop) {
      Kind& kind = *kinds_.at(op.operands[0]);
      if (op.code == Opcode::pop && !kind.is_known) blank_.insert(kind.starts.begin(), kind.starts.end());
      kind.is_known = true;
      follow(op.results[0], op.operands[0]);
    } else if (ir::is_loop(op.code)) {
      loop(op);
    } else if (!op.regions.empty()) {
      for (BlockId region : op.regions) visit(region);
      for (std::size_t i = 0; i < op.results.size(); ++i) {
        ValueId value = function_.block(op.regions[0]).yields[i];
        if (op.code == Opcode::if_else) join(value, function_.block(op.regions[1]).yields[i]);
        follow(op.results[i], value);
      }
    }
  }

  void loop(const Op& op) {
    const std::size_t operands = ir::uncarried_operands(op.code), arguments = ir::uncarried_arguments(op.code);
    for (BlockId region : op.regions) {
      const ir::Block& block = function_.block(region);
      for (std::size_t k = 0; k < op.results.size(); ++k) follow(block.arguments[k + arguments], op.operands[k + operands]);
      visit(region);
    }
    for (std::size_t k = 0; k < op.results.size(); ++k) {
      ValueId value = function_.block(op.regions.back()).yields[k];
      join(op.operands[k + operands], value);
      follow(op.results[k], value);
    }
  }

  const ir::Function& function_;
  std::map<ValueId, KindId> kinds_;
  std::set<ValueId> blank_;
};

}  // namespace

std::set<ValueId> blank_tapes(const ir::Function& function) {
  return Reader(function).run();
}

}  // namespace bpc::frontend::script
