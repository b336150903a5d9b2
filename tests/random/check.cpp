#include "tests/random/check.h"

#include <fmt/format.h>
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <map>

#include "backend/interpreter/interpreter.h"
#include "backend/llvm/jit.h"
#include "backend/plan/verify.h"
#include "frontend/write_script.h"
#include "ir/part.h"
#include "ir/passes/passes.h"
#include "ir/pipeline.h"
#include "ir/print.h"
#include "ir/read.h"
#include "ir/rewrite.h"
#include "runtime/io/json_value.h"
#include "support/internal_error.h"
#include "tests/support/close.h"
#include "tests/support/sharing.h"
#include "tools/bpc/driver.h"
#include "tools/bpc/measure.h"
#include "tools/bpc/numeric_derivative.h"

namespace bpc::test {

namespace {

using runtime::Tensor;
using Values = std::map<std::string, Tensor>;  // by output; a gradient's name starts with "d/d "

// Ways to compute the same differ by rounding: in the order of sums, in contracted multiply-adds. Programs of this size and of values near
// 1 amplify 1e-16 by 1e3 at most, but where a kink or a small divisor is near.
constexpr double kRounding = 1e-9;
// Differences carry the rounding of values divided by the step, and the truncation of their order: Richardson's estimate of both must be
// below a tenth of this, else the coordinate is skipped.
constexpr double kDifference = 1e-6;
// A derivative above this is of something that goes up and down within the steps of differences, such as the sine of a million.
constexpr double kSteep = 1e5;
// Operations of a derivative, to those of the value.
constexpr double kForwardCost = 8, kBackwardCost = 40;

// Relative, of what a program is given: a value that it moves by more than kRounding says nothing of who is right. (Such are the sign of a
// variance that is 0 but for rounding, and an iteration that grows to 1e75.)
constexpr double kUlps = 0x1p-46;
// What a program is given is moved by so much, to see whether it stood on an edge.
constexpr double kMoved = 1e-2;

struct Failed {
  std::string kind, what;
  std::string output{};  // two ways give it different values
};

void require_same_bits(const Values& alone, const Values& shared) {
  for (const auto& [name, tensor] : alone) {
    const std::vector<double> xs = test::elements(tensor), ys = test::elements(shared.at(name));
    for (std::size_t i = 0; i < xs.size(); ++i)
      if (std::bit_cast<std::uint64_t>(xs[i]) != std::bit_cast<std::uint64_t>(ys[i]) && !(std::isnan(xs[i]) && std::isnan(ys[i])))
        throw Failed{"threads", fmt::format("{}, element {}: {} where one thread makes {}", name, i, ys[i], xs[i])};
  }
}

tool::Options options() {
  tool::Options options;
  options.real = Element::f64;
  options.backend = tool::Backend::interp;
  options.max_iterations = 1000;  // a program that is being cut down may lose its `k += 1`
  return options;
}

struct Lowered {
  explicit Lowered(const std::string& text, tool::Options how = options()) : given(std::move(how)), session(given) {
    const FileId file = session.sources.add("random.bp", text);
    std::optional<frontend::Program> program = tool::load_script(session, file);
    if (program) script = tool::lower_script(session, std::move(*program), tool::DataNeed::values);
    require_no_errors();
  }

  void require_no_errors() {
    for (const Diagnostic& diagnostic : session.diagnostics.all())
      if (diagnostic.severity == Severity::error)
        throw Failed{std::string(code_info(diagnostic.code).name), render_human(diagnostic, session.sources, false)};
  }

  void run_passes(ir::Module& module, std::span<const std::string_view> passes) {
    ir::run_passes(module, passes, session.diagnostics, true);
    require_no_errors();
  }
  ir::Module expanded(ir::Module module) {
    static constexpr std::string_view kExpanding[] = {"vectorise", "hoist", "adjoint"};
    run_passes(module, kExpanding);
    return module;
  }
  ir::Module checkpointed(ir::Module module) {
    static constexpr std::string_view kExpanding[] = {"vectorise", "hoist", "checkpoint_all", "adjoint"};
    run_passes(module, kExpanding);
    return module;
  }
  ir::Module optimized(ir::Module module) {
    run_passes(module, ir::optimizing_passes());
    return module;
  }

  std::vector<Tensor> arguments(const ir::Function& main) {
    auto arguments = tool::make_arguments(session, *script, main);
    require_no_errors();
    return *arguments;
  }

  Values run(runtime::Executable& executable, const ir::Function& main) { return run(executable, main, arguments(main)); }
  Values run(runtime::Executable& executable, const ir::Function& main, const std::vector<Tensor>& arguments) {
    auto outputs = tool::execute(session, executable, arguments, tool::run_options(given, {}));
    require_no_errors();
    Values values;
    for (std::size_t i = 0; i < main.outputs.size(); ++i)
      values[(main.outputs[i].kind == ir::Output::Kind::gradient ? "d/d " : "") + main.outputs[i].path] = (*outputs)[i];
    return values;
  }
  Values interpret(const ir::Module& module) {
    const ir::Function& main = module.main;
    return run(*backend::interpret(main), main);
  }
  Values compile(const ir::Module& module, int level) {
    const ir::Function& main = module.main;
    for (const std::string& problem : plan::verify(plan::make_plan(main, {}))) throw Failed{"plan", problem};
    return run(*backend::compile(main, {level}), main);
  }
  // Every step cut into parts, which so many threads share.
  Values compile_in_parts(const ir::Module& module, int level, int threads) {
    const ir::Function& main = module.main;
    for (const std::string& problem : plan::verify(plan::make_plan(main, sharing_target()))) throw Failed{"plan in parts", problem};
    const auto executable = backend::compile_for(main, {level}, sharing_target());
    auto values_of = [&](int threads) {
      const Threads set(threads);
      return run(*executable, main);
    };
    Values alone = values_of(1);
    require_same_bits(alone, values_of(threads));
    return alone;
  }

  tool::Options given;
  tool::Session session;
  std::optional<tool::Script> script;
};

void require_close(const std::string& way, const std::string& name, const Tensor& a, const Tensor& b) {
  if (!same_shape(a.type(), b.type())) throw Failed{way, fmt::format("{}: {} has another shape", way, name)};
  const std::vector<double> xs = test::elements(a), ys = test::elements(b);
  if (const auto i = test::first_difference(xs, ys, kRounding))
    throw Failed{way, fmt::format("{}: {}, element {}: {} where interpreting gives {}", way, name, *i, ys[*i], xs[*i]), name};
}

// What both have.
void require_same(const std::string& way, const Values& a, const Values& b) {
  for (const auto& [name, value] : a)
    if (auto found = b.find(name); found != b.end()) require_close(way, name, value, found->second);
}

void require_finite(const Values& values) {
  for (const auto& [name, value] : values)
    for (std::int64_t i = 0; i < value.count(); ++i)
      if (!std::isfinite(value.real_at(i))) throw Failed{"not finite", fmt::format("{} is {}", name, value.real_at(i))};
}

// A program that is being cut down may have lost it.
const Tensor& named(const Values& values, const std::string& name) {
  auto found = values.find(name);
  if (found == values.end()) throw Failed{"incomplete", "there is no " + name};
  return found->second;
}

struct Product {
  double value = 0, size = 0;
};
Product inner(const Tensor& a, const Tensor& b) {
  Product product;
  for (std::int64_t i = 0; i < a.count(); ++i) {
    product.value += a.real_at(i) * b.real_at(i);
    product.size += std::abs(a.real_at(i) * b.real_at(i));
  }
  return product;
}

void check_identities(const Values& values) {
  for (int k = 0; values.contains(fmt::format("forward{}", k)); ++k) {
    Product forward = inner(named(values, "cotangent"), values.at(fmt::format("forward{}", k)));
    Product backward = inner(named(values, fmt::format("direction{}", k)), named(values, fmt::format("backward{}", k)));
    if (!(std::abs(forward.value - backward.value) <= kRounding * (1 + forward.size + backward.size)))
      throw Failed{"jvp and vjp",
                   fmt::format("<cotangent, forward{0}> = {1}, but <direction{0}, backward{0}> = {2}", k, forward.value, backward.value)};
  }
  if (auto residual = values.find("residual"); residual != values.end() && !(std::abs(residual->second.real_at(0)) <= 1e-18))
    throw Failed{"residual", fmt::format("residual = {}, which must be 0", residual->second.real_at(0))};
}

std::string frozen(ir::ValueId id) {
  return fmt::format("frozen {}", id.index);
}
bool is_frozen(const ir::Function& main, const ir::Op& op) {
  return op.code == ir::Opcode::stop_grad && op.block == main.body();
}

// The values that stop_grad cuts off, as outputs: differences hold them.
void show_frozen(ir::Function& main) {
  for (ir::OpId id : main.block(main.body()).ops)
    if (is_frozen(main, main.op(id)))
      main.outputs.push_back({ir::Output::Kind::value, frozen(main.op(id).results[0]), main.op(id).results[0]});
}

// J alone, with a parameter for each value that stop_grad cuts off.
ir::Function loss_alone(const ir::Function& main) {
  ir::Function from = main;
  std::erase_if(from.outputs, [](const ir::Output& output) { return output.kind != ir::Output::Kind::value || output.path != "J"; });
  ir::Rewriter rewriter(from);
  return rewriter.finish([&](const ir::Op& op) {
    if (ir::is_of_loss(op)) return true;
    if (!is_frozen(from, op)) return false;
    ir::ValueId parameter =
        rewriter.builder().function().add_parameter(ir::Parameter::Kind::param, frozen(op.results[0]), from.type(op.results[0]));
    rewriter.set(op.results[0], parameter);
    return true;
  });
}

void check_differences(Lowered& lowered, const Values& values, const ir::Module& written, Verdict& verdict) {
  ir::Module alone{written.files, written.real, written.seed, loss_alone(written.main)};
  const ir::Function raw = alone.main;
  alone = lowered.optimized(std::move(alone));
  const ir::Function& loss = alone.main;
  const ir::Function& main = lowered.script->module.main;
  Values known;
  const std::vector<Tensor> given = lowered.arguments(main);
  for (std::size_t i = 0; i < given.size(); ++i) known[main.parameters[i].path] = given[i];
  std::vector<Tensor> arguments;
  for (const ir::Parameter& parameter : loss.parameters)
    arguments.push_back(known.contains(parameter.path) ? known.at(parameter.path) : values.at(parameter.path));

  auto executable = backend::interpret(loss);
  auto evaluate = [&](runtime::Executable& executable) {
    auto outputs = tool::execute(lowered.session, executable, arguments, tool::run_options(lowered.given, {}));
    lowered.require_no_errors();
    return outputs->at(0);
  };
  require_close("the loss alone", "J", values.at("J"), evaluate(*executable));
  if (!ir::holds_grad(raw)) require_close("comprehensions as they are written", "J", values.at("J"), evaluate(*backend::interpret(raw)));

  for (std::size_t position = 0; position < loss.parameters.size(); ++position) {
    auto gradient = values.find("d/d " + loss.parameters[position].path);
    if (gradient == values.end()) continue;
    for (std::int64_t element = 0; element < gradient->second.count(); ++element) {
      const Tensor original = arguments[position];
      auto numeric = tool::differentiate(
          [&](double x) -> std::optional<double> {
            arguments[position].set_real(element, x);
            return evaluate(*executable).real_at(0);
          },
          original.real_at(element));
      arguments[position] = original;
      const double analytic = gradient->second.real_at(element);
      const double scale = std::max({1.0, std::abs(analytic), std::abs(numeric->value)});
      ++verdict.compared;
      if (numeric->kink || scale > kSteep || !(numeric->error <= kDifference / 10 * scale))
        ++verdict.skipped;
      else if (!(std::abs(analytic - numeric->value) <= kDifference * scale))
        throw Failed{"differences", fmt::format("dJ/d{}, element {}: {}, but central differences give {}", loss.parameters[position].path,
                                                element, analytic, numeric->value)};
    }
  }
}

void check_text(const ir::Module& module) {
  const std::string text = ir::print(module);
  SourceMap sources;
  Diagnostics diagnostics;
  std::optional<ir::Module> again = ir::read(sources, sources.add("random.ir", text), diagnostics);
  if (!again) throw Failed{"IR text", fmt::format("{}", diagnostics.all()[0].message)};
  if (ir::print(*again) != text) throw Failed{"IR text", "the IR's text reads back to another module"};
}

// The gradient's script binds dJ_d<path> for the gradient of a param.
void check_script(const ir::Module& expanded, const Values& values) {
  const std::string text = frontend::write_script(expanded);
  try {
    Lowered own(text);
    Values found = own.interpret(own.optimized(own.script->module));
    for (const auto& [name, value] : values) {
      if (!name.starts_with("d/d ")) continue;
      std::string own_name = "dJ_d" + name.substr(4);
      std::replace(own_name.begin(), own_name.end(), '.', '_');
      if (!found.contains(own_name)) throw Failed{"its gradient script", own_name + " is missing"};
      require_close("its gradient script", name, value, found.at(own_name));
    }
    require_same("its gradient script", values, found);
  } catch (const Failed& failed) {
    throw Failed{"its gradient script: " + failed.kind, failed.what + "\n" + text, failed.output};
  }
}

// J, with its gradient or with derivatives along directions.
ir::Module derivatives_of(ir::Module module, bool directions) {
  std::erase_if(module.main.outputs, [&](const ir::Output& output) {
    if (output.kind == ir::Output::Kind::gradient) return directions;
    return output.path != "J" && !(directions && (output.path.starts_with("forward") || output.path.starts_with("backward")));
  });
  return module;
}

// What the twin says in another way. Its gradient, by more than the script's, is the one that differences judge.
void check_twin(const std::string& text, const Values& values, Verdict& verdict) {
  try {
    Lowered twin(text);
    ir::Module written = twin.script->module;
    show_frozen(written.main);
    const Values found = twin.interpret(twin.expanded(written));
    Values shared = values;
    std::erase_if(shared, [](const auto& value) { return value.first.starts_with("frozen"); });  // which are named by their places
    require_same("its twin", shared, found);
    check_identities(found);
    check_differences(twin, found, written, verdict);
  } catch (const Failed& failed) {
    throw Failed{"its twin: " + failed.kind, failed.what + "\n" + text, failed.output};
  }
}

void check_mistaken(const std::string& text) {
  std::string found = "no error";
  try {
    Lowered lowered(text);
    lowered.expanded(lowered.script->module);
  } catch (const Failed& failed) {
    if (failed.kind.starts_with("E03")) return;
    found = failed.kind;
  }
  throw Failed{"mistaken: " + found, "a derivative through earlier turns of a loop is " + found + "\n" + text};
}

// What derivatives of y cost, in a loop of many turns: at most so many times what y does.
void check_cost(const std::string& text) {
  tool::Options many = options();
  many.sets.push_back("L=300");
  Lowered lowered(text, many);
  auto work = [&](auto wanted) {
    ir::Module module = lowered.script->module;
    module.main = ir::part(module.main, wanted);
    tool::Subject subject{lowered.optimized(lowered.expanded(std::move(module))), {}};
    subject.arguments = lowered.arguments(subject.main());
    auto measured = tool::measure_work(lowered.session, subject);
    lowered.require_no_errors();
    return static_cast<double>(measured->operations.total());
  };
  using Kind = ir::Output::Kind;
  const double value =
      work([](const ir::Output& output) { return output.kind == Kind::value && (output.path == "J" || output.path == "y"); });
  const double forward = work([](const ir::Output& output) { return output.kind == Kind::value && output.path == "forward0"; });
  const double backward = work([](const ir::Output& output) { return output.kind == Kind::value && output.path == "backward0"; });
  if (forward > kForwardCost * value)
    throw Failed{"cost of jvp", fmt::format("jvp does {} operations, where the value does {}", forward, value)};
  if (backward > kBackwardCost * value)
    throw Failed{"cost of vjp", fmt::format("vjp does {} operations, where the value does {}", backward, value)};
}

// Each number a little to one side or the other, by `shift(value, 1 or -1)`.
template <class Shift>
Tensor shifted(const Tensor& tensor, std::uint64_t& bits, Shift shift) {
  Tensor result(tensor.type());
  for (std::int64_t i = 0; i < tensor.count(); ++i) {
    bits = bits * 6364136223846793005u + 1442695040888963407u;  // Knuth's
    result.set_real(i, shift(tensor.real_at(i), bits >> 63 ? 1.0 : -1.0));
  }
  return result;
}

// Whether rounding alone decides what the output is. The twin is given numbers that the script holds as constants, and may lack an output.
bool is_unsteady(const Program& program, Side side, const std::string& output) {
  Lowered lowered(program.text(side));
  ir::Module written = lowered.script->module;
  show_frozen(written.main);
  const ir::Module module = lowered.expanded(std::move(written));
  const auto executable = backend::interpret(module.main);
  const Values before = lowered.run(*executable, module.main);
  if (!before.contains(output)) return false;
  std::uint64_t bits = 1;
  for (int trial = 0; trial < 4; ++trial) {
    std::vector<Tensor> arguments = lowered.arguments(module.main);
    for (Tensor& argument : arguments)
      if (is_real(argument.type().element))
        argument = shifted(argument, bits, [](double value, double sign) { return value * (1 + sign * kUlps); });
    const Values after = lowered.run(*executable, module.main, arguments);
    if (test::first_difference(test::elements(before.at(output)), test::elements(after.at(output)), kRounding)) return true;
  }
  return false;
}

// Whether the derivatives that differences do not confirm are those at a point where pieces meet, which differences cannot always see: the
// smaller of two squares of what is 0 has no second derivative. A little aside of it they must be confirmed.
bool is_on_an_edge(const Program& program, Side side) {
  Lowered here(program.text(side));
  tool::Options aside = options();
  const ir::Function& main = here.script->module.main;
  const std::vector<Tensor> given = here.arguments(main);
  std::uint64_t bits = 1;
  for (std::size_t i = 0; i < given.size(); ++i) {
    if (!is_real(given[i].type().element)) continue;
    const Tensor moved = shifted(given[i], bits, [](double value, double sign) { return value + sign * kMoved; });
    aside.sets.push_back(fmt::format("{}={}", main.parameters[i].path, runtime::json_text(moved)));
  }
  try {
    Lowered lowered(program.text(side), aside);
    ir::Module written = lowered.script->module;
    show_frozen(written.main);
    Verdict verdict;
    check_differences(lowered, lowered.interpret(lowered.expanded(written)), written, verdict);
    return verdict.skipped < verdict.compared;
  } catch (const Failed&) {
    return false;
  }
}

void check_all(const Program& program, Ways ways, Verdict& verdict) {
  const std::string text = program.text();
  Lowered lowered(text);
  ir::Module written = lowered.script->module;
  show_frozen(written.main);
  const ir::Module expanded = lowered.expanded(written), optimized = lowered.optimized(expanded);
  const Values values = lowered.interpret(expanded);
  named(values, "J");
  require_finite(values);
  check_identities(values);
  require_same("optimised", values, lowered.interpret(optimized));
  require_same("with checkpoints", values, lowered.interpret(lowered.checkpointed(written)));
  check_twin(program.text(Side::twin), values, verdict);
  if (!program.mistake.empty()) check_mistaken(program.text(Side::mistaken));
  if (text.find("dim L") != std::string::npos) check_cost(text);
  if (ways.compiled) {
    const ir::Module some = derivatives_of(written, ways.directions);
    require_same("compiled at -O0", values, lowered.compile(lowered.expanded(some), 0));
    require_same("compiled at -O3", values, lowered.compile_in_parts(lowered.optimized(lowered.checkpointed(some)), 3, ways.threads));
  }
  if (ways.scripts) {
    check_text(optimized);
    check_script(lowered.expanded(lowered.script->module), values);
  }
}

}  // namespace

Verdict check(const Program& program, Ways ways) {
  Verdict verdict;
  try {
    try {
      check_all(program, ways, verdict);
    } catch (const Failed& failed) {
      if (failed.kind.ends_with("differences") && is_on_an_edge(program, failed.kind == "differences" ? Side::script : Side::twin)) {
        ++verdict.skipped;
        return verdict;
      }
      verdict.is_unsteady =
          !failed.output.empty() && (is_unsteady(program, Side::script, failed.output) || is_unsteady(program, Side::twin, failed.output));
      if (!verdict.is_unsteady) throw;
    }
  } catch (const Failed& failed) {
    verdict.failure = failed.what;
    verdict.kind = failed.kind;
  } catch (const InternalError& error) {
    verdict.kind = fmt::format("internal error in {}", error.stage());
    verdict.failure = fmt::format("{}: {}", verdict.kind, error.what());
  } catch (const std::exception& error) {  // of the standard library: a bug, too
    verdict.kind = "exception";
    verdict.failure = error.what();
  }
  return verdict;
}

}  // namespace bpc::test
