// Names for the values of a script that is written from IR.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace bpc::frontend::script {

class Names {
 public:
  // `reserved` names are never given out: functions that the script calls.
  explicit Names(std::set<std::string> reserved) : taken_(std::move(reserved)) {}

  bool is_taken(const std::string& name) const { return taken_.contains(name); }
  void take(const std::string& name) { taken_.insert(name); }
  // A name nobody has: `wanted` with dots as `_` if it is free, else with `_2`, `_3` … behind it; t1, t2 … when nothing is wanted.
  std::string fresh(std::string_view wanted);

  // What is local to a loop's body may be a name again after it: `close` frees the names given out since `open`.
  std::size_t open() const { return given_.size(); }
  void close(std::size_t opened);

 private:
  bool give(const std::string& name);

  std::set<std::string> taken_;
  std::vector<std::string> given_;
  std::size_t temporaries_ = 0;
};

// "h1.dense.W" as a name of the language: h1_dense_W.
std::string spelled_path(std::string_view path);

}  // namespace bpc::frontend::script
