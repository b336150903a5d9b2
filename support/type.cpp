#include "support/type.h"

#include <algorithm>
#include <array>

namespace bpc {

namespace {

struct ElementInfo {
  std::string_view name;
  std::size_t size;
};
constexpr std::array<ElementInfo, 5> kElements{{{"f32", 4}, {"f64", 8}, {"i32", 4}, {"i64", 8}, {"bool", 1}}};

}  // namespace

std::string_view element_name(Element element) {
  return kElements[static_cast<std::size_t>(element)].name;
}

std::optional<Element> element_from_name(std::string_view name) {
  for (std::size_t i = 0; i < kElements.size(); ++i)
    if (kElements[i].name == name) return static_cast<Element>(i);
  return std::nullopt;
}

std::size_t element_size(Element element) {
  return kElements[static_cast<std::size_t>(element)].size;
}
bool is_real(Element element) {
  return element == Element::f32 || element == Element::f64;
}
bool is_integer(Element element) {
  return element == Element::i32 || element == Element::i64;
}

Type Type::of_sizes(Element element, const std::vector<std::int64_t>& sizes) {
  std::vector<Dim> dims;
  for (std::int64_t size : sizes) dims.push_back({size, {}});
  return Type(element, std::move(dims));
}

std::int64_t Type::count() const {
  std::int64_t product = 1;
  for (const Dim& dim : dims) product *= dim.size;
  return product;
}

std::vector<std::int64_t> Type::sizes() const {
  std::vector<std::int64_t> result;
  for (const Dim& dim : dims) result.push_back(dim.size);
  return result;
}

Type Type::as_tape() const {
  Type type = *this;
  type.tape = true;
  return type;
}

Type Type::as_entry() const {
  return Type(element, dims);
}

bool same_shape(const Type& a, const Type& b) {
  return a.sizes() == b.sizes();
}
bool same_type(const Type& a, const Type& b) {
  return a.element == b.element && a.tape == b.tape && same_shape(a, b);
}

std::string shape_problem(const std::vector<Dim>& dims) {
  if (dims.size() > kMostAxes) return std::to_string(dims.size()) + " axes, and the most are " + std::to_string(kMostAxes);
  std::int64_t count = 1;  // of the axes that are not empty: any part of them may be multiplied
  for (const Dim& dim : dims) {
    if (dim.size < 0) return "a negative size";
    if (dim.size > kMostElements / count) return "more than 2^40 elements";
    count *= std::max<std::int64_t>(dim.size, 1);
  }
  return {};
}

std::string size_text(const Dim& dim) {
  return dim.name.is_open ? dim.name.text : std::to_string(dim.size);
}

std::string dim_text(const Dim& dim) {
  return dim.name.empty() || dim.name.is_open ? size_text(dim) : dim.name.text + "=" + std::to_string(dim.size);
}

std::string shape_text(const std::vector<Dim>& dims) {
  std::string text = "[";
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if (i > 0) text += ", ";
    text += dim_text(dims[i]);
  }
  return text + "]";
}

std::string type_text(const Type& type) {
  std::string text(element_name(type.element));
  if (!type.dims.empty()) text += shape_text(type.dims);
  return type.tape ? "tape<" + text + ">" : text;
}

}  // namespace bpc
