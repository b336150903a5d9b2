// A bug in bpc itself, never the user's fault: thrown anywhere, caught once in main, exit code 3.
#pragma once

#include <stdexcept>
#include <string>

#include "support/source.h"

namespace bpc {

class InternalError : public std::runtime_error {
 public:
  InternalError(std::string stage, const std::string& what, Span span = {})
      : std::runtime_error(what), stage_(std::move(stage)), span_(span) {}
  const std::string& stage() const { return stage_; }
  const Span& span() const { return span_; }

 private:
  std::string stage_;
  Span span_;
};

}  // namespace bpc
