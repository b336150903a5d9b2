// Values from outside: --set, --data, --params and the `from` clauses of inputs.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "frontend/lower.h"
#include "runtime/io/csv.h"
#include "runtime/tensor.h"
#include "tools/bpc/session.h"

namespace bpc::tool {

struct Bindings {
  std::map<std::string, std::int64_t> dims;
  std::map<std::string, runtime::Tensor> tensors;                      // by input name or param path
  std::map<std::string, std::vector<runtime::Categories>> categories;  // by input name: of each column that holds texts
  std::set<std::string> unread;                                        // names whose values are in a file that was not read
};

// What a command needs of the inputs: their values (run); their types (emit); or what happens to be there (check).
enum class DataNeed : std::uint8_t { values, types, available };

// The first of these gives an input its value: --set, --data NAME=FILE, --data FILE (the input's selector, or the column of its name),
// its `from` clause. A param takes its own from --set, --params, --data NAME=FILE, its `from` clause. Appends E05xx; what could be had is
// there all the same.
Bindings bind_data(Session& session, const frontend::Program& program, DataNeed need);

// After lowering: names given that the script does not declare (E0505).
void check_given_names(Session& session, const frontend::Program& program, const ir::Module& module, const Bindings& bindings);

}  // namespace bpc::tool
