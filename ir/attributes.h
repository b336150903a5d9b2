// What an op is told beside its operands: attributes, made from ir/attributes.def.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace bpc::ir {

enum class Attr : std::uint8_t {
#define BPC_ATTRIBUTE(id, ...) id,
#include "ir/attributes.def"
};

// Kinds of values, in the order of AttrValue's alternatives; a number is an integer or a real.
enum class AttrKind : std::uint8_t { boolean, integer, real, string, integers, reals, strings, number };
using AttrValue =
    std::variant<bool, std::int64_t, double, std::string, std::vector<std::int64_t>, std::vector<double>, std::vector<std::string>>;

// What stands for something that is not said.
enum Unsaid : std::uint8_t { needed, maybe, nothing };
struct Otherwise {
  enum class Kind : std::uint8_t { needed, maybe, nothing, truth, whole };
  Kind kind;
  std::int64_t value = 0;

  constexpr Otherwise(Unsaid unsaid) : kind(static_cast<Kind>(unsaid)) {}
  constexpr Otherwise(bool truth) : kind(Kind::truth), value(truth) {}
  constexpr Otherwise(int whole) : kind(Kind::whole), value(whole) {}
};

// How an argument in a script becomes an attribute.
enum class Written : std::uint8_t {
  inner,            // not at all: the compiler sets it
  flag,             // true or false
  opposite,         // a flag that makes it false when true
  natural,          // an integer known at compile time, at least 0
  positive,         // the same, at least 1
  one_axis,         // of the first operand; a negative one counts from the end
  axis_of_windows,  // the same, the last axis of the operand aside
  some_axes,        // one or a list; `none`: all
  flat_axis,        // one; `none`: the operand is made flat
};

struct AttrInfo {
  std::string_view name;
  AttrKind kind;
  Otherwise otherwise;
  Written written;
  std::string_view word, sentence;
};
inline constexpr AttrInfo kAttributes[] = {
#define BPC_ATTRIBUTE(id, kind, otherwise, written, word, sentence) {#id, AttrKind::kind, otherwise, Written::written, word, sentence},
#include "ir/attributes.def"
};
constexpr const AttrInfo& attr_info(Attr attr) {
  return kAttributes[static_cast<std::size_t>(attr)];
}
std::optional<Attr> attr_from_name(std::string_view name);
bool is_of_kind(const AttrValue& value, AttrKind kind);
// The least value of one that scripts give as a number.
constexpr std::optional<std::int64_t> least_value(Attr attr) {
  const Written written = attr_info(attr).written;
  return written == Written::natural    ? std::optional<std::int64_t>(0)
         : written == Written::positive ? std::optional<std::int64_t>(1)
                                        : std::nullopt;
}
// Of an attribute that has one: that of an op that does not say.
std::optional<AttrValue> default_value(Attr attr);

// A small ordered map. Whoever reads an attribute that is not there, or as of another kind, has made a mistake: InternalError.
class Attributes {
 public:
  Attributes() = default;
  Attributes(std::initializer_list<std::pair<Attr, AttrValue>> items);
  void set(Attr attr, AttrValue value);  // keeps the enum's order
  void erase(Attr attr);
  const AttrValue* find(Attr attr) const;
  bool flag(Attr attr) const;
  std::int64_t integer(Attr attr) const;
  const std::string& string(Attr attr) const;
  const std::vector<std::int64_t>& ints(Attr attr) const;
  const std::vector<double>& reals(Attr attr) const;
  const std::vector<std::string>& strings(Attr attr) const;
  const std::vector<std::pair<Attr, AttrValue>>& items() const { return items_; }
  bool operator==(const Attributes& other) const = default;  // note: NaN differs from NaN; CSE compares bits instead

 private:
  std::vector<std::pair<Attr, AttrValue>> items_;
};

}  // namespace bpc::ir
