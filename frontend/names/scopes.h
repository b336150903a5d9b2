// Private to name resolution: the names that are visible at a place.
#pragma once

#include <string>
#include <vector>

#include "frontend/names/meanings.h"

namespace bpc::frontend {

class Scopes {
 public:
  // Where a name of a closed scope was bound, and why it is gone.
  struct Lost {
    Span span;
    const char* reason;
  };

  explicit Scopes(Symbols outermost = {}) { stack_.push_back(std::move(outermost)); }

  void open() { stack_.emplace_back(); }
  // Inside it, only names of its own can be rebound.
  void open_function();
  // Returns the names of the innermost scope; with a reason they are remembered as lost.
  Symbols close(const char* reason = nullptr);

  void define(const Definition& meaning) { stack_.back().insert_or_assign(meaning.name, &meaning); }
  void define_outermost(const Definition& meaning) { stack_.front().insert_or_assign(meaning.name, &meaning); }
  const Definition* find(const std::string& name) const { return find(name, 0); }
  // Of the current function alone; outside functions the same as `find`.
  const Definition* find_own(const std::string& name) const { return find(name, base_); }
  const Symbols& outermost() const { return stack_.front(); }
  const Symbols& innermost() const { return stack_.back(); }
  const Lost* find_lost(const std::string& name) const;
  // Of all scopes, the innermost first.
  std::vector<std::string> names() const;

 private:
  const Definition* find(const std::string& name, std::size_t from) const;

  std::vector<Symbols> stack_;
  std::size_t base_ = 0;  // the first scope of the current function
  std::map<std::string, Lost> lost_;
};

}  // namespace bpc::frontend
