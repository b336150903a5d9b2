// Private to name resolution: the names that are visible at a place.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "frontend/resolve.h"

namespace bpc::frontend {

// "a dim", "the loss", …
std::string_view kind_name(Symbol::Kind kind);

class Scopes {
 public:
  // Where a name of a closed scope was bound, and why it is gone.
  struct Lost {
    Span span;
    const char* reason;
  };

  void open() { stack_.emplace_back(); }
  // Inside it, only names of its own can be rebound.
  void open_function();
  // Returns the names of the innermost scope; with a reason they are remembered as lost.
  Symbols close(const char* reason = nullptr);

  void define(const std::string& name, Symbol symbol) { stack_.back().insert_or_assign(name, symbol); }
  const Symbol* find(const std::string& name) const { return find(name, 0); }
  // Of the current function alone; outside functions the same as `find`.
  const Symbol* find_own(const std::string& name) const { return find(name, base_); }
  const Symbols& outermost() const { return stack_.front(); }
  const Symbols& innermost() const { return stack_.back(); }
  const Lost* find_lost(const std::string& name) const;
  // Of all scopes, the innermost first.
  std::vector<std::string> names() const;

 private:
  const Symbol* find(const std::string& name, std::size_t from) const;

  std::vector<Symbols> stack_{1};
  std::size_t base_ = 0;  // the first scope of the current function
  std::map<std::string, Lost> lost_;
};

}  // namespace bpc::frontend
