// Files of data: tables (CSV), plain text, JSON, safetensors, and arrays (.npy, .npz, IDX), compressed by gzip or not. Each is read once,
// and what is wrong with it is said once.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/io/csv.h"
#include "runtime/io/read_file.h"
#include "tools/bpc/data_file.h"
#include "tools/bpc/session.h"

namespace bpc::tool {

// What is wanted of a file.
struct DataQuery {
  DataFile file;
  std::string name;                 // of the input or param: what is taken of a JSON object or of tensors by name, unless the selector says
  std::optional<Element> element;   // of the result
  Span span;                        // where it is asked for
  const DataFile* codes = nullptr;  // the `from` clause whose categories give texts their codes
  bool are_categories = false;      // declared so: whole numbers, too
  const runtime::KnownCategories* trained = nullptr;  // or those that a training has given them
};

struct DataValue {
  runtime::Tensor tensor;
  std::vector<runtime::Categories> categories;  // of each column of a table
  std::vector<std::string> columns;             // what they are called
};

class DataReader {
 public:
  explicit DataReader(Session& session);
  ~DataReader();

  // To be called for every file that is going to be read before the first one is: a selector that names columns says that a table has a
  // header, to whoever reads it.
  void announce(const DataFile& file);
  // The same of the `from` clause of an input of this element type that is there to be read: texts in columns that are called the same have
  // one set of codes, from all these files.
  void announce_codes(const DataFile& file, std::optional<Element> element, bool are_categories);

  std::optional<DataValue> read(const DataQuery& query);
  // Whether the file has a value of this name. True of what cannot be read.
  bool has(const std::string& path, const std::string& name);
  // Params by name: a safetensors file; or a JSON object, or what `run --json` printed, of which the values named as one of `known` count.
  std::optional<std::map<std::string, runtime::Tensor>> read_params(const std::string& path, const std::vector<std::string>& known);
  // By the name of an input: the categories of its columns in the training that wrote this file of params, if one did.
  std::map<std::string, std::vector<runtime::Categories>> trained_categories(const std::string& path);

 private:
  struct Contents;
  // Decompressed.
  std::optional<runtime::FileBytes> bytes(const std::string& path, Span span);
  std::optional<DataValue> read_text(const DataQuery& query, std::size_t in_row);
  // Null, and said before, when it cannot be read.
  const Contents* contents(const std::string& path, Span span);

  struct CodeSource {
    DataFile file;
    std::optional<Element> element;
    bool are_categories;
  };
  // The categories that texts of a `from` clause have.
  std::optional<runtime::KnownCategories> known_categories(const DataQuery& query);
  void numbers_elsewhere(const DataQuery& query, const std::string& column, const std::string& path);

  Session& session_;
  std::vector<CodeSource> code_sources_;
  std::map<std::string, bool> named_;  // by path
  std::map<std::string, std::unique_ptr<Contents>> files_;
};

}  // namespace bpc::tool
