#include <catch2/catch.hpp>

#include "frontend/write_script.h"
#include "ir/read.h"

using namespace bpc;

namespace {

std::string script(const std::string& text) {
  SourceMap sources;
  Diagnostics diagnostics;
  auto module = ir::read(sources, sources.add("test.ir", text), diagnostics);
  INFO((diagnostics.all().empty() ? "" : diagnostics.all()[0].message));
  REQUIRE(module);
  return frontend::write_script(*module);
}

// What the lines of `main` become, after the declarations.
std::string body(const std::string& lines) {
  std::string text = script("module real=f32 seed=0\n\nfunc main {\n" + lines + "}\n");
  std::size_t end = text.find("\n\n");
  return end == std::string::npos ? text : text.substr(end + 2);
}

const std::string kParameters =
    "  %x = input \"x\" : f32[3]\n  %s = input \"s\" : f32\n  %m = input \"m\" : f32[2, 3]\n  %k = input \"k\" : i32\n  %b = input \"b\" : "
    "bool\n";

// The expression that is bound to y.
std::string expression(const std::string& lines) {
  return body(kParameters + lines + "  output value \"y\" %y\n");
}

}  // namespace

TEST_CASE("a gradient program reads like one") {
  CHECK(script(R"(module real=f32 seed=7
file 0 "t.bp"

func init {
  %1 = constant {value = 1} : f32
  %2 = constant {value = 0} : f32[3]
  %3 = random_uniform {stream = 5, seed = 7} : f32[3]
  %4 = constant {value = 0.1} : f32
  %5 = mul %4, %3 : f32[3]
  output value "x" %1
  output value "h1.dense.b" %2
  output value "w" %5
}

func main loss "J" {
  %d = input "d" : i32[5] from "\"a.csv\"[\"y\"]"
  %x = input "x" : f32
  %w = param "w" : f32[3]
  %b = param "h1.dense.b" : f32[3]
  %1 = mul %w, %x : f32[3] @0:8:1-8:2
  %2 = add %1, %b : f32[3] @0:8:1-8:2
  %h = relu %2 : f32[3] @0:8:1-8:2
  %J = reduce_sum %h {axes = [0], keep = false} : f32 @0:9:1-9:2
  %3 = step %2 : f32[3] @0:8:1-8:2 by "relu"
  %dJ_dt1 = mul %3, %3 : f32[3] @0:8:1-8:2 by "relu"
  %4 = mul %dJ_dt1, %x : f32[3] @0:8:1-8:2 by "mul"
  output value "h" %h
  output value "J" %J
  output gradient "w" %4
  output gradient "h1.dense.b" %dJ_dt1
}
)") == R"(seed 7
input d : i32[5] from "a.csv"["y"]
input x = 1
param w : [3] = 0.1 * uniform(0, 1, [3], stream=5)
param h1_dense_b : [3] = 0

# Forward
t1 = w * x + h1_dense_b
h = relu(t1)

J = sum(h)

# Backward
t2 = step(t1)               # relu, line 8
dJ_dh1_dense_b = t2 * t2    # relu, line 8
dJ_dw = dJ_dh1_dense_b * x  # mul, line 8
)");
}

TEST_CASE("expressions keep their meaning: parentheses where they are needed and nowhere else") {
  CHECK(expression("  %1 = sub %s, %s : f32\n  %2 = sub %s, %s : f32\n  %y = sub %1, %2 : f32\n") == "y = s - s - (s - s)\n");
  CHECK(expression("  %1 = neg %s : f32\n  %2 = constant {value = 2} : f32\n  %y = pow %1, %2 : f32\n") == "y = (-s)^2\n");
  CHECK(expression("  %2 = constant {value = 2} : f32\n  %1 = pow %s, %2 : f32\n  %y = neg %1 : f32\n") == "y = -s^2\n");
  CHECK(expression("  %2 = constant {value = -2} : f32\n  %1 = pow %s, %2 : f32\n  %y = pow %2, %1 : f32\n") == "y = (-2)^(s^-2)\n");
  CHECK(expression("  %1 = lt %s, %s : bool\n  %2 = logical_and %1, %b : bool\n  %y = logical_not %2 : bool\n") ==
        "y = not (s < s and b)\n");
  CHECK(expression("  %1 = add %s, %s : f32\n  %2 = broadcast %1 : f32[3]\n  %y = mul %x, %2 : f32[3]\n") == "y = x * (s + s)\n");
  CHECK(expression("  %1 = broadcast %s : f32[3]\n  %y = exp %1 : f32[3]\n") == "y = exp(broadcast_to(s, [3]))\n");
}

TEST_CASE("literals get the type of the constant they stand for") {
  const std::string two = "  %2 = constant {value = 2} : f32\n", three = "  %3 = constant {value = 3} : f32\n";
  CHECK(expression(two + "  %y = mul %2, %x : f32[3]\n") == "y = 2 * x\n");
  CHECK(expression(two + three + "  %y = mul %2, %3 : f32\n") == "y = real(2) * 3\n");
  CHECK(expression(two + "  %y = exp %2 : f32\n") == "y = exp(real(2))\n");
  CHECK(expression("  %2 = constant {value = 2} : i32\n  %y = add %2, %2 : i32\n") == "t1 : i32 = 2\ny = t1 + 2\n");
  CHECK(expression("  %y = constant {value = 2} : i32\n") == "y : i32 = 2\n");
  CHECK(expression("  %2 = constant {value = 2} : f32[3]\n  %y = mul %2, %x : f32[3]\n") == "y = 2 * x\n");
  CHECK(expression("  %y = constant {value = 2} : f64[3]\n") == "y = full([3], f64(2))\n");
  CHECK(expression("  %y = constant {ints = [1, 2]} : i32[2]\n") == "y : i32[2] = [1, 2]\n");
  CHECK(expression("  %y = constant {reals = [1, -0, 1e-06]} : f32[3]\n") == "y = [1, -0.0, 1e-6]\n");
  CHECK(expression("  %y = constant {value = -inf} : f32\n") == "y = -real(1) / 0\n");
  CHECK(expression("  %y = constant {value = nan} : f32\n") == "y = real(0) / 0\n");
  CHECK(expression("  %y = constant {value = 0} : bool\n") == "y = false\n");
}

TEST_CASE("every kind of op has a spelling") {
  CHECK(expression("  %y = reduce_sum %m {axes = [0, 1], keep = false} : f32\n") == "y = sum(m)\n");
  CHECK(expression("  %y = reduce_max %m {axes = [1], keep = true} : f32[2, 1]\n") == "y = max(m, axis=1, keep=true)\n");
  CHECK(expression("  %y = argmax %m {axes = [1]} : i32[2]\n") == "y = argmax(m, axis=1)\n");
  CHECK(expression("  %y = cumsum %m {axis = 1} : f32[2, 3]\n") == "y = cumsum(m, axis=1)\n");
  CHECK(expression("  %y = cumsum %m {axis = 1, reverse = true} : f32[2, 3]\n") == "y = flip(cumsum(flip(m, 1), axis=1), 1)\n");
  CHECK(expression("  %y = einsum %m, %x {spec = \"ab,b->a\"} : f32[2]\n") == "y = m @ x\n");
  CHECK(expression("  %y = einsum %m, %m {spec = \"ab,ac->bc\"} : f32[3, 3]\n") == "y = m.T @ m\n");
  CHECK(expression("  %y = einsum %m, %m {spec = \"ab,cb->ac\"} : f32[2, 2]\n") == "y = m @ m.T\n");
  CHECK(expression("  %y = einsum %m, %m {spec = \"ab,cb->ca\"} : f32[2, 2]\n") == "y = einsum(\"ab,cb->ca\", m, m)\n");
  CHECK(expression("  %y = einsum %x, %x {spec = \"a,a->\"} : f32\n") == "y = dot(x, x)\n");
  CHECK(expression("  %y = einsum %x, %x {spec = \"a,b->ab\"} : f32[3, 3]\n") == "y = outer(x, x)\n");
  CHECK(expression("  %y = transpose %m {perm = [1, 0]} : f32[3, 2]\n") == "y = m.T\n");
  CHECK(expression("  %y = reshape %m : f32[6]\n") == "y = reshape(m, [6])\n");
  CHECK(expression("  %1 = reshape %s : f32[1]\n  %2 = reshape %s : f32[1]\n  %y = concat %1, %2 {axis = 0} : f32[2]\n") == "y = [s, s]\n");
  CHECK(expression("  %y = concat %m, %m {axis = 1} : f32[2, 6]\n") == "y = concat([m, m], axis=1)\n");
  CHECK(expression("  %y = slice %m {starts = [0, 2], sizes = [1, 2], steps = [1, -1], drop = [0]} : f32[2]\n") ==
        "y = m[0, 2..0 by -1]\n");
  CHECK(expression("  %y = slice %x {starts = [2], sizes = [3], steps = [-1]} : f32[3]\n") == "y = x[2.. by -1]\n");
  CHECK(expression("  %y = slice %m, %k {starts = [0, 0], sizes = [1, 3], steps = [1, 1], dynamic = [0], drop = [0]} : f32[3]\n") ==
        "y = m[k, :]\n");
  CHECK(expression("  %y = slice %x, %k {starts = [0], sizes = [2], steps = [1], dynamic = [0]} : f32[2]\n") == "y = x[k..k + 2]\n");
  CHECK(expression("  %y = update %x, %s {starts = [1], sizes = [1], steps = [1], drop = [0]} : f32[3]\n") == "y = x\ny[1] = s\n");
  CHECK(expression("  %y = polygamma %s {order = 1} : f32\n") == "y = polygamma(1, s)\n");
  CHECK(expression("  %y = select %b, %x, %s : f32[3]\n") == "y = where(b, x, s)\n");
  CHECK(expression("  %y = cast %k : f32\n") == "y = real(k)\n");
  CHECK(expression("  %y = iota {axis = 1} : f64[2, 3]\n") == "y = f64(iota([2, 3], 1))\n");
}

TEST_CASE("names that would clash give way") {
  // An output called like a param is assigned when the param has been read for the last time; `sum` must stay a function.
  CHECK(
      body("  %w = param \"w\" : f32[2]\n  %w.2 = neg %w : f32[2]\n  %sum = reduce_sum %w {axes = [0]} : f32\n  %q = mul %sum, %sum : f32\n"
           "  output value \"w\" %w.2\n  output value \"sum\" %sum\n  output value \"q\" %q\n  output value \"v\" %w\n") ==
      "sum_2 = sum(w)\nq = sum_2 * sum_2\nsum = sum_2\nv = w\nw = -w\n");
  CHECK(script(
            "module real=f32 seed=0\n\nfunc main loss \"J\" {\n  %w = param \"w\" : f32\n  %1 = exp %w : f32\n  output value \"dJ_dw\" %w\n"
            "  output gradient \"w\" %1\n}\n") == "param w\n\ndJ_dw_ = exp(w)\ndJ_dw = w\n");
  CHECK(script("module real=f32 seed=0\n\nfunc main {\n  %w = param \"w\" : f32\n  %1 = exp %w : f32\n  output value \"loss\" %1\n}\n") ==
        "param w\n\nloss : real = exp(w)\n");
}

TEST_CASE("a carried value is one variable") {
  const std::string bounds = "  %0 = constant {value = 0} : i32\n  %5 = constant {value = 5} : i32\n  %1 = constant {value = 1} : i32\n";
  CHECK(expression(bounds +
                   "  %y = for_loop %0, %5, %1, %s : f32 (%i : i32, %y.2 : f32) {\n    %2 = mul %y.2, %s : f32\n    yield %2\n  }\n") ==
        "y = s\nfor i in 0..5 {\n  y = y * s\n}\n");
  // A swap; a value that the next carried one reads after it has changed, with the variable's name and with its own.
  CHECK(expression(bounds +
                   "  %y, %z = for_loop %0, %5, %1, %s, %s : f32, f32 (%i : i32, %y.2 : f32, %z.2 : f32) {\n    yield %z.2, %y.2\n  }\n") ==
        "y = s\nz = s\nfor i in 0..5 {\n  t1 = z\n  z = y\n  y = t1\n}\n");
  CHECK(expression(bounds +
                   "  %y, %z = for_loop %0, %5, %1, %s, %s : f32, f32 (%i : i32, %y.2 : f32, %z.2 : f32) {\n"
                   "    %y.3 = exp %y.2 : f32\n    %2 = mul %y.3, %z.2 : f32\n    yield %y.3, %2\n  }\n  output value \"z\" %z\n") ==
        "y = s\nz = s\nfor i in 0..5 {\n  y = exp(y)\n  z = y * z\n}\n");
  CHECK(expression(bounds + "  %y, %z = for_loop %0, %5, %1, %s, %s : f32, f32 (%i : i32, %y.2 : f32, %z.2 : f32) {\n"
                            "    %n = exp %y.2 : f32\n    %2 = mul %n, %z.2 : f32\n    yield %n, %2\n  }\n  output value \"z\" %z\n") ==
        "y = s\nz = s\nfor i in 0..5 {\n  n = exp(y)\n  z = n * z\n  y = n\n}\n");
  // What is read after the loop keeps its variable; a result with a name of its own is a copy.
  CHECK(expression("  %h = exp %s : f32\n" + bounds +
                   "  %y = for_loop %0, %5, %1, %h : f32 (%i : i32, %h.2 : f32) {\n    %2 = mul %h.2, %s : f32\n    yield %2\n  }\n"
                   "  output value \"h\" %h\n") == "h = exp(s)\nh_2 = h\nfor i in 0..5 {\n  h_2 = h_2 * s\n}\ny = h_2\n");
  // The author's param, when nothing reads its first value any more.
  CHECK(body("  %w = param \"w\" : f32\n" + bounds +
             "  %w.2 = for_loop %0, %5, %1, %w : f32 (%i : i32, %w.3 : f32) {\n    %2 = exp %w.3 : f32\n    %3 = sub %w.3, %2 : f32\n"
             "    yield %3\n  }\n  output value \"w\" %w.2\n") == "for i in 0..5 {\n  w -= exp(w)\n}\n");
}

TEST_CASE("updates in a loop happen in place") {
  CHECK(expression("  %0 = constant {value = 0} : i32\n  %3 = constant {value = 3} : i32\n  %1 = constant {value = 1} : i32\n"
                   "  %y = for_loop %0, %3, %1, %x : f32[3] (%i : i32, %y.2 : f32[3]) {\n"
                   "    %4 = update %y.2, %s, %i {starts = [0], sizes = [1], steps = [1], dynamic = [0], drop = [0]} : f32[3]\n    yield "
                   "%4\n  }\n") == "y = x\nfor i in 0..3 {\n  y[i] = s\n}\n");
}

TEST_CASE("while loops whose condition takes statements compute it twice") {
  CHECK(expression(
            "  %y = while_loop %s : f32 (%y.2 : f32) {\n    %n = exp %y.2 : f32\n    %1 = mul %n, %n : f32\n    %2 = lt %1, %s : bool\n "
            "   yield %2\n"
            "  } do (%y.3 : f32) {\n    %3 = add %y.3, %s : f32\n    yield %3\n  }\n") ==
        "y = s\nn = exp(y)\ngo_on = n * n < s\nwhile go_on {\n  y += s\n  n_2 = exp(y)\n  go_on = n_2 * n_2 < s\n}\n");
}

TEST_CASE("branches become statements, or an expression when they are short") {
  CHECK(expression("  %y = if_else %b : f32 {\n    %1 = neg %s : f32\n    yield %1\n  } else {\n    yield %s\n  }\n") ==
        "y = -s if b else s\n");
  CHECK(expression("  %y, %z = if_else %b : f32, f32 {\n    yield %s, %s\n  } else {\n    %1 = neg %s : f32\n    yield %1, %s\n  }\n"
                   "  print %y, %z {text = [\"y \", \" \", \" \\\"z\\\"\"]}\n") ==
        "if b {\n  y = s\n  z = s\n} else {\n  y = -s\n  z = s\n}\nprint \"y\", y, z, \"\\\"z\\\"\"\n");
}

TEST_CASE("a branch changes a variable in place") {
  const std::string starts = "{starts = [0], sizes = [1], steps = [1], dynamic = [0], drop = [0]";
  CHECK(expression("  %v = neg %x : f32[3]\n  %v.2 = if_else %b : f32[3] {\n    %1 = update %v, %s, %k " + starts +
                   ", add = true} : f32[3]\n    yield %1\n  } else {\n    yield %v\n  }\n  %y = exp %v.2 : f32[3]\n") ==
        "v = -x\nif b {\n  v[k] += s\n}\ny = exp(v)\n");
  CHECK(expression("  %v = neg %x : f32[3]\n  %v.2 = if_else %b : f32[3] {\n    yield %v\n  } else {\n    %1 = update %v, %s, %k " +
                   starts + "} : f32[3]\n    yield %1\n  }\n  %y = exp %v.2 : f32[3]\n") ==
        "v = -x\nif not b {\n  v[k] = s\n}\ny = exp(v)\n");
  // Not when what it was before is still read.
  CHECK(expression("  %v = neg %x : f32[3]\n  %v.2 = if_else %b : f32[3] {\n    %1 = update %v, %s, %k " + starts +
                   "} : f32[3]\n    yield %1\n  } else {\n    yield %v\n  }\n  %y = mul %v, %v.2 : f32[3]\n") ==
        "v = -x\nif b {\n  v_2 = v\n  v_2[k] = s\n} else {\n  v_2 = v\n}\ny = v * v_2\n");
}

TEST_CASE("a gradient through a loop reads like one") {
  CHECK(script(R"(module real=f32 seed=0
file 0 "l.bp"

func init {
  %w = constant {value = 0.5} : f32
  output value "w" %w
}

func main loss "J" {
  %w = param "w" : f32
  %h = constant {value = 1} : f32 @0:2:5-2:6
  %1 = constant {value = 0} : i32 @0:3:10-3:11
  %2 = constant {value = 5} : i32 @0:3:13-3:14
  %3 = constant {value = 1} : i32 @0:3:10-3:14
  %h_tape = tape : tape<f32> @0:4:12-4:15 by "mul"
  %J, %h_tape.2 = for_loop %1, %2, %3, %h, %h_tape : f32, tape<f32> @0:3:10-3:14 (%i : i32, %h.3 : f32, %h_tape.3 : tape<f32>) {
    %h_tape.4 = push %h_tape.3, %h.3 : tape<f32> @0:4:12-4:15 by "mul"
    %h.4 = mul %w, %h.3 : f32 @0:4:12-4:15
    yield %h.4, %h_tape.4
  }
  %dJ_dJ = constant {value = 1} : f32 @0:6:10-6:13
  %8 = constant {value = 4} : i32 @0:3:10-3:14 by "for_loop"
  %9 = constant {value = -1} : i32 @0:3:10-3:14 by "for_loop"
  %10 = constant {value = -1} : i32 @0:3:10-3:14 by "for_loop"
  %11 = constant {value = 0} : f32 @0:3:10-3:14 by "for_loop"
  %12, %dJ_dw, %13 = for_loop %8, %9, %10, %dJ_dJ, %11, %h_tape.2 : f32, f32, tape<f32> @0:3:10-3:14 by "for_loop" (%i.2 : i32, %dJ_dh.2 : f32, %dJ_dw.2 : f32, %h_tape.5 : tape<f32>) {
    %h_tape.6, %h.6 = pop %h_tape.5 : tape<f32>, f32 @0:4:12-4:15 by "mul"
    %18 = mul %dJ_dh.2, %h.6 : f32 @0:4:12-4:15 by "mul"
    %19 = add %dJ_dw.2, %18 : f32 @0:4:12-4:15 by "mul"
    %20 = mul %dJ_dh.2, %w : f32 @0:4:12-4:15 by "mul"
    yield %20, %19, %h_tape.6
  }
  output value "J" %J
  output gradient "w" %dJ_dw
}
)") == R"(param w = 0.5

# Forward
h = 1
h_tape = tape()  # for mul, line 4

for i in 0..5 {
  h_tape = push(h_tape, h)  # for mul, line 4
  h = w * h
}
J = h

# Backward
dJ_dh = 1
dJ_dw = 0               # for_loop, line 3
for i in 4..-1 by -1 {  # for_loop, line 3
  h_tape, h_2 = pop(h_tape)  # mul, line 4
  dJ_dw += dJ_dh * h_2       # mul, line 4
  dJ_dh = dJ_dh * w          # mul, line 4
}
)");
}

TEST_CASE("tapes start, and say what they hold when nothing is pushed before the first pop") {
  CHECK(expression("  %a = tape : tape<f32>\n  %a.2 = push %a, %s : tape<f32>\n  %a.3, %y = pop %a.2 : tape<f32>, f32\n") ==
        "a = tape()\na = push(a, s)\na, y = pop(a)\n");
  CHECK(expression("  %a = tape : tape<i32[2]>\n  %a.2, %y = pop %a : tape<i32[2]>, i32[2]\n") ==
        "a = tape()\na = push(a, full([2], i32(0)))  # says what it holds\na, t1 = pop(a)\na, y = pop(a)\n");
  // A side of a branch hands a tape on, or another one.
  CHECK(expression("  %a = tape : tape<f32>\n  %a.2 = if_else %b : tape<f32> {\n    %1 = push %a, %s : tape<f32>\n    yield %1\n"
                   "  } else {\n    yield %a\n  }\n  %a.3, %y = pop %a.2 : tape<f32>, f32\n") ==
        "a = tape()\nif b {\n  a = push(a, s)\n}\na, y = pop(a)\n");
  CHECK(expression("  %a = tape : tape<f32>\n  %u = if_else %b : tape<f32> {\n    %1 = push %a, %s : tape<f32>\n    yield %1\n"
                   "  } else {\n    %2 = tape : tape<f32>\n    yield %2\n  }\n  %u.3, %y = pop %u : tape<f32>, f32\n") ==
        "a = tape()\nif b {\n  u = push(a, s)\n} else {\n  u = tape()\n}\nu, y = pop(u)\n");
}

TEST_CASE("tensors of indices") {
  const std::string index = "  %i = input \"i\" : i32[4]\n  %t = input \"t\" : f32[2, 3, 5]\n";
  CHECK(expression(index + "  %y = gather %m, %i {axes = [0]} : f32[4, 3]\n") == "y = m[i]\n");
  CHECK(expression(index + "  %y = gather %m, %i, %i {axes = [0, 1]} : f32[4]\n") == "y = m[i, i]\n");
  CHECK(expression(index + "  %y = gather %t, %i, %i {axes = [0, 2]} : f32[4, 3]\n") == "y = t[i, :, i]\n");
  // The axes of the index come first in the IR and stand in its place in a script.
  CHECK(expression(index + "  %1 = gather %m, %i {axes = [1]} : f32[4, 2]\n  %y = transpose %1 {perm = [1, 0]} : f32[2, 4]\n") ==
        "y = m[:, i]\n");
  CHECK(expression(index + "  %y = gather %m, %i {axes = [1]} : f32[4, 2]\n") == "y = m[:, i].T\n");
  CHECK(expression(index + "  %y = gather %t, %i {axes = [2]} : f32[4, 2, 3]\n") == "y = transpose(t[:, :, i], [2, 0, 1])\n");
  CHECK(expression(index + "  %v = input \"v\" : f32[4, 3]\n  %y = scatter_add %m, %v, %i {axes = [0]} : f32[2, 3]\n") ==
        "y = m\ny[i] += v\n");
  CHECK(expression(index + "  %v = input \"v\" : f32[4, 2]\n  %y = scatter_add %m, %v, %i {axes = [1]} : f32[2, 3]\n") ==
        "y = m\ny[:, i] += v.T\n");
  CHECK(expression(index + "  %v = input \"v\" : f32[2, 4]\n  %1 = transpose %v {perm = [1, 0]} : f32[4, 2]\n"
                           "  %y = scatter_add %m, %1, %i {axes = [1]} : f32[2, 3]\n") == "y = m\ny[:, i] += v\n");
  CHECK(expression(index + "  %1 = broadcast %s : f32[4, 3]\n  %y = scatter_add %m, %1, %i {axes = [0]} : f32[2, 3]\n") ==
        "y = m\ny[i] += s\n");
}

TEST_CASE("a counter of 64 bits") {
  CHECK(expression(
            "  %0 = constant {value = 3} : i64\n  %1 = constant {value = -1} : i64\n  %y = for_loop %0, %1, %1, %s : f32 (%i : i64, %y.2 : "
            "f32) {\n    %2 = exp %y.2 : f32\n    yield %2\n  }\n") == "y = s\nfor i in i64(3)..-1 by -1 {\n  y = exp(y)\n}\n");
  CHECK(expression(
            "  %1 = constant {value = -1} : i32\n  %2 = cast %1 : i64\n  %n = cast %k : i64\n  %y = for_loop %n, %2, %2, %s : f32 (%i : "
            "i64, %y.2 : f32) {\n    %3 = exp %y.2 : f32\n    yield %3\n  }\n") ==
        "n = i64(k)\ny = s\nfor i in n..-1 by -1 {\n  y = exp(y)\n}\n");
  CHECK(expression("  %1 = constant {value = -1} : i32\n  %y = add %k, %1 : i32\n") == "y = k - 1\n");
}

TEST_CASE("comprehensions are expressions, or call what they compute") {
  CHECK(expression("  %y = map : f32[3] (%i : i32) {\n    %1 = slice %x, %i {starts = [0], sizes = [1], steps = [1], dynamic = [0], drop = "
                   "[0]} : f32\n    yield %1\n  }\n") == "y = [x[i] for i in 0..3]\n");
  // The author's range.
  CHECK(expression("  %y = map : i32[3] (%1 : i32) {\n    %2 = constant {value = -2} : i32\n    %3 = mul %1, %2 : i32\n    %4 = constant "
                   "{value = 5} : i32\n    %i = add %3, %4 : i32\n    %5 = mul %i, %i : i32\n    yield %5\n  }\n") ==
        "y = [i * i for i in 5..-1 by -2]\n");
  CHECK(expression(
            "  %y = map : f32[3] (%i : i32) {\n    %1 = cast %i : f32\n    %2 = mul %1, %s : f32\n    %3 = mul %2, %2 : f32\n    yield "
            "%3\n  }\n") == "fn element(i, s) {\n  t1 = real(i) * s\n  return t1 * t1\n}\n\ny = [element(i, s) for i in 0..3]\n");
}

TEST_CASE("checkpoints keep their inside together") {
  CHECK(expression("  %y = checkpoint : f32 {\n    %1 = exp %s : f32\n    yield %1\n  }\n") == "y = checkpoint(exp(s))\n");
  CHECK(expression("  %y, %z = checkpoint : f32, f32 {\n    %a = exp %s : f32\n    yield %a, %a\n  }\n  output value \"z\" %z\n") ==
        "fn part(s) {\n  a = exp(s)\n  return a, a\n}\n\ny, z = checkpoint(part(s))\n");
}

TEST_CASE("functions with an adjoint rule stay such") {
  CHECK(
      expression("  %y = custom %s : f32 (%s.2 : f32) {\n    %1 = round %s.2 : f32\n    yield %1\n  } adjoint (%s.3 : f32, %a : f32, %da : "
                 "f32) {\n    yield %da\n  }\n") == "fn f(s) = round(s)\nadjoint f(s) -> a {\n  ds = da\n}\n\ny = f(s)\n");
  // What it reads from outside is a parameter that gets no derivative.
  CHECK(expression(
            "  %v = exp %s : f32\n  %y = custom %s : f32 (%s.2 : f32) {\n    %1 = mul %s.2, %v : f32\n    yield %1\n  } adjoint (%s.3 : "
            "f32, %a : f32, %da : f32) {\n    %2 = mul %da, %v : f32\n    yield %2\n  }\n  output value \"v\" %v\n") ==
        "fn f(s, v) = s * v\nadjoint f(s, v) -> a {\n  ds = da * v\n  dv = 0\n}\n\nv = exp(s)\ny = f(s, v)\n");
}

TEST_CASE("derivatives that are still to be taken") {
  CHECK(expression("  %J = exp %s : f32\n  %y = grad %J, %s : f32\n") == "J = exp(s)\ny = grad(J, s)\n");
  CHECK(expression("  %J = exp %x : f32[3]\n  %y = jvp %J, %x, %x : f32[3]\n") == "J = exp(x)\ny = jvp(J, x, x)\n");
  CHECK(expression("  %J = exp %x : f32[3]\n  %y = vjp %J, %J, %x : f32[3]\n") == "J = exp(x)\ny = vjp(J, x, J)\n");
  // What is differentiated by needs a name, even if it is a number.
  CHECK(expression("  %1 = constant {value = 2} : f32\n  %J = exp %1 : f32\n  %y = grad %J, %1 : f32\n") ==
        "t1 = 2\nJ = exp(t1)\ny = grad(J, t1)\n");
}

TEST_CASE("what may fail does not move across what the run shows") {
  CHECK(
      expression("  %1 = slice %x, %k {starts = [0], sizes = [1], steps = [1], dynamic = [0], drop = [0]} : f32\n  print {text = [\"a\"]}\n"
                 "  %y = neg %1 : f32\n") == "t1 = x[k]\nprint \"a\"\ny = -t1\n");
  CHECK(expression("  %1 = slice %x, %k {starts = [0], sizes = [1], steps = [1], dynamic = [0], drop = [0]} : f32\n"
                   "  %m.2 = map : f32[2] (%i : i32) {\n    assert_true %b {message = \"\", names = []}\n    yield %s\n  }\n"
                   "  %y = mul %1, %m.2 : f32[2]\n") ==
        "fn element(b, s) {\n  assert b\n  return s\n}\n\nt1 = x[k]\nm_2 = [element(b, s) for i in 0..2]\ny = t1 * m_2\n");
}

TEST_CASE("draws name their stream, their turn, and the type of another float") {
  CHECK(expression("  %y = random_normal %k {stream = 5, seed = 0} : f32[2]\n") == "y = normal(0, 1, [2], stream=5, turn=k)\n");
  CHECK(expression("  %y = random_uniform {stream = 5, seed = 0} : f64\n") == "y = uniform(f64(0), f64(1), [], stream=5)\n");
}
