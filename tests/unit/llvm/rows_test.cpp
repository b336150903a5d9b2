// Kernels that run some rows at a time give what they give one after the other.
#include <catch2/catch.hpp>

#include "tests/unit/llvm/harness.h"

namespace bpc::test {

namespace {

// Of each row of x: its sum, the rest of it, the length of that, and all of these again; with sums along the rows, and over all.
Function function_of_rows(Element element, std::int64_t rows, std::int64_t width, bool is_stored) {
  Function function;
  Builder builder(function);
  const ValueId x = parameter(function, shaped(element, {rows, width}));
  const ValueId scale = parameter(function, shaped(element, {width}));
  const ValueId sum = builder.reduce(Opcode::reduce_sum, x, {1}, true);
  const ValueId rest = builder.emit(Opcode::abs, {builder.emit(Opcode::sub, {x, sum})});
  const ValueId most = builder.reduce(Opcode::reduce_max, rest, {1}, true);
  const ValueId part = builder.emit(Opcode::mul, {builder.emit(Opcode::sub, {rest, most}), scale});
  const ValueId squares = builder.reduce(Opcode::reduce_sum, builder.emit(Opcode::mul, {part, part}), {1}, true);
  const ValueId y = builder.emit(Opcode::div, {part, squares});
  if (is_stored) output(function, y);
  output(function, builder.reduce(Opcode::reduce_sum, builder.emit(Opcode::mul, {y, rest}), {0, 1}, false));
  output(function, builder.reduce(Opcode::reduce_sum, builder.emit(Opcode::mul, {y, x}), {0}, false));
  output(function, builder.reduce(Opcode::reduce_max, y, {0, 1}, false));
  return function;
}

}  // namespace

TEST_CASE("rows are what they are alone: a row, some, and what is left at the end") {
  const struct {
    std::int64_t rows, width;
  } cases[] = {{64, 1024}, {37, 2000}, {1000, 67}, {1009, 33}, {30011, 3}, {16384, 4}, {2, 30000}};
  for (const auto& [rows, width] : cases)
    for (Element element : {Element::f32, Element::f64})
      for (bool is_stored : {true, false}) {
        CAPTURE(rows, width, element, is_stored);
        const Function function = function_of_rows(element, rows, width, is_stored);
        CHECK(plan::print(plan::make_plan(function, {})).find("at a time") != std::string::npos);
        agree(function);
      }
}

}  // namespace bpc::test
