// The arguments of operators, walked by their table.
#include "frontend/write_script.h"
#include "tests/unit/frontend/lowered.h"

using namespace bpc;
using frontend::Lowered;

namespace {

// The attributes of the one op of that code.
ir::Attributes attributes(const Lowered& lowered, ir::Opcode code) {
  const ir::Function& main = lowered.module->main;
  for (std::uint32_t i = 0; i < main.op_count(); ++i)
    if (const ir::Op& op = main.op(ir::OpId{i}); op.code == code) return op.attrs;
  return {};
}

bool is_flag(const ir::Formal& formal) {
  return formal.attr && (formal.written == ir::Written::flag || formal.written == ir::Written::opposite);
}

// The example of a row with one more argument.
std::string with_argument(std::string call, const std::string& argument) {
  return call.insert(call.rfind(')'), ", " + argument);
}

}  // namespace

TEST_CASE("every flag of every function is taken from the call and written back") {
  for (const ir::OpInfo& op : ir::all_ops())
    for (const ir::Formal& formal : op.signature) {
      if (!is_flag(formal)) continue;
      const std::string call =
          with_argument(std::string(op.example), fmt::format("{}={}", formal.word, formal.written == ir::Written::flag));
      if (op.code == ir::Opcode::argmax) continue;  // its example is made flat; that of argmin is not
      INFO(call);
      const Lowered first("y = " + call);
      REQUIRE(first.module);
      CHECK(attributes(first, op.code).flag(*formal.attr));
      const Lowered again(frontend::write_script(*first.module));
      REQUIRE(again.module);
      CHECK(attributes(again, op.code) == attributes(first, op.code));
    }
}

TEST_CASE("numbers and axes among the arguments are taken from the call and written back") {
  struct Row {
    const char* call;
    ir::Opcode code;
    ir::Attributes attrs;
  };
  using ir::Attr;
  using Ints = std::vector<std::int64_t>;
  auto n = [](std::int64_t value) { return value; };
  const Row rows[] = {
      {"window(x, -1, 2, dilation=2)",
       ir::Opcode::window,
       {{Attr::axis, n(2)}, {Attr::size, n(2)}, {Attr::stride, n(1)}, {Attr::dilation, n(2)}}},
      {"window(x, dilation=1, size=1, axis=0, stride=3)",
       ir::Opcode::window,
       {{Attr::axis, n(0)}, {Attr::size, n(1)}, {Attr::stride, n(3)}, {Attr::dilation, n(1)}}},
      {"window_add(x, -1, 6, 1, 1)",
       ir::Opcode::window_add,
       {{Attr::axis, n(1)}, {Attr::length, n(6)}, {Attr::stride, n(1)}, {Attr::dilation, n(1)}}},
      {"sum(x, [2, -3], keep=true)", ir::Opcode::reduce_sum, {{Attr::axes, Ints{0, 2}}, {Attr::keep, true}}},
      {"min(x, axis=none)", ir::Opcode::reduce_min, {{Attr::axes, Ints{0, 1, 2}}, {Attr::keep, false}}},
      {"argmax(x, [1])", ir::Opcode::argmax, {{Attr::axes, Ints{1}}, {Attr::keep, false}}},
      {"argmax(x, keep=true)", ir::Opcode::argmax, {{Attr::axes, Ints{0}}, {Attr::keep, false}}},
      {"cumsum(x, axis=-2)", ir::Opcode::cumsum, {{Attr::axis, n(1)}, {Attr::reverse, false}}},
      {"cumsum(x)", ir::Opcode::cumsum, {{Attr::axis, n(0)}, {Attr::reverse, false}}},
      {"argsort(x)", ir::Opcode::argsort, {{Attr::axis, n(2)}, {Attr::descending, false}}},
      {"polygamma(n=2, x=x)", ir::Opcode::polygamma, {{Attr::order, n(2)}}},
  };
  for (const Row& row : rows) {
    INFO(row.call);
    const Lowered first(fmt::format("input x : [2, 3, 4]\ny = {}", row.call));
    REQUIRE(first.module);
    CHECK(attributes(first, row.code) == row.attrs);
    const Lowered again(frontend::write_script(*first.module));
    REQUIRE(again.module);
    CHECK(attributes(again, row.code) == row.attrs);
  }
}

TEST_CASE("arguments that no attribute can be made of are reported where they stand") {
  CHECK(Lowered("y = sum([1, 2], keep=1)").problems() == "1:22 E0205 `keep` must be `true` or `false`\n");
  CHECK(Lowered("y = argmax([[1, 2], [3, 4]], axis=[0, 1])").problems() == "1:35 E0204 `argmax` takes one axis\n");
  CHECK(Lowered("y = polygamma(-1, 2)").problems() == "1:15 E0210 the order is at least 0, and this is -1\n");
  CHECK(Lowered("y = window([1, 2], 0, 0)").problems() == "1:23 E0210 the size of a window is at least 1, and this is 0\n");
  CHECK(Lowered("y = window([1, 2], 0, 1, dilation=-1)").problems() == "1:35 E0210 the dilation is at least 1, and this is -1\n");
  CHECK(Lowered("y = window_add([[1]], 0, 0)").problems() == "1:26 E0210 the length of windows put back is at least 1, and this is 0\n");
  CHECK(Lowered("y = argsort(5)").problems() == "1:5 E0204 `5` is a scalar and has no axes\n");
  CHECK(Lowered("y = window_add(3, 0, 1)").problems() ==
        "1:5 E0204 `window_add` takes windows, whose last axis is what is in one, and 3 is none\n");
  CHECK(Lowered("y = window([1, 2], size=1)").problems() == "1:5 E0105 `window` needs its argument `axis`\n");
  CHECK(Lowered("y = sum(axis=0, [1, 2])").problems() == "1:17 E0105 an argument without a name stands after a named one\n");
  CHECK(Lowered("y = softmax(axis=0, [1, 2])").problems() == "1:21 E0105 an argument without a name stands after a named one\n");
  CHECK(Lowered("y = grad(1)").problems() == "1:5 E0105 `grad` takes a scalar and what to differentiate it by\n");
  CHECK(Lowered("y = normal()").problems() == "1:5 E0105 `normal` needs its arguments `mean`, `std`\n");
  CHECK(Lowered("y = triangular_solve([[1]], [1], upper=true)").problems() == "1:34 E0105 `triangular_solve` has no parameter `upper`\n");
}
