#include "runtime/number_text.h"

#include <charconv>
#include <cmath>

#include "runtime/element.h"

namespace bpc::runtime {

namespace {

constexpr std::int64_t kMostWhole = 1000;  // elements of a tensor that is always shown whole
constexpr std::int64_t kEdge = 3;          // entries shown at each end of an abbreviated axis

template <class T>
std::string real_text(T value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, std::fabs(value), std::chars_format::scientific).ptr;
  const std::string_view shortest(buffer, static_cast<std::size_t>(end - buffer));  // "d.ddde±xx"
  const std::size_t e = shortest.find('e');
  std::string digits(1, shortest[0]);
  if (e > 2) digits += shortest.substr(2, e - 2);
  const int exponent = std::stoi(std::string(shortest.substr(e + 1)));

  std::string text(std::signbit(value) ? "-" : "");
  const auto point = static_cast<std::size_t>(exponent + 1);  // digits before the point, where there are any
  if (exponent < -4 || exponent >= 16) {
    if (digits.size() > 1) digits.insert(1, 1, '.');
    return text + digits + "e" + std::to_string(exponent);
  }
  if (exponent < 0) return text + "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + digits;
  if (digits.size() <= point)
    digits.append(point - digits.size(), '0');
  else
    digits.insert(point, 1, '.');
  return text + digits;
}

template <class T>
std::string value_text(T value) {
  if constexpr (std::same_as<T, bool>) return value ? "true" : "false";
  if constexpr (scalar::Real<T>) return real_text(value);
  return std::to_string(value);
}

// Appends the part of the tensor below `axis` that starts at element `start`.
void append(std::string& text, const Tensor& tensor, std::size_t axis, std::int64_t start, std::int64_t count, bool abbreviate) {
  const Type& type = tensor.type();
  if (axis == type.rank()) {
    text += element_text(tensor, start);
    return;
  }
  const std::int64_t size = type.size(axis), stride = count / size;
  const std::string separator = axis + 1 == type.rank() ? ", " : ",\n" + std::string(axis + 1, ' ');
  text += "[";
  for (std::int64_t i = 0; i < size; ++i) {
    if (i > 0) text += separator;
    if (abbreviate && size > 2 * kEdge && i == kEdge) {
      text += "…" + separator;
      i = size - kEdge;
    }
    append(text, tensor, axis + 1, start + i * stride, stride, abbreviate);
  }
  text += "]";
}

}  // namespace

std::string number_text(double value) {
  return real_text(value);
}
std::string number_text(float value) {
  return real_text(value);
}

std::string element_text(const Tensor& tensor, std::int64_t i) {
  return with_element(tensor.type().element, [&]<class T>(T) { return value_text(tensor.data<T>()[i]); });
}

std::string tensor_text(const Tensor& tensor, bool full) {
  if (tensor.count() == 0) return "[]";
  std::string text;
  append(text, tensor, 0, 0, tensor.count(), !full && tensor.count() > kMostWhole);
  return text;
}

}  // namespace bpc::runtime
