#include "runtime/io/safetensors.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>
#include <variant>

namespace bpc::runtime {

namespace {

using nlohmann::json;

static_assert(std::endian::native == std::endian::little, "the data are little-endian and copied as they are");

std::optional<Element> element_of(const std::string& dtype) {
  static const std::map<std::string, Element> elements{
      {"F32", Element::f32}, {"F64", Element::f64}, {"I32", Element::i32}, {"I64", Element::i64}, {"BOOL", Element::boolean}};
  const auto found = elements.find(dtype);
  return found == elements.end() ? std::nullopt : std::optional(found->second);
}

// The bytes that a tensor of this type fills, if they are no more than `most`.
std::optional<std::uint64_t> bytes_of(Element element, const std::vector<std::uint64_t>& shape, std::uint64_t most) {
  std::uint64_t bytes = element_size(element);
  for (std::uint64_t size : shape)
    if (size == 0) bytes = 0;
  for (std::uint64_t size : shape)
    if (size > static_cast<std::uint64_t>(INT64_MAX) || __builtin_mul_overflow(bytes, size, &bytes)) return std::nullopt;
  return bytes <= most ? std::optional(bytes) : std::nullopt;
}

std::optional<std::vector<std::uint64_t>> unsigned_list(const json& value) {
  if (!value.is_array()) return std::nullopt;
  std::vector<std::uint64_t> list;
  for (const json& item : value) {
    if (!item.is_number_unsigned()) return std::nullopt;
    list.push_back(item.get<std::uint64_t>());
  }
  return list;
}

// One entry of the header, its data read from `data`; otherwise what is wrong.
std::variant<Tensor, std::string> read_tensor(const json& entry, std::string_view data) {
  if (!entry.is_object() || !entry.contains("dtype") || !entry["dtype"].is_string() || !entry.contains("shape") ||
      !entry.contains("data_offsets"))
    return "its entry lacks a dtype, shape or data_offsets";
  const auto dtype = entry["dtype"].get<std::string>();
  const auto element = element_of(dtype);
  if (!element) return "its element type " + dtype + " is none of F32, F64, I32, I64 and BOOL";
  const auto shape = unsigned_list(entry["shape"]), offsets = unsigned_list(entry["data_offsets"]);
  if (!shape || !offsets || offsets->size() != 2) return "its shape or data_offsets are not lists of sizes";
  const std::uint64_t begin = (*offsets)[0], end = (*offsets)[1];
  if (begin > end || end > data.size()) return "its data are outside the file";
  if (bytes_of(*element, *shape, data.size()) != end - begin) return "its shape does not fit its data";

  Tensor tensor(Type::of_sizes(*element, {shape->begin(), shape->end()}));
  if (end > begin) std::memcpy(tensor.raw(), data.data() + begin, end - begin);
  if (*element == Element::boolean)
    for (std::size_t i = 0; i < tensor.bytes(); ++i) tensor.raw()[i] = std::byte{tensor.raw()[i] != std::byte{0}};
  return tensor;
}

// The header; `twice` becomes a name that two of its tensors have.
json parse_header(std::string_view text, std::string& twice) {
  std::set<std::string> names;
  const auto see = [&](int depth, json::parse_event_t event, json& parsed) {
    if (event == json::parse_event_t::key && depth == 1 && !names.insert(parsed.get<std::string>()).second) twice = parsed;
    return true;
  };
  return json::parse(text, see, false);
}

// Two tensors that share data, as a sentence; or empty. Every entry was read.
std::string overlap(const json& header) {
  struct Part {
    std::uint64_t begin, end;
    std::string name;
  };
  std::vector<Part> parts;
  for (const auto& [name, entry] : header.items()) {
    if (name == "__metadata__") continue;
    const auto offsets = *unsigned_list(entry["data_offsets"]);
    if (offsets[0] < offsets[1]) parts.push_back({offsets[0], offsets[1], name});
  }
  std::sort(parts.begin(), parts.end(), [](const Part& a, const Part& b) { return a.begin < b.begin; });
  for (std::size_t i = 1; i < parts.size(); ++i)
    if (parts[i].begin < parts[i - 1].end) return "the data of tensors " + parts[i - 1].name + " and " + parts[i].name + " overlap";
  return {};
}

const char* dtype_of(Element element) {
  switch (element) {
    case Element::f32:
      return "F32";
    case Element::f64:
      return "F64";
    case Element::i32:
      return "I32";
    case Element::i64:
      return "I64";
    case Element::boolean:
      return "BOOL";
  }
  return "";
}

}  // namespace

Remarks read_remarks(std::string_view file) {
  std::uint64_t length = 0;
  std::memcpy(&length, file.data(), sizeof length);
  const json header = json::parse(file.substr(sizeof length, length), nullptr, false);
  Remarks remarks;
  if (!header.contains("__metadata__") || !header["__metadata__"].is_object()) return remarks;
  for (const auto& [name, value] : header["__metadata__"].items())
    if (value.is_string()) remarks.emplace(name, value.get<std::string>());
  return remarks;
}

std::string safetensors_text(const std::map<std::string, Tensor>& tensors, const Remarks& remarks) {
  nlohmann::ordered_json header;
  if (!remarks.empty()) header["__metadata__"] = remarks;
  std::uint64_t end = 0;
  for (const auto& [name, tensor] : tensors) {
    const std::uint64_t begin = end;
    end += tensor.bytes();
    header[name] = {{"dtype", dtype_of(tensor.type().element)}, {"shape", tensor.type().sizes()}, {"data_offsets", {begin, end}}};
  }
  std::string text = header.dump(-1, ' ', false, json::error_handler_t::replace);
  text.resize((text.size() + 7) / 8 * 8, ' ');  // so that the data are aligned
  const std::uint64_t length = text.size();
  std::string file(reinterpret_cast<const char*>(&length), sizeof length);
  file.reserve(sizeof length + length + end);
  file += text;
  for (const auto& [name, tensor] : tensors) file.append(reinterpret_cast<const char*>(tensor.raw()), tensor.bytes());
  return file;
}

std::optional<std::map<std::string, Tensor>> read_safetensors(std::string_view file, const std::string& path, Diagnostics& diagnostics,
                                                              Span span) {
  const auto fail = [&](const std::string& what) {
    diagnostics.error(Code::E0503, span, path + ": " + what);
    return std::nullopt;
  };
  std::uint64_t length = 0;
  if (file.size() < sizeof length) return fail("too short for a safetensors file");
  std::memcpy(&length, file.data(), sizeof length);
  if (length > file.size() - sizeof length) return fail("not a safetensors file: its header is longer than the file");
  const std::string_view rest = file.substr(sizeof length);
  std::string twice;
  const json header = parse_header(rest.substr(0, length), twice);
  if (!header.is_object()) return fail("not a safetensors file: its header is not a JSON object");
  if (!twice.empty()) return fail("two tensors are named " + twice);

  std::map<std::string, Tensor> tensors;
  for (const auto& [name, entry] : header.items()) {
    if (name == "__metadata__") continue;
    auto read = read_tensor(entry, rest.substr(length));
    if (const auto* problem = std::get_if<std::string>(&read)) return fail("tensor " + name + ": " + *problem);
    tensors.emplace(name, std::move(std::get<Tensor>(read)));
  }
  if (const std::string problem = overlap(header); !problem.empty()) return fail(problem);
  return tensors;
}

}  // namespace bpc::runtime
