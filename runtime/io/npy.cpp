#include "runtime/io/npy.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>

namespace bpc::runtime {

namespace {

static_assert(std::endian::native == std::endian::little, "elements are written as they are");

constexpr std::string_view kMagic = "\x93NUMPY";

struct Header {
  char kind = 0;          // 'b', 'i', 'u', 'f', as NumPy calls them
  std::size_t bytes = 0;  // of an element
  bool is_swapped = false, by_columns = false;
  std::vector<std::int64_t> shape;
};

// What stands behind `'key':` in the dictionary.
std::string_view entry(std::string_view header, const std::string& key) {
  const std::size_t at = std::min(header.find("'" + key + "'"), header.find("\"" + key + "\""));
  if (at == std::string_view::npos) return {};
  header.remove_prefix(at + key.size() + 2);
  const std::size_t begin = header.find_first_not_of(": ");
  return begin == std::string_view::npos ? std::string_view() : header.substr(begin);
}

std::optional<std::vector<std::int64_t>> read_shape(std::string_view text) {
  const std::size_t close = text.find(')');
  if (!text.starts_with('(') || close == std::string_view::npos) return std::nullopt;
  text = text.substr(1, close - 1);
  std::vector<std::int64_t> shape;
  while (true) {
    text.remove_prefix(std::min(text.find_first_not_of(", "), text.size()));
    if (text.empty()) return shape;
    std::int64_t size = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
    if (error != std::errc() || size < 0) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    shape.push_back(size);
  }
}

// Otherwise what is wrong.
std::string read_header(std::string_view text, Header& header) {
  std::string_view descr = entry(text, "descr");
  if (descr.starts_with('[')) return "its elements are records; save each field as an array of its own";
  if (descr.size() < 4 || (descr[0] != '\'' && descr[0] != '"')) return "its header names no element type";
  descr.remove_prefix(1);
  const std::string_view type = descr.substr(0, descr.find_first_of("'\""));
  if (type.size() < 3) return "its header names no element type";
  const auto [end, error] = std::from_chars(type.data() + 2, type.data() + type.size(), header.bytes);
  header.kind = type[1];
  header.is_swapped = type[0] == '>';
  const bool is_sized = error == std::errc() && end == type.data() + type.size() && std::string_view("<>|=").find(type[0]) < 4;
  const std::size_t bytes = header.bytes;
  const bool is_known =
      is_sized && ((header.kind == 'b' && bytes == 1) || (header.kind == 'i' && (bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8)) ||
                   (header.kind == 'u' && (bytes == 1 || bytes == 2 || bytes == 4)) ||
                   (header.kind == 'f' && (bytes == 2 || bytes == 4 || bytes == 8)));
  if (!is_known) return fmt::format("its elements are of the type `{}`, which is no bool, whole or real number of at most 64 bits", type);
  const std::string_view order = entry(text, "fortran_order");
  if (!order.starts_with("True") && !order.starts_with("False")) return "its header does not say in which order the elements are";
  header.by_columns = order.starts_with("True");
  auto shape = read_shape(entry(text, "shape"));
  if (!shape) return "its header names no shape";
  header.shape = std::move(*shape);
  return {};
}

float half(std::uint16_t bits) {
  const int exponent = bits >> 10 & 31, fraction = bits & 1023;
  const float size = exponent == 0    ? std::ldexp(static_cast<float>(fraction), -24)
                     : exponent == 31 ? (fraction ? NAN : INFINITY)
                                      : std::ldexp(static_cast<float>(fraction + 1024), exponent - 25);
  return bits & 0x8000 ? -size : size;
}

template <class T>
T load(const char* from, bool is_swapped) {
  char bytes[sizeof(T)];
  std::memcpy(bytes, from, sizeof(T));
  if (is_swapped) std::reverse(std::begin(bytes), std::end(bytes));
  return std::bit_cast<T>(bytes);
}

Element element_of(const Header& header) {
  switch (header.kind) {
    case 'b':
      return Element::boolean;
    case 'f':
      return header.bytes == 8 ? Element::f64 : Element::f32;
    default:
      return header.bytes == 8 || (header.kind == 'u' && header.bytes == 4) ? Element::i64 : Element::i32;
  }
}

bool is_as_in_memory(const Header& header, Element element) {
  return header.bytes == element_size(element) && header.kind != 'b' && !header.is_swapped && !header.by_columns;
}

template <class From, class To, class Convert>
void fill(const Header& header, const char* from, To* to, std::int64_t count, Convert&& convert) {
  // By columns: the place of each element, row by row, in a file whose first axis moves fastest.
  std::vector<std::int64_t> strides(header.shape.size(), 1), index(header.shape.size(), 0);
  for (std::size_t axis = 1; axis < strides.size(); ++axis) strides[axis] = strides[axis - 1] * header.shape[axis - 1];
  std::int64_t place = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t at = header.by_columns ? place : i;
    to[i] = convert(load<From>(from + at * static_cast<std::int64_t>(sizeof(From)), header.is_swapped));
    if (!header.by_columns) continue;
    for (std::size_t axis = index.size(); axis-- > 0;) {
      place += strides[axis];
      if (++index[axis] < header.shape[axis]) break;
      place -= strides[axis] * header.shape[axis];
      index[axis] = 0;
    }
  }
}

void fill(const Header& header, const char* from, Tensor& tensor) {
  const std::int64_t count = tensor.count();
  const auto plain = [&]<class From, class To>(From, To) {
    fill<From>(header, from, tensor.data<To>(), count, [](From value) { return static_cast<To>(value); });
  };
  switch (header.kind) {
    case 'b':
      return fill<std::uint8_t>(header, from, tensor.data<bool>(), count, [](std::uint8_t value) { return value != 0; });
    case 'f':
      if (header.bytes == 2) return fill<std::uint16_t>(header, from, tensor.data<float>(), count, half);
      return header.bytes == 4 ? plain(float{}, float{}) : plain(double{}, double{});
    case 'u':
      if (header.bytes == 1) return plain(std::uint8_t{}, std::int32_t{});
      return header.bytes == 2 ? plain(std::uint16_t{}, std::int32_t{}) : plain(std::uint32_t{}, std::int64_t{});
    default:
      if (header.bytes == 1) return plain(std::int8_t{}, std::int32_t{});
      if (header.bytes == 2) return plain(std::int16_t{}, std::int32_t{});
      return header.bytes == 4 ? plain(std::int32_t{}, std::int32_t{}) : plain(std::int64_t{}, std::int64_t{});
  }
}

const char* descr_of(Element element) {
  switch (element) {
    case Element::f32:
      return "<f4";
    case Element::f64:
      return "<f8";
    case Element::i32:
      return "<i4";
    case Element::i64:
      return "<i8";
    case Element::boolean:
      return "|b1";
  }
  return "";
}

}  // namespace

bool is_npy(std::string_view file) {
  return file.starts_with(kMagic);
}

std::optional<Tensor> read_npy(const FileBytes& bytes, const std::string& name, Diagnostics& diagnostics, Span span) {
  const std::string_view file = bytes.view();
  const auto fail = [&](const std::string& what) {
    diagnostics.error(Code::E0503, span, name + ": " + what);
    return std::nullopt;
  };
  if (!file.starts_with(kMagic) || file.size() < 10) return fail("not a .npy file");
  const bool is_long = file[6] >= 2;
  const std::size_t start = is_long ? 12 : 10;
  if (file[6] < 1 || file[6] > 3 || file.size() < start) return fail("a .npy file of another version than 1, 2 and 3");
  const std::size_t length = is_long ? load<std::uint32_t>(file.data() + 8, false) : load<std::uint16_t>(file.data() + 8, false);
  if (length > file.size() - start) return fail("not a .npy file: its header is longer than the file");
  Header header;
  if (const std::string problem = read_header(file.substr(start, length), header); !problem.empty()) return fail(problem);
  const std::string_view data = file.substr(start + length);
  const Type type = Type::of_sizes(element_of(header), header.shape);
  if (const std::string problem = shape_problem(type.dims); !problem.empty()) return fail("its shape has " + problem);
  const std::uint64_t wanted = static_cast<std::uint64_t>(type.count()) * header.bytes;
  if (wanted != data.size())
    return fail(fmt::format("its shape {} takes {} bytes, and it has {}", shape_text(type.dims), wanted, data.size()));
  if (bytes.place() == Place::disk && is_as_in_memory(header, type.element) && (start + length) % Tensor::kAlignment == 0)
    return Tensor::borrow(type, bytes.from(start + length));
  Tensor tensor(type, bytes.place());
  fill(header, data.data(), tensor);
  return tensor;
}

std::string npy_text(const Tensor& tensor) {
  std::string shape;
  for (std::int64_t size : tensor.type().sizes()) shape += std::to_string(size) + ", ";
  std::string header = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}", descr_of(tensor.type().element), shape);
  constexpr std::size_t kStart = 10, kAligned = 64;
  header.append(kAligned - (kStart + header.size() + 1) % kAligned, ' ');
  header += '\n';
  std::string file(kMagic);
  file += {1, 0, static_cast<char>(header.size() & 255), static_cast<char>(header.size() >> 8)};
  file += header;
  return file.append(reinterpret_cast<const char*>(tensor.raw()), tensor.bytes());
}

}  // namespace bpc::runtime
