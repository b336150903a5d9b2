// What the codes that a script gives stand for: an index into classes that a column of a data file named.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "frontend/training.h"
#include "ir/function.h"
#include "tools/bpc/data.h"

namespace bpc::tool {

class ClassNames {
 public:
  // Axes whose entries are classes: those of a dim that counts them (`input t : i32[N] of C`), and of the logits that `cross_entropy`
  // compares with labels from a column of texts. All three must outlive the object.
  ClassNames(const ir::Function& main, const std::vector<frontend::Comparison>& comparisons, const Bindings& bindings);

  // Of an integer value: the texts that its codes stand for, where it is such a column, or an index along such an axis; or none.
  runtime::Categories of_codes(ir::ValueId value) const;
  // Of the entries of its last axis; or none.
  runtime::Categories of_last_axis(ir::ValueId value) const;

 private:
  runtime::Categories of_axis(const Dim& dim) const;

  const ir::Function& main_;
  const Bindings& bindings_;
  std::map<std::string, runtime::Categories> named_;  // by the dim
  std::vector<std::pair<Dim, runtime::Categories>> axes_;
};

}  // namespace bpc::tool
