#include "ir/op.h"

#include <fmt/format.h>
#include <algorithm>
#include <array>

#include "support/internal_error.h"

namespace bpc::ir {

namespace {

constexpr OpInfo kOps[] = {
#define BPC_OP(id, spelling, min, max, rule, domain, group, traits, signature, doc, example)                               \
  {Opcode::id, #id, spelling, min, max, ShapeRule::rule, Domain::domain, Group::group, static_cast<std::uint32_t>(traits), \
   signature,  doc, example},
#include "ir/ops.def"
#undef BPC_OP
};

constexpr std::string_view kAttrNames[] = {"axes",   "keep",     "axis",   "reverse",    "order",      "spec",    "perm",    "size",
                                           "stride", "dilation", "length", "starts",     "sizes",      "steps",   "dynamic", "drop",
                                           "add",    "checked",  "upper",  "transposed", "descending", "value",   "ints",    "reals",
                                           "stream", "seed",     "text",   "message",    "names",      "implicit"};
static_assert(std::size(kAttrNames) == static_cast<std::size_t>(Attr::implicit) + 1);

template <class T>
const T& get_or_empty(const AttrValue* value) {
  static const T empty{};
  const T* held = value ? std::get_if<T>(value) : nullptr;
  return held ? *held : empty;
}

}  // namespace

std::span<const OpInfo> all_ops() {
  return kOps;
}
const OpInfo& op_info(Opcode code) {
  return kOps[static_cast<std::size_t>(code)];
}
scalar::Operator scalar_operator(Opcode code) {
  if (op_info(code).group != Group::elementwise) throw InternalError("ir", fmt::format("{} is no scalar operator", op_info(code).name));
  return static_cast<scalar::Operator>(code);  // the table begins with theirs
}

std::optional<Opcode> op_from_name(std::string_view name) {
  for (const OpInfo& info : kOps)
    if (info.name == name) return info.code;
  return std::nullopt;
}

std::optional<Opcode> op_from_spelling(std::string_view spelling, std::size_t operands) {
  if (spelling.empty()) return std::nullopt;
  for (const OpInfo& info : kOps)
    if (info.spelling == spelling && info.takes(operands)) return info.code;
  return std::nullopt;
}

std::string_view attr_name(Attr attr) {
  return kAttrNames[static_cast<std::size_t>(attr)];
}

std::optional<Attr> attr_from_name(std::string_view name) {
  for (std::size_t i = 0; i < std::size(kAttrNames); ++i)
    if (kAttrNames[i] == name) return static_cast<Attr>(i);
  return std::nullopt;
}

Attributes::Attributes(std::initializer_list<std::pair<Attr, AttrValue>> items) {
  for (const auto& [attr, value] : items) set(attr, value);
}

void Attributes::set(Attr attr, AttrValue value) {
  auto at = std::find_if(items_.begin(), items_.end(), [&](const auto& item) { return item.first >= attr; });
  if (at != items_.end() && at->first == attr)
    at->second = std::move(value);
  else
    items_.insert(at, {attr, std::move(value)});
}

void Attributes::erase(Attr attr) {
  std::erase_if(items_, [&](const auto& item) { return item.first == attr; });
}

const AttrValue* Attributes::find(Attr attr) const {
  for (const auto& [key, value] : items_)
    if (key == attr) return &value;
  return nullptr;
}

bool Attributes::flag(Attr attr) const {
  return get_or_empty<bool>(find(attr));
}
std::int64_t Attributes::integer(Attr attr, std::int64_t otherwise) const {
  const AttrValue* value = find(attr);
  return value ? get_or_empty<std::int64_t>(value) : otherwise;
}
const std::string& Attributes::string(Attr attr) const {
  return get_or_empty<std::string>(find(attr));
}
const std::vector<std::int64_t>& Attributes::ints(Attr attr) const {
  return get_or_empty<std::vector<std::int64_t>>(find(attr));
}
const std::vector<double>& Attributes::reals(Attr attr) const {
  return get_or_empty<std::vector<double>>(find(attr));
}
const std::vector<std::string>& Attributes::strings(Attr attr) const {
  return get_or_empty<std::vector<std::string>>(find(attr));
}

}  // namespace bpc::ir
