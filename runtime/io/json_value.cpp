#include "runtime/io/json_value.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "runtime/number_text.h"
#include "scalar/functions.h"
#include "support/element.h"

namespace bpc::runtime {

namespace {

using nlohmann::json;

void append(std::string& text, const Tensor& tensor, std::size_t axis, std::int64_t start, std::int64_t count) {
  if (axis == tensor.type().rank()) {
    const bool quoted = is_real(tensor.type().element) && !std::isfinite(tensor.real_at(start));
    text += quoted ? '"' + element_text(tensor, start) + '"' : element_text(tensor, start);
    return;
  }
  const std::int64_t size = tensor.type().size(axis), stride = count / size;
  text += '[';
  for (std::int64_t i = 0; i < size; ++i) {
    if (i > 0) text += ", ";
    append(text, tensor, axis + 1, start + i * stride, stride);
  }
  text += ']';
}

std::optional<double> special_number(std::string_view word) {
  if (word == "nan") return std::numeric_limits<double>::quiet_NaN();
  if (word == "inf") return std::numeric_limits<double>::infinity();
  if (word == "-inf") return -std::numeric_limits<double>::infinity();
  return std::nullopt;
}

class Reader {
 public:
  Reader(std::string_view name, std::optional<Element> wanted, Element real) : name_(name), wanted_(wanted), real_(real) {}

  const std::string& problem() const { return problem_; }

  std::optional<Tensor> read(const json& value) {
    std::vector<Dim> dims;
    const json* first = &value;
    for (; first->is_array(); first = &first->front()) {
      if (first->empty()) return fail("an array is empty");
      if (dims.size() == kMostAxes) return fail("arrays are nested too deeply");
      dims.push_back({static_cast<std::int64_t>(first->size()), {}});
    }
    const Type type(wanted_.value_or(first->is_boolean() ? Element::boolean : real_), std::move(dims));
    if (!is_of_shape(value, type, 0)) return fail("its arrays are not of the same length");  // before memory is asked for
    Tensor result(type);
    const bool read = with_element(result.type().element, [&]<class T>(T) {
      T* out = result.data<T>();
      return fill(value, result.type(), 0, out);
    });
    if (!read) return std::nullopt;
    return result;
  }

 private:
  std::nullopt_t fail(const std::string& what) {
    if (problem_.empty()) problem_ = "the value of " + std::string(name_) + " does not fit: " + what;
    return std::nullopt;
  }

  // Whether the arrays are as long as the first ones are; what stands innermost is not looked at.
  static bool is_of_shape(const json& value, const Type& type, std::size_t axis) {
    if (axis == type.rank()) return true;
    return value.is_array() && static_cast<std::int64_t>(value.size()) == type.size(axis) &&
           std::all_of(value.begin(), value.end(), [&](const json& part) { return is_of_shape(part, type, axis + 1); });
  }

  template <class T>
  bool fill(const json& value, const Type& type, std::size_t axis, T*& out) {
    if (axis == type.rank()) {
      const std::optional<T> element = read_element<T>(value);
      if (element) *out++ = *element;
      return element.has_value();
    }
    for (const json& part : value)
      if (!fill(part, type, axis + 1, out)) return false;
    return true;
  }

  template <class T>
  std::optional<T> read_element(const json& value) {
    if constexpr (std::same_as<T, bool>) {
      if (value.is_boolean()) return value.template get<bool>();
      if (value.is_number() && (value == 0 || value == 1)) return value == 1;
      return fail(shown(value) + " is neither true nor false");
    } else {
      if (value.is_string() && scalar::Real<T>)
        if (const auto special = special_number(value.template get_ref<const std::string&>())) return scalar::cast<T>(*special);
      if (value.is_boolean() && wanted_) return static_cast<T>(value.template get<bool>());
      if (!value.is_number()) return fail(shown(value) + " is not a number");
      if constexpr (scalar::Integer<T>) return read_integer<T>(value);
      return static_cast<T>(value.template get<double>());
    }
  }

  template <class T>
  std::optional<T> read_integer(const json& value) {
    const std::string where = " as a whole number of type " + std::string(element_name(*wanted_));
    if (value.is_number_float()) {
      const double x = value.template get<double>();
      if (x != std::floor(x) || std::fabs(x) > 0x1p53) return fail(value.dump() + " cannot be read" + where);
      return in_range<T>(static_cast<std::int64_t>(x), where);
    }
    if (value.is_number_unsigned() && value.template get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX))
      return fail(value.dump() + " cannot be read" + where);
    return in_range<T>(value.template get<std::int64_t>(), where);
  }

  template <class T>
  std::optional<T> in_range(std::int64_t x, const std::string& where) {
    if (x < std::numeric_limits<T>::min() || x > std::numeric_limits<T>::max()) return fail(std::to_string(x) + " cannot be read" + where);
    return static_cast<T>(x);
  }

  // A wrong value, if it is short.
  static std::string shown(const json& value) {
    if (value.is_structured()) return value.is_array() ? "an array" : "an object";
    std::string text = value.dump(-1, ' ', false, json::error_handler_t::replace);
    return text.size() <= 40 ? text : "what is given";
  }

  std::string_view name_;
  std::optional<Element> wanted_;
  Element real_;
  std::string problem_;
};

}  // namespace

std::string json_text(const Tensor& tensor) {
  if (tensor.count() == 0) return "[]";
  std::string text;
  append(text, tensor, 0, 0, tensor.count());
  return text;
}

std::optional<Tensor> from_json(const json& value, std::string_view name, std::optional<Element> wanted, Element real,
                                Diagnostics& diagnostics, Span span) {
  Reader reader(name, wanted, real);
  auto result = reader.read(value);
  if (!result) diagnostics.error(Code::E0504, span, reader.problem());
  return result;
}

std::optional<Tensor> from_json_text(std::string_view text, std::string_view name, std::optional<Element> wanted, Element real,
                                     Diagnostics& diagnostics, Span span) {
  const json value = special_number(text) ? json(std::string(text)) : json::parse(text, nullptr, false);
  if (value.is_discarded()) {
    diagnostics.error(Code::E0504, span, "the value of " + std::string(name) + " is neither a number nor a JSON array")
        .with_help("write `'" + std::string(name) + "=[1, 2, 3]'`, in quotes for the shell, or `" + std::string(name) + "=1`");
    return std::nullopt;
  }
  return from_json(value, name, wanted, real, diagnostics, span);
}

}  // namespace bpc::runtime
