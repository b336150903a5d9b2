#include "ir/attributes.h"

#include <fmt/format.h>
#include <algorithm>

#include "support/internal_error.h"

namespace bpc::ir {

namespace {

template <class T>
const T& get(const Attributes& attrs, Attr attr) {
  const AttrValue* value = attrs.find(attr);
  const T* held = value ? std::get_if<T>(value) : nullptr;
  if (!held) throw InternalError("ir", fmt::format("{} attribute {}", value ? "another kind of" : "no", attr_info(attr).name));
  return *held;
}

}  // namespace

std::optional<Attr> attr_from_name(std::string_view name) {
  for (std::size_t i = 0; i < std::size(kAttributes); ++i)
    if (kAttributes[i].name == name) return static_cast<Attr>(i);
  return std::nullopt;
}

bool is_of_kind(const AttrValue& value, AttrKind kind) {
  if (kind == AttrKind::number) return std::holds_alternative<std::int64_t>(value) || std::holds_alternative<double>(value);
  return value.index() == static_cast<std::size_t>(kind);
}

std::optional<AttrValue> default_value(Attr attr) {
  const AttrInfo& info = attr_info(attr);
  switch (info.otherwise.kind) {
    case Otherwise::Kind::needed:
    case Otherwise::Kind::maybe:
      return std::nullopt;
    case Otherwise::Kind::truth:
      return info.otherwise.value != 0;
    case Otherwise::Kind::whole:
      return info.otherwise.value;
    case Otherwise::Kind::nothing:
      if (info.kind == AttrKind::string) return std::string();
      if (info.kind == AttrKind::integers) return std::vector<std::int64_t>();
      if (info.kind == AttrKind::strings) return std::vector<std::string>();
      break;
  }
  throw InternalError("ir", fmt::format("attribute {} has no default of its kind", info.name));
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
  return get<bool>(*this, attr);
}
std::int64_t Attributes::integer(Attr attr) const {
  return get<std::int64_t>(*this, attr);
}
const std::string& Attributes::string(Attr attr) const {
  return get<std::string>(*this, attr);
}
const std::vector<std::int64_t>& Attributes::ints(Attr attr) const {
  return get<std::vector<std::int64_t>>(*this, attr);
}
const std::vector<double>& Attributes::reals(Attr attr) const {
  return get<std::vector<double>>(*this, attr);
}
const std::vector<std::string>& Attributes::strings(Attr attr) const {
  return get<std::vector<std::string>>(*this, attr);
}

}  // namespace bpc::ir
