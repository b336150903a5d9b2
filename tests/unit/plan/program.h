// Small programs, and what their plans hold.
#pragma once

#include <catch2/catch.hpp>
#include <string>

#include "backend/plan/operands.h"
#include "tests/unit/ir/program.h"
#include "tests/unit/ir/text.h"

namespace bpc::test {

using plan::Plan;

inline Type reals(std::vector<std::int64_t> sizes) {
  return shaped(Element::f64, std::move(sizes));
}

inline std::vector<const plan::Kernel*> kernels(const plan::Steps& steps) {
  std::vector<const plan::Kernel*> result;
  for (const plan::Step& step : steps)
    if (const auto* kernel = std::get_if<plan::Kernel>(&step.what)) result.push_back(kernel);
  return result;
}

// The function main of a module, given the lines between its brackets, with numbers %n0, %n1 and %n100.
inline Function read(const std::string& body) {
  return read_main("  %n0 = constant {value = 0} : i32\n  %n1 = constant {value = 1} : i32\n  %n100 = constant {value = 100} : i32\n" +
                   body);
}

template <class T>
int count_of(const plan::Steps& steps) {
  int count = 0;
  plan::for_each_step(steps, [&](const plan::Step& step) { count += std::holds_alternative<T>(step.what); });
  return count;
}

template <class T>
const T* only(const plan::Steps& steps) {
  const T* found = nullptr;
  for (const plan::Step& step : steps)
    if (const auto* what = std::get_if<T>(&step.what)) {
      REQUIRE(found == nullptr);
      found = what;
    }
  return found;
}

}  // namespace bpc::test
