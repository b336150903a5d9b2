#include "runtime/number_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <span>
#include <type_traits>

#include "scalar/functions.h"
#include "support/element.h"

namespace bpc::runtime {

namespace {

constexpr std::int64_t kMostWhole = 64;  // elements of a tensor that is always shown whole
// The corner that is shown of a larger one: of the last axis, of the one before it, of any other.
constexpr std::int64_t kCornerColumns = 5, kCornerRows = 3, kCornerLayers = 1;

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

// How many entries of an axis its corner has.
std::int64_t corner(std::size_t axis, std::size_t rank) {
  return axis + 1 == rank ? kCornerColumns : axis + 2 == rank ? kCornerRows : kCornerLayers;
}

// Appends the part of the tensor below `axis` that starts at element `start`.
void append(std::string& text, const Tensor& tensor, std::size_t axis, std::int64_t start, std::int64_t count, bool only_corner) {
  const Type& type = tensor.type();
  if (axis == type.rank()) {
    text += element_text(tensor, start);
    return;
  }
  const std::int64_t size = type.size(axis), stride = count / size;
  const std::int64_t shown = only_corner ? std::min(size, corner(axis, type.rank())) : size;
  const std::string separator = axis + 1 == type.rank() ? ", " : ",\n" + std::string(axis + 1, ' ');
  text += "[";
  for (std::int64_t i = 0; i < shown; ++i) {
    if (i > 0) text += separator;
    append(text, tensor, axis + 1, start + i * stride, stride, only_corner);
  }
  text += shown < size ? separator + "…]" : "]";
}

// "min -0.5, max 2, mean 0.25" of the elements that are numbers, and how many are not; of bools, how many are true.
template <class T>
std::string statistics(std::span<const T> elements) {
  if constexpr (std::same_as<T, bool>) {
    return std::to_string(std::count(elements.begin(), elements.end(), true)) + " of " + std::to_string(elements.size()) + " true";
  } else {
    T least = 0, most = 0;
    long double total = 0;
    std::size_t count = 0;
    for (T element : elements) {
      if constexpr (scalar::Real<T>)
        if (std::isnan(element)) continue;
      least = count == 0 ? element : std::min(least, element);
      most = count == 0 ? element : std::max(most, element);
      total += static_cast<long double>(element);
      ++count;
    }
    if (count == 0) return "all nan";
    using Mean = std::conditional_t<scalar::Real<T>, T, double>;
    std::string text = "min " + value_text(least) + ", max " + value_text(most) + ", mean " +
                       real_text(static_cast<Mean>(total / static_cast<long double>(count)));
    return count == elements.size() ? text : text + ", " + std::to_string(elements.size() - count) + " nan";
  }
}

std::string summary(const Tensor& tensor) {
  const Type& type = tensor.type();
  std::string numbers = with_element(
      type.element, [&]<class T>(T) { return statistics(std::span<const T>(tensor.data<T>(), static_cast<std::size_t>(tensor.count()))); });
  return type_text(Type::of_sizes(type.element, type.sizes())) + " " + numbers + (type.rank() > 1 ? ":\n" : ": ");
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
  const bool only_corner = !full && tensor.count() > kMostWhole;
  std::string text = only_corner ? summary(tensor) : std::string();
  append(text, tensor, 0, 0, tensor.count(), only_corner);
  return text;
}

}  // namespace bpc::runtime
