// The parameters of a function that the compiler knows: of an operator, or of a builtin of the front end.
#pragma once

#include <array>
#include <initializer_list>
#include <string>

#include "ir/attributes.h"

namespace bpc::ir {

struct Formal {
  std::string_view word;  // what scripts call it
  Otherwise otherwise = needed;
  Written written = Written::inner;  // of an attribute
  std::optional<Attr> attr = {};     // none: an operand
  bool repeated = false;             // any number of operands; the last one
  bool by_name = false;              // scripts give it by its name alone

  constexpr Formal() = default;
  constexpr Formal(const char* operand, Otherwise otherwise = needed) : word(operand), otherwise(otherwise) {}
  constexpr Formal(Attr attr) : Formal(attr, attr_info(attr).written) {}
  constexpr Formal(Attr attr, Otherwise otherwise) : Formal(attr) { this->otherwise = otherwise; }
  constexpr Formal(Attr attr, Written written)
      : word(attr_info(attr).word),
        otherwise(written == Written::some_axes || written == Written::flat_axis ? nothing : attr_info(attr).otherwise),
        written(written),
        attr(attr) {}

  constexpr bool is_argument() const { return !attr || written != Written::inner; }
};
constexpr Formal many(const char* operands) {
  Formal formal(operands);
  formal.repeated = true;
  return formal;
}

constexpr Formal by_name(const char* word) {
  Formal formal(word, nothing);
  formal.by_name = true;
  return formal;
}

class Signature {
 public:
  constexpr Signature(std::initializer_list<Formal> formals) {
    for (const Formal& formal : formals) formals_[count_++] = formal;
  }
  constexpr const Formal* begin() const { return formals_.data(); }
  constexpr const Formal* end() const { return formals_.data() + count_; }

 private:
  std::array<Formal, 12> formals_;
  std::size_t count_ = 0;
};

// As a script's author reads it: "x, axis = none, keep = false".
std::string signature_text(const Signature& signature);

}  // namespace bpc::ir
