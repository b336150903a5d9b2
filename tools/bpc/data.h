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

// The files of the folder of a training.
inline constexpr const char* kLastParams = "last.safetensors";
inline constexpr const char* kBestParams = "best.safetensors";

struct Bindings {
  std::map<std::string, std::int64_t> dims;
  std::map<std::string, runtime::Tensor> tensors;  // by input name or param path
  // By input name: of each column that holds texts. Those of the training that the params come from are here for all of its inputs.
  std::map<std::string, std::vector<runtime::Categories>> categories;
  std::map<std::string, frontend::Classes> classes;         // of inputs declared with `of`
  std::map<std::string, std::string> class_dims;            // by the dim that counts them: such an input
  std::map<std::string, std::vector<std::string>> columns;  // by input name: what the columns of the table are called
  std::set<std::string> unread;                             // names whose values are in a file that was not read
  std::map<std::string, Diagnostics> why_missing;           // DataNeed::possible: by the name of an input that got no value
};

// What a command needs of the inputs: their values (run); their types (emit); what happens to be there (check); or as many values as can be
// had, and for the others why not (predict).
enum class DataNeed : std::uint8_t { values, types, available, possible };

// The first of these gives an input its value: --set, --data NAME=FILE, --data FILE (the input's selector, or the column of its name),
// its `from` clause. A param takes its own from --set, --params, --data NAME=FILE, its `from` clause. Appends E05xx; what could be had is
// there all the same.
//
// `--params` may name the folder of a training: its best params are taken, or else its last ones. What the training knew of categories
// holds.
Bindings bind_data(Session& session, const frontend::Program& program, DataNeed need);

// Of inputs of these names the values that another file has, such as rows to validate: as `--data FILE` would give them, texts with the
// codes of `trained`. For those that have none, why not.
Bindings bind_rows(Session& session, const frontend::Program& program, const std::string& file, const std::set<std::string>& names,
                   const Bindings& trained);

// Where a training keeps what it learns, unless it is told: beside the script.
std::string training_folder(const std::string& script);
// The file that `--params` means.
std::string params_file(const std::string& path);

// After lowering: names given that the script does not declare (E0505).
void check_given_names(Session& session, const frontend::Program& program, const ir::Module& module, const Bindings& bindings);

}  // namespace bpc::tool
