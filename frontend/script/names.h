// Names for the values of a script that is written from IR.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace bpc::frontend::script {

class Names {
 public:
  // `reserved` names are never given out: functions that the script calls.
  explicit Names(std::set<std::string> reserved) : taken_(reserved), functions_called_(std::move(reserved)) {}

  bool is_function(const std::string& name) const { return functions_called_.contains(name); }
  bool is_taken(const std::string& name) const { return taken_.contains(name); }
  void take(const std::string& name) { taken_.insert(name); }
  // A name nobody has: `wanted` with dots as `_` if it is free, else with `_2`, `_3` … behind it; t1, t2 … when nothing is wanted.
  std::string fresh(std::string_view wanted);
  // One that no `close` frees: of a function.
  std::string lasting(std::string_view wanted);

  // Has the name until the scope closes, whoever has it outside: a parameter.
  void shadow(const std::string& name);

  // What is local to a loop's body or a function may be a name again after it, in another one: `close` frees the names given out since
  // `open`. Not at the top level, where a name would be seen from inside. A function's temporaries count from t1 again.
  enum class Kind : std::uint8_t { block, function };
  struct Scope {
    Kind kind;
    std::size_t given, temporaries;
  };
  Scope open(Kind kind);
  void close(const Scope& scope);

 private:
  bool give(const std::string& name, const std::string& wanted, int turn);

  struct Given {
    std::string name, wanted;
    int turn;  // of the names tried
  };

  std::set<std::string> taken_, inner_;  // `inner_`: freed
  std::set<std::string> functions_called_;
  std::vector<Given> given_;
  std::unordered_map<std::string, int> next_;                 // by wanted name: those of earlier turns are taken
  std::size_t temporaries_ = 0, blocks_ = 0, functions_ = 0;  // scopes that are open
};

// "h1.dense.W" as a name of the language: h1_dense_W.
std::string spelled_path(std::string_view path);

}  // namespace bpc::frontend::script
