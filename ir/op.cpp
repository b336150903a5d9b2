#include "ir/op.h"

#include <fmt/format.h>
#include <algorithm>

#include "support/internal_error.h"

namespace bpc::ir {

namespace {

using enum Attr;     // the words of the
using enum Written;  // column `parameters`

#define BPC_LIST(...) {__VA_ARGS__}
constexpr OpInfo kOps[] = {
#define BPC_OP(id, spelling, min, max, rule, domain, group, derivative, traits, parameters, doc, example) \
  {Opcode::id,                                                                                            \
   #id,                                                                                                   \
   spelling,                                                                                              \
   min,                                                                                                   \
   max,                                                                                                   \
   ShapeRule::rule,                                                                                       \
   Domain::domain,                                                                                        \
   Group::group,                                                                                          \
   Derivative::derivative,                                                                                \
   static_cast<std::uint32_t>(traits),                                                                    \
   Signature(BPC_LIST parameters),                                                                        \
   doc,                                                                                                   \
   example},
#include "ir/ops.def"
#undef BPC_OP
};
#undef BPC_LIST

// Whether the parameters name as many operands as the row allows.
constexpr bool names_operands(const OpInfo& op) {
  int least = 0, most = 0;
  for (const Formal& formal : op.signature) {
    if (formal.attr) continue;
    if (most < 0) return false;
    least += !formal.repeated && formal.otherwise.kind == Otherwise::Kind::needed;
    most = formal.repeated ? -1 : most + 1;
  }
  return least <= op.min_operands && most == op.max_operands;
}
static_assert(std::all_of(std::begin(kOps), std::end(kOps), names_operands));

bool has(const Signature& signature, Attr attr) {
  return std::any_of(signature.begin(), signature.end(), [&](const Formal& formal) { return formal.attr == attr; });
}

}  // namespace

std::span<const OpInfo> all_ops() {
  return kOps;
}
const OpInfo& op_info(Opcode code) {
  return kOps[static_cast<std::size_t>(code)];
}
const OpInfo& op_info(scalar::Operator op) {
  return kOps[static_cast<std::size_t>(op)];  // the table begins with theirs
}
scalar::Operator scalar_operator(Opcode code) {
  if (op_info(code).group != Group::elementwise) throw InternalError("ir", fmt::format("{} is no scalar operator", op_info(code).name));
  return static_cast<scalar::Operator>(code);
}
bool takes_order(Opcode code) {
  return op_info(code).group == Group::elementwise && scalar::source_of(scalar_operator(code)) == scalar::Source::ordered;
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

std::string attribute_problem(Opcode code, const Attributes& attrs) {
  const Signature& signature = op_info(code).signature;
  for (const auto& [attr, value] : attrs.items()) {
    const AttrInfo& info = attr_info(attr);
    if (!has(signature, attr)) return fmt::format("has no attribute {}", info.name);
    if (!is_of_kind(value, info.kind)) return fmt::format("attribute {} is of the wrong kind", info.name);
    if (auto least = least_value(attr); least && std::get<std::int64_t>(value) < *least)
      return fmt::format("attribute {} is less than {}", info.name, *least);
  }
  for (const Formal& formal : signature)
    if (formal.attr && attr_info(*formal.attr).otherwise.kind != Otherwise::Kind::maybe && !attrs.find(*formal.attr))
      return fmt::format("lacks attribute {}", attr_info(*formal.attr).name);
  return "";
}

Attributes with_defaults(Opcode code, Attributes attrs) {
  for (const Formal& formal : op_info(code).signature)
    if (formal.attr && !attrs.find(*formal.attr))
      if (auto value = default_value(*formal.attr)) attrs.set(*formal.attr, std::move(*value));
  return attrs;
}

std::string signature_text(const Signature& signature) {
  std::string text;
  for (const Formal& formal : signature) {
    if (!formal.is_argument()) continue;
    text += fmt::format("{}{}{}", text.empty() ? "" : ", ", formal.word, formal.repeated ? ", …" : "");
    switch (formal.otherwise.kind) {
      case Otherwise::Kind::needed:
      case Otherwise::Kind::maybe:
        break;
      case Otherwise::Kind::nothing:
        text += " = none";
        break;
      case Otherwise::Kind::truth:
        text += (formal.otherwise.value != 0) != (formal.written == Written::opposite) ? " = true" : " = false";
        break;
      case Otherwise::Kind::whole:
        text += fmt::format(" = {}", formal.otherwise.value);
        break;
    }
  }
  return text;
}

}  // namespace bpc::ir
