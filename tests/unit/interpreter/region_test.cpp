// map, checkpoint, custom; and what the regions of those and of branches may change in place.
#include "tests/unit/interpreter/harness.h"

using namespace bpc;
using namespace bpc::test;

namespace {

constexpr std::size_t kVector = 20000 * sizeof(double);

// IR text with the attributes of one element of a vector for the words AT and ADD_AT.
Function read_with_indices(std::string body) {
  const auto put = [&](std::string_view word, std::string_view attrs) {
    for (std::size_t at; (at = body.find(word)) != std::string::npos;) body.replace(at, word.size(), attrs);
  };
  put("ADD_AT", "{starts = [0], sizes = [1], steps = [1], dynamic = [0], drop = [0], add = true}");
  put("AT", "{starts = [0], sizes = [1], steps = [1], dynamic = [0], drop = [0]}");
  return read_main(body);
}

// A loop over the elements of x that carries acc; `body` makes %next.
Function loop(const std::string& body) {
  return read_with_indices(fmt::format(R"(  %zero = constant {{value = 0}} : i32
  %one = constant {{value = 1}} : i32
  %three = constant {{value = 3}} : i32
  %n = constant {{value = 20000}} : i32
  %v = constant {{value = 1.0}} : f64
  %x = constant {{value = 2.0}} : f64[20000]
  %start = constant {{value = 0.0}} : f64[20000]
  %end = for_loop %zero, %n, %one, %start : f64[20000] (%i : i32, %acc : f64[20000]) {{
    %rest = mod %i, %three : i32
    %c = eq %rest, %zero : bool
{}    yield %next
  }}
  %sum = reduce_sum %end {{axes = [0], keep = false}} : f64
  output value "sum" %sum
)",
                                       body));
}

void check_in_place(const Function& function, const std::string& sum) {
  CHECK(shown(run(function)) == sum);
  CHECK(peak_of(function) < 2 * kVector + 1000);  // x and the accumulator
}

// The outputs for x = [11, 12], and c true.
std::string changed(const std::string& body) {
  const Function function = read_with_indices(fmt::format(R"(  %c = input "c" : bool
  %v = input "v" : f64
  %a = input "a" : f64[2]
  %x = add %a, %v : f64[2]
  %zero = constant {{value = 0}} : i32
  %one = constant {{value = 1}} : i32
  %two = constant {{value = 2}} : i32
{})",
                                                          body));
  return all_shown(
      run(function, {Tensor::scalar(Element::boolean, 1), Tensor::scalar(Element::f64, 10), tensor(Element::f64, {2}, {1, 2})}));
}

}  // namespace

TEST_CASE("a map assembles what its region yields") {
  const Function function = read_main(R"(  %x = input "x" : f64[3]
  %y, %z = map : f64[2, 3], i32[2, 3, 2] (%i : i32, %j : i32) {
    %ten = constant {value = 10} : i32
    %tens = mul %i, %ten : i32
    %both = add %tens, %j : i32
    %real = cast %both : f64
    %xj = slice %x, %j {starts = [0], sizes = [1], steps = [1], dynamic = [0], drop = [0]} : f64
    %sum = add %real, %xj : f64
    %pair = constant {ints = [1, 2]} : i32[2]
    %scaled = mul %pair, %both : i32[2]
    yield %sum, %scaled
  }
  output value "y" %y
  output value "z" %z
)");
  CHECK(all_shown(run(function, {tensor(Element::f64, {3}, {0.5, 0.25, 0})})) ==
        "[[0.5, 1.25, 2],\n [10.5, 11.25, 12]] "
        "[[[0, 0],\n  [1, 2],\n  [2, 4]],\n [[10, 20],\n  [11, 22],\n  [12, 24]]]");
}

TEST_CASE("a map over nothing") {
  const Function function = read_main(R"(  %y = map : f64[2, 0] (%i : i32, %j : i32) {
    %one = constant {value = 1} : i32
    %none = constant {value = 0} : i32
    %fails = floordiv %one, %none : i32
    %real = cast %fails : f64
    yield %real
  }
  output value "y" %y
)");
  CHECK(shown(run(function)) == "[]");
}

TEST_CASE("a map runs in order, and its region may fail or print") {
  const Function function = read_main(R"(  %n = input "n" : i32
  %y = map : i32[3] (%i : i32) {
    print %i {text = ["i ", ""]}
    %left = sub %n, %i : i32
    %six = constant {value = 6} : i32
    %y1 = floordiv %six, %left : i32
    yield %y1
  }
  output value "y" %y
)");
  std::string lines;
  runtime::RunOptions options;
  options.print = [&](std::string_view line) { lines += std::string(line) + "\n"; };
  CHECK(shown(run(function, {Tensor::scalar(Element::i32, 3)}, options)) == "[2, 3, 6]");
  CHECK(lines == "i 0\ni 1\ni 2\n");
  CHECK(shown(run(function, {Tensor::scalar(Element::i32, 1)}, options)) ==
        "E0403 integer division by zero: the divisor left of `//` is 0");
}

TEST_CASE("checkpoint and custom run their first region") {
  const Function function = read_main(R"(  %x = input "x" : f64
  %y = checkpoint : f64 {
    %y1 = mul %x, %x : f64
    yield %y1
  }
  %z, %w = custom %y, %x : f64, f64 (%a : f64, %b : f64) {
    %sum = add %a, %b : f64
    %scaled = mul %sum, %x : f64
    yield %sum, %scaled
  } adjoint (%a2 : f64, %b2 : f64, %sum2 : f64, %scaled2 : f64, %dsum : f64, %dscaled : f64) {
    yield %dsum, %dscaled
  }
  output value "z" %z
  output value "w" %w
  output value "y" %y
)");
  CHECK(all_shown(run(function, {Tensor::scalar(Element::f64, 3)})) == "12 36 9");
}

TEST_CASE("one side of a branch adds in place, the other leaves it alone") {
  check_in_place(loop(R"(    %next = if_else %c : f64[20000] {
      %y = update %acc, %v, %i ADD_AT : f64[20000]
      yield %y
    } else {
      yield %acc
    }
)"),
                 "6667");
}

TEST_CASE("both sides of nested branches add in place") {
  check_in_place(loop(R"(    %next = if_else %c : f64[20000] {
      %y = if_else %c : f64[20000] {
        %y1 = update %acc, %v, %i ADD_AT : f64[20000]
        yield %y1
      } else {
        yield %acc
      }
      yield %y
    } else {
      %j = reshape %i : i32[1]
      %w = reshape %v : f64[1]
      %y2 = scatter_add %acc, %w, %j {axes = [0]} : f64[20000]
      yield %y2
    }
)"),
                 "20000");
}

TEST_CASE("a checkpoint changes in place what dies in it") {
  check_in_place(loop(R"(    %next = checkpoint : f64[20000] {
      %xi = slice %x, %i AT : f64
      %y = update %acc, %xi, %i ADD_AT : f64[20000]
      yield %y
    }
)"),
                 "40000");
}

TEST_CASE("a custom region changes in place its argument, where the operand dies") {
  check_in_place(loop(R"(    %next = custom %acc, %v : f64[20000] (%a : f64[20000], %b : f64) {
      %y = update %a, %b, %i ADD_AT : f64[20000]
      yield %y
    } adjoint (%a2 : f64[20000], %b2 : f64, %y2 : f64[20000], %dy : f64[20000]) {
      %both = add %dy, %acc : f64[20000]
      yield %both, %b2
    }
)"),
                 "20000");
}

TEST_CASE("an inner loop changes in place what an outer one carries") {
  check_in_place(loop(R"(    %next = for_loop %zero, %one, %one, %acc : f64[20000] (%j : i32, %inner : f64[20000]) {
      %y = update %inner, %v, %i ADD_AT : f64[20000]
      yield %y
    }
)"),
                 "20000");
}

TEST_CASE("a while loop changes in place what it carries") {
  check_in_place(read_with_indices(R"(  %zero = constant {value = 0} : i32
  %one = constant {value = 1} : i32
  %n = constant {value = 20000} : i32
  %v = constant {value = 1.0} : f64
  %start = constant {value = 0.0} : f64[20000]
  %i, %end = while_loop %zero, %start : i32, f64[20000] (%i1 : i32, %acc1 : f64[20000]) {
    %more = lt %i1, %n : bool
    yield %more
  } do (%i2 : i32, %acc2 : f64[20000]) {
    %next = update %acc2, %v, %i2 ADD_AT : f64[20000]
    %i3 = add %i2, %one : i32
    yield %i3, %next
  }
  %sum = reduce_sum %end {axes = [0], keep = false} : f64
  output value "sum" %sum
)"),
                 "20000");
}

TEST_CASE("what is yielded as well stays as it was") {
  CHECK(changed(R"(  %y, %z = if_else %c : f64[2], f64[2] {
    %y1 = update %x, %v, %one ADD_AT : f64[2]
    yield %y1, %x
  } else {
    yield %x, %x
  }
  output value "y" %y
  output value "z" %z
)") == "[11, 22] [11, 12]");
}

TEST_CASE("what is read after the branch stays as it was") {
  CHECK(changed(R"(  %y = if_else %c : f64[2] {
    %y1 = update %x, %v, %one ADD_AT : f64[2]
    yield %y1
  } else {
    yield %x
  }
  output value "y" %y
  output value "x" %x
)") == "[11, 22] [11, 12]");
}

TEST_CASE("what is read later in the same side stays as it was") {
  CHECK(changed(R"(  %y, %z = if_else %c : f64[2], f64[2] {
    %y1 = update %x, %v, %one ADD_AT : f64[2]
    %z1 = neg %x : f64[2]
    yield %y1, %z1
  } else {
    yield %x, %x
  }
  output value "y" %y
  output value "z" %z
)") == "[11, 22] [-11, -12]");
}

TEST_CASE("what the next turn reads stays as it was") {
  CHECK(changed(R"(  %s0 = constant {value = 0.0} : f64[2]
  %s = for_loop %zero, %two, %one, %s0 : f64[2] (%i : i32, %acc : f64[2]) {
    %y1 = if_else %c : f64[2] {
      %y2 = update %x, %v, %one ADD_AT : f64[2]
      yield %y2
    } else {
      yield %x
    }
    %t = add %acc, %y1 : f64[2]
    yield %t
  }
  output value "s" %s
)") == "[22, 44]");
}

TEST_CASE("an operand of custom that its region reads as well stays as it was") {
  CHECK(changed(R"(  %y = custom %x : f64[2] (%b : f64[2]) {
    %y1 = update %x, %v, %one ADD_AT : f64[2]
    %y2 = add %y1, %b : f64[2]
    yield %y2
  } adjoint (%b2 : f64[2], %y3 : f64[2], %dy : f64[2]) {
    %z = add %dy, %x : f64[2]
    yield %z
  }
  output value "y" %y
)") == "[22, 34]");
}
