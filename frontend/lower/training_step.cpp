#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "frontend/lower/convert.h"
#include "frontend/lower/expressions.h"
#include "frontend/lower/numbers.h"
#include "frontend/lower/training.h"
#include "frontend/lower/types.h"
#include "frontend/syntax/walk.h"
#include "frontend/training.h"
#include "ir/dependence.h"
#include "support/internal_error.h"

namespace bpc::frontend::lowering {

namespace {

using ir::Output;
using ir::Parameter;
using ir::ValueId;

bool matches(const std::vector<std::string>& patterns, const std::string& path) {
  return std::ranges::any_of(patterns, [&](const std::string& pattern) { return matches_path(pattern, path); });
}

// Something that a rule changes: a param, or all of them as one vector.
struct Learned {
  std::string path;  // the param's; of the vector, empty
  Item value, gradient;
  bool decays = false;
};

class Step {
 public:
  Step(Context& c, const Settings& settings) : c_(c), settings_(settings), span_(c.loss_span) {}

  void add() {
    c_.set_origin(span_);
    std::vector<Learned> learned = params();
    if (learned.empty()) return;
    if (c_.options.entry == Entry::gradient) {
      for (const Learned& each : learned)
        c_.main.outputs.push_back({Output::Kind::value, kGradient + each.path, *each.gradient.as<ValueId>()});
      return;
    }
    clip(learned);
    decay(learned);
    std::vector<Learned> changed = is_of_vector() ? std::vector{joined(learned)} : learned;
    for (const Learned& each : changed) {
      auto news = change(each);
      if (!news) return;
      if (is_of_vector())
        give_parts(learned, *news);
      else
        give(each, *news);
    }
  }

 private:
  // ---- the library's parts ----

  std::optional<Item> library(const char* function, const std::vector<Item>& arguments) {
    std::vector<Given> given;
    for (const Item& argument : arguments) given.push_back({std::nullopt, argument});
    auto item = call_function(c_, prelude_function(c_, *find_prelude_function(function)), given, span_);
    if (!item) throw InternalError("lower", fmt::format("the prelude's `{}` does not fit", function), span_);
    return item;
  }

  Item real_of(ValueId value, Element element) { return {c_.builder->cast(value, element), span_}; }
  Element element_of(const Item& value) { return c_.type(value).element; }

  // ---- what is learned ----

  std::vector<Learned> params() {
    const std::vector<bool> reached = ir::ancestors(c_.main, *c_.loss);
    std::vector<Learned> learned;
    std::vector<ValueId> operands{*c_.loss};
    std::vector<Type> types;
    for (const Parameter& parameter : c_.main.parameters) {
      if (parameter.kind != Parameter::Kind::param || matches(settings_.freeze, parameter.path)) continue;
      if (!reached[parameter.value.index]) {
        stays(parameter);
        continue;
      }
      const Type type = c_.main.type(parameter.value);
      const bool decays = settings_.decays_weights ? type.rank() >= 2 : matches(settings_.decay_on, parameter.path);
      learned.push_back({parameter.path, {parameter.value, span_}, {}, decays});
      operands.push_back(parameter.value);
      types.push_back(type);
    }
    if (learned.empty()) {
      c_.error(Code::E0307, span_,
               fmt::format("there is nothing to learn: the loss `{}` was computed from no param that may change", c_.main.loss),
               settings_.freeze.empty() ? "declare what is learned as a `param`" : "`freeze` leaves none");
      return {};
    }
    if (c_.options.entry == Entry::update) {
      for (std::size_t i = 0; i < learned.size(); ++i)
        learned[i].gradient = {c_.main.add_parameter(Parameter::Kind::input, kGradient + learned[i].path, types[i]), span_};
      return learned;
    }
    const ir::OpId grad = c_.builder->emit_op(ir::Opcode::grad, operands, {}, types);
    for (std::size_t i = 0; i < learned.size(); ++i) learned[i].gradient = {c_.main.op(grad).results[i], span_};
    return learned;
  }

  // Where the script is only run or checked, its gradient's absence has been said.
  void stays(const Parameter& param) {
    if (c_.options.entry != Entry::step && c_.options.entry != Entry::update) return;
    c_.report({Severity::warning,
               Code::W0301,
               c_.main.origin(param.origin).span,
               fmt::format("param `{}` does not reach the loss `{}`, and stays as it is", param.path, c_.main.loss),
               {},
               {},
               {}});
  }

  void clip(std::vector<Learned>& learned) {
    if (!settings_.clip) return;
    std::optional<Item> total;
    for (const Learned& each : learned) {
      Item squares = real_of(*library("squares", {each.gradient})->as<ValueId>(), c_.module.real);
      total = total ? elementwise(c_, span_, ir::Opcode::add, {*total, squares}) : squares;
    }
    for (Learned& each : learned)
      each.gradient =
          *library("clipped", {each.gradient, real_of(*total->as<ValueId>(), element_of(each.gradient)), {weak(*settings_.clip), span_}});
  }

  // By the gradient, unless the rule does it itself.
  void decay(std::vector<Learned>& learned) {
    if (!settings_.decay || parameter("decay")) return;
    for (Learned& each : learned)
      if (each.decays) each.gradient = *library("decayed", {each.gradient, each.value, {weak(*settings_.decay), span_}});
  }

  // ---- all params as one vector ----

  bool is_of_vector() const {
    const FnParameter& first = rule().fn->parameters.front();
    return first.type && first.type->sizes.size() == 1 && is_generic(first.type->sizes[0]);
  }
  bool is_generic(ExprId size) const {
    const Definition* meaning = rule().names->of(size);
    return meaning && meaning->kind == Definition::Kind::size;
  }

  Item joined(const std::vector<Item>& parts) {
    std::vector<Item> flat;
    for (const Item& part : parts) {
      ValueId value = c_.builder->cast(*part.as<ValueId>(), c_.module.real);
      flat.push_back({c_.builder->reshape(value, {{c_.type(value).count(), {}}}), span_});
    }
    return *concatenate(c_, span_, flat, 0);
  }
  Learned joined(const std::vector<Learned>& learned) {
    std::vector<Item> values, gradients;
    for (const Learned& each : learned) {
      values.push_back(each.value);
      gradients.push_back(each.gradient);
    }
    return {{}, joined(values), joined(gradients)};
  }

  void give_parts(const std::vector<Learned>& learned, const std::vector<Item>& news) {
    std::int64_t start = 0;
    for (const Learned& each : learned) {
      const Type type = c_.type(each.value);
      auto piece = part(c_, span_, news[0], 0, start, type.count());
      start += type.count();
      ValueId value = c_.builder->reshape(*piece->as<ValueId>(), type.dims);
      give_param(each, c_.builder->cast(value, type.element));
    }
    give_kept({}, news);
  }

  // ---- the rule ----

  const Callable& rule() const { return settings_.optimizer->function; }
  Frame frame_of_rule() const {
    Frame frame;
    frame.ast = rule().ast;
    frame.names = rule().names;
    frame.globals = rule().globals;
    return frame;
  }
  const FnParameter* parameter(std::string_view name) const {
    for (const FnParameter& each : rule().fn->parameters)
      if (each.name.text == name) return &each;
    return nullptr;
  }
  bool is_kept(std::size_t i) const {
    const FnParameter& each = rule().fn->parameters[i];
    return i >= 2 && !each.value.valid() && each.name.text != "t";
  }

  // Of what the rule keeps: as it is declared, or else that of the param.
  std::optional<Type> kept_type(const FnParameter& kept, const Item& value) {
    const Type type = c_.type(value);
    if (!kept.type) return type;
    Frame frame = frame_of_rule();
    Temporarily<Frame*> enter(c_.frame, &frame);
    const auto& first = rule().fn->parameters.front().type;
    for (std::size_t i = 0; first && i < first->sizes.size() && i < type.rank(); ++i)
      if (const Definition* size = is_generic(first->sizes[i]) ? rule().names->of(first->sizes[i]) : nullptr)
        c_.bind(size, {Number{type.size(i), Element::i32, {}}, span_}, span_);
    return to_type(c_, *kept.type);
  }

  // The default of the rate, where the script gives none.
  std::optional<Item> rate() {
    const FnParameter* lr = parameter("lr");
    if (!lr) return std::nullopt;
    for (const Given& given : settings_.optimizer->arguments)
      if (given.name->text == "lr") return given.item;
    if (!lr->value.valid()) return std::nullopt;
    Frame frame = frame_of_rule();
    Temporarily<Frame*> enter(c_.frame, &frame);
    return expression(c_, lr->value);
  }

  // What the schedule makes of the rate in this step; nullopt, silently, where it leaves it alone.
  std::optional<Item> factor() {
    if (factor_) return factor_;
    const bool is_constant = settings_.schedule->function.meaning->name == "constant_schedule" && settings_.schedule->arguments.empty();
    if (is_constant) return std::nullopt;
    Item before = *elementwise(c_, span_, ir::Opcode::sub, {real_of(*c_.step, c_.module.real), {weak(std::int64_t{1}), span_}});
    std::vector<Given> given{{std::nullopt, before}, {std::nullopt, {weak(static_cast<double>(c_.options.steps)), span_}}};
    given.insert(given.end(), settings_.schedule->arguments.begin(), settings_.schedule->arguments.end());
    auto found =
        call_function(c_, settings_.schedule->function, given, settings_.schedule->span.valid() ? settings_.schedule->span : span_);
    auto value = found ? to_value(c_, *found) : std::nullopt;
    if (value && !(c_.type(*value).is_scalar() && is_real(element_of(*value)))) {
      c_.error(Code::E0113, settings_.schedule->span,
               fmt::format("a schedule gives a single real number, and this is {}", type_text(c_.type(*value))));
      value.reset();
    }
    failed_ |= !value;
    return factor_ = value;
  }

  // The new param and what the rule keeps of it.
  std::optional<std::vector<Item>> change(const Learned& each) {
    const Span at = settings_.optimizer->span.valid() ? settings_.optimizer->span : span_;
    const Element element = element_of(each.value);
    std::vector<Given> given;
    std::vector<Type> types{c_.type(each.value)};
    const auto& parameters = rule().fn->parameters;
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      const Name name{parameters[i].name.text, at};
      if (i < 2) {
        given.push_back({name, i == 0 ? each.value : each.gradient});
      } else if (name.text == "t" && !parameters[i].value.valid()) {
        given.push_back({name, real_of(*c_.step, element)});
      } else if (is_kept(i)) {
        auto type = kept_type(parameters[i], each.value);
        if (!type) return std::nullopt;
        types.push_back(*type);
        given.push_back({name, {c_.main.add_parameter(Parameter::Kind::input, each.path + "/" + name.text, *type), at}});
      }
    }
    for (const Given& argument : settings_.optimizer->arguments)
      if (argument.name->text != "lr" && argument.name->text != "decay") given.push_back(argument);
    add_rate(given, element, at);
    add_decay(given, each, at);
    if (failed_) return std::nullopt;
    auto item = call_function(c_, rule(), given, at);
    if (!item) return std::nullopt;
    const Tuple* tuple = item->as<Tuple>();
    std::vector<Item> news = tuple ? tuple->items : std::vector{*item};
    return fitted(std::move(news), types, at);
  }

  void add_rate(std::vector<Given>& given, Element element, Span at) {
    auto scale = factor();
    auto lr = rate();
    if (scale && !lr) {
      c_.error(Code::E0113, settings_.schedule->span,
               fmt::format("a schedule changes the rate `lr` of a rule, and `{}` has none", rule().fn->name.text));
      failed_ = true;
    }
    if (!lr || failed_) return;
    if (scale) lr = binary(c_, at, at, "*", *lr, real_of(*scale->as<ValueId>(), element));
    if (lr)
      given.push_back({Name{"lr", at}, *lr});
    else
      failed_ = true;
  }

  void add_decay(std::vector<Given>& given, const Learned& each, Span at) {
    const FnParameter* decay = parameter("decay");
    if (!decay || !decay->value.valid()) return;
    const auto own =
        std::ranges::find_if(settings_.optimizer->arguments, [](const Given& argument) { return argument.name->text == "decay"; });
    const bool is_own = own != settings_.optimizer->arguments.end();
    if (is_own && settings_.decay) {
      c_.error(Code::E0113, settings_.decay_span, fmt::format("`decay` is given twice, here and to `{}`", rule().fn->name.text),
               "leave one of them out");
      failed_ = true;
    }
    if (!each.decays)
      given.push_back({Name{"decay", at}, {weak(0.0), at}});
    else if (is_own)
      given.push_back(*own);
    else if (settings_.decay)
      given.push_back({Name{"decay", at}, {weak(*settings_.decay), at}});
  }

  std::optional<std::vector<Item>> fitted(std::vector<Item> news, const std::vector<Type>& types, Span at) {
    const auto& parameters = rule().fn->parameters;
    std::vector<std::string> names{parameters[0].name.text};
    for (std::size_t i = 0; i < parameters.size(); ++i)
      if (is_kept(i)) names.push_back(parameters[i].name.text);
    if (news.size() != types.size()) {
      c_.error(Code::E0113, at,
               fmt::format("the rule `{}` gives {} value{}, and a step needs {}: the new {}", rule().fn->name.text, news.size(),
                           news.size() == 1 ? "" : "s", types.size(), fmt::join(names, ", ")),
               fmt::format("end it with `return {}`", fmt::join(names, ", ")));
      return std::nullopt;
    }
    for (std::size_t i = 0; i < news.size(); ++i) {
      auto value = to_value(c_, news[i], types[i].element);
      if (value && is_real(element_of(*value)) && is_real(types[i].element)) value = real_of(*value->as<ValueId>(), types[i].element);
      if (value) value->span = at;
      value = value ? to_declared(c_, *value, types[i], fmt::format("the new {} of the rule `{}`", names[i], rule().fn->name.text), true)
                    : std::nullopt;
      if (!value) return std::nullopt;
      news[i] = *value;
    }
    return news;
  }

  // ---- outputs ----

  void give_kept(const std::string& path, const std::vector<Item>& news) {
    std::size_t next = 1;
    for (std::size_t i = 0; i < rule().fn->parameters.size(); ++i) {
      if (!is_kept(i)) continue;
      const std::string name = path + "/" + rule().fn->parameters[i].name.text;
      c_.main.outputs.push_back({Output::Kind::value, name, *news[next++].as<ValueId>(), name});
    }
  }

  void give_param(const Learned& each, ValueId value) {
    c_.main.outputs.push_back({Output::Kind::value, each.path, value, each.path});
    if (!settings_.average) return;
    const std::string name = each.path + "/" + kAverage;
    const Item average{c_.main.add_parameter(Parameter::Kind::input, name, c_.type(each.value)), span_};
    auto next = library("averaged", {average, {value, span_}, {weak(*settings_.average), span_}});
    c_.main.outputs.push_back({Output::Kind::value, name, *next->as<ValueId>(), name});
  }

  void give(const Learned& each, const std::vector<Item>& news) {
    give_param(each, *news[0].as<ValueId>());
    give_kept(each.path, news);
  }

  Context& c_;
  const Settings& settings_;
  Span span_;
  std::optional<Item> factor_;
  bool failed_ = false;
};

// Whether a size speaks of the dim anywhere.
bool names_dim(const Ast& ast, const Meanings& names, ExprId size, const Definition* dim) {
  if (names.of(size) == dim) return true;
  bool found = false;
  for_each_child(ast.expr(size).node, [&](ExprId child) { found |= names_dim(ast, names, child, dim); });
  return found;
}

}  // namespace

void find_rows(Context& c, Training& training) {
  const Ast& ast = *c.program.asts[0];
  struct Sized {
    const std::string* name;
    const TypeExpr* type;
    bool is_input;
  };
  std::vector<Sized> all;
  for (StmtId id : ast.top) {
    const StmtNode& node = ast.stmt(id).node;
    if (const auto* input = std::get_if<InputStmt>(&node); input && input->type) all.push_back({&input->name.text, &*input->type, true});
    if (const auto* param = std::get_if<ParamStmt>(&node); param && param->type) all.push_back({&param->name.text, &*param->type, false});
  }
  std::set<const Definition*> free;
  for (StmtId id : ast.top)
    if (const auto* dim = std::get_if<DimStmt>(&ast.stmt(id).node); dim && !dim->value.valid()) free.insert(c.top->names->of(dim->name));
  const Definition* rows = nullptr;
  for (const Sized& one : all) {
    const Definition* dim = one.is_input && !one.type->sizes.empty() ? c.top->names->of(one.type->sizes[0]) : nullptr;
    if (free.contains(dim) && (!rows || dim->name == "N")) rows = dim;
  }
  if (!rows) return;
  for (const Sized& one : all)
    for (std::size_t axis = 0; axis < one.type->sizes.size(); ++axis) {
      const ExprId size = one.type->sizes[axis];
      const bool is_rows = one.is_input && axis == 0 && c.top->names->of(size) == rows;
      if (!is_rows && names_dim(ast, *c.top->names, size, rows)) training.rows_elsewhere = *one.name;
    }
  if (training.rows_elsewhere.empty()) training.rows = rows->name;
}

bool counts_rows(Context& c, const TypeExpr& type) {
  if (!c.options.rows || type.sizes.empty()) return false;
  const Definition* dim = c.frame->names->of(type.sizes[0]);
  return dim && dim->kind == Definition::Kind::dim && dim->name == c.options.rows->dim;
}

std::optional<Item> chosen_rows(Context& c, ValueId all, const Type& chosen, Span span) {
  if (!c.batch) {
    const Type order(Element::i32, {{c.options.rows->in_order, {}}});
    const Item rows{c.main.add_parameter(Parameter::Kind::input, kOrder, order), span};
    const Item at{c.main.add_parameter(Parameter::Kind::input, kAt, Type(Element::i64)), span};
    c.batch = c.emit(span, ir::Opcode::slice, {rows, at},
                     {{ir::Attr::starts, std::vector<std::int64_t>{0}},
                      {ir::Attr::sizes, std::vector<std::int64_t>{c.options.rows->size}},
                      {ir::Attr::steps, std::vector<std::int64_t>{1}},
                      {ir::Attr::dynamic, std::vector<std::int64_t>{0}},
                      {ir::Attr::drop, std::vector<std::int64_t>{}},
                      {ir::Attr::checked, true}});
  }
  auto rows = c.batch ? c.emit(span, ir::Opcode::gather, {{all, span}, *c.batch},
                               {{ir::Attr::axes, std::vector<std::int64_t>{0}}, {ir::Attr::checked, true}})
                      : std::nullopt;
  return rows ? reshape(c, span, *rows, chosen.dims) : std::nullopt;
}

void check_step(Context& c, const Settings& settings) {
  if (!c.loss) return;
  if (!c.step) c.step = c.main.add_parameter(Parameter::Kind::input, kStep, Type(Element::i64));
  Step(c, settings).add();
  c.step.reset();
}

void add_training_outputs(Context& c, const Settings& settings) {
  if (!c.loss) {
    c.error(Code::E0307, {}, "the script has no `loss`, and training makes a loss smaller", "declare it, as in `loss J = mean((y - t)^2)`");
    return;
  }
  if (c.options.entry != Entry::update) {
    c.main.outputs.push_back({Output::Kind::value, c.main.loss, *c.loss});
    for (const auto& [name, item] : settings.metrics) c.main.outputs.push_back({Output::Kind::value, name, *item.as<ValueId>()});
  }
  if (c.options.entry != Entry::evaluate && settings.optimizer && settings.schedule) Step(c, settings).add();
}

}  // namespace bpc::frontend::lowering
