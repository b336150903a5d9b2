#include "tools/bpc/nan_check.h"

#include "backend/failure/site.h"
#include "backend/interpreter/interpreter.h"
#include "runtime/number_text.h"

namespace bpc::tool {

namespace {

using runtime::Tensor;

// Thrown through the interpreter to stop it: nothing after the first NaN matters.
struct Found {
  Diagnostic diagnostic;
};

std::optional<std::int64_t> first_not_finite(const Tensor& tensor) {
  if (!is_real(tensor.type().element)) return std::nullopt;
  for (std::int64_t i = 0; i < tensor.count(); ++i)
    if (!std::isfinite(tensor.real_at(i))) return i;
  return std::nullopt;
}

std::vector<std::int64_t> index_of(const Type& type, std::int64_t flat) {
  std::vector<std::int64_t> index(type.rank());
  for (std::size_t axis = type.rank(); axis-- > 0; flat /= type.size(axis)) index[axis] = flat % type.size(axis);
  return index;
}

// The element of an operand that element `index` of an elementwise result came from.
std::int64_t source_of(const Type& operand, const std::vector<std::int64_t>& index) {
  std::int64_t flat = 0;
  for (std::size_t axis = 0; axis < operand.rank(); ++axis) {
    std::int64_t at = index[index.size() - operand.rank() + axis];
    flat = flat * operand.size(axis) + (operand.size(axis) == 1 ? 0 : at);
  }
  return flat;
}

std::string at_text(const Type& type, std::int64_t flat) {
  return type.is_scalar() ? "" : fmt::format(" at [{}]", fmt::join(index_of(type, flat), ", "));
}

class NanChecker : public runtime::TensorExecutable {
 public:
  NanChecker(const ir::Function& function, const SourceMap& sources)
      : TensorExecutable(backend::signature_of(function)),
        function_(function),
        sources_(sources),
        inner_(backend::interpret(function, [this](auto&&... seen) { check(seen...); })) {}

  runtime::RunResult run(std::span<const Tensor> arguments, const runtime::RunOptions& options) override {
    for (std::size_t i = 0; i < arguments.size(); ++i)
      if (auto at = first_not_finite(arguments[i]))
        return failure({Severity::error,
                        Code::E0404,
                        {},
                        fmt::format("the value given for `{}` holds {}{}", signature().inputs[i].name,
                                    runtime::element_text(arguments[i], *at), at_text(arguments[i].type(), *at)),
                        {},
                        {},
                        {}});
    try {
      return inner_->run(arguments, options);
    } catch (Found& found) {
      return failure(std::move(found.diagnostic));
    }
  }

 private:
  static runtime::RunResult failure(Diagnostic diagnostic) { return {{}, runtime::Failure{false, std::move(diagnostic)}}; }

  // The author's text of a value; empty for a number and for what the compiler made.
  std::string text_of(ir::ValueId id) const {
    const ir::Value& value = function_.value(id);
    if (!value.name.empty()) return value.name;
    const ir::Op* def = function_.def(id);
    if (!def || def->code == ir::Opcode::constant || !function_.origin(def->origin).rule.empty()) return {};
    std::string text = sources_.text(function_.origin(def->origin).span);
    return text.find('\n') == std::string::npos ? text : "";
  }

  void check(const ir::Op& op, std::span<const Tensor* const> operands, std::span<const Tensor> results) const {
    ir::Group group = ir::op_info(op.code).group;
    if (group == ir::Group::source || group == ir::Group::control) return;
    for (const Tensor& result : results) {
      std::optional<std::int64_t> at = first_not_finite(result);
      if (!at) continue;
      if (std::any_of(operands.begin(), operands.end(), [](const Tensor* operand) { return first_not_finite(*operand).has_value(); }))
        return;
      throw Found{describe(op, operands, result, *at)};
    }
  }

  Diagnostic describe(const ir::Op& op, std::span<const Tensor* const> operands, const Tensor& result, std::int64_t at) const {
    const ir::Origin& origin = function_.origin(op.origin);
    std::string text = sources_.text(origin.span);
    if (text.empty() || text.find('\n') != std::string::npos) text = ir::op_info(op.code).name;
    std::string what = origin.rule.empty() ? fmt::format("`{}`", text) : fmt::format("the derivative of `{}`", text);
    Diagnostic diagnostic{Severity::error,
                          Code::E0404,
                          origin.span,
                          fmt::format("{} is {}{}", what, runtime::element_text(result, at), at_text(result.type(), at)),
                          {},
                          {},
                          {}};
    bool elementwise = ir::op_info(op.code).group == ir::Group::elementwise;
    std::vector<std::int64_t> index = index_of(result.type(), at);
    for (std::size_t i = 0; i < operands.size(); ++i) {
      const Tensor& operand = *operands[i];
      std::string value =
          elementwise ? runtime::element_text(operand, source_of(operand.type(), index)) : runtime::tensor_text(operand, false);
      if (std::string name = text_of(op.operands[i]); !name.empty()) diagnostic.note(fmt::format("{} = {}", name, value));
    }
    for (const Span& call : origin.calls) diagnostic.label(call, "called from here");
    return diagnostic;
  }

  const ir::Function& function_;
  const SourceMap& sources_;
  std::unique_ptr<runtime::Executable> inner_;
};

}  // namespace

std::unique_ptr<runtime::Executable> interpret_checking_nan(const ir::Function& function, const SourceMap& sources) {
  return std::make_unique<NanChecker>(function, sources);
}

}  // namespace bpc::tool
