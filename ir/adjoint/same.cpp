#include "ir/adjoint/same.h"

#include <map>

namespace bpc::ir {

namespace {

class Comparison {
 public:
  explicit Comparison(const Function& function) : function_(function) {}

  bool values(ValueId a, ValueId b) {
    if (a == b) return true;
    if (auto known = inside_.find(a); known != inside_.end()) return known->second == b;
    const Op *x = function_.def(a), *y = function_.def(b);
    if (!x || !y || function_.value(a).slot != function_.value(b).slot || budget_-- == 0) return false;
    return ops(*x, *y);
  }

 private:
  bool ops(const Op& x, const Op& y) {
    Group group = op_info(x.code).group;
    bool compares = group == Group::elementwise || group == Group::reduction || group == Group::contraction || group == Group::movement ||
                    group == Group::library || group == Group::source || x.code == Opcode::custom;
    if (!compares || x.code != y.code || x.attrs != y.attrs || x.operands.size() != y.operands.size()) return false;
    for (std::size_t i = 0; i < x.operands.size(); ++i)
      if (!values(x.operands[i], y.operands[i])) return false;
    for (std::size_t i = 0; i < x.results.size(); ++i)
      if (!same_type(function_.type(x.results[i]), function_.type(y.results[i]))) return false;
    for (std::size_t i = 0; i < x.regions.size(); ++i)
      if (!regions(x.regions[i], y.regions[i])) return false;
    return true;
  }

  // The values inside correspond one by one.
  bool regions(BlockId a, BlockId b) {
    const Block &x = function_.block(a), &y = function_.block(b);
    if (x.arguments.size() != y.arguments.size() || x.ops.size() != y.ops.size() || x.yields.size() != y.yields.size()) return false;
    for (std::size_t i = 0; i < x.arguments.size(); ++i) inside_[x.arguments[i]] = y.arguments[i];
    for (std::size_t i = 0; i < x.ops.size(); ++i) {
      const Op &one = function_.op(x.ops[i]), &other = function_.op(y.ops[i]);
      if (one.results.size() != other.results.size() || budget_-- == 0 || !ops(one, other)) return false;
      for (std::size_t k = 0; k < one.results.size(); ++k) inside_[one.results[k]] = other.results[k];
    }
    for (std::size_t i = 0; i < x.yields.size(); ++i)
      if (!values(x.yields[i], y.yields[i])) return false;
    return true;
  }

  const Function& function_;
  std::map<ValueId, ValueId> inside_;
  std::size_t budget_ = 64;  // ops that are looked at
};

}  // namespace

bool computes_same(const Function& function, ValueId a, ValueId b) {
  return Comparison(function).values(a, b);
}

}  // namespace bpc::ir
