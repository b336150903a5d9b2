// Files of data: tables (CSV), JSON and safetensors. Each is read once, and what is wrong with it is said once.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/io/csv.h"
#include "tools/bpc/data_file.h"
#include "tools/bpc/session.h"

namespace bpc::tool {

// What is wanted of a file.
struct DataQuery {
  DataFile file;
  std::string name;                 // of the input or param: what is taken of a JSON object or of tensors by name, unless the selector says
  std::optional<Element> element;   // of the result
  Span span;                        // where it is asked for
  const DataFile* codes = nullptr;  // the file whose categories give texts their codes, if it is another
};

struct DataValue {
  runtime::Tensor tensor;
  std::vector<runtime::Categories> categories;  // of each column of a table
};

class DataReader {
 public:
  explicit DataReader(Session& session);
  ~DataReader();

  // To be called for every file that is going to be read before the first one is: a selector that names columns says that a table has a
  // header, to whoever reads it.
  void announce(const DataFile& file);

  std::optional<DataValue> read(const DataQuery& query);
  // Whether the file has a value of this name. True of what cannot be read.
  bool has(const std::string& path, const std::string& name);
  // Params by name: a safetensors file; or a JSON object, or what `run --json` printed, of which the values named as one of `known` count.
  std::optional<std::map<std::string, runtime::Tensor>> read_params(const std::string& path, const std::vector<std::string>& known);

 private:
  struct Contents;
  // Null, and said before, when it cannot be read.
  const Contents* contents(const std::string& path, Span span);

  Session& session_;
  std::map<std::string, bool> named_;  // by path
  std::map<std::string, std::unique_ptr<Contents>> files_;
};

}  // namespace bpc::tool
