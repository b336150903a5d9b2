#include "frontend/syntax/parse.h"

#include <fmt/format.h>
#include <catch2/catch.hpp>

#include <random>

#include "tree_text.h"

using namespace bpc;
using namespace bpc::frontend;

namespace {

// The tree of a script that has no errors; its diagnostics otherwise, "line:column code message" each.
std::string tree(const std::string& text) {
  SourceMap sources;
  Diagnostics diagnostics;
  auto ast = parse(sources, sources.add("test.bp", text), diagnostics);
  std::string result = ast ? tree_text(*ast) : "";
  CHECK(ast.has_value() == diagnostics.all().empty());
  for (const Diagnostic& each : diagnostics.all())
    result += fmt::format("{}:{} {} {}\n", each.span.line, each.span.column, code_info(each.code).name, each.message);
  return result;
}

// Of one expression.
std::string value(const std::string& text) {
  std::string result = tree("y = " + text);
  return result.starts_with("y = ") ? result.substr(4, result.size() - 5) : result;
}

std::string repeat(const std::string& text, std::size_t times) {
  std::string result;
  for (std::size_t i = 0; i < times; ++i) result += text;
  return result;
}

bool is_error(const std::string& result, const std::string& code) {
  return result.find(" " + code + " ") != std::string::npos;
}

}  // namespace

TEST_CASE("operators bind as the language says") {
  CHECK(value("-x^2") == "(- (x ^ 2))");
  CHECK(value("2^-1") == "(2 ^ (- 1))");
  CHECK(value("2^-x^2") == "(2 ^ (- (x ^ 2)))");
  CHECK(value("a^b^c") == "(a ^ (b ^ c))");
  CHECK(value("a - b - c") == "((a - b) - c)");
  CHECK(value("a + b*c // d % e @ f") == "(a + ((((b * c) // d) % e) @ f))");
  CHECK(value("-a*b") == "((- a) * b)");
  CHECK(value("a*-b") == "(a * (- b))");
  CHECK(value("--a") == "(- (- a))");
  CHECK(value("not a < b and c or d") == "(((not (a < b)) and c) or d)");
  CHECK(value("a if b or c else d if e else f") == "(if (b or c) a (if e d f))");
  CHECK(value("a+1..b*2 by c") == "(range (a + 1) (b * 2) c)");
  CHECK(value("x.T @ y[0].T") == "((T x) @ (T (at y 0)))");
  CHECK(value("(a + b) * c") == "({(a + b)} * c)");
  CHECK(value("a == b") == "(a == b)");
}

TEST_CASE("calls, indices, lists and comprehensions") {
  CHECK(value("f()") == "(call f)");
  CHECK(value("sum(x, axis=0, keep = true,)") == "(call sum x axis=0 keep=true)");
  CHECK(value("x[1..]") == "(at x (range 1 _ _))");
  CHECK(value("x[..3, :]") == "(at x (range _ 3 _), (range _ _ _))");
  CHECK(value("x[.. by -1]") == "(at x (range _ _ (- 1)))");
  CHECK(value("x[i..i+3 by 2, -1]") == "(at x (range i (i + 3) 2), (- 1))");
  CHECK(value("[[1, 2], [3, 4]]") == "[[1, 2], [3, 4]]");
  CHECK(value("[f(x[i], c[j]) for i in 0..N, j in 0..K]") == "[for (call f (at x i) (at c j)) i (range 0 N _) j (range 0 K _)]");
  CHECK(value("sum(a[i,k] * b[k,j] for k in 0..K, axis=0)") == "(call sum (for ((at a i, k) * (at b k, j)) k (range 0 K _)) axis=0)");
  CHECK(value("sum(a for k in 0..K, b)") == "(call sum (for a k (range 0 K _)) b)");
}

TEST_CASE("declarations") {
  CHECK(tree("import \"layers.bp\"") == "import 'layers.bp'\n");
  CHECK(tree("dim N; dim H = 2*K") == "dim N = _\ndim H = (2 * K)\n");
  CHECK(tree("const eps = 1e-5\nconst k : i32 = 3") == "const eps = 1e-5\nconst k : i32 = 3\n");
  CHECK(tree("input x : [N, 784]\ninput y = 1") == "input x : [N, 784] = _\ninput y = 1\n");
  CHECK(tree("input t : i32[N] from \"digits.csv\"[\"label\"]") == "input t : i32[N] = _ from 'digits.csv' 'label'\n");
  CHECK(tree("input v = 0 from \"d.csv\"[0..64]") == "input v = 0 from 'd.csv' (range 0 64 _)\n");
  CHECK(tree("input v from \"d.csv\"[[\"y\", \"x\"]]") == "input v = _ from 'd.csv' ['y', 'x']\n");
  CHECK(tree("param W : [784, H] = glorot()") == "param W : [784, H] = (call glorot)\n");
  CHECK(tree("loss J = a\nloss = b") == "loss J = a\nloss loss = b\n");
  CHECK(tree("fn f(x: [B, I], k: i32 = 3, z) -> [B, O], real = x") == "fn f(x : [B, I] = _, k : i32 = 3, z = _, ) : [B, O] : real x\n");
  CHECK(tree("fn f() { return a, b }") == "fn f() { return a, b; }\n");
  CHECK(tree("seed 42") == "seed 42\n");
  CHECK(tree("train {\n  optimizer = adam(lr = 1e-3)  # why\n  loss = mse; seed = 3\n}") ==
        "train optimizer = (call adam lr=1e-3); loss = mse; seed = 3;\n");
  CHECK(tree("adjoint ste(x) -> y { dx = dy }") == "adjoint ste(x) -> y { dx = dy; }\n");
  CHECK(tree("adjoint f() -> y { dx = dy }") == "adjoint f() -> y { dx = dy; }\n");
}

TEST_CASE("statements") {
  CHECK(tree("x[i] = v;  x[i, :] += g") == "x[i] = v\nx[i, (range _ _ _)] += g\n");
  CHECK(tree("k : i32 = 0\na, b = split(z, 2)") == "k : i32 = 0\na, b = (call split z 2)\n");
  CHECK(tree("if a { x = 1 }\nelse if b { x = 2 }\nelse { x = 3 }") == "if a { x = 1; } else { if b { x = 2; } else { x = 3; }; }\n");
  CHECK(tree("for i in 0..T by 2 { x = i }") == "for i (range 0 T 2) { x = i; }\n");
  CHECK(tree("while a < b\n{\n}\nprint") == "while (a < b) { }\nprint \n");
  CHECK(tree("print \"a\\n\\\"\", i, (b)") == "print 'a\n\"', i, {b}\n");
  CHECK(tree("assert a < b, \"why\"") == "assert (a < b) 'why'\n");
  CHECK(tree("a\n") == "value a\n");
  CHECK(tree("") == "");
  CHECK(tree("# only this") == "");
}

TEST_CASE("lines end statements, except where something is missing") {
  CHECK(tree("y = a +\n\n  b and\n  c\nz = f(1,\n 2\n)\n") == "y = ((a + b) and c)\nz = (call f 1 2)\n");
  CHECK(tree("y =\n  3") == "y = 3\n");
  CHECK(tree("print a,\n  b") == "print a, b\n");
  CHECK(tree("y = 1 # c +\nz = 2\r\n") == "y = 1\nz = 2\n");
  CHECK(tree("if a { x = 1 } y = 2") == "if a { x = 1; }\ny = 2\n");
  CHECK(tree("a = 1;;\n;b = 2;") == "a = 1\nb = 2\n");
}

TEST_CASE("the words of declarations are names elsewhere") {
  CHECK(tree("seed = 3\ninput = seed + loss * from\nloss = input.T\nprint = by") ==
        "seed = 3\ninput = (seed + (loss * from))\nloss loss = (T input)\nprint = by\n");
  CHECK(tree("seed, dim = f(fn)\nparam[0] = const\nimport : i32 = 1\ntrain += 1") ==
        "seed, dim = (call f fn)\nparam[0] = const\nimport : i32 = 1\ntrain += 1\n");
  CHECK(tree("for by in by..by by by { x = by }") == "for by (range by by by) { x = by; }\n");
  CHECK(tree("print -x\nprint [1]\nprint[0] = 1\nseed (3)") == "print (- x)\nprint [1]\nprint[0] = 1\nseed {3}\n");
  CHECK(tree("param loss = seed") == "param loss = seed\n");
}

TEST_CASE("names and numbers") {
  CHECK(value("a₁ + σ*θ_2") == "(a₁ + (σ * θ_2))");
  SourceMap sources;
  Diagnostics diagnostics;
  auto ast = parse(sources, sources.add("test.bp", "σ = 1_000 + 2.5e1 + 9223372036854775808 + .5"), diagnostics);
  REQUIRE(ast);
  std::vector<NumberExpr> numbers;
  for (const Expr& expr : ast->exprs)
    if (const auto* number = std::get_if<NumberExpr>(&expr.node)) numbers.push_back(*number);
  REQUIRE(numbers.size() == 4);
  CHECK(numbers[0].integer == 1000);
  CHECK(numbers[1].value == 25.0);
  CHECK(!numbers[1].integer);
  CHECK(numbers[2].value == 9223372036854775808.0);
  CHECK(!numbers[2].integer);
  CHECK(numbers[3].value == 0.5);
}

TEST_CASE("spans count code points") {
  SourceMap sources;
  Diagnostics diagnostics;
  auto ast = parse(sources, sources.add("test.bp", "σ = (α₁ +\n  b)  # why\n"), diagnostics);
  REQUIRE(ast);
  const auto& assign = std::get<AssignStmt>(ast->stmt(ast->top[0]).node);
  CHECK(assign.targets[0].name.span == Span{0, 1, 1, 1, 2});
  CHECK(ast->expr(assign.values[0]).span == Span{0, 1, 5, 2, 5});
  CHECK(ast->expr(assign.values[0]).parenthesized);
  CHECK(ast->stmt(ast->top[0]).span == Span{0, 1, 1, 2, 5});
  REQUIRE(ast->comments.size() == 1);
  CHECK(ast->comments[0].text == "# why");
  CHECK(ast->comments[0].span == Span{0, 2, 7, 2, 12});
}

TEST_CASE("syntax errors say what is wrong") {
  CHECK(tree("y = (3 * )") == "1:10 E0101 found `)` where an expression should start\n");
  CHECK(tree("y = 3 *\nz = 2") == "1:7 E0101 the right operand of `*` is missing\n");
  CHECK(tree("x = 3 4") == "1:7 E0101 found `4` where the statement should end\n");
  CHECK(tree("if = 3") == "1:4 E0101 found `=` where an expression should start\n");
  CHECK(tree("dim 3") == "1:5 E0101 found `3` where a name should stand\n");
  CHECK(tree("for i in x { }") == "1:10 E0101 a range such as `0..n` should stand after `in`\n");
  CHECK(tree("y = x.shape") == "1:7 E0111 values have no methods and no attributes but `.T`; found `.shape`\n");
  CHECK(tree("a + b = c") == "1:1 E0101 a name should stand on the left of `=`\n");
  CHECK(tree("+ 3") == "1:1 E0101 found `+` where a statement should start\n");
  CHECK(tree("x = \"abc") == "1:5 E0101 this text has no closing `\"`\n");
  CHECK(tree("a, b = 1, 2, 3") == "1:8 E0101 3 values for 2 names\n");
  CHECK(tree("if a {} else {} else {}") == "1:1 E0101 `else` without a condition comes last, and only once\n");
  CHECK(tree("y = 3(x)") == "1:6 E0101 only a named function can be called\n");
}

TEST_CASE("unclosed brackets are reported where they were opened, and the rest is still read") {
  CHECK(tree("y = f(1, 2\nz = (3\nw = 4 5\n") ==
        "1:6 E0102 this `(` is never closed\n2:5 E0102 this `(` is never closed\n3:7 E0101 found `5` where the statement should end\n");
  CHECK(tree("fn f(x) {\n  y = x\n") == "1:9 E0102 this `{` is never closed\n");
  CHECK(tree("y = (a + b]") == "1:5 E0102 this `(` is closed by `]`\n");
  CHECK(tree("y = [1, (2, 3]") == "1:9 E0102 this `(` is never closed\n");
  CHECK(tree("if f(a {\n  x = 1\n}\ny = )") == "1:5 E0102 this `(` is never closed\n4:5 E0101 found `)` without a `(` before it\n");
  CHECK(tree("}\ny = 3 4") == "1:1 E0101 found `}` without a `{` before it\n2:7 E0101 found `4` where the statement should end\n");
}

TEST_CASE("numbers, foreign spellings and characters") {
  for (const char* text : {"1__0", "1e", "3x", "1_", "1.5.2", "0x1f", "5."}) CHECK(is_error(value(text), "E0110"));
  for (const char* text : {"a ** 2", "a < b < c", "a && b", "a || b", "!a", "'a'"}) CHECK(is_error(value(text), "E0111"));
  for (const char* text : {"x²", "a $ b", "a \x01 b", "\"\\q\"", "\xff", "\xc0\xaf", "\xed\xa0\x80"}) CHECK(is_error(value(text), "E0112"));
  CHECK(is_error(value("1e999"), "E0210"));
  CHECK(value("1e-999") == "1e-999");
}

TEST_CASE("a file with several errors reports each once, in order") {
  CHECK(tree("a = 1__0\nb = (2\nc = d < e < f\ng = 3 4\nh = 1\n") ==
        "1:5 E0110 `1__0` is not a number\n2:5 E0102 this `(` is never closed\n3:7 E0111 comparisons do not chain\n"
        "4:7 E0101 found `4` where the statement should end\n");
}

TEST_CASE("deep nesting is an error, long chains are not") {
  CHECK(is_error(value(repeat("(", 100000)), "E0107"));
  CHECK(is_error(value(repeat("(", 1000) + "1" + repeat(")", 1000)), "E0107"));
  CHECK(is_error(value(repeat("-", 100000) + "1"), "E0107"));
  CHECK(is_error(value(repeat("not ", 50000) + "a"), "E0107"));
  CHECK(is_error(value(repeat("a^", 20000) + "1"), "E0107"));
  CHECK(is_error(value(fmt::format("a{}", repeat("[0]", 10000))), "E0107"));
  CHECK(is_error(value(repeat("a if b else ", 5000) + "c"), "E0107"));
  CHECK(is_error(tree(repeat("if a {\n", 5000)), "E0107"));
  CHECK(is_error(tree(fmt::format("if a {{}}{}", repeat(" else if a {}", 5000))), "E0107"));
  CHECK(is_error(value(repeat("a + ", 100000) + "1"), "E0107"));
  CHECK(value(repeat("a + ", 3000) + "1").ends_with(" + 1)"));
  CHECK(value(repeat("(", 150) + "1" + repeat(")", 150)) != "");
}

TEST_CASE("broken scripts end in coded messages") {
  const std::string script =
      "input x : [N, 3] = 0 from \"d.csv\"[0..3]\nparam W : [3, H] = glorot()\nfn f(x: [B], k = 2) -> [B] {\n  y = x*k^2 # why\n  return "
      "y, [1, 2][0]\n}\n"
      "for i in 0..3 by 2 { x[i, :] += f(x, k=1)\n}\nif a < b and not c { print \"σ\", i } else { z = sum(a for i in 0..2, j in 0..i) "
      "}\nloss J = -x.T @ W\n";
  std::mt19937 random(7);
  for (int round = 0; round < 600; ++round) {
    std::string text = script;
    if (round % 2 == 0) text.resize(random() % text.size());
    for (unsigned flips = random() % 6; flips > 0 && !text.empty(); --flips) text[random() % text.size()] = static_cast<char>(random());
    SourceMap sources;
    Diagnostics diagnostics;
    auto ast = parse(sources, sources.add("test.bp", text), diagnostics);
    REQUIRE(ast.has_value() == diagnostics.all().empty());
    for (const Diagnostic& each : diagnostics.all()) REQUIRE(!render_human(each, sources, false).empty());
  }
}

TEST_CASE("what is right in a file with mistakes is in its tree") {
  auto partial = [](const std::string& text) {
    SourceMap sources;
    Diagnostics diagnostics;
    auto ast = parse_partial(sources, sources.add("test.bp", text), diagnostics);
    return ast ? tree_text(*ast) : "nothing";
  };
  CHECK(partial("a = 1\nb = 2 3\nc = 4\n") == "a = 1\nerror b\nc = 4\n");
  CHECK(partial("fn f(x) {\n  y = x x\n  return y\n}\nz = f(1)\n") == "fn f(x = _, ) { error y; return y; }\nz = (call f 1)\n");
  CHECK(partial("param a = 1 2, b = 3\ndim N N\nfn g(x y) = x\nloss J J = 3\n") == "error a b\nerror N\nerror g\nerror J\n");
  CHECK(partial("def f(x):\n    y = x\n    return y\nend\nz = 3\n") == "error ?def ?f ?x\nerror y\nerror\nerror ?end\nz = 3\n");
  CHECK(partial("for i in range(3) {\n  s = s + i\n}\nt = 1\n") == "error s\nt = 1\n");
  CHECK(partial("import foo\nx = a < b < c\ny = \"no end\n") == "error imports\nerror x\nerror y\n");
  CHECK(partial("x = 1\ny = \xff\n") == "nothing");
}
