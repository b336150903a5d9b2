#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <cmath>

#include "frontend/builtins/settings.h"
#include "frontend/lower/convert.h"
#include "frontend/lower/declarations.h"
#include "frontend/lower/expressions.h"
#include "frontend/lower/training.h"
#include "frontend/training.h"

namespace bpc::frontend::lowering {

namespace {

// Where a setting is given.
struct Place {
  const Ast* ast;
  const Meanings* names;
  const TrainStmt::Setting* setting;
};

using Places = std::map<Setting, Place>;

class Reader {
 public:
  Reader(Context& c, Training& training) : c_(c), training_(training) {
    const Ast& ast = *c.program.asts[0];
    for (StmtId id : ast.top)
      if (!c.top->names->is_refused(id)) add(ast, *c.top->names, ast.stmt(id));
    if (!c.program.flags) return;
    Places of_script = std::exchange(places_, {});
    for (StmtId id : c.program.flags->top) add(*c.program.flags, *c.program.flag_names, c.program.flags->stmt(id));
    // How long: what the command line says in one unit replaces what the script says in the other.
    if (places_.contains(Setting::epochs) || places_.contains(Setting::steps)) {
      of_script.erase(Setting::epochs);
      of_script.erase(Setting::steps);
    }
    places_.merge(of_script);
  }

  Settings read() {
    Settings settings;
    settings.optimizer = function(Setting::optimizer, "adam", {{Name{"lr", {}}, Item{weak(0.01)}}});
    settings.schedule = function(Setting::schedule, "constant", {});
    settings.decay_span = span_of(Setting::decay);
    training_.optimizer = text_of(Setting::optimizer, "adam(lr = 0.01)");
    training_.schedule = text_of(Setting::schedule, "constant");
    training_.epochs = count(Setting::epochs);
    training_.steps = count(Setting::steps);
    training_.batch = count(Setting::batch);
    if (auto shuffle = truth(Setting::shuffle)) training_.shuffle = *shuffle;
    settings.clip = number(Setting::clip);
    settings.decay = number(Setting::decay);
    settings.decay_on = paths(Setting::decay_on);
    settings.decays_weights = !places_.contains(Setting::decay_on);
    settings.freeze = paths(Setting::freeze);
    read_validation();
    read_metrics(settings);
    read_patience();
    read_average(settings);
    note_comparisons();
    if (training_.epochs && training_.steps)
      c_.error(Code::E0113, span_of(Setting::steps), "both `epochs` and `steps` say how long to train", "leave one of them out");
    return settings;
  }

 private:
  void add(const Ast& ast, const Meanings& names, const Stmt& statement) {
    const auto* train = std::get_if<TrainStmt>(&statement.node);
    if (!train) return;
    for (const TrainStmt::Setting& setting : train->settings)
      if (const SettingInfo* info = find_setting(setting.name.text)) {
        places_.insert_or_assign(info->code, Place{&ast, &names, &setting});
        training_.given.insert(info->code);
      }
  }

  const Expr& value_of(const Place& place) const { return place.ast->expr(place.setting->value); }
  Span span_of(Setting setting) const {
    const auto found = places_.find(setting);
    return found == places_.end() ? Span{} : value_of(found->second).span;
  }
  std::string text_of(Setting setting, std::string otherwise) const {
    const auto found = places_.find(setting);
    return found == places_.end() ? otherwise : std::string(c_.sources.text(value_of(found->second).span));
  }

  std::optional<Item> evaluate(const Place& place, ExprId id) {
    Frame frame;
    frame.ast = place.ast;
    frame.names = place.names;
    frame.globals = c_.top;
    Temporarily<Frame*> enter(c_.frame, &frame);
    return expression(c_, id);
  }
  std::optional<Item> evaluate(Setting setting) {
    const auto found = places_.find(setting);
    return found == places_.end() ? std::nullopt : evaluate(found->second, found->second.setting->value);
  }

  std::nullopt_t refuse(Span span, Setting setting, const std::string& takes) {
    c_.error(Code::E0113, span, fmt::format("`{}` takes {}", all_settings()[static_cast<std::size_t>(setting)].name, takes));
    return std::nullopt;
  }

  std::optional<std::int64_t> count(Setting setting) {
    const auto item = evaluate(setting);
    if (!item) return std::nullopt;
    const Number* number = item->as<Number>();
    if (!number || !number->is_integer() || number->integer() < 1) return refuse(span_of(setting), setting, "a whole number above 0");
    return number->integer();
  }

  std::optional<double> number(Setting setting, double below = HUGE_VAL) {
    const auto item = evaluate(setting);
    if (!item) return std::nullopt;
    const Number* number = item->as<Number>();
    if (!number || !(number->real() >= 0 && number->real() < below))
      return refuse(span_of(setting), setting, below == 1 ? "a number from 0 to below 1" : "a number that is not negative");
    return number->real();
  }

  std::optional<bool> truth(Setting setting) {
    const auto item = evaluate(setting);
    if (!item) return std::nullopt;
    const bool* value = item->as<bool>();
    if (!value) return refuse(span_of(setting), setting, "`true` or `false`");
    return *value;
  }

  std::vector<std::string> paths(Setting setting) {
    const auto item = evaluate(setting);
    if (!item) return {};
    std::vector<std::string> patterns;
    const List* list = item->as<List>();
    for (const Item& each : list ? list->items : std::vector{*item}) {
      const Text* text = each.as<Text>();
      if (!text) {
        refuse(each.span, setting, "a path of params, or a pattern such as \"embed.*\", or a list of them");
        continue;
      }
      std::vector<std::string> known;
      for (const ir::Parameter& parameter : c_.main.parameters)
        if (parameter.kind == ir::Parameter::Kind::param) known.push_back(parameter.path);
      if (std::ranges::none_of(known, [&](const std::string& path) { return matches_path(text->text, path); })) {
        const std::string near = closest_match(text->text, known);
        c_.error(Code::E0113, each.span, fmt::format("no param is called \"{}\"", text->text),
                 near.empty() ? fmt::format("the params are `{}`", fmt::join(known, "`, `")) : fmt::format("did you mean \"{}\"?", near));
      }
      patterns.push_back(text->text);
    }
    return patterns;
  }

  bool is_rule(const SettingCall& call) {
    const auto& parameters = call.function.fn->parameters;
    if (parameters.size() >= 2 && !parameters[0].value.valid() && !parameters[1].value.valid()) return true;
    c_.error(Code::E0113, call.span,
             fmt::format("a rule is given a param and its gradient, and `{}` has no parameters for both", call.function.fn->name.text),
             fmt::format("write it as `fn {}(p, g) = …`", call.function.fn->name.text));
    return false;
  }

  // The arguments that stand without names are for the parameters that have defaults, in order.
  std::optional<SettingCall> function(Setting setting, const char* otherwise, std::vector<Given> arguments) {
    const auto found = places_.find(setting);
    if (found == places_.end()) {
      const SettingKind kind = all_settings()[static_cast<std::size_t>(setting)].kind;
      return SettingCall{prelude_function(c_, *find_setting_function(kind, otherwise)), std::move(arguments), {}};
    }
    const Place& place = found->second;
    const Definition* meaning = place.names->of(place.setting->value);
    if (!meaning) return std::nullopt;
    const Binding* own = c_.find(meaning);
    const Callable* callable = own ? own->item.as<Callable>() : nullptr;
    if (!meaning->prelude && !callable) return std::nullopt;
    SettingCall call{meaning->prelude ? prelude_function(c_, *meaning->prelude) : *callable, {}, value_of(place).span};
    if (setting == Setting::optimizer && !is_rule(call)) return std::nullopt;
    if (const auto* written = std::get_if<CallExpr>(&value_of(place).node)) {
      auto given = arguments_of(place, *written, call);
      if (!given) return std::nullopt;
      call.arguments = std::move(*given);
    }
    return call;
  }

  std::optional<std::vector<Given>> arguments_of(const Place& place, const CallExpr& written, const SettingCall& call) {
    std::vector<const FnParameter*> free;
    for (const FnParameter& parameter : call.function.fn->parameters)
      if (parameter.value.valid()) free.push_back(&parameter);
    auto next = free.begin();
    std::vector<Given> given;
    std::vector<std::string> names;
    for (const FnParameter* parameter : free) names.push_back(parameter->name.text);
    for (const Argument& argument : written.arguments) {
      const Span at = place.ast->expr(argument.value).span;
      const bool is_known = argument.name ? std::ranges::find(names, argument.name->text) != names.end() : next != free.end();
      if (!is_known) {
        const std::string near = argument.name ? closest_match(argument.name->text, names) : "";
        const std::string takes = names.empty() ? "it takes none" : fmt::format("it takes {}", fmt::join(names, ", "));
        c_.error(Code::E0113, argument.name ? argument.name->span : at,
                 argument.name ? fmt::format("`{}` has no setting `{}`", written.callee.text, argument.name->text)
                               : fmt::format("`{}` has {} setting{}", written.callee.text, names.size(), names.size() == 1 ? "" : "s"),
                 near.empty() ? takes : fmt::format("did you mean `{}`?", near));
        return std::nullopt;
      }
      auto item = evaluate(place, argument.value);
      if (!item) return std::nullopt;
      given.push_back({argument.name ? *argument.name : Name{(*next++)->name.text, at}, std::move(*item)});
    }
    return given;
  }

  // ---- validation ----

  void read_validation() {
    const auto found = places_.find(Setting::validation);
    if (found == places_.end()) return;
    const Place& place = found->second;
    const ExprNode& node = value_of(place).node;
    Validation& validation = training_.validation;
    if (const auto* file = std::get_if<StringExpr>(&node)) {
      validation.file = resolved_path(c_.sources, place.ast->file, file->value);
      return;
    }
    const auto* comparison = std::get_if<BinaryExpr>(&node);
    const ExprId named = comparison ? comparison->left : place.setting->value;
    if (!comparison && !std::holds_alternative<NameExpr>(node)) {
      if (auto part = number(Setting::validation, 1)) validation.share = *part;
      return;
    }
    const Definition* meaning = place.names->of(named);
    const auto* text = comparison ? std::get_if<StringExpr>(&place.ast->expr(comparison->right).node) : nullptr;
    const auto* whole = comparison ? std::get_if<NumberExpr>(&place.ast->expr(comparison->right).node) : nullptr;
    if (meaning && meaning->kind == Definition::Kind::constant && !comparison) {
      if (auto part = number(Setting::validation, 1)) validation.share = *part;
      return;
    }
    const bool is_value = !comparison || (comparison->spelling == "==" && (text || (whole && whole->integer)));
    if (meaning && (meaning->kind != Definition::Kind::input || !is_value))
      return void(
          refuse(value_of(place).span, Setting::validation,
                 "a number from 0 to below 1, a file such as \"test.csv\", or an input that says which rows: `held`, `part == \"test\"`"));
    if (!meaning) return;
    validation.input = meaning->name;
    if (text) validation.value = text->value;
    if (whole) validation.value = *whole->integer;
  }

  // ---- metrics ----

  void read_metrics(Settings& settings) {
    const auto found = places_.find(Setting::metrics);
    if (found == places_.end()) return;
    const Place& place = found->second;
    const auto* list = std::get_if<ListExpr>(&value_of(place).node);
    for (ExprId id : list ? list->items : std::vector{place.setting->value}) {
      const Definition* meaning = place.names->of(id);
      if (!meaning) continue;
      auto item = meaning->prelude ? library_metric(*meaning->prelude, place.ast->expr(id).span) : evaluate(place, id);
      auto value = item ? to_value(c_, *item) : std::nullopt;
      if (!value) continue;
      if (!c_.type(*value).is_scalar() || !is_real(c_.type(*value).element)) {
        c_.error(Code::E0113, place.ast->expr(id).span,
                 fmt::format("a metric is a single real number, and `{}` is {}", meaning->name, type_text(c_.type(*value))),
                 "name a `mean(…)` or `sum(…)` of it in the script");
        continue;
      }
      settings.metrics.emplace_back(meaning->name, std::move(*value));
      training_.metrics.push_back(meaning->name);
    }
  }

  void note_comparisons() {
    for (const Compared& compared : c_.compared) {
      const auto *output = compared.output.as<ir::ValueId>(), *target = compared.target.as<ir::ValueId>();
      if (output && target) training_.comparisons.push_back({std::string(compared.function), *output, *target});
    }
  }

  // Of what the script's loss compares.
  std::optional<Item> library_metric(const PreludeFunction& metric, Span span) {
    const bool is_accuracy = metric.name == "accuracy";
    for (auto compared = c_.compared.rbegin(); compared != c_.compared.rend(); ++compared) {
      const bool of_classes = compared->function == "cross_entropy", of_two = compared->function == "bce_with_logits";
      if (is_accuracy != (of_classes || of_two)) continue;
      const PreludeFunction* function = of_two ? find_prelude_function("binary_accuracy") : &metric;
      return call_function(c_, prelude_function(c_, *function), {{std::nullopt, compared->output}, {std::nullopt, compared->target}}, span);
    }
    c_.error(Code::E0113, span,
             is_accuracy
                 ? "`accuracy` is of the logits and labels that `cross_entropy` or `bce_with_logits` compares, and the script calls neither"
                 : "`r2` is of the values that `mse`, `mae` or `huber` compares, and the script calls none of them",
             is_accuracy ? "give the number a name, as in `right = accuracy(logits, labels)`, and write `metrics = right`"
                         : "give the number a name, as in `fit = r2(y, t)`, and write `metrics = fit`");
    return std::nullopt;
  }

  // ---- forms ----

  const CallExpr* form(Setting setting) const {
    const auto found = places_.find(setting);
    return found == places_.end() ? nullptr : std::get_if<CallExpr>(&value_of(found->second).node);
  }

  void read_patience() {
    const CallExpr* call = form(Setting::stop);
    if (!call) return;
    const Place& place = places_.at(Setting::stop);
    Patience patience{0, training_.validation.is_any() ? "validation loss" : "loss"};
    for (const Argument& argument : call->arguments) {
      const auto item = evaluate(place, argument.value);
      if (!item) return;
      const Number* number = item->as<Number>();
      const Text* text = item->as<Text>();
      const std::string name = argument.name ? argument.name->text : text ? "on" : "epochs";
      if (name == "epochs" && number && number->is_integer() && number->integer() > 0)
        patience.epochs = number->integer();
      else if (name == "on" && text)
        patience.on = text->text;
      else
        return void(
            refuse(item->span, Setting::stop, "`patience(5, on = \"validation loss\")`: a whole number of epochs, and what to look at"));
    }
    if (patience.epochs == 0) return void(refuse(span_of(Setting::stop), Setting::stop, "a number of epochs, as in `patience(5)`"));
    std::vector<std::string> known{"loss"};
    known.insert(known.end(), training_.metrics.begin(), training_.metrics.end());
    for (std::size_t i = 0, n = known.size(); i < n; ++i) known.push_back("validation " + known[i]);
    if (std::ranges::find(known, patience.on) == known.end()) {
      const std::string near = closest_match(patience.on, known);
      c_.error(Code::E0113, span_of(Setting::stop), fmt::format("`stop` looks at \"{}\", which is not shown", patience.on),
               near.empty() ? fmt::format("it can look at \"{}\"", fmt::join(known, "\", \"")) : fmt::format("did you mean \"{}\"?", near));
    }
    training_.stop = patience;
  }

  void read_average(Settings& settings) {
    const CallExpr* call = form(Setting::average);
    if (!call) return;
    const auto item = call->arguments.size() == 1 ? evaluate(places_.at(Setting::average), call->arguments[0].value) : std::nullopt;
    const Number* number = item ? item->as<Number>() : nullptr;
    if (!number || !(number->real() >= 0 && number->real() < 1))
      return void(refuse(span_of(Setting::average), Setting::average, "`ema(0.999)`: a number from 0 to below 1"));
    settings.average = number->real();
  }

  Context& c_;
  Training& training_;
  Places places_;
};

}  // namespace

bool matches_path(const std::string& pattern, const std::string& path) {
  return fnmatch(pattern.c_str(), path.c_str(), 0) == 0;
}

Settings read_settings(Context& c, Training& training) {
  Settings settings = Reader(c, training).read();
  find_rows(c, training);
  return settings;
}

}  // namespace bpc::frontend::lowering
