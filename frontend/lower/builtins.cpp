#include "frontend/lower/builtins.h"

#include <fmt/format.h>
#include <algorithm>
#include <variant>

#include "frontend/lower/convert.h"
#include "support/internal_error.h"

namespace bpc::frontend::lowering {

namespace {

using LowerFunction = std::optional<Item> (*)(Context& c, const BuiltinCall& call);

// In the order of the rows.
constexpr std::variant<LowerFunction, LowerForm> kLowerings[] = {
#define BPC_BUILTIN(id, ...) builtins::id,
#include "frontend/builtins/builtins.def"
};

const std::variant<LowerFunction, LowerForm>& lowering(Builtin builtin) {
  return kLowerings[static_cast<std::size_t>(builtin)];
}

Item default_item(const ir::Formal& formal, Span span) {
  const ir::Otherwise& otherwise = formal.otherwise;
  if (otherwise.kind == ir::Otherwise::Kind::whole) return {weak(otherwise.value), span};
  if (otherwise.kind == ir::Otherwise::Kind::truth) return {(otherwise.value != 0) != (formal.written == ir::Written::opposite), span};
  return {None{}, span};
}

std::optional<std::vector<Item>> match_signature(Context& c, const Name& callee, const ir::Signature& signature,
                                                 const std::vector<Given>& given, Span span) {
  std::vector<ir::Formal> formals;
  for (const ir::Formal& formal : signature) {
    if (!formal.is_argument()) continue;
    const std::size_t times = !formal.repeated ? 1 : given.size() - std::min(given.size(), formals.size());
    formals.resize(formals.size() + times, formal);
  }
  Parameters parameters{callee.text, {}, {}};
  for (const ir::Formal& formal : formals) {
    parameters.names.emplace_back(formal.word);
    parameters.needed.push_back(formal.otherwise.kind == ir::Otherwise::Kind::needed);
  }
  // The place of a random draw is told by name: after a shape, a further number is one more size.
  const auto named = std::ranges::find_if(formals, [](const ir::Formal& formal) { return formal.by_name; });
  parameters.positional = static_cast<std::size_t>(named - formals.begin());
  auto matched = match(c, span, parameters, given);
  if (!matched) return std::nullopt;
  std::vector<Item> items;
  for (std::size_t i = 0; i < formals.size(); ++i)
    items.push_back((*matched)[i] ? std::move(*(*matched)[i]) : default_item(formals[i], span));
  note_types(c, parameters, given, items);
  return items;
}

// "max" is a reduction of one operand and an elementwise function of two: as many as the call names.
std::optional<ir::Opcode> spelled_op(std::string_view name, const std::vector<Given>& given) {
  std::optional<ir::Opcode> best;
  for (const ir::OpInfo& info : ir::all_ops()) {
    if (info.spelling != name) continue;
    auto is_operand = [&](const Given& argument) {
      return !argument.name || std::ranges::any_of(info.signature, [&](const ir::Formal& formal) {
        return !formal.attr && formal.word == argument.name->text;
      });
    };
    auto operands = static_cast<std::size_t>(std::count_if(given.begin(), given.end(), is_operand));
    if (info.takes(operands)) return info.code;
    if (!best) best = info.code;
  }
  return best;
}

}  // namespace

const Item& BuiltinCall::operator[](std::string_view parameter) const {
  const auto* formal = std::ranges::find(signature, parameter, &ir::Formal::word);
  if (formal == signature.end()) throw InternalError("lower", fmt::format("`{}` has no parameter `{}`", name, parameter), span);
  return arguments[static_cast<std::size_t>(formal - signature.begin())];
}

LowerForm find_form(Builtin builtin) {
  const auto* form = std::get_if<LowerForm>(&lowering(builtin));
  return form ? *form : nullptr;
}

std::optional<Item> call_builtin(Context& c, const Definition& function, const Name& callee, const std::vector<Given>& given, Span span) {
  const BuiltinInfo* builtin = function.builtin;
  const ir::Opcode op = builtin ? ir::Opcode::constant : *spelled_op(callee.text, given);  // what is no function of the table is spelled
  const ir::Signature& signature = builtin ? builtin->signature : ir::op_info(op).signature;
  auto arguments = match_signature(c, callee, signature, given, span);
  if (!arguments) return std::nullopt;
  const bool takes_tape = is_kind(builtin, BuiltinKind::tape) || is_kind(builtin, BuiltinKind::derivative);  // which say what is wrong
  for (const Item& argument : *arguments)
    if (!takes_tape && !reject_tape(c, argument, fmt::format("`{}`", c.spoken(callee.text)))) return std::nullopt;
  const BuiltinCall call{span, callee.text, signature, std::move(*arguments)};
  if (!builtin) return call_op(c, op, call);
  Temporarily<std::string_view> making(c.made_of_ops, builtin->name);
  return std::get<LowerFunction>(lowering(builtin->code))(c, call);
}

}  // namespace bpc::frontend::lowering
