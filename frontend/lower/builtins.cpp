#include "frontend/lower/builtins.h"

#include <fmt/format.h>
#include <algorithm>
#include <cctype>
#include <limits>
#include <numbers>

#include "frontend/lower/builtin_functions.h"
#include "frontend/lower/convert.h"
#include "frontend/prelude/prelude.h"

namespace bpc::frontend {

namespace lowering {

namespace {

using ir::ValueId;

std::vector<std::span<const Builtin>> builtin_tables() {
  return {shape_builtins(), layout_builtins(), fill_builtins(), random_builtins(),
          value_builtins(), index_builtins(),  tape_builtins(), derivative_builtins()};
}

const Builtin* find_builtin(std::string_view name) {
  for (auto table : builtin_tables())
    for (const Builtin& builtin : table)
      if (builtin.name == name) return &builtin;
  return nullptr;
}

bool is_word(std::string_view spelling) {
  return !spelling.empty() && std::isalpha(static_cast<unsigned char>(spelling[0])) && spelling != "and" && spelling != "or" &&
         spelling != "not";
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
  std::vector<std::string> names;
  for (const ir::Formal& formal : signature) {
    if (!formal.is_argument()) continue;
    const std::size_t times = !formal.repeated ? 1 : given.size() - std::min(given.size(), formals.size());
    for (std::size_t i = 0; i < times; ++i)
      names.push_back(formal.repeated ? fmt::format("operand {}", formals.size() + i) : std::string(formal.word));
    formals.resize(formals.size() + times, formal);
  }
  // The place of a random draw is told by name: after a shape, a further number is one more size.
  const auto named = std::find_if(formals.begin(), formals.end(), [](const ir::Formal& formal) { return formal.by_name; });
  auto matched = match_arguments(c, span, callee.text, names, given, static_cast<std::size_t>(named - formals.begin()));
  if (!matched) return std::nullopt;
  std::vector<Item> items;
  for (std::size_t i = 0; i < formals.size(); ++i) {
    if (!(*matched)[i] && formals[i].otherwise.kind == ir::Otherwise::Kind::needed) {
      c.error(Code::E0105, span, fmt::format("`{}` needs its argument `{}`", callee.text, names[i]),
              names.size() > 1 ? fmt::format("its parameters are: {}", fmt::join(names, ", ")) : "");
      return std::nullopt;
    }
    items.push_back((*matched)[i] ? std::move(*(*matched)[i]) : default_item(formals[i], span));
  }
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

bool is_native_builtin(std::string_view name) {
  if (name == "grad" || name == "checkpoint" || find_builtin(name)) return true;
  auto ops = ir::all_ops();
  return is_word(name) && std::any_of(ops.begin(), ops.end(), [&](const ir::OpInfo& info) { return info.spelling == name; });
}

std::optional<Item> call_builtin(Context& c, const Name& callee, const std::vector<Given>& given, Span span) {
  if (callee.text == "grad") return call_grad(c, callee, given, span);
  const Builtin* builtin = find_builtin(callee.text);
  ir::Opcode op = builtin ? ir::Opcode::constant : *spelled_op(callee.text, given);  // only what is no function of the table is spelled
  auto arguments = match_signature(c, callee, builtin ? builtin->signature : ir::op_info(op).signature, given, span);
  if (!arguments) return std::nullopt;
  bool takes_tape = callee.text == "push" || callee.text == "pop";
  for (const Item& argument : *arguments)
    if (!takes_tape && !reject_tape(c, argument, fmt::format("`{}`", c.spoken(callee.text)))) return std::nullopt;
  BuiltinCall call{span, callee.text, std::move(*arguments)};
  if (!builtin) return call_op(c, op, call);
  Temporarily<std::string_view> making(c.made_of_ops, builtin->name);
  return builtin->lower(c, call);
}

}  // namespace lowering

namespace {

// Forms whose arguments are not lowered as those of a function.
const BuiltinDescription kForms[] = {
    {"grad",
     "J, w, …",
     {"the gradient of a scalar J by w, or several by several", "that of each w", "like any other expression's",
      "w = [1, 2]; grad(sum(w^2), w)"}},
    {"checkpoint",
     "e",
     {"e; for the gradient its inside is computed again, not kept", "that of e", "that of e",
      "w = 2; y = checkpoint(sin(w) * exp(w)); grad(y, w)"}},
};

}  // namespace

bool is_builtin_function(std::string_view name) {
  const lowering::Builtin* builtin = lowering::find_builtin(name);
  const PreludeFunction* function = find_prelude_function(name);
  if (builtin) return !builtin->help.sentence.empty();
  return function ? !function->help.sentence.empty() : lowering::is_native_builtin(name);
}

bool is_library_function(std::string_view name) {
  return lowering::is_native_builtin(name) || find_prelude_function(name);
}

std::span<const BuiltinConstant> builtin_constants() {
  static constexpr BuiltinConstant kConstants[] = {
      {"pi", std::numbers::pi}, {"inf", std::numeric_limits<double>::infinity()}, {"nan", std::numeric_limits<double>::quiet_NaN()}};
  return kConstants;
}

bool is_builtin_constant(std::string_view name) {
  return std::ranges::any_of(builtin_constants(), [&](const BuiltinConstant& constant) { return constant.name == name; });
}

double builtin_constant(std::string_view name) {
  return std::ranges::find(builtin_constants(), name, &BuiltinConstant::name)->value;
}

std::vector<BuiltinDescription> builtin_descriptions() {
  std::vector<BuiltinDescription> all(std::begin(kForms), std::end(kForms));
  for (auto table : lowering::builtin_tables())
    for (const lowering::Builtin& builtin : table)
      if (!builtin.help.sentence.empty()) all.push_back({builtin.name, ir::signature_text(builtin.signature), builtin.help});
  return all;
}

std::vector<std::string> builtin_names() {
  std::vector<std::string> names;
  for (const ir::OpInfo& info : ir::all_ops())
    if (lowering::is_word(info.spelling)) names.emplace_back(info.spelling);
  for (const BuiltinDescription& builtin : builtin_descriptions()) names.emplace_back(builtin.name);
  for (const PreludeFunction& function : prelude_functions())
    if (!function.help.sentence.empty()) names.emplace_back(function.name);
  return names;
}

}  // namespace bpc::frontend
