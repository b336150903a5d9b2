#include "tools/bpc/gradient_check.h"

#include <chrono>
#include <cstdlib>

#include "ir/pipeline.h"
#include "ir/rewrite.h"
#include "tools/bpc/numeric_derivative.h"
#include "tools/bpc/slice.h"

namespace bpc::tool {

namespace {

using ir::Opcode;
using ir::ValueId;
using runtime::Tensor;
using Known = std::map<std::uint32_t, Tensor>;  // by value, at one time

constexpr std::int64_t kSample = 100;  // elements compared of one derivative, all times together

// One derivative to compare, as the program computes it.
struct Target {
  std::string name;
  ir::OpId op;
  ValueId y, x, along, derivative;  // along: the cotangent of vjp, the tangent of jvp
  bool is_forward;
  Slice slice;
};

// Printing and asserting is for the real run.
bool is_message(const ir::Op& op) {
  return op.code == Opcode::print || op.code == Opcode::assert_true;
}

// What the author wrote for an op.
std::string text_of(const Session& session, const ir::Function& function, const ir::Op& op) {
  const ir::Origin& origin = function.origin(op.origin);
  return std::string(session.sources.text(origin.calls.empty() ? origin.span : origin.calls.back()));
}

// The author's name of a value, or its text in parentheses.
std::string name_of(const Session& session, const ir::Function& function, ValueId id) {
  const ir::Value& value = function.value(id);
  if (!value.name.empty()) return value.name;
  const ir::Op* def = function.def(id);
  return def ? fmt::format("({})", text_of(session, function, *def)) : "()";
}

std::string target_name(const Session& session, const ir::Function& main, const ir::Op& op, std::size_t i, ValueId x) {
  if (ir::is_of_loss(op)) return op.attrs.strings(ir::Attr::names)[i];
  const std::string& result = main.value(op.results[i]).name;
  const std::string name = op.code == Opcode::grad
                               ? fmt::format("d{}/d{}", name_of(session, main, op.operands[0]), name_of(session, main, x))
                               : text_of(session, main, op);
  return result.empty() ? name : fmt::format("{} = {}", result, name);
}

bool is_output(const ir::Function& main, ValueId id) {
  return std::any_of(main.outputs.begin(), main.outputs.end(), [&](const ir::Output& output) { return output.value == id; });
}

// Every derivative that the program computes, in program order. A param that does not reach the loss has none.
std::vector<Target> find_targets(const Session& session, const ir::Function& main) {
  std::vector<Target> targets;
  for (std::uint32_t i = 0; i < main.op_count(); ++i) {
    const ir::Op& op = main.op(ir::OpId{i});
    if (ir::op_info(op.code).group != ir::Group::derivative) continue;
    const std::vector<ValueId> xs = differentiated_by(op);
    for (std::size_t k = 0; k < xs.size(); ++k) {
      if (ir::is_of_loss(op) && !is_output(main, op.results[k])) continue;
      const ValueId along = op.code == Opcode::grad ? ValueId() : op.operands[op.code == Opcode::vjp ? 1 : 2];
      targets.push_back({target_name(session, main, op, k, xs[k]), ir::OpId{i}, op.operands[0], xs[k], along, op.results[k],
                         op.code == Opcode::jvp, slice(session, main, ir::OpId{i}, op.operands[0], xs[k])});
    }
  }
  return targets;
}

// What is known of a target's surroundings at one time: what its slice reads, the direction and the derivative.
std::vector<ValueId> known_values(const Target& target) {
  std::vector<ValueId> values = target.slice.inputs;
  values.push_back(target.x);
  values.push_back(target.derivative);
  if (target.along.valid()) values.push_back(target.along);
  return values;
}

// A tensor from the text of a printed one.
Tensor read_tensor(const Type& type, std::string text) {
  for (char& c : text)
    if (c == '[' || c == ']' || c == ',') c = ' ';
  Tensor tensor = Tensor::zeros(type);
  const char* at = text.c_str();
  std::vector<double> reals(static_cast<std::size_t>(tensor.count()));
  std::vector<std::int64_t> integers(reals.size());
  for (std::size_t i = 0; i < reals.size(); ++i) {
    while (*at == ' ' || *at == '\n') ++at;
    char* end = nullptr;
    reals[i] = *at == 't' || *at == 'f' ? double(*at == 't') : std::strtod(at, &end);
    integers[i] = is_real(type.element) || end == nullptr ? static_cast<std::int64_t>(type.element == Element::boolean ? reals[i] : 0)
                                                          : std::strtoll(at, &end, 10);
    while (*at && *at != ' ' && *at != '\n') ++at;
  }
  return is_real(type.element) ? Tensor::from_reals(type, reals) : Tensor::from_ints(type, integers);
}

// Whether a tape that a loop carries comes into it, which is no value to record.
bool reads_tape(const ir::Function& main, const Target& target) {
  return std::any_of(target.slice.inputs.begin(), target.slice.inputs.end(), [&](ValueId input) { return main.type(input).tape; });
}

// Runs the program once, and keeps what is known of each target at a sample of the times that it runs: the first ones and each power of
// two.
class Recorder {
 public:
  Recorder(Session& session, const Script& script, const std::vector<Target>& targets)
      : session_(session), script_(script), main_(script.module.main), targets_(targets), times_(targets.size()), counts_(targets.size()) {}

  // By target, at each time. Nullopt after a failure.
  std::optional<std::vector<std::vector<Known>>> run(GradientReport& report) {
    ir::Module module(script_.module.files, script_.module.real, script_.module.seed, recording());
    if (!expand_gradients(session_, module) || !optimize(session_, module)) return std::nullopt;
    const ir::Function& function = module.main;
    auto arguments = make_arguments(session_, script_, function);
    if (!arguments) return std::nullopt;
    std::unique_ptr<runtime::Executable> executable = make_executable(session_, function);
    runtime::RunOptions options = run_options(session_.options, [&](std::string_view line) { record(line); });
    options.full = true;
    auto start = std::chrono::steady_clock::now();
    auto outputs = execute(session_, *executable, *arguments, options);
    report.backprop_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    report.backprop_runs = 1;
    if (!outputs) return std::nullopt;
    Known at_top;
    for (std::size_t i = 0; i < outputs->size(); ++i)
      at_top[static_cast<std::uint32_t>(std::stoul(function.outputs[i].path))] = (*outputs)[i];
    for (std::size_t t = 0; t < targets_.size(); ++t) {
      if (at_top.contains(targets_[t].derivative.index)) times_[t].emplace_back();
      for (Known& known : times_[t])
        for (ValueId id : known_values(targets_[t]))
          if (is_at_top(id)) known[id.index] = at_top.at(id.index);
    }
    return std::move(times_);
  }

 private:
  bool is_at_top(ValueId id) const { return main_.value(id).block == main_.body() || !main_.value(id).block.valid(); }

  std::vector<ValueId> printed(const Target& target) const {
    std::vector<ValueId> values = known_values(target);
    std::erase_if(values, [&](ValueId id) { return is_at_top(id); });
    return values;
  }

  // The program without its messages. What stands at the top is an output; what does not is printed where it is computed.
  ir::Function recording() const {
    ir::Function from = main_;
    std::vector<bool> is_shown(from.value_count(), false);
    from.outputs.clear();
    for (const Target& target : targets_)
      for (ValueId id : known_values(target))
        if (is_at_top(id) && !is_shown[id.index]) {
          is_shown[id.index] = true;
          from.outputs.push_back({ir::Output::Kind::value, std::to_string(id.index), id});
        }
    ir::Rewriter rewriter(from);
    return rewriter.finish([&](const ir::Op& op) {
      if (is_message(op)) return true;
      if (ir::op_info(op.code).group != ir::Group::derivative || op.block == from.body()) return false;
      rewriter.copy(op);
      for (std::size_t t = 0; t < targets_.size(); ++t)
        if (std::find(op.results.begin(), op.results.end(), targets_[t].derivative) != op.results.end()) print(rewriter, t);
      return true;
    });
  }

  void print(ir::Rewriter& rewriter, std::size_t t) const {
    const std::vector<ValueId> values = rewriter.map(printed(targets_[t]));
    std::vector<std::string> text(values.size() + 1, "\t");
    text.front() = std::to_string(t) + "\t";
    text.back().clear();
    ir::Attributes attrs;
    attrs.set(ir::Attr::text, text);
    rewriter.builder().emit_op(Opcode::print, values, attrs, {});
  }

  void record(std::string_view line) {
    std::size_t tab = line.find('\t');
    const std::size_t t = std::stoul(std::string(line.substr(0, tab)));
    const std::int64_t count = counts_[t]++;
    if (count >= 4 && (count & (count - 1)) != 0) return;
    Known& known = times_[t].emplace_back();
    for (ValueId id : printed(targets_[t])) {
      line.remove_prefix(tab + 1);
      tab = std::min(line.find('\t'), line.size());
      known[id.index] = read_tensor(main_.type(id), std::string(line.substr(0, tab)));
      if (tab == line.size()) tab = line.size() - 1;
    }
  }

  Session& session_;
  const Script& script_;
  const ir::Function& main_;
  const std::vector<Target>& targets_;
  std::vector<std::vector<Known>> times_;
  std::vector<std::int64_t> counts_;
};

// Expands gradients and optimises one function with the passes of the script's pipeline.
std::optional<ir::Function> prepare(Session& session, const ir::Module& module, ir::Function function) {
  ir::Module alone(module.files, module.real, module.seed, std::move(function));
  if (!expand_gradients(session, alone) || !optimize(session, alone)) return std::nullopt;
  return std::move(alone.main);
}

Verdict judge(double backprop, const NumericDerivative& numeric, double error, bool author_says) {
  if (!std::isfinite(numeric.value)) return Verdict::uncertain;
  if (error <= kGradientTolerance) return Verdict::ok;
  const auto [low, high] = std::minmax(numeric.left, numeric.right);
  const double margin = 1e-3 * (high - low);
  if (numeric.kink && backprop >= low - margin && backprop <= high + margin) return Verdict::kink;
  if (std::isfinite(backprop) && !(std::abs(backprop - numeric.value) > 10 * numeric.error)) return Verdict::uncertain;
  return author_says ? Verdict::custom : Verdict::wrong;
}

// Differences of one target at one time, element by element.
class Differences {
 public:
  Differences(Session& session, const Target& target, runtime::Executable& executable, const Known& known, GradientReport& report)
      : session_(session), target_(target), executable_(executable), known_(known), report_(report), x_(at(target.x)) {
    for (ValueId input : target.slice.inputs) arguments_.push_back(at(input));
    arguments_.push_back(Tensor::zeros(x_.type()));
  }

  const Tensor& derivative() const { return at(target_.derivative); }

  GradientRow compare(std::int64_t element) {
    const double backprop = derivative().real_at(element);
    GradientRow row = measure(element, backprop, 1e-3);
    if (row.verdict == Verdict::ok || row.verdict == Verdict::kink) return row;
    const GradientRow again = measure(element, backprop, 4e-3);  // a difference that two ways of measuring see is none of the measuring
    if (again.verdict != row.verdict) return again.verdict == Verdict::ok ? again : with(row, Verdict::uncertain);
    return again.uncertainty < row.uncertainty ? again : row;
  }

 private:
  static GradientRow with(GradientRow row, Verdict verdict) {
    row.verdict = std::isfinite(row.backprop) || !std::isfinite(row.numeric) ? verdict : Verdict::wrong;
    return row;
  }

  const Tensor& at(ValueId id) const { return known_.at(id.index); }

  GradientRow measure(std::int64_t element, double backprop, double first) {
    const double start = target_.is_forward ? 0 : x_.real_at(element);
    auto f = [&](double moved) -> std::optional<double> {
      return target_.is_forward ? forward(element, moved) : backward(element, moved - start);
    };
    const NumericDerivative numeric = *differentiate(f, start, target_.slice.epsilon, first);
    const double error = std::abs(backprop - numeric.value) / std::max({1.0, std::abs(backprop), std::abs(numeric.value)});
    const double value = target_.is_forward ? run(0).real_at(element) : x_.real_at(element);
    return {"", value, backprop, numeric.value, error, numeric.error, judge(backprop, numeric, error, target_.slice.author_says), 1};
  }

  // An element of y where x has moved along the tangent.
  double forward(std::int64_t element, double step) { return run(step).real_at(element); }

  const Tensor& run(double step) {
    auto [found, is_new] = along_.try_emplace(step);
    if (!is_new) return found->second;
    const Tensor& tangent = at(target_.along);
    for (std::int64_t i = 0; i < x_.count(); ++i) arguments_.back().set_real(i, step * tangent.real_at(i));
    return found->second = evaluate();
  }

  // y, or what its cotangent makes of it, where one element of x has moved.
  double backward(std::int64_t element, double step) {
    arguments_.back().set_real(element, step);
    const Tensor y = evaluate();
    arguments_.back().set_real(element, 0);
    if (!target_.along.valid()) return y.real_at(0);
    double sum = 0;
    for (std::int64_t i = 0; i < y.count(); ++i)
      if (double c = at(target_.along).real_at(i); c != 0) sum += c * y.real_at(i);
    return sum;
  }

  // Where y is no value (a matrix that is not positive definite, an index out of range), it is NaN.
  Tensor evaluate() {
    auto start = std::chrono::steady_clock::now();
    runtime::RunResult result = executable_.run(arguments_, run_options(session_.options, {}));
    report_.difference_seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    ++report_.difference_runs;
    if (!result.failure) return std::move(result.outputs.front());
    Tensor none = Tensor::zeros(y_type_);
    for (std::int64_t i = 0; i < none.count(); ++i) none.set_real(i, NAN);
    return none;
  }

  Session& session_;
  const Target& target_;
  runtime::Executable& executable_;
  const Known& known_;
  GradientReport& report_;
  const Tensor& x_;
  std::vector<Tensor> arguments_;
  std::map<double, Tensor> along_;
  Type y_type_ = target_.slice.function.type(target_.slice.function.outputs[0].value);
};

std::string element_name(const std::string& name, const Type& type, std::int64_t flat) {
  std::string index;
  for (std::size_t axis = type.rank(); axis-- > 0; flat /= type.size(axis))
    index = fmt::format("{}{}{}", flat % type.size(axis), index.empty() ? "" : ", ", index);
  return index.empty() ? name : fmt::format("{}[{}]", name, index);
}

// Adds the target's rows: of each verdict the worst element.
bool compare_target(Session& session, const ir::Module& module, const Target& target, const std::vector<Known>& times,
                    GradientReport& report) {
  std::optional<ir::Function> function = prepare(session, module, target.slice.function);
  if (!function) return false;
  std::unique_ptr<runtime::Executable> executable = make_executable(session, *function);
  std::map<Verdict, GradientRow> worst;
  const std::int64_t sample = std::max<std::int64_t>(1, kSample / static_cast<std::int64_t>(times.size()));
  for (std::size_t time = 0; time < times.size(); ++time) {
    Differences differences(session, target, *executable, times[time], report);
    const Tensor& derivative = differences.derivative();
    const std::int64_t samples = std::min(derivative.count(), sample);
    for (std::int64_t k = 0; k < samples; ++k) {
      const std::int64_t element = k * derivative.count() / samples;
      GradientRow row = differences.compare(element);
      row.name = element_name(target.name, derivative.type(), element);
      auto [kept, added] = worst.emplace(row.verdict, row);
      if (added) continue;
      row.elements = kept->second.elements + 1;
      if (!(row.error <= kept->second.error)) kept->second = row;
      kept->second.elements = row.elements;
    }
    report.elements += derivative.count();
    report.compared += samples;
  }
  for (const auto& [verdict, row] : worst) report.rows.push_back(row);
  return true;
}

}  // namespace

std::optional<GradientReport> check_gradients(Session& session, const Script& script) {
  const ir::Function& main = script.module.main;
  GradientReport report;
  std::vector<Target> targets = find_targets(session, main);
  report.skipped = std::erase_if(targets, [&](const Target& target) { return reads_tape(main, target); });
  auto times = Recorder(session, script, targets).run(report);
  if (!times) return std::nullopt;
  for (std::size_t t = 0; t < targets.size(); ++t) {
    const bool is_of_loss = ir::is_of_loss(main.op(targets[t].op));  // without one, a warning says so
    if ((*times)[t].empty() && !is_of_loss) ++report.skipped;
    if (!(*times)[t].empty() && !compare_target(session, script.module, targets[t], (*times)[t], report)) return std::nullopt;
  }
  return report;
}

}  // namespace bpc::tool
