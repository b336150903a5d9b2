#include "frontend/script/names.h"

#include <fmt/format.h>
#include <algorithm>

#include "ir/text.h"

namespace bpc::frontend::script {

namespace {

constexpr std::string_view kKeywords[] = {"if",    "else",   "for",  "in",    "while", "return", "and",  "or",  "not",  "true",  "false",
                                          "none",  "import", "dim",  "const", "input", "param",  "loss", "fn",  "seed", "train", "adjoint",
                                          "print", "assert", "from", "by",    "f32",   "f64",    "real", "i32", "i64",  "bool"};

}  // namespace

std::string Names::fresh(std::string_view wanted) {
  std::string name = spelled_path(wanted);
  if (name.empty()) {
    do name = fmt::format("t{}", ++temporaries_);
    while (!give(name));
    return name;
  }
  if (std::find(std::begin(kKeywords), std::end(kKeywords), name) != std::end(kKeywords)) name += "_";
  std::string unique = name;
  for (int turn = 2; !give(unique); ++turn) unique = fmt::format("{}_{}", name, turn);
  return unique;
}

void Names::close(std::size_t opened) {
  for (; given_.size() > opened; given_.pop_back()) taken_.erase(given_.back());
}

bool Names::give(const std::string& name) {
  if (!taken_.insert(name).second) return false;
  given_.push_back(name);
  return true;
}

std::string spelled_path(std::string_view path) {
  std::string name(path);
  for (char& c : name)
    if (!ir::is_identifier(std::string{'_', c})) c = '_';
  return ir::is_identifier(name) || name.empty() ? name : "_" + name;
}

}  // namespace bpc::frontend::script
