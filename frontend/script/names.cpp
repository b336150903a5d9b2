#include "frontend/script/names.h"

#include <fmt/format.h>
#include <algorithm>
#include <utility>

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
    while ((functions_ == 0 && inner_.contains(name)) || !give(name, name, 1));
    return name;
  }
  if (std::find(std::begin(kKeywords), std::end(kKeywords), name) != std::end(kKeywords)) name += "_";
  int& next = next_.try_emplace(name, 1).first->second;
  auto spelled = [&](int turn) { return turn == 1 ? name : fmt::format("{}_{}", name, turn); };
  while (taken_.contains(spelled(next))) ++next;
  int turn = next;
  while (!give(spelled(turn), name, turn)) ++turn;
  return spelled(turn);
}

std::string Names::lasting(std::string_view wanted) {
  std::size_t blocks = std::exchange(blocks_, 0), functions = std::exchange(functions_, 0);
  std::string name = fresh(wanted);
  std::erase_if(given_, [&](const Given& given) { return given.name == name; });
  blocks_ = blocks;
  functions_ = functions;
  functions_called_.insert(name);
  return name;
}

void Names::shadow(const std::string& name) {
  if (taken_.insert(name).second) given_.push_back({name, name, 1});
}

Names::Scope Names::open(Kind kind) {
  Scope scope{kind, given_.size(), temporaries_};
  ++(kind == Kind::block ? blocks_ : functions_);
  if (kind == Kind::function) temporaries_ = 0;
  return scope;
}

void Names::close(const Scope& scope) {
  --(scope.kind == Kind::block ? blocks_ : functions_);
  if (scope.kind == Kind::function) temporaries_ = scope.temporaries;
  for (; given_.size() > scope.given; given_.pop_back()) {
    const auto& [name, wanted, turn] = given_.back();
    taken_.erase(name);
    inner_.insert(name);
    if (auto next = next_.find(wanted); next != next_.end()) next->second = std::min(next->second, turn);
  }
}

bool Names::give(const std::string& name, const std::string& wanted, int turn) {
  bool is_top = blocks_ + functions_ == 0;
  if ((is_top && inner_.contains(name)) || !taken_.insert(name).second) return false;
  given_.push_back({name, wanted, turn});
  return true;
}

std::string spelled_path(std::string_view path) {
  std::string name(path);
  for (char& c : name)
    if (!ir::is_identifier(std::string{'_', c})) c = '_';
  return ir::is_identifier(name) || name.empty() ? name : "_" + name;
}

}  // namespace bpc::frontend::script
