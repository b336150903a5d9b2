#include "frontend/format/format.h"

#include <catch2/catch.hpp>

#include "frontend/syntax/parse.h"
#include "tree_text.h"

using namespace bpc;
using namespace bpc::frontend;

namespace {

// Formats, and checks what must always hold: the result formats to itself, reads to the same tree and has the same comments.
std::string formatted(const std::string& text) {
  SourceMap sources;
  Diagnostics diagnostics;
  auto before = parse(sources, sources.add("before.bp", text), diagnostics);
  REQUIRE(before);
  std::string result = format(*before, sources);
  auto after = parse(sources, sources.add("after.bp", result), diagnostics);
  REQUIRE(after);
  CHECK(tree_text(*before) == tree_text(*after));
  CHECK(format(*after, sources) == result);
  REQUIRE(before->comments.size() == after->comments.size());
  for (std::size_t i = 0; i < before->comments.size(); ++i) CHECK(before->comments[i].text == after->comments[i].text);
  return result;
}

}  // namespace

TEST_CASE("a canonical script stays as it is") {
  const std::string script = R"(# tutorial.bp: one hidden unit, one output unit
input x = 1
input y : i32[N] from "d.csv"["label"]
param W : [2*H, I] = glorot()

a1 = relu(w1*x + b1)
loss J = 1/2 * (a2 - y)^2
fn dense(x: [B, I], O, k=2) -> [B, O] {
  param W : [I, O] = he()  # initialised

  return x @ W[0..3, :] + 2^-1
}
if not a < b {
  c = 3
} else if b {
  # nothing here
} else {
  c = -4
}
train {
  optimizer = adam(lr=1e-3)  # Adam
  epochs = 10                # passes
}
x = [[0, 0],  # first row
     [0, 1]]
x, y = [f(i, j) for i in 0..N by 2, j in 0..K], sum(a for i in 0..3, axis=0)
adjoint ste(x) -> y {
  dx = dy
}
print "a\n\"b\"", (x) if a else b
)";
  CHECK(formatted(script) == script);
}

TEST_CASE("spaces, blank lines and blocks become canonical") {
  CHECK(formatted("x=1;y : i32=2\n\n\n\nz=f( x,axis = 0 )") == "x = 1\ny : i32 = 2\n\nz = f(x, axis=0)\n");
  CHECK(formatted("if a { b=1 } else { c=2 }\nfor i in 0..3{}\nfn f(x) {return x}\nif a {b=1;c=2}") ==
        "if a { b = 1 } else { c = 2 }\nfor i in 0..3 {}\nfn f(x) { return x }\nif a {\n  b = 1\n  c = 2\n}\n");
  CHECK(formatted("if a{\n\n  b=1\n\n}\nelse{c=2}") == "if a {\n  b = 1\n} else {\n  c = 2\n}\n");
  CHECK(formatted("x = a*b+c  *  d\ny = a<b") == "x = a*b+c * d\ny = a < b\n");
  CHECK(formatted("while a { \n}") == "while a {\n}\n");
  CHECK(formatted("while true{if a{break}else{continue;}}") == "while true {\n  if a { break } else { continue }\n}\n");
  CHECK(formatted("y = f( fn( x,z )=x*z ,h = fn()=1)") == "y = f(fn(x, z) = x*z, h=fn() = 1)\n");
  CHECK(formatted("real   f64\ny = h.dense . W.T") == "real f64\ny = h.dense.W.T\n");
  CHECK(formatted("loss   = a") == "loss = a\n");
  CHECK(formatted("") == "");
}

TEST_CASE("comments stay with what they are beside") {
  CHECK(formatted("a = 1;b = 2#b\n\n#own  \n  # own too\nc = 3") == "a = 1\nb = 2  #b\n\n#own\n# own too\nc = 3\n");
  CHECK(formatted("if a { # then\n  b = 1 # b\n  # end\n} # after\nelse { # else\n}\n# last") ==
        "if a {  # then\n  b = 1  # b\n  # end\n} else {  # after\n  # else\n}\n# last\n");
  CHECK(formatted("fn f(a, # first\n     b) {\n  return a\n}") == "fn f(a,  # first\n     b) {\n  return a\n}\n");
  CHECK(formatted("if a {\n    x = f(1, # one\n          2)\n}") == "if a {\n  x = f(1,  # one\n        2)\n}\n");
}

TEST_CASE("what holds a comment is formatted too") {
  CHECK(formatted("x=f(a,# first\n  b, # second\n      c)") == "x = f(a,  # first\n      b,  # second\n      c)\n");
  CHECK(formatted("y = a+   # plus\n   b*c -\n   # alone\n   d") == "y = a+  # plus\n  b*c -\n  # alone\n  d\n");
  CHECK(formatted("z = (  # open\n a+b # \"end\" # x\n )") == "z = (  # open\n  a+b  # \"end\" # x\n)\n");
  CHECK(formatted("w=[1, # one\n2, # two\n  # last\n]") == "w = [1,  # one\n     2  # two\n     # last\n]\n");
  CHECK(formatted("fn f(x, # the input\n  # about y\n y:[N]) -> real = x") ==
        "fn f(x,  # the input\n     # about y\n     y: [N]) -> real = x\n");
  CHECK(formatted("q=# why\n3") == "q =  # why\n  3\n");
  CHECK(formatted("p = \"a # b\" == ( # note\n \"(#\" )") == "p = \"a # b\" == (  # note\n  \"(#\")\n");
  CHECK(formatted("train {\n lr=f(1, # a\n 2)\n}") == "train {\n  lr = f(1,  # a\n         2)\n}\n");
  CHECK(formatted("if a\n# odd\n{ b=1 }") == "# odd\nif a {\n  b = 1\n}\n");
}

TEST_CASE("a left side stays on one line") {
  const std::string a(50, 'a'), b(50, 'b');
  CHECK(formatted("x[" + a + ",\n " + b + "]=1") == "x[" + a + ", " + b + "] = 1\n");
  CHECK(formatted(a + ", " + b + " = f(x)") == a + ", " + b + " = f(\n  x\n)\n");
}

TEST_CASE("long statements are broken, and the author's breaks are kept") {
  const std::string a(40, 'a'), b(40, 'b'), c(40, 'c');
  CHECK(formatted("x = f(" + a + ", " + b + ", " + c + ")") == "x = f(\n  " + a + ", " + b + ",\n  " + c + "\n)\n");
  CHECK(formatted("x = " + a + " + " + b + " + " + c) == "x = " + a + " + " + b + " +\n  " + c + "\n");
  CHECK(formatted("input x : [N, F] from \"" + a + "\"[[\"" + b + "\", \"" + c + "\"]]") ==
        "input x : [N, F] from \"" + a + "\"[\n  [\"" + b + "\", \"" + c + "\"]\n]\n");
  CHECK(formatted("assert all(" + a + " > " + b + "), \"" + c + "\"") == "assert all(" + a + " > " + b + "),\n  \"" + c + "\"\n");
  CHECK(formatted("x = ([" + a + ", " + b + ", (" + c + ")])") == "x = (\n  [\n    " + a + ", " + b + ",\n    (" + c + ")\n  ]\n)\n");
  CHECK(formatted("print " + a + ", " + b + ", " + c) == "print " + a + ", " + b + ",\n  " + c + "\n");
  CHECK(formatted("x = [1,2,\n3,4]") == "x = [1, 2,\n     3, 4]\n");
  CHECK(formatted("x = [\n1,2,\n   3,4,\n]") == "x = [\n  1, 2,\n  3, 4\n]\n");
  CHECK(formatted("y = (a +\n b)") == "y = (a +\n     b)\n");
}

TEST_CASE("a long chain is formatted without deep recursion") {
  std::string sum = "x = a";
  for (int i = 0; i < 3000; ++i) sum += " + a";
  CHECK(formatted(sum).size() > sum.size());
}
