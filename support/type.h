// The types of values, shared by the IR and the runtime: an element type and a static shape.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bpc {

enum class Element : std::uint8_t { f32, f64, i32, i64, boolean };

std::string_view element_name(Element element);  // "f32" "f64" "i32" "i64" "bool"
std::optional<Element> element_from_name(std::string_view name);
std::size_t element_size(Element element);  // bytes; bool is one byte, 0 or 1
bool is_real(Element element);
bool is_integer(Element element);  // i32 and i64

// The name of a declared dim, or none.
struct DimName {
  std::string text;
  bool is_open = false;  // the size is not known, and the one it goes by is nobody's business

  bool empty() const { return text.empty(); }
  bool operator==(const DimName& other) const { return text == other.text; }
};

// One size of a shape. The name of a declared dim is an annotation that only the front end holds the author to;
// the IR compares sizes.
struct Dim {
  std::int64_t size = 0;
  DimName name = {};
};

// A dense tensor; or a tape of such tensors: a last-in-first-out store without a bound, which is used linearly.
struct Type {
  Element element = Element::f32;
  std::vector<Dim> dims;  // empty: a scalar
  bool tape = false;

  Type() = default;
  explicit Type(Element element, std::vector<Dim> dims = {}) : element(element), dims(std::move(dims)) {}
  static Type of_sizes(Element element, const std::vector<std::int64_t>& sizes);

  std::size_t rank() const { return dims.size(); }
  bool is_scalar() const { return dims.empty() && !tape; }
  std::int64_t count() const;  // number of elements (of one entry of a tape)
  std::int64_t size(std::size_t axis) const { return dims[axis].size; }
  std::vector<std::int64_t> sizes() const;
  Type with_element(Element other) const { return Type(other, dims); }
  Type as_tape() const;   // of tensors of this type
  Type as_entry() const;  // what a tape holds
};

// Equal sizes, whatever the names.
bool same_shape(const Type& a, const Type& b);
// Equal element type and sizes, whatever the names; a tape equals only tapes.
bool same_type(const Type& a, const Type& b);

// The most that a shape may be.
inline constexpr std::int64_t kMostElements = std::int64_t{1} << 40;
inline constexpr std::size_t kMostAxes = 32;
// What no tensor can be, as "a negative size"; empty for a sound shape. Every shape that a script, IR text or a file makes is asked: where
// this is empty, products of sizes do not overflow.
std::string shape_problem(const std::vector<Dim>& dims);

std::string size_text(const Dim& dim);                 // "64"; of a dim whose size is open, the name
std::string dim_text(const Dim& dim);                  // the same, and "N=64" for one with a name
std::string shape_text(const std::vector<Dim>& dims);  // "[64, 784]"; "[]" for a scalar; a named dim as "N=64"
std::string type_text(const Type& type);               // "f32[N=64, 784]", "f32" for a scalar, "tape<f32[3]>"

}  // namespace bpc
