#include <fmt/format.h>
#include <catch2/catch.hpp>

#include "frontend/names/resolve.h"
#include "frontend/prelude/prelude.h"
#include "frontend/program.h"
#include "frontend/syntax/parse.h"

using namespace bpc;
using namespace bpc::frontend;

namespace {

using Files = std::map<std::string, std::string>;

// The diagnostics of main.bp, "line:column code message" each (with the file's name in front, of another file).
std::string problems(const std::string& main, const Files& files = {}) {
  SourceMap sources;
  Diagnostics diagnostics;
  auto read = [&](const std::string& path) -> std::optional<std::string> {
    auto found = files.find(path);
    if (found == files.end()) return std::nullopt;
    return found->second;
  };
  auto program = load(sources, sources.add("main.bp", main), read, diagnostics);
  CHECK(program.has_value());
  std::string result;
  for (const Diagnostic& each : diagnostics.all()) {
    const std::string file = each.span.file == 0 ? "" : sources.file(each.span.file).path + ":";
    result += fmt::format("{}{}:{} {} {}\n", file, each.span.line, each.span.column, code_info(each.code).name, each.message);
    if (!each.help.empty() && each.help.starts_with("did you mean")) result.insert(result.size() - 1, "; " + each.help);
  }
  return result;
}

}  // namespace

TEST_CASE("names are known from where they are bound") {
  CHECK(problems("input x = 1\ny = relu(x)\nloss J = sum(y)\nprint y, J") == "");
  CHECK(problems("x = larg\nlarger = 1\ny = larget") ==
        "1:5 E0103 unknown name `larg`\n3:5 E0103 unknown name `larget`; did you mean `larger`?\n");
  CHECK(problems("y = z\nz = 1\nw = z") == "1:5 E0103 `z` is used before it is bound\n");
  CHECK(problems("y = q + q\nz = q") == "1:5 E0103 unknown name `q`\n");
  CHECK(problems("y = rellu(3)") == "1:5 E0103 unknown function `rellu`; did you mean `relu`?\n");
  CHECK(problems("x += 1\ny[0] = 2") == "1:1 E0103 unknown name `x`\n2:1 E0103 unknown name `y`\n");
  CHECK(problems("x : flaot = 1\ny : int = 2") == "1:5 E0103 unknown type `flaot`\n2:5 E0103 unknown type `int`\n");
  CHECK(problems("y = sum\nz = 3\nw = z(1)") == "1:5 E0209 `sum` is a function, not a value\n3:5 E0209 `z` is a value, not a function\n");
  CHECK(problems("x = 1\ny = sum(x, axis=none)") == "");
}

TEST_CASE("blocks keep their own names to themselves") {
  CHECK(problems("a = true\nif a { b = 1 } else { b = 2 }\nc = b") == "");
  CHECK(problems("a = true\nif a { b = 1 }\nc = b") == "3:5 E0103 `b` is not bound here: only one side of an `if` binds it\n");
  CHECK(problems("a = 1\nif a > 0 { a = 2 }\nc = a") == "");
  CHECK(problems("s = 0\nfor i in 0..3 { t = i; s = s + t }\nc = s + t + i") ==
        "3:9 E0103 `t` is not bound here: it is local to a loop\n3:13 E0103 `i` is not bound here: it is local to a loop\n");
  CHECK(problems("y = [i*j for i in 0..3, j in 0..i]\nz = i") == "2:5 E0103 unknown name `i`\n");
}

TEST_CASE("declarations declare once") {
  CHECK(problems("param w = 1\nparam w = 2") == "2:7 E0104 `w` is already a param\n");
  CHECK(problems("x = 1\ninput x = 2") == "2:7 E0104 `x` is already a value\n");
  CHECK(problems("param w = 1\nw = w - 1\nx = 1\nx = 2") == "");
  CHECK(problems("dim H = 3\nH = 4") == "2:1 E0104 `H` is a dim, which keeps its value\n");
  CHECK(problems("fn f(a, a) = a") == "1:9 E0104 two parameters are called `a`\n");
  CHECK(problems("a, a = split([1, 2], 2)") == "1:4 E0104 `a` is bound twice in one statement\n");
  CHECK(problems("fn relu(x) = x\nmax = 3\ny = relu(max)") == "");
}

TEST_CASE("functions") {
  CHECK(problems("k = 1\nfn f(x: [B, I], O) -> [B, O] { y = x + k; return y + B + O }\nz = f(k, 2)") == "");
  CHECK(problems("fn f(x) -> [Q] = x") == "1:13 E0103 unknown name `Q`\n");
  CHECK(problems("fn f(x) = g(x)\nfn g(x) = x") == "1:11 E0103 `g` is used before it is bound\n");
  CHECK(problems("fn f(x) = f(x)") == "");  // a call tells
  CHECK(problems("fn f(x) = g(x)\nfn g(x) = h(x)\nfn h(x) = f(x)") ==
        "1:11 E0106 `f` calls `g`, which calls it again\n2:11 E0106 `g` calls `h`, which calls it again\n");
  const std::string f = "fn f(a, b=1) = a + b\n";
  CHECK(problems(f + "y = f(1) + f(1, 2) + f(b=1, a=2)") == "");
  CHECK(problems(f + "y = f()") == "2:5 E0105 `f` needs its argument `a`\n");
  CHECK(problems(f + "y = f(1, 2, 3)") == "2:13 E0105 `f` takes at most 2 arguments, and 3 are given\n");
  CHECK(problems(f + "y = f(1, c=3)") == "2:10 E0105 `f` has no parameter `c`\n");
  CHECK(problems(f + "y = f(1, a=3)") == "2:10 E0105 `a` of `f` is given twice\n");
  CHECK(problems(f + "y = f(1, c=3, d=4)") == "2:10 E0105 `f` has no parameter `c`\n2:15 E0105 `f` has no parameter `d`\n");
  CHECK(problems(f + "y = f(a=1, 3)") == "2:12 E0105 an argument without a name stands after a named one\n");
}

TEST_CASE("statements have their places") {
  CHECK(problems("return 3") == "1:1 E0109 `return` stands outside a function\n");
  CHECK(problems("loss J = 1\nloss K = 2") == "2:6 E0109 a script has one loss\n");
  CHECK(problems("if true { param w = 1\n y = w }") == "1:11 E0109 `param` cannot stand inside a block\n");
  CHECK(problems("fn f(x) { param w = 1; const c = 2; return x*w*c }") == "");
  CHECK(problems("fn f(x) { dim D = 1; return D }") == "1:11 E0109 `dim` cannot stand inside a function\n");
  CHECK(problems("for i in 0..2 { import \"a.bp\" }") == "1:17 E0109 `import` cannot stand inside a block\n");
  CHECK(problems("1 + 2") == "1:1 E0109 this value is not used\n");
}

TEST_CASE("imports") {
  const Files files{{"lib/a.bp", "import \"b.bp\"\ndim H = 3\nconst c = 1\nfn f(x) = g(x)*c\ny = f(2)\n"},
                    {"lib/b.bp", "fn g(x) = x\n"},
                    {"self.bp", "import \"self.bp\"\n"},
                    {"one.bp", "import \"two.bp\"\n"},
                    {"two.bp", "import \"one.bp\"\n"},
                    {"bad.bp", "x = \n"},
                    {"wrong.bp", "x = zz\n"}};
  CHECK(problems("import \"lib/a.bp\"\nimport \"lib/a.bp\"\nz = f(H) + c", files) == "");
  CHECK(problems("import \"lib/a.bp\"\nz = y + g(1)", files) == "2:5 E0103 unknown name `y`\n2:9 E0103 unknown function `g`\n");
  CHECK(problems("fn f(x) = x\nimport \"lib/a.bp\"", files) == "2:8 E0104 this file declares `f`, which is already a function\n");
  CHECK(problems("import \"self.bp\"", files) == "self.bp:1:8 E0108 this file imports itself\n");
  CHECK(problems("import \"one.bp\"", files) == "two.bp:1:8 E0108 \"one.bp\" imports this file again\n");
  CHECK(problems("import \"none.bp\"", files) == "1:8 E0502 cannot read none.bp\n");
  CHECK(problems("import \"bad.bp\"", files) == "bad.bp:1:3 E0101 no value stands after `=`\n");
  CHECK(problems("import \"wrong.bp\"", files) == "wrong.bp:1:5 E0103 unknown name `zz`\n");
}

TEST_CASE("a name has one meaning, wherever it is assigned and read") {
  SourceMap sources;
  Diagnostics diagnostics;
  const std::string text =
      "x = 1\n"
      "if x > 0 { b = 1 } else if x < -1 { b = 2 } else { b = 3 }\n"
      "fn f(a: [n], c) { x = a[0] + x; x += c; return x*n }\n"
      "for x in 0..2 { b = b + x }\n"
      "y = f([x], b)\n";
  auto program = load(sources, sources.add("main.bp", text), [](const std::string&) { return std::nullopt; }, diagnostics);
  REQUIRE(program);
  std::map<std::string, std::set<const Definition*>> meanings;
  for (ExprId id{0}; id.index < program->asts[0]->exprs.size(); ++id.index)
    if (const Definition* meaning = program->names[0]->of(id)) meanings[meaning->name].insert(meaning);
  CHECK(meanings["b"].size() == 1);  // all three sides of the `if`, and the loop
  CHECK(meanings["x"].size() == 3);  // the script's, the function's own, the loop's index
  CHECK(meanings["n"].size() == 1);
  CHECK((*meanings["n"].begin())->kind == Definition::Kind::size);
  CHECK((*meanings["c"].begin())->kind == Definition::Kind::parameter);
}

TEST_CASE("every function of the prelude resolves") {
  for (const PreludeFunction& function : prelude_functions()) {
    INFO(function.name);
    SourceMap sources;
    Diagnostics diagnostics;
    const FileId file = sources.add(std::string(function.path), std::string(function.text), true);
    auto ast = parse(sources, file, diagnostics);
    REQUIRE(ast);
    Meanings names(*ast);
    CHECK(resolve_library(sources, *ast, names));
  }
}

TEST_CASE("a default reads the parameters before it") {
  CHECK(problems("fn f(x, k, stride=k) = x + stride\ny = f(1, 2)") == "");
  CHECK(problems("fn f(x, stride=k, k=1) = x + stride") == "1:16 E0103 unknown name `k`\n");
}
