#include "tools/bpc/train/advice.h"

#include <algorithm>
#include <cmath>

#include "backend/interpreter/count.h"
#include "backend/interpreter/interpreter.h"

namespace bpc::tool {

namespace {

using ir::Opcode;
using runtime::Tensor;

constexpr std::int64_t kMostRows = 256;
constexpr std::uint64_t kMostWork = 200'000'000;  // scalar operations, a second or so
constexpr double kDead = 0.5, kSaturated = 0.9, kApart = 1e4;
constexpr double kNearEnd = 0.005;  // of the range from the one end to the other

class Advisor {
 public:
  Advisor(Session& session, const Probe& probe)
      : session_(session), main_(probe.module.main), rows_(probe.rows), arguments_(probe.arguments) {}

  void run() {
    std::uint64_t work = 0;
    for (std::uint32_t op = 0; op < main_.op_count(); ++op) work += backend::operations_of(main_, {op}, 1).total();
    if (work > kMostWork) return;
    const auto observe = [&](const ir::Op& op, std::span<const Tensor* const>, std::span<const Tensor> results) { look_at(op, results); };
    const auto outputs = backend::interpret(main_, observe)->run(arguments_, run_options(session_.options, {}));
    if (outputs.failure) return;  // the training would have said so
    look_at_gradients(outputs.outputs);
  }

 private:
  void warn(Code code, Span span, const std::string& message, const std::string& help) {
    for (const Diagnostic& known : session_.diagnostics.all())
      if (known.code == code && known.span == span) return;
    session_.diagnostics.warning(code, span, message).with_help(help);
  }

  std::string rows_text() const { return rows_ > 0 ? fmt::format("for all of {} rows", rows_) : "for all the data"; }

  Span place_of(const ir::Op& op) const {
    const ir::Origin& origin = main_.origin(op.origin);
    return session_.sources.authors_place(origin.span, origin.calls);
  }

  void look_at(const ir::Op& op, std::span<const Tensor> results) {
    if (!main_.origin(op.origin).rule.empty() || results.empty() || results[0].type().rank() < 2) return;
    const Tensor& result = results[0];
    if (op.code == Opcode::relu) look_at_units(op, result);
    if (op.code == Opcode::tanh) look_at_ends(op, result, "tanh", -1, 1);
    if (op.code == Opcode::sigmoid) look_at_ends(op, result, "sigmoid", 0, 1);
  }

  // A unit is an entry of the second axis: a neuron, a channel.
  void look_at_units(const ir::Op& op, const Tensor& result) {
    const Type& type = result.type();
    const std::int64_t units = type.size(1), below = type.count() / std::max<std::int64_t>(1, type.size(0) * units);
    std::vector<bool> answers(static_cast<std::size_t>(units), false);
    for (std::int64_t i = 0; i < type.count(); ++i)
      if (result.real_at(i) != 0) answers[static_cast<std::size_t>(i / below % units)] = true;
    const auto dead = std::ranges::count(answers, false);
    if (static_cast<double>(dead) < kDead * static_cast<double>(units) || units == 0) return;
    warn(Code::W0402, place_of(op),
         fmt::format("{} of the {} units of this `relu` are 0 {}, so that nothing reaches their weights", dead, units, rows_text()),
         "a smaller rate `lr`, or `leaky_relu` in place of `relu`, keeps units alive");
  }

  void look_at_ends(const ir::Op& op, const Tensor& result, const char* name, double low, double high) {
    std::int64_t ends = 0;
    const double margin = kNearEnd * (high - low);
    for (std::int64_t i = 0; i < result.count(); ++i) ends += result.real_at(i) < low + margin || result.real_at(i) > high - margin;
    if (result.count() == 0 || static_cast<double>(ends) < kSaturated * static_cast<double>(result.count())) return;
    warn(Code::W0402, place_of(op),
         fmt::format("{:.0f} % of the values of this `{}` are at its ends, where it is flat, so that little reaches what is before it",
                     100.0 * static_cast<double>(ends) / static_cast<double>(result.count()), name),
         "smaller initial weights, or `standardise` for its inputs, keep it in its steep part");
  }

  void look_at_gradients(const std::vector<Tensor>& outputs) {
    struct Size {
      std::string path;
      Span span;
      double size;  // the root of the mean square
    };
    std::vector<Size> weights;
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      if (main_.outputs[i].kind != ir::Output::Kind::gradient || outputs[i].count() == 0) continue;
      const std::string& path = main_.outputs[i].path;
      double squares = 0;
      for (std::int64_t k = 0; k < outputs[i].count(); ++k) squares += outputs[i].real_at(k) * outputs[i].real_at(k);
      const auto parameter = std::ranges::find(main_.parameters, path, &ir::Parameter::path);
      const Span span = parameter == main_.parameters.end() ? Span{} : main_.origin(parameter->origin).span;
      const Size size{path, span, std::sqrt(squares / static_cast<double>(outputs[i].count()))};
      if (size.size == 0)
        warn(Code::W0401, span, fmt::format("the gradient of `{}` is zero {}: it does not learn", path, rows_text()),
             "look at what stands between it and the loss: a `relu` that is always 0, a `where`, a mask, a rounding");
      else if (outputs[i].type().rank() >= 2 && std::isfinite(size.size))
        weights.push_back(size);
    }
    if (weights.size() < 2) return;
    const auto [least, most] = std::ranges::minmax_element(weights, {}, &Size::size);
    if (most->size < kApart * least->size) return;
    warn(Code::W0403, least->span,
         fmt::format("the gradients of `{}` are {:.1e} in size, those of `{}` {:.1e}: one rate does not suit both", least->path,
                     least->size, most->path, most->size),
         "`layer_norm` between layers, or a path around them as in `x + f(x)`, keeps gradients of one size; `adam` divides by it");
  }

  Session& session_;
  const ir::Function& main_;
  std::int64_t rows_;
  const std::vector<Tensor>& arguments_;
};

}  // namespace

void advise(Session& session, const Trainer& trainer) {
  if (session.options.quiet) return;
  if (const std::optional<Probe> probe = trainer.probe(kMostRows)) Advisor(session, *probe).run();
}

}  // namespace bpc::tool
