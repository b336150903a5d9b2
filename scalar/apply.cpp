#include "scalar/apply.h"

#include "scalar/dispatch.h"
#include "support/element.h"

namespace bpc::scalar {

namespace {

template <class T>
T as(const Value& value) {
  return std::visit([](auto number) { return cast<T>(number); }, value);
}

template <class T>
Value value_of(T number) {
  if constexpr (Real<T>)
    return static_cast<double>(number);
  else
    return static_cast<std::int64_t>(number);
}

}  // namespace

std::string_view operator_name(Operator op) {
  static constexpr std::string_view kNames[] = {
#define BPC_SCALAR(id, ...) #id,
#include "scalar/operators.def"
  };
  return kNames[static_cast<std::size_t>(op)];
}

Source source_of(Operator op) {
  static constexpr Source kSources[] = {
#define BPC_SCALAR(id, spelling, operands, rule, domain, derivative, traits, code, ...) Source::code,
#include "scalar/operators.def"
  };
  return kSources[static_cast<std::size_t>(op)];
}

std::optional<Value> apply(Operator op, Element element, std::span<const Value> operands) {
  return with_element(element, [&]<class T>(T) -> std::optional<Value> {
    if (op == Operator::cast) return value_of(as<T>(operands[0]));
    const bool divides = op == Operator::floordiv || op == Operator::mod;
    if (divides && Integer<T> && as<T>(operands[1]) == 0) return std::nullopt;
    return with_function(op, [&]<class F>(F f) -> std::optional<Value> {
      if constexpr (std::invocable<F, T>)
        return value_of(f(as<T>(operands[0])));
      else if constexpr (std::invocable<F, T, T>)
        return value_of(f(as<T>(operands[0]), as<T>(operands[1])));
      else if constexpr (std::invocable<F, bool, T, T>)
        return value_of(f(as<bool>(operands[0]), as<T>(operands[1]), as<T>(operands[2])));
      else
        return std::nullopt;
    });
  });
}

}  // namespace bpc::scalar
