#include "ir/shape_rules.h"

#include <fmt/format.h>
#include <algorithm>

#include "ir/shape_rule.h"
#include "support/internal_error.h"

namespace bpc::ir {

using namespace shape_rule;

namespace {

// "{0} + {1}" for operators, "max({0}, {1})" for functions.
std::string written(Opcode code, std::size_t operands) {
  std::string spelled = symbol(code);
  bool word = std::isalpha(static_cast<unsigned char>(spelled[0])) && spelled != "and" && spelled != "or" && spelled != "not";
  if (!word && operands == 2) return "{0} " + spelled + " {1}";
  if (!word && operands == 1) return spelled + " {0}";
  std::string text = spelled + "(";
  for (std::size_t i = 0; i < operands; ++i) text += fmt::format("{}{{{}}}", i ? ", " : "", i);
  return text + ")";
}

std::string verb(Opcode code) {
  switch (op_info(code).group) {
    case Group::elementwise:
      if (code == Opcode::add) return "cannot add ";
      if (code == Opcode::sub) return "cannot subtract ";
      if (code == Opcode::mul) return "cannot multiply ";
      if (code == Opcode::div) return "cannot divide ";
      if (op_info(code).rule == ShapeRule::comparison) return "cannot compare ";
      break;
    default:
      break;
  }
  return "cannot compute ";
}

// ---- elementwise ----

Result broadcast_result(const ShapeQuery& query, std::span<const Type> operands, Element element) {
  if (auto dims = broadcast_dims(operands, query.strict_names)) return Types{Type(element, std::move(*dims))};
  std::vector<std::string> notes;
  for (const Type& operand : query.operands) notes.push_back(shape_text(operand.dims));
  std::string what = verb(query.code) + written(query.code, query.operands.size());
  if (query.strict_names && broadcast_dims(operands, false))
    return error(Code::E0202, what + ": the sizes are equal, but the dims have different names", notes,
                 "if the match is meant, rename one with `reshape(v, [NAME])`");
  std::string help;
  if (operands.size() == 2) {
    std::size_t low = operands[0].rank() <= operands[1].rank() ? 0 : 1;
    const Type& small = operands[low];
    const Type& large = operands[1 - low];
    if (small.rank() == 1 && large.rank() == 2 && large.size(1) != 1 && small.size(0) == large.size(0))
      help = fmt::format("`expand_dims({{{}.name}}, 1)` makes it a column, which stretches along the rows", low);
  }
  return error(Code::E0201, what, notes, help);
}

// `element`: of the result, when it is not that of x.
Result reduction(const ShapeQuery& query, std::optional<Element> element) {
  const Type& x = query.operands[0];
  const auto& axes = query.attrs.ints(Attr::axes);
  if (!valid_axes(axes, x.rank())) return bad_axis(query);
  Type result(element.value_or(x.element), reduced(x, axes, query.attrs.flag(Attr::keep)));
  bool is_extreme = element || query.code == Opcode::reduce_max || query.code == Opcode::reduce_min;
  if (is_extreme && x.count() == 0 && result.count() != 0)
    return error(Code::E0411, fmt::format("`{}` of nothing: {{0}} has no elements to choose from", symbol(query.code)),
                 {shape_text(x.dims)});
  return Types{std::move(result)};
}

// A turn, or a tensor of turns: its axes are the first ones of what is drawn.
Result draws(const ShapeQuery& query, const Type& type) {
  if (!is_real(type.element)) return error(Code::E0203, "random draws are real");
  if (query.operands.empty()) return Types{type};
  const Type& turn = query.operands[0];
  if (!is_integer(turn.element))
    return error(Code::E0203, fmt::format("a turn is an integer, and {{0}} is {}", element_name(turn.element)));
  if (!turn.is_scalar() && turn.element != Element::i64) return error(Code::E0203, "a tensor of turns has elements i64");
  bool leads = turn.rank() <= type.rank();
  for (std::size_t i = 0; leads && i < turn.rank(); ++i) leads = turn.size(i) == type.size(i);
  if (leads) return Types{type};
  return error(Code::E0201, fmt::format("the turns {{0}} do not have the first sizes of the draws {}", shape_text(type.dims)));
}

}  // namespace

namespace shape_rule {

Result pointwise(const ShapeQuery& query) {
  return broadcast_result(query, query.operands, query.operands[0].element);
}

Result comparison(const ShapeQuery& query) {
  return broadcast_result(query, query.operands, Element::boolean);
}

Result select(const ShapeQuery& query) {
  if (query.operands[0].element != Element::boolean)
    return error(Code::E0203, "the condition of `where` must be bool, and {0} is " + std::string(element_name(query.operands[0].element)));
  return broadcast_result(query, query.operands, query.operands[1].element);
}

Result cast(const ShapeQuery& query) {
  return Types{query.operands[0].with_element(declared_type(query).element)};
}

// ---- reductions and scans ----

Result reduce(const ShapeQuery& query) {
  return reduction(query, std::nullopt);
}

Result arg_reduce(const ShapeQuery& query) {
  return reduction(query, Element::i32);
}

Result scan(const ShapeQuery& query) {
  if (!valid_axes({query.attrs.integer(Attr::axis)}, query.operands[0].rank())) return bad_axis(query);
  return Types{query.operands[0]};
}

// ---- contraction ----

Result einsum(const ShapeQuery& query) {
  auto spec = parse_einsum(query.attrs.string(Attr::spec));
  if (!spec) return error(Code::E0204, fmt::format("\"{}\" is not the spec of an einsum of two operands", query.attrs.string(Attr::spec)));
  const std::string* letters[] = {&spec->a, &spec->b};
  for (std::size_t k = 0; k < 2; ++k)
    if (letters[k]->size() != query.operands[k].rank())
      return error(Code::E0204, fmt::format("einsum names {} axes for {{{}}}", letters[k]->size(), k));
  std::vector<std::pair<char, Dim>> sizes;
  for (std::size_t k = 0; k < 2; ++k)
    for (std::size_t i = 0; i < letters[k]->size(); ++i) {
      const Dim& dim = query.operands[k].dims[i];
      auto known = std::find_if(sizes.begin(), sizes.end(), [&](const auto& item) { return item.first == (*letters[k])[i]; });
      if (known == sizes.end()) {
        sizes.push_back({(*letters[k])[i], dim});
      } else if (!sizes_match(known->second, dim, query.strict_names)) {
        bool equal = known->second.size == dim.size;
        return error(equal ? Code::E0202 : Code::E0201, fmt::format("cannot multiply {{0}} and {{1}}: {} and {} {}", known->second.size,
                                                                    dim.size, equal ? "have different names" : "should be equal"));
      } else if (known->second.name.empty()) {
        known->second.name = dim.name;
      }
    }
  std::vector<Dim> dims;
  for (char letter : spec->out)
    dims.push_back(std::find_if(sizes.begin(), sizes.end(), [&](const auto& item) { return item.first == letter; })->second);
  return Types{Type(query.operands[0].element, std::move(dims))};
}

// ---- declared ----

Result declared(const ShapeQuery& query) {
  const Type& type = declared_type(query);
  auto holds = [&](Attr attr) { return query.attrs.find(attr) != nullptr; };
  if (query.code == Opcode::iota && !valid_axes({query.attrs.integer(Attr::axis)}, type.rank()))
    return error(Code::E0204, "iota needs one of its axes");
  if (query.code == Opcode::constant) {
    if (holds(Attr::value) + holds(Attr::ints) + holds(Attr::reals) != 1)
      return error(Code::E0209, "a constant holds one of value, ints and reals");
    const AttrValue* value = query.attrs.find(Attr::value);
    bool real = value ? std::holds_alternative<double>(*value) : holds(Attr::reals);
    bool integer = value ? std::holds_alternative<std::int64_t>(*value) : holds(Attr::ints);
    if (is_real(type.element) ? !real : !integer) return error(Code::E0203, "the data of a constant are not of its element type");
    std::size_t given = value ? 0 : real ? query.attrs.reals(Attr::reals).size() : query.attrs.ints(Attr::ints).size();
    if (!value && static_cast<std::int64_t>(given) != type.count())
      return error(Code::E0201, fmt::format("{} elements given for a constant of {}", given, type.count()));
  }
  if (op_info(query.code).group == Group::random) return draws(query, type);
  return Types{type};
}

// ---- tapes and derivatives ----

Result tape(const ShapeQuery& query) {
  const Type& type = declared_type(query);
  return type.tape ? Result(Types{type}) : error(Code::E0203, "a tape has the type of a tape");
}

Result push(const ShapeQuery& query) {
  if (!query.operands[0].tape) return error(Code::E0203, "`push` puts a value on a tape, and {0} is none");
  if (!same_type(query.operands[0].as_entry(), query.operands[1]))
    return error(Code::E0201, fmt::format("cannot push {{1}} on a tape of {}", type_text(query.operands[0].as_entry())));
  return Types{query.operands[0]};
}

Result pop(const ShapeQuery& query) {
  if (!query.operands[0].tape) return error(Code::E0203, "`pop` takes the top of a tape, and {0} is none");
  return Types{query.operands[0], query.operands[0].as_entry()};
}

Result gradient(const ShapeQuery& query) {
  const Type& y = query.operands[0];
  std::size_t first = query.code == Opcode::grad ? 1 : 2;
  if (query.code == Opcode::grad && !y.is_scalar())
    return error(Code::E0302, "`grad` needs a scalar, and {0} is a tensor", {shape_text(y.dims)},
                 "take `sum({0.name})` or `mean({0.name})`");
  for (std::size_t i = 0; i < query.operands.size(); ++i)
    if (!is_real(query.operands[i].element))
      return error(Code::E0303, fmt::format("{{{}}} is {}, which has no derivative", i, element_name(query.operands[i].element)));
  if (first == 2 && !same_type(y, query.operands[1])) return error(Code::E0201, "the cotangent {1} should have the type of {0}");
  return Types(query.operands.begin() + static_cast<std::ptrdiff_t>(first), query.operands.end());
}

Result tangent(const ShapeQuery& query) {
  for (std::size_t i = 0; i < query.operands.size(); ++i)
    if (!is_real(query.operands[i].element))
      return error(Code::E0303, fmt::format("{{{}}} is {}, which has no derivative", i, element_name(query.operands[i].element)));
  if (!same_type(query.operands[1], query.operands[2])) return error(Code::E0201, "the direction {2} should have the type of {1}");
  return Types{query.operands[0]};
}

Result nothing(const ShapeQuery&) {
  return Types{};
}

Result region(const ShapeQuery&) {
  throw InternalError("shape rules", "the results of a region op come from its regions");
}

}  // namespace shape_rule

namespace {

Result infer(const ShapeQuery& query) {
  switch (op_info(query.code).rule) {
#define BPC_SHAPE_RULE(id, ...) \
  case ShapeRule::id:           \
    return shape_rule::id(query);
#include "ir/shape_rules.def"
  }
  throw InternalError("shape rules", "no such rule");
}

bool takes_element(Domain domain, Element element) {
  switch (domain) {
    case Domain::number:
      return element != Element::boolean;
    case Domain::real:
      return is_real(element);
    case Domain::integer:
      return is_integer(element);
    case Domain::boolean:
      return element == Element::boolean;
    case Domain::any:
      return true;
  }
  return false;
}

std::optional<ShapeError> check_operands(const ShapeQuery& query) {
  const OpInfo& info = op_info(query.code);
  if (!info.takes(query.operands.size()))
    return error(Code::E0105, fmt::format("`{}` does not take {} operands", symbol(query.code), query.operands.size()));
  for (std::size_t i = 0; info.group != Group::tape && i < query.operands.size(); ++i)
    if (query.operands[i].tape)
      return error(Code::E0203, fmt::format("`{}` does not work on tapes, and {{{}}} is one", symbol(query.code), i));
  bool check_domain = info.group != Group::derivative && info.group != Group::random;  // whose messages are their own
  for (std::size_t i = 0; check_domain && i < query.operands.size(); ++i)
    if (!takes_element(info.domain, query.operands[i].element)) {
      std::string wants = info.domain == Domain::boolean ? "bools" : info.domain == Domain::real ? "reals" : "numbers";
      return error(Code::E0203,
                   fmt::format("`{}` takes {}, and {{{}}} is {}", symbol(query.code), wants, i, element_name(query.operands[i].element)));
    }
  if (info.group == Group::elementwise || info.group == Group::contraction || info.group == Group::library) {
    std::size_t first = query.code == Opcode::select ? 1 : 0;  // the condition is a bool
    for (std::size_t i = first + 1; i < query.operands.size(); ++i)
      if (query.operands[i].element != query.operands[first].element)
        return error(Code::E0203, fmt::format("`{}` of {} and {}", symbol(query.code), element_name(query.operands[first].element),
                                              element_name(query.operands[i].element)));
  }
  return std::nullopt;
}

// What is wrong with the shape of a declared type or of a result.
std::optional<ShapeError> misshapen(const Type& type) {
  const std::string problem = shape_problem(type.dims);
  if (problem.empty()) return std::nullopt;
  const bool many_axes = type.rank() > kMostAxes;
  return ShapeError{many_axes ? Code::E0204 : Code::E0210,
                    fmt::format("the shape {} has {}", many_axes ? "of the result" : shape_text(type.dims), problem),
                    {},
                    {},
                    true};
}

}  // namespace

std::variant<std::vector<Type>, ShapeError> infer_types(const ShapeQuery& query) {
  if (auto problem = check_operands(query)) return *problem;
  if (query.declared)
    if (auto problem = misshapen(*query.declared)) return *problem;
  Result result = infer(query);
  if (const Types* types = std::get_if<Types>(&result))
    for (const Type& type : *types)
      if (auto problem = misshapen(type)) return *problem;
  return result;
}

std::optional<std::vector<Dim>> broadcast_dims(std::span<const Type> operands, bool strict_names) {
  for (const Type& target : operands) {
    bool all = std::all_of(operands.begin(), operands.end(), [&](const Type& t) { return stretches(t.dims, target.dims, strict_names); });
    if (!all) continue;
    // The target may be unnamed where two others clash.
    std::vector<Dim> dims = with_names(target.dims, operands);
    if (strict_names && !std::all_of(operands.begin(), operands.end(), [&](const Type& t) { return stretches(t.dims, dims, true); }))
      continue;
    return dims;
  }
  return std::nullopt;
}

std::optional<EinsumSpec> parse_einsum(std::string_view spec) {
  std::size_t comma = spec.find(','), arrow = spec.find("->");
  if (comma == std::string_view::npos || arrow == std::string_view::npos || comma > arrow) return std::nullopt;
  EinsumSpec result{std::string(spec.substr(0, comma)), std::string(spec.substr(comma + 1, arrow - comma - 1)),
                    std::string(spec.substr(arrow + 2))};
  auto letters = [](const std::string& text) {
    for (std::size_t i = 0; i < text.size(); ++i)
      if (!std::isalpha(static_cast<unsigned char>(text[i])) || text.find(text[i]) != i) return false;
    return true;
  };
  if (!letters(result.a) || !letters(result.b) || !letters(result.out)) return std::nullopt;
  auto within = [](char letter, const std::string& text) { return text.find(letter) != std::string::npos; };
  for (char letter : result.out)
    if (!within(letter, result.a) && !within(letter, result.b)) return std::nullopt;
  for (char letter : result.a)
    if (!within(letter, result.b) && !within(letter, result.out)) return std::nullopt;
  for (char letter : result.b)
    if (!within(letter, result.a) && !within(letter, result.out)) return std::nullopt;
  return result;
}

std::string einsum_text(const EinsumSpec& spec) {
  return spec.a + "," + spec.b + "->" + spec.out;
}

std::int64_t multiply_adds(const EinsumSpec& spec, const Type& a, const Type& b) {
  std::int64_t product = a.count();
  for (std::size_t i = 0; i < spec.b.size(); ++i)
    if (spec.a.find(spec.b[i]) == std::string::npos) product *= b.size(i);
  return product;
}

}  // namespace bpc::ir
