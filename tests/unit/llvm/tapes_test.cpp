// Tapes in compiled code.
#include "harness.h"

namespace bpc::test {

namespace {

const std::string kNumbers = R"(  %n0 = constant {value = 0} : i32
  %n1 = constant {value = 1} : i32
  %n2 = constant {value = 2} : i32
)";

}  // namespace

TEST_CASE("the last pushed is popped first, then zeros") {
  for (const char* type : {"f32", "f64[3]", "i32[2, 2]", "i64", "bool", "bool[3]", "f32[0]", "f32[2, 0]", "f64[5000]"}) {
    CAPTURE(type);
    const bool is_bool = std::string(type).starts_with("bool");
    std::string body = fmt::format("  %a = input \"a\" : {0}\n  %b = input \"b\" : {0}\n  %t0 = tape : tape<{0}>\n", type);
    int tape = 0, value = 0;
    std::string outputs;
    for (char step : std::string("oAoABoBAAooooAo")) {
      if (step == 'o') {
        body += fmt::format("  %t{}, %v{} = pop %t{} : tape<{}>, {}\n", tape + 1, value, tape, type, type);
        outputs += fmt::format("  output value \"v{}\" %v{}\n", value, value);
        ++value;
      } else {
        body += fmt::format("  %t{} = push %t{}, %{} : tape<{}>\n", tape + 1, tape, step == 'A' ? "a" : "b", type);
      }
      ++tape;
    }
    Observed observed = agree(read_main(body + outputs));
    if (std::string(type) == "i64") CHECK(text_of(observed) == "0 7 3 7 7 3 7 7");
    if (is_bool) CHECK(observed.result.outputs.size() == 8);
  }
}

TEST_CASE("a long tape, there and back") {
  const Function function = read_main(kNumbers + R"(  %n = input "n" : i32
  %t = tape : tape<i32>
  %filled = for_loop %n0, %n, %n1, %t : tape<i32> (%i : i32, %s : tape<i32>) {
    %s1 = push %s, %i : tape<i32>
    yield %s1
  }
  %d0 = constant {value = 0} : i64
  %emptied, %d = for_loop %n0, %n, %n1, %filled, %d0 : tape<i32>, i64 (%j : i32, %s2 : tape<i32>, %acc : i64) {
    %s3, %top = pop %s2 : tape<i32>, i32
    %wide = cast %top : i64
    %three = constant {value = 3} : i64
    %prime = constant {value = 1000003} : i64
    %scaled = mul %acc, %three : i64
    %sum = add %scaled, %wide : i64
    %acc1 = mod %sum, %prime : i64
    yield %s3, %acc1
  }
  %rest, %none = pop %emptied : tape<i32>, i32
  output value "d" %d
  output value "none" %none
)");
  CHECK(text_of(agree(function, std::vector{integer(3)})) == "21 0");
  CHECK(text_of(agree(function, std::vector{integer(0)})) == "0 0");
  agree(function, std::vector{integer(20000)});
  std::int64_t expected = 0;
  for (std::int64_t i = 999999; i >= 0; --i) expected = (expected * 3 + i) % 1000003;
  auto compiled = backend::compile(function, {2});
  for (std::int64_t n : {1000000, 3, 1000000, 1000})
    if (Observed observed = observe(*compiled, std::vector{integer(n)}); n == 1000000)
      CHECK(text_of(observed) == fmt::format("{} 0", expected));
}

TEST_CASE("tapes through nested loops and branches") {
  // Row by row, tensors on one tape and the positive scalars of the row on another; then back.
  const Function function = read_main(kNumbers + R"(  %x = input "x" : f64[5, 3]
  %n3 = constant {value = 3} : i32
  %n5 = constant {value = 5} : i32
  %zero = constant {value = 0.0} : f64
  %rows = tape : tape<f64[3]>
  %signs = tape : tape<bool>
  %all = tape : tape<f64>
  %r.9, %b.9, %s.9 = for_loop %n0, %n5, %n1, %rows, %signs, %all : tape<f64[3]>, tape<bool>, tape<f64> (%i : i32, %r.1 : tape<f64[3]>, %b.1 : tape<bool>, %s.1 : tape<f64>) {
    %row = slice %x, %i {starts = [0, 0], sizes = [1, 3], steps = [1, 1], dynamic = [0], drop = [0]} : f64[3]
    %twice = add %row, %row : f64[3]
    %r.2 = push %r.1, %twice : tape<f64[3]>
    %b.8, %s.8 = for_loop %n0, %n3, %n1, %b.1, %s.1 : tape<bool>, tape<f64> (%j : i32, %b.2 : tape<bool>, %s.2 : tape<f64>) {
      %e = slice %row, %j {starts = [0], sizes = [1], steps = [1], dynamic = [0], drop = [0]} : f64
      %c = gt %e, %zero : bool
      %b.3 = push %b.2, %c : tape<bool>
      %s.7 = if_else %c : tape<f64> {
        %s.4 = push %s.2, %e : tape<f64>
        yield %s.4
      } else {
        yield %s.2
      }
      yield %b.3, %s.7
    }
    yield %r.2, %b.8, %s.8
  }
  %w0 = constant {value = 0.0} : f64[3]
  %u.9, %v.9, %c.9, %d.9, %q.9 = for_loop %n0, %n5, %n1, %r.9, %b.9, %s.9, %w0, %zero : tape<f64[3]>, tape<bool>, tape<f64>, f64[3], f64 (%k : i32, %u.1 : tape<f64[3]>, %v.1 : tape<bool>, %c.1 : tape<f64>, %d.1 : f64[3], %q.1 : f64) {
    %u.2, %top = pop %u.1 : tape<f64[3]>, f64[3]
    %half = constant {value = 0.5} : f64[3]
    %d.2 = mul %d.1, %half : f64[3]
    %d.3 = add %d.2, %top : f64[3]
    %v.8, %c.8, %q.8 = for_loop %n0, %n3, %n1, %v.1, %c.1, %q.1 : tape<bool>, tape<f64>, f64 (%l : i32, %v.2 : tape<bool>, %c.2 : tape<f64>, %q.2 : f64) {
      %v.3, %was = pop %v.2 : tape<bool>, bool
      %c.7, %q.7 = if_else %was : tape<f64>, f64 {
        %c.3, %e.1 = pop %c.2 : tape<f64>, f64
        %f = constant {value = 0.75} : f64
        %q.3 = mul %q.2, %f : f64
        %q.4 = add %q.3, %e.1 : f64
        yield %c.3, %q.4
      } else {
        yield %c.2, %q.2
      }
      yield %v.3, %c.7, %q.7
    }
    yield %u.2, %v.8, %c.8, %d.3, %q.8
  }
  output value "d" %d.9
  output value "q" %q.9
)");
  agree(function);
}

TEST_CASE("a while loop carries a tape; what its condition pops stays on it") {
  const Function function = read_main(kNumbers + R"(  %n = input "n" : i32
  %t = tape : tape<i32>
  %t1 = push %t, %n0 : tape<i32>
  %k, %filled = while_loop %n, %t1 : i32, tape<i32> (%k1 : i32, %s1 : tape<i32>) {
    %s2, %last = pop %s1 : tape<i32>, i32
    %s3 = push %s2, %n2 : tape<i32>
    %s4 = push %s3, %n2 : tape<i32>
    %limit = constant {value = 50} : i32
    %more = lt %last, %limit : bool
    yield %more
  } do (%k2 : i32, %s5 : tape<i32>) {
    %next = add %k2, %n2 : i32
    %s6 = push %s5, %next : tape<i32>
    yield %next, %s6
  }
  %f1, %a = pop %filled : tape<i32>, i32
  %f2, %b = pop %f1 : tape<i32>, i32
  output value "k" %k
  output value "a" %a
  output value "b" %b
)");
  CHECK(text_of(agree(function, std::vector{integer(1)})) == "51 51 49");
  CHECK(text_of(agree(function, std::vector{integer(49)})) == "51 51 0");
  CHECK(text_of(agree(function, std::vector{integer(-5000)})) == "50 50 48");
}

TEST_CASE("tapes of one type change places and are made anew while others are in use") {
  const Function function = read_main(kNumbers + R"(  %n = input "n" : i32
  %a0 = tape : tape<i32>
  %b0 = tape : tape<i32>
  %a, %b, %old = for_loop %n0, %n, %n1, %a0, %b0, %n0 : tape<i32>, tape<i32>, i32 (%i : i32, %a1 : tape<i32>, %b1 : tape<i32>, %o1 : i32) {
    %a2 = push %a1, %i : tape<i32>
    %m = mul %i, %i : i32
    %fresh = tape : tape<i32>
    %f1 = push %fresh, %m : tape<i32>
    %f2 = push %f1, %i : tape<i32>
    %b2, %x = pop %b1 : tape<i32>, i32
    %b3, %y = pop %b2 : tape<i32>, i32
    %o2 = add %o1, %x : i32
    %o3 = add %o2, %y : i32
    yield %f2, %a2, %o3
  }
  %a3, %p = pop %a : tape<i32>, i32
  %a4, %q = pop %a3 : tape<i32>, i32
  %b4, %r = pop %b : tape<i32>, i32
  %b5, %s = pop %b4 : tape<i32>, i32
  %b6, %u = pop %b5 : tape<i32>, i32
  output value "old" %old
  output value "p" %p
  output value "q" %q
  output value "r" %r
  output value "s" %s
  output value "u" %u
)");
  CHECK(text_of(agree(function, std::vector{integer(4)})) == "4 3 9 3 2 4");
  agree(function, std::vector{integer(300)});
}

TEST_CASE("one of two tapes") {
  const Function function = read_main(kNumbers + R"(  %c = input "c" : bool
  %a0 = tape : tape<i32>
  %b0 = tape : tape<i32>
  %a1 = push %a0, %n1 : tape<i32>
  %b1 = push %b0, %n2 : tape<i32>
  %t, %s = if_else %c : tape<i32>, tape<i32> {
    yield %a1, %b1
  } else {
    yield %b1, %a1
  }
  %t1, %x = pop %t : tape<i32>, i32
  %t2 = push %t1, %n0 : tape<i32>
  %s1, %y = pop %s : tape<i32>, i32
  output value "x" %x
  output value "y" %y
)");
  CHECK(text_of(agree(function, std::vector{Tensor::scalar(Element::boolean, 1)})) == "1 2");
  CHECK(text_of(agree(function, std::vector{Tensor::scalar(Element::boolean, 0)})) == "2 1");
}

TEST_CASE("a popped tensor outlives later pushes and pops") {
  agree(read_main(kNumbers + R"(  %x = input "x" : f64[4]
  %y = input "y" : f64[4]
  %t0 = tape : tape<f64[4]>
  %t1 = push %t0, %x : tape<f64[4]>
  %t2, %a = pop %t1 : tape<f64[4]>, f64[4]
  %t3 = push %t2, %y : tape<f64[4]>
  %t4, %b = pop %t3 : tape<f64[4]>, f64[4]
  %s = sub %a, %b : f64[4]
  output value "s" %s
  output value "a" %a
)"));
}

TEST_CASE("popped tensors that are read where their tape has them") {
  for (const char* type : {"f64[64]", "f32[32, 4]", "f64[4096]", "f64[65]"}) {
    CAPTURE(type);
    // All that was pushed, and one more, which is zeros; what is popped is carried as well, and written to.
    const std::string body = fmt::format(R"(  %n5 = constant {{value = 5}} : i32
  %n6 = constant {{value = 6}} : i32
  %a = input "a" : {0}
  %t = tape : tape<{0}>
  %filled, %last = for_loop %n0, %n5, %n1, %t, %a : tape<{0}>, {0} (%i : i32, %s : tape<{0}>, %x : {0}) {{
    %s1 = push %s, %x : tape<{0}>
    %y = sin %x : {0}
    yield %s1, %y
  }}
  %emptied, %sum, %kept = for_loop %n0, %n6, %n1, %filled, %a, %a : tape<{0}>, {0}, {0} (%j : i32, %s2 : tape<{0}>, %acc : {0}, %before : {0}) {{
    %s3, %top = pop %s2 : tape<{0}>, {0}
    %product = mul %top, %before : {0}
    %acc1 = sub %acc, %product : {0}
    %even = mod %j, %n2 : i32
    %is_even = eq %even, %n0 : bool
    %next = if_else %is_even : {0} {{
      yield %top
    }} else {{
      %turned = neg %top : {0}
      yield %turned
    }}
    yield %s3, %acc1, %next
  }}
  output value "sum" %sum
  output value "kept" %kept
)",
                                         type);
    CHECK(agree(read_main(kNumbers + body)).result.outputs.size() == 2);
  }
}

TEST_CASE("parts hand tapes on") {
  std::string body = kNumbers + "  %x0 = input \"x\" : f64\n  %t0 = tape : tape<f64>\n";
  for (int i = 0; i < 400; ++i) {
    body += fmt::format("  %t{} = push %t{}, %x{} : tape<f64>\n", i + 1, i, i);
    body += fmt::format("  %x{} = sin %x{} : f64\n", i + 1, i);
  }
  body += "  %s0 = constant {value = 0.0} : f64\n";
  for (int i = 0; i < 400; ++i) {
    body += fmt::format("  %t{}, %p{} = pop %t{} : tape<f64>, f64\n", 401 + i, i, 400 + i);
    body += fmt::format("  %m{} = mul %s{}, %p{} : f64\n  %s{} = add %m{}, %p{} : f64\n", i, i, i, i + 1, i, i);
  }
  agree(read_main(body + "  output value \"s\" %s400\n"));
}

TEST_CASE("what tapes hold counts as memory") {
  const Function function = read_main(kNumbers + R"(  %n = input "n" : i32
  %t = tape : tape<f64>
  %x = constant {value = 1.0} : f64
  %filled = for_loop %n0, %n, %n1, %t : tape<f64> (%i : i32, %s : tape<f64>) {
    %s1 = push %s, %x : tape<f64>
    yield %s1
  }
  %rest, %top = pop %filled : tape<f64>, f64
  output value "top" %top
)");
  auto compiled = backend::compile(function, {2});
  const std::vector<Tensor> arguments{integer(100000)};
  const std::size_t before = Tensor::live_bytes();
  for (auto [limit, fits] : {std::pair(200000, false), std::pair(1200000, true), std::pair(200000, false), std::pair(1200000, true)}) {
    runtime::RunOptions options;
    options.max_memory = before + static_cast<std::size_t>(limit);
    Observed observed = observe(*compiled, arguments, options);
    CAPTURE(limit, text_of(observed));
    CHECK(observed.result.failure.has_value() != fits);
    CHECK((fits ? text_of(observed) == "1" : text_of(observed).starts_with("E0406 the run needs ")));
  }
}

TEST_CASE("checkpoint and custom run their first region in place") {
  const Function function = read_main(kNumbers + R"(  %x = input "x" : f64[3]
  %i = input "i" : i32
  %y, %z = checkpoint : f64[3], f64 {
    %s = sin %x : f64[3]
    %e = slice %s, %i {starts = [0], sizes = [1], steps = [1], dynamic = [0], drop = [0]} : f64
    %p = custom %e : f64 (%a : f64) {
      %q = mul %a, %a : f64
      yield %q
    } adjoint (%a.1 : f64, %y.1 : f64, %dy : f64) {
      yield %dy
    }
    yield %s, %p
  }
  %same = custom %y : f64[3] (%b : f64[3]) {
    yield %b
  } adjoint (%b.1 : f64[3], %c.1 : f64[3], %dc : f64[3]) {
    yield %dc
  }
  output value "z" %z
  output value "same" %same
)");
  const Tensor x = sample(shaped(Element::f64, {3}));
  agree(function, std::vector{x, integer(2)});
  CHECK(text_of(agree(function, std::vector{x, integer(3)})) == "E0401 index 3 is outside -3..2 for axis 0 of s, size 3");
}

}  // namespace bpc::test
