#include "frontend/names/scopes.h"

#include <utility>

namespace bpc::frontend {

void Scopes::open_function() {
  open();
  base_ = stack_.size() - 1;
}

Symbols Scopes::close(const char* reason) {
  Symbols names = std::move(stack_.back());
  stack_.pop_back();
  if (base_ == stack_.size()) base_ = 0;
  if (reason)
    for (const auto& [name, symbol] : names) lost_.insert_or_assign(name, Lost{symbol->span, reason});
  return names;
}

const Definition* Scopes::find(const std::string& name, std::size_t from) const {
  for (std::size_t i = stack_.size(); i-- > from;)
    if (auto found = stack_[i].find(name); found != stack_[i].end()) return found->second;
  return nullptr;
}

const Scopes::Lost* Scopes::find_lost(const std::string& name) const {
  auto found = lost_.find(name);
  return found == lost_.end() ? nullptr : &found->second;
}

std::vector<std::string> Scopes::names() const {
  std::vector<std::string> names;
  for (auto scope = stack_.rbegin(); scope != stack_.rend(); ++scope)
    for (const auto& [name, symbol] : *scope) names.push_back(name);
  return names;
}

}  // namespace bpc::frontend
