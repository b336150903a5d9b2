#include "tools/bpc/explain_script.h"

#include <sstream>

#include "explain/explain.h"

#include "explain/element.h"
#include "ir/adjoint.h"
#include "ir/adjoint/existence.h"
#include "ir/pipeline.h"
#include "ir/rewrite.h"
#include "tools/bpc/explain_check.h"
#include "tools/bpc/measure.h"

namespace bpc::tool {

namespace {

using explain::Explanation;

// The words of the script's files: no other value is called like one of them.
std::set<std::string> words_of(const Session& session) {
  std::set<std::string> words;
  for (FileId id = 0; id < session.sources.size(); ++id) {
    const SourceMap::File& file = session.sources.file(id);
    if (file.is_prelude) continue;
    std::string word;
    for (char c : file.text + " ") {
      const auto byte = static_cast<unsigned char>(c);
      if (std::isalnum(byte) || byte == '_' || byte >= 0x80) {
        word += c;
      } else {
        words.insert(std::exchange(word, {}));
      }
    }
  }
  return words;
}

// The line that declares the loss; nowhere if it stands in no line of its own.
Span declaration_of(const Session& session, const std::string& loss) {
  for (FileId id = 0; id < session.sources.size() && !loss.empty(); ++id) {
    const SourceMap::File& file = session.sources.file(id);
    std::istringstream lines(file.is_prelude ? "" : file.text);
    std::string text;
    for (std::uint32_t line = 1; std::getline(lines, text); ++line) {
      std::istringstream words(text);
      std::string first, name;
      words >> first >> name;
      if (first == "loss" && name.substr(0, name.find('=')) == loss)
        return {id, line, 1, line, static_cast<std::uint32_t>(text.size() + 1)};
    }
  }
  return {};
}

// A derivative that the script takes, by the names of its results.
struct Asked {
  ir::OpId op;
  std::vector<std::string> names;
};

bool is_in_rule(const ir::Function& main, const ir::Op& op) {
  for (ir::OpId around = main.block(op.block).parent; around.valid(); around = main.block(main.op(around).block).parent)
    if (main.op(around).code == ir::Opcode::custom) return true;
  return false;
}

std::vector<Asked> derivatives_of(const ir::Function& main) {
  std::vector<Asked> found;
  for (std::uint32_t i = 0; i < main.op_count(); ++i) {
    const ir::Op& op = main.op(ir::OpId{i});
    if (is_in_rule(main, op) || !ir::is_derivative(op)) continue;
    Asked asked{ir::OpId{i}, {}};
    if (ir::is_of_loss(op)) asked.names.push_back(main.loss);
    for (ir::ValueId result : op.results)
      if (!ir::is_of_loss(op) && !main.value(result).name.empty()) asked.names.push_back(main.value(result).name);
    found.push_back(std::move(asked));
  }
  return found;
}

// The one that the flags ask for: that of a name, else the loss, else the last one that has a name. nullopt when there is none of that
// name, which is said.
std::optional<ir::OpId> choose(Session& session, const ir::Function& main, const std::vector<Asked>& all) {
  const std::string& loss = main.loss;
  const std::string& wanted = session.options.of.empty() ? loss : session.options.of;
  ir::OpId chosen;
  std::vector<std::string> names;
  for (const Asked& asked : all) {
    names.insert(names.end(), asked.names.begin(), asked.names.end());
    const bool is_named = std::find(asked.names.begin(), asked.names.end(), wanted) != asked.names.end();
    if (is_named || (wanted.empty() && (!asked.names.empty() || !chosen.valid()))) chosen = asked.op;
  }
  if (chosen.valid() || session.options.of.empty()) {
    if (!chosen.valid() && !all.empty()) chosen = all.back().op;
    return chosen;
  }
  const std::string near = closest_match(session.options.of, names);
  session.diagnostics.error(Code::E0505, {}, fmt::format("no derivative of the script is called `{}`", session.options.of))
      .with_help(names.empty() ? "`--of` names a value that `grad` gives"
                               : fmt::format("`--of={}`", near.empty() ? fmt::format("{}", fmt::join(names, "`, `--of=")) : near));
  return std::nullopt;
}

// Says so, with what it is taken by: a name like it, or one that goes on where this one ends.
void not_taken_by(Session& session, const std::string& name, const std::vector<std::string>& names) {
  std::string near = closest_match(name, names);
  for (const std::string& each : names)
    if (near.empty() && !name.empty() && (each.starts_with(name) || each.ends_with("." + name))) near = each;
  constexpr std::size_t kMost = 12;
  const auto end = names.begin() + static_cast<std::ptrdiff_t>(std::min(kMost, names.size()));
  const std::string all = fmt::format("it is taken by {}{}", fmt::join(names.begin(), end, ", "), names.size() > kMost ? " …" : "");
  session.diagnostics.error(Code::E0505, {}, fmt::format("the derivative is not taken by `{}`", name))
      .with_help(near.empty() ? all : fmt::format("did you mean `{}`? {}", near, all));
}

// "W[3,7]"
struct Element {
  std::string name;
  std::vector<std::int64_t> index;
};
std::optional<Element> read_element(Session& session, const Explanation& explanation) {
  if (explain::is_forward(explanation)) {
    session.diagnostics
        .error(Code::E0510, {}, "`--at` follows an element of what a gradient is taken by, and this derivative is in forward mode")
        .with_help("its direction says which elements move");
    return std::nullopt;
  }
  const std::string& text = session.options.at;
  const std::size_t bracket = text.find('[');
  Element element{text.substr(0, bracket), {}};
  std::vector<std::string> names;
  const explain::Quantity* found = nullptr;
  for (explain::QuantityId x : explanation.xs) {
    names.push_back(explanation.quantities[x].name);
    if (names.back() == element.name) found = &explanation.quantities[x];
  }
  if (!found) {
    not_taken_by(session, element.name, names);
    return std::nullopt;
  }
  const Type& type = found->value.type();
  std::size_t at = bracket;
  while (at != std::string::npos && at + 1 < text.size() && text[at] != ']') {
    std::size_t end = at + 1;
    while (end < text.size() && text[end] != ',' && text[end] != ']') ++end;
    const std::string number = text.substr(at + 1, end - at - 1);
    try {
      element.index.push_back(std::stoll(number));
    } catch (const std::exception&) {
      element.index.clear();
      break;
    }
    at = end;
  }
  bool fits = element.index.size() == type.rank();
  for (std::size_t axis = 0; fits && axis < type.rank(); ++axis) {
    if (element.index[axis] < 0) element.index[axis] += type.size(axis);
    fits = element.index[axis] >= 0 && element.index[axis] < type.size(axis);
  }
  if (fits) return element;
  session.diagnostics
      .error(Code::E0510, {},
             fmt::format("`--at={}` is no element of `{}`, which is {}", text, element.name,
                         type.is_scalar() ? "a single number" : shape_text(type.dims)))
      .with_help(fmt::format("for example `--at '{}'`", explain::element_name(element.name, type, 0)));
  return std::nullopt;
}

bool is_known_param(Session& session, const Explanation& explanation) {
  if (session.options.param.empty()) return true;
  std::vector<std::string> names;
  for (explain::QuantityId x : explanation.xs) names.push_back(explanation.quantities[x].name);
  if (std::find(names.begin(), names.end(), session.options.param) != names.end()) return true;
  not_taken_by(session, session.options.param, names);
  return false;
}

// In a session of its own: what there is to warn of has been said.
void add_cost(const Session& given, const Script& script, Explanation& explanation) {
  const Options options = quietly(given.options);
  Session session(options);
  session.sources = given.sources;
  const std::optional<Subjects> subjects = find_subjects(session, script);
  if (!subjects || !subjects->gradient) return;
  const std::optional<Work> value = measure_work(session, subjects->value), both = measure_work(session, *subjects->gradient);
  if (!value || !both) return;
  std::uint64_t params = 0;
  for (explain::QuantityId x : explanation.xs) params += static_cast<std::uint64_t>(explanation.quantities[x].value.count());
  explanation.cost = {value->operations.total(), both->operations.total(), params};
}

// What becomes of a derivative that a loop takes again and again, as one that trains does.
void add_times(const std::vector<explain::Taken>& times, Explanation& e) {
  if (times.size() < 2) return;
  const auto history = [](const explain::Quantity& quantity, const std::string& name) {
    return explain::History{name, {}, {}, explain::is_scalar(quantity.value), false};
  };
  const bool is_forward = explain::is_forward(e);
  explain::LoopSummary summary{SIZE_MAX, times.size(), {history(e.quantities[e.of], e.y)}};
  for (explain::QuantityId x : is_forward ? std::vector<explain::QuantityId>() : e.xs)
    summary.histories.push_back(history(e.quantities[x], e.quantities[x].name));
  for (const explain::Taken& time : times) {
    summary.histories[0].values.push_back(time.y), summary.histories[0].derivatives.push_back(is_forward ? time.results[0] : 1);
    for (std::size_t i = 0; i + 1 < summary.histories.size(); ++i)
      summary.histories[i + 1].values.push_back(time.xs[i]), summary.histories[i + 1].derivatives.push_back(time.results[i]);
  }
  e.loops.push_back(std::move(summary));
}

// What it takes to print and to assert is not part of the derivative's cost.
Script without_authors_checks(const Session& session, const Script& script) {
  Script copy{{}, script.bindings, script.module};
  const ir::Function& main = script.module.main;
  copy.module.main = ir::Rewriter(main).finish(
      [&](const ir::Op& op) { return op.code == ir::Opcode::assert_true && !session.sources.is_in_prelude(main.origin(op.origin).span); });
  return copy;
}

}  // namespace

std::optional<Explained> explain_script(Session& session, Script& script, std::size_t lines) {
  session.begin("what derivatives find");
  constexpr std::string_view kVectorise = "vectorise";
  ir::run_passes(script.module, {&kVectorise, 1}, session.diagnostics, false);
  if (session.diagnostics.has_errors()) return std::nullopt;
  const std::optional<ir::Function> main = ir::prepare_derivatives(script.module.main, session.diagnostics);
  if (!main) return std::nullopt;
  session.report();
  const std::vector<Asked> all = derivatives_of(*main);
  const std::optional<ir::OpId> chosen = choose(session, *main, all);
  if (!chosen) return std::nullopt;
  const auto arguments = make_arguments(session, script, *main);
  if (!arguments) return std::nullopt;

  session.begin("run");
  explain::TraceOptions tracing{*chosen,
                                session.options.iteration,
                                {},
                                declaration_of(session, main->loss),
                                session.options.max_iterations,
                                session.options.max_memory};
  for (FileId id = 0; id < session.sources.size(); ++id) tracing.in_library.push_back(session.sources.file(id).is_prelude);
  std::variant<explain::Trace, runtime::Failure> traced = explain::trace(*main, *arguments, tracing);
  if (auto* failure = std::get_if<runtime::Failure>(&traced)) {
    succeeded(session, std::move(*failure));
    return std::nullopt;
  }
  const explain::Trace& trace = std::get<explain::Trace>(traced);
  if (chosen->valid() && !trace.sweep) {
    session.diagnostics.error(Code::E0510, {}, "the derivative was not reached in this run")
        .with_help(session.options.iteration ? "the loop takes fewer turns than `--iteration` says, or goes past it in that turn"
                                             : "it stands in a branch that is not taken; of a loop, `--iteration=K` shows another turn");
    return std::nullopt;
  }

  session.begin("explain");
  explain::ExplainOptions options;
  options.sources = &session.sources;
  options.real = script.module.real;
  if (chosen->valid() && ir::is_of_loss(main->op(*chosen))) options.loss = main->loss;
  options.taken = words_of(session);
  constexpr std::size_t kMoreLines = 14;  // before lines are folded, which says less than functions do
  options.lines = lines;
  if (session.options.format == "text") options.most_lines = lines + kMoreLines;  // other forms have room
  options.unfold_all = std::find(session.options.unfold.begin(), session.options.unfold.end(), "all") != session.options.unfold.end();
  options.unfolded = {session.options.unfold.begin(), session.options.unfold.end()};
  options.iteration = session.options.iteration;
  Explained explained;
  Explanation& explanation = explained.explanation;
  explain::Live* live = session.options.format == "html" ? &explained.live : nullptr;
  explanation = explain::explain(trace, options, live);
  if (!is_known_param(session, explanation)) return std::nullopt;
  if (!session.options.at.empty()) {
    const std::optional<Element> element = read_element(session, explanation);
    if (!element) return std::nullopt;
    options.element_of = element->name;
    options.element = element->index;
    explanation = explain::explain(trace, options, live);
  }
  if (chosen->valid() && explanation.of != explain::kNoQuantity && !ir::is_of_loss(main->op(*chosen)))
    add_times(explain::each_time(*main, *arguments, tracing), explanation);
  const bool has_params = std::any_of(main->parameters.begin(), main->parameters.end(),
                                      [](const ir::Parameter& parameter) { return parameter.kind == ir::Parameter::Kind::param; });
  if (!chosen->valid() && has_params)
    explanation.notes.push_back("There is no `loss`, and no derivative is taken: write `loss J = …` to see a gradient.");
  for (const Asked& asked : all)
    if (asked.op != *chosen)
      for (const std::string& name : asked.names)
        if (std::find(explanation.others.begin(), explanation.others.end(), name) == explanation.others.end())
          explanation.others.push_back(name);
  if (chosen->valid() && ir::is_of_loss(main->op(*chosen))) {
    add_cost(session, without_authors_checks(session, script), explanation);
    check_by_bumping(session, explanation);
  }
  return explained;
}

}  // namespace bpc::tool
