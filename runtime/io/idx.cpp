#include "runtime/io/idx.h"

#include <fmt/format.h>

#include <bit>
#include <cstdint>

namespace bpc::runtime {

namespace {

// What the third byte says, and the bytes of an element; 0 for no such type.
std::size_t bytes_of(unsigned char type) {
  switch (type) {
    case 0x08:  // uint8
    case 0x09:  // int8
      return 1;
    case 0x0B:  // int16
      return 2;
    case 0x0C:  // int32
    case 0x0D:  // float
      return 4;
    case 0x0E:  // double
      return 8;
  }
  return 0;
}

std::uint64_t big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}

template <class T, class Convert>
void fill(std::string_view data, std::size_t bytes, T* out, Convert&& convert) {
  for (std::size_t at = 0; at < data.size(); at += bytes) *out++ = convert(big_endian(data.substr(at, bytes)));
}

}  // namespace

bool is_idx(std::string_view file) {
  return file.size() >= 4 && file[0] == 0 && file[1] == 0 && bytes_of(static_cast<unsigned char>(file[2])) > 0 && file[3] > 0;
}

std::optional<Tensor> read_idx(std::string_view file, const std::string& name, Diagnostics& diagnostics, Span span) {
  const auto fail = [&](const std::string& what) {
    diagnostics.error(Code::E0503, span, name + ": " + what);
    return std::nullopt;
  };
  if (!is_idx(file)) return fail("not an IDX file");
  const auto type = static_cast<unsigned char>(file[2]);
  const std::size_t bytes = bytes_of(type), axes = static_cast<unsigned char>(file[3]), start = 4 + 4 * axes;
  if (axes > kMostAxes || file.size() < start) return fail("not an IDX file: it ends in its header");
  std::vector<std::int64_t> sizes;
  for (std::size_t axis = 0; axis < axes; ++axis) sizes.push_back(static_cast<std::int64_t>(big_endian(file.substr(4 + 4 * axis, 4))));
  const Type shape = Type::of_sizes(type == 0x0E ? Element::f64 : type == 0x0D ? Element::f32 : Element::i32, sizes);
  if (const std::string problem = shape_problem(shape.dims); !problem.empty()) return fail("its shape has " + problem);
  const std::string_view data = file.substr(start);
  if (static_cast<std::uint64_t>(shape.count()) * bytes != data.size())
    return fail(fmt::format("its shape {} takes {} bytes, and it has {}", shape_text(shape.dims),
                            static_cast<std::uint64_t>(shape.count()) * bytes, data.size()));
  Tensor tensor(shape);
  switch (shape.element) {
    case Element::f64:
      fill(data, bytes, tensor.data<double>(), [](std::uint64_t bits) { return std::bit_cast<double>(bits); });
      break;
    case Element::f32:
      fill(data, bytes, tensor.data<float>(), [](std::uint64_t bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits)); });
      break;
    default: {
      // The sign is that of the highest bit of so many bytes; uint8 has none.
      const int unused = type == 0x08 ? 0 : static_cast<int>(32 - 8 * bytes);
      fill(data, bytes, tensor.data<std::int32_t>(),
           [&](std::uint64_t bits) { return static_cast<std::int32_t>(static_cast<std::uint32_t>(bits) << unused) >> unused; });
    }
  }
  return tensor;
}

}  // namespace bpc::runtime
