#include "frontend/names/meanings.h"

#include "frontend/builtins/builtins.h"

namespace bpc::frontend {

namespace {

using Kind = Definition::Kind;

std::uint64_t place(const Name& name) {
  return std::uint64_t{name.span.line} << 32 | name.span.column;
}

const Definition* find(const std::unordered_map<std::uint64_t, const Definition*>& meanings, const Name& name) {
  auto found = meanings.find(place(name));
  return found == meanings.end() ? nullptr : found->second;
}

}  // namespace

bool is_exported(Kind kind) {
  return kind == Kind::dim || kind == Kind::constant || kind == Kind::function;
}

std::string_view kind_name(Kind kind) {
  switch (kind) {
    case Kind::dim:
    case Kind::size:
      return "a dim";
    case Kind::constant:
      return "a const";
    case Kind::input:
      return "an input";
    case Kind::param:
      return "a param";
    case Kind::loss:
      return "the loss";
    case Kind::function:
    case Kind::builtin:
    case Kind::library:
      return "a function";
    case Kind::parameter:
    case Kind::index:
    case Kind::value:
    case Kind::number:
    case Kind::none:
    case Kind::unknown:
      return "a value";
  }
  return {};
}

const Definition* Meanings::of(const Name& name) const {
  return find(bound_, name);
}

const Definition* Meanings::before(const Name& target) const {
  return find(before_, target);
}

const Definition* Meanings::cotangent(const Name& name) const {
  return find(cotangents_, name);
}

const AdjointStmt* Meanings::rule(const Definition& function) const {
  auto found = rules_.find(&function);
  return found == rules_.end() ? nullptr : found->second;
}

std::optional<Meanings::Bound> Meanings::bound_at(FileId file, std::uint32_t line, std::uint32_t column) const {
  for (const auto& [start, meaning] : bound_) {
    const auto at = static_cast<std::uint32_t>(start);
    const auto end = meaning ? at + static_cast<std::uint32_t>(code_point_count(meaning->name)) : at;
    if (start >> 32 == line && at <= column && column < end) return Bound{meaning, {file, line, at, line, end}};
  }
  return std::nullopt;
}

Definition& Meanings::make(Kind kind, const Name& name) {
  return own_.emplace_back(Definition{kind, name.text, name.span});
}

const Definition* Meanings::built_in(const std::string& name, bool for_library) {
  auto [known, is_new] = built_in_.try_emplace(name, nullptr);
  if (!is_new) return known->second;
  const bool is_function = for_library ? is_library_function(name) : is_builtin_function(name);
  if (!is_function && name != "none" && !find_builtin_constant(name)) return nullptr;
  const PreludeFunction* prelude = is_function ? find_prelude_function(name) : nullptr;
  const Kind kind = prelude ? Kind::library : is_function ? Kind::builtin : name == "none" ? Kind::none : Kind::number;
  Definition& made = make(kind, {name, {}});
  made.prelude = prelude;
  if (kind == Kind::builtin) made.builtin = find_builtin(name);
  return known->second = &made;
}

const Definition* Meanings::path(const std::string& name) const {
  auto found = paths_.find(name);
  return found == paths_.end() ? nullptr : found->second;
}

void Meanings::bind(const Name& name, const Definition* meaning) {
  bound_.insert_or_assign(place(name), meaning);
}

void Meanings::set_before(const Name& target, const Definition* meaning) {
  before_.insert_or_assign(place(target), meaning);
}

void Meanings::set_cotangent(const Name& name, const Definition* meaning) {
  cotangents_.insert_or_assign(place(name), meaning);
}

}  // namespace bpc::frontend
