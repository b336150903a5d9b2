// Data as users bring them: files of every kind, by every flag.
#include <sys/stat.h>
#include <catch2/catch.hpp>

#include "tests/support/process.h"

namespace {

using namespace bpc::test;
using Catch::Matchers::Contains;

Finished run_script(const Folder& folder, const std::string& script, std::vector<std::string> flags = {}, std::string_view input = {}) {
  std::vector<std::string> words{"run", folder.write("s.bp", script)};
  words.insert(words.end(), flags.begin(), flags.end());
  return run_bpc(words, input);
}

void check_out(const Finished& finished, const std::string& out) {
  INFO(finished.err);
  CHECK(finished.code == 0);
  CHECK(finished.out == out);
}

// Exit 2, nothing printed, one error that says this.
void check_error(const Finished& finished, const std::string& code, const std::string& words) {
  INFO(finished.out << finished.err);
  CHECK(finished.code == 2);
  CHECK(finished.out.empty());
  CHECK_THAT(finished.err, Contains("error[" + code + "]"));
  CHECK_THAT(finished.err, Contains(words));
  CHECK(finished.err.find("error[", 1) == std::string::npos);
}

}  // namespace

TEST_CASE("selectors in scripts are slices, and what is none is an error") {
  const Folder folder;
  folder.write("f.csv", "a,b,c,d\n1,2,3,4\n");
  auto given = [&](const std::string& selector) { return run_script(folder, "input x from \"f.csv\"" + selector + "\ny = x\n"); };
  check_out(given("[-1]"), "y = [4]\n");
  check_out(given("[0..-1]"), "y = [[1, 2, 3]]\n");
  check_out(given("[0..3 by 2]"), "y = [[1, 3]]\n");
  check_out(given("[.. by -1]"), "y = [[4, 3, 2, 1]]\n");
  check_out(given("[[0, -1]]"), "y = [[1, 4]]\n");
  check_out(given("[[\"d\", \"a\"]]"), "y = [[4, 1]]\n");
  check_error(given("[k]"), "E0511", "a column's name is quoted: [\"k\"]");
  for (const char* selector :
       {"[18446744073709551615]", "[1.5]", "[true]", "[1 + 1]", "[0..k]", "[0..3 by 0]", "[[]]", "[[0, k]]", "[[[0]]]"})
    check_error(given(selector), "E0511", "cannot be read");
  check_error(given("[4]"), "E0503", "column 4 is asked for, and there are 4");
  check_error(given("[-5]"), "E0503", "column -5 is asked for, and there are 4");
  check_error(given("[2..1]"), "E0503", "columns 2..1 are none of the 4");
}

TEST_CASE("selectors on the command line") {
  const Folder folder;
  const std::string file = folder.write("f.csv", "a,b,c,d\n1,2,3,4\n");
  auto given = [&](const std::string& selector) {
    return run_script(folder, "input x = 0\ny = x\n", {"--data", "x=" + file + "[" + selector + "]"});
  };
  check_out(given("-1"), "y = [4]\n");
  check_out(given("b"), "y = [2]\n");
  check_out(given("0..-1"), "y = [[1, 2, 3]]\n");
  check_out(given("0..3 by 2"), "y = [[1, 3]]\n");
  check_out(given("[\"d\", 0]"), "y = [[4, 1]]\n");
  for (const char* selector : {"18446744073709551615", "", "a..b", "0..3 by 0", "[", "[]", "[1.5]", "\"a", "[\"\xff\"]"})
    check_error(given(selector), "E0511", "cannot be read");
  check_error(given("\xff"), "E0503", "there is no column");
}

TEST_CASE("codes are those of the script's own file") {
  const Folder folder;
  folder.write("train.csv", "x,y\n1,cat\n2,dog\n3,ant\n");
  const std::string script = "input y : i32[N] from \"train.csv\"[\"y\"]\nz = y\n";
  const std::string declared = "dim N\n" + script;
  check_out(run_script(folder, declared), "z = [1, 2, 0]\n");
  check_out(run_script(folder, declared, {"--data", folder.write("test.csv", "x,y\n1,dog\n2,cat\n")}), "z = [2, 1]\n");
  check_error(run_script(folder, declared, {"--data", folder.write("bad.csv", "x,y\n1,dog\n2,cow\n")}), "E0503",
              "bad.csv: line 3, column `y`: `cow` is none of the categories of");
  const Finished checked = run_bpc({"check", folder.write("s.bp", declared)});
  INFO(checked.err);
  CHECK_THAT(checked.out, Contains(": ok\ny: 0 ant, 1 cat, 2 dog\n"));
}

TEST_CASE("columns that are called the same have one set of codes, from all files of the script") {
  const Folder folder;
  folder.write("train.csv", "w,kind\n1,cat\n2,dog\n3,cat\n");
  folder.write("test.csv", "kind,w\ndog,1\neel,2\n");
  const std::string script = "dim N\ndim M\ninput a : i32[N] from \"train.csv\"[\"kind\"]\ninput b : i32[M] from \"test.csv\"[\"kind\"]\n";
  check_out(run_script(folder, script + "print a, b\n"), "[0, 1, 0] [1, 2]\n");
  check_out(run_script(folder, script + "print a, b\n", {"--data", "b=" + folder.write("more.csv", "kind\neel\ncat\n")}),
            "[0, 1, 0] [2, 0]\n");
  check_error(run_script(folder, script + "print a, b\n", {"--data", "b=" + folder.write("bad.csv", "kind\nowl\n")}), "E0503",
              "test.csv and ");
  CHECK_THAT(run_bpc({"check", folder.write("s.bp", script)}).out, Contains("a: 0 cat, 1 dog, 2 eel\nb: 0 cat, 1 dog, 2 eel\n"));
  // A column of numbers, and one that is called otherwise, go their own way.
  folder.write("other.csv", "kind,sort\n7,owl\n8,ant\n");
  check_out(run_script(folder,
                       "input a from \"train.csv\"[\"kind\"]\ninput b from \"other.csv\"[\"kind\"]\ninput c from \"other.csv\"[\"sort\"]\n"
                       "print a, b, c\n"),
            "[0, 1, 0] [7, 8] [1, 0]\n");
  CHECK_THAT(run_script(folder, "input a from \"train.csv\"[\"kind\"]\ninput b from \"other.csv\"[\"kind\"]\nprint a, b\n").err,
             Contains("warning[W0503]: the column `kind` holds texts in") && Contains("and numbers in"));
}

TEST_CASE("codes from a data file alone, beside params from elsewhere, get a warning") {
  const Folder folder;
  const std::string script = "dim N\ninput kind : i32[N]\nparam w = 1\nprint kind\n";
  const std::string data = folder.write("d.csv", "kind\ndog\ncat\n"), params = folder.write("p.json", R"({"w": 2})");
  const Finished with = run_script(folder, script, {"--data", data, "--params", params});
  CHECK(with.out == "[1, 0]\n");
  CHECK_THAT(with.err, Contains("warning[W0503]: the codes of `kind` are made from") && Contains("input kind : i32[N] from"));
  CHECK(run_script(folder, script, {"--data", data}).err.empty());
}

TEST_CASE("a file of params that lacks some is told") {
  const Folder folder;
  const std::string script = "param w = 1\nparam b = 2\nprint w, b\n";
  const Finished lacking = run_script(folder, script, {"--params", folder.write("p.json", R"({"w": 3})")});
  CHECK(lacking.out == "3 2\n");
  CHECK_THAT(lacking.err, Contains("warning[W0502]") && Contains("p.json has no value for `b`, which keeps the initial value"));
  CHECK(run_script(folder, script, {"--params", folder.write("q.json", R"({"w": 3, "b": 4})")}).err.empty());
}

TEST_CASE("texts that were meant as numbers become no codes") {
  const Folder folder;
  auto given = [&](const std::string& cell, const std::string& declaration) {
    folder.write("t.csv", "a;b\n1;" + cell + "\n2;" + cell + "\n");
    return run_script(folder, "dim N\ninput x" + declaration + " from \"t.csv\"[\"b\"]\ny = x\n");
  };
  const std::pair<std::string, std::string> cells[] = {
      {"$1.50", "without a sign of currency"},          {"2.50 €", "without a sign of currency"},
      {"15%", "without a sign of currency or percent"}, {"1.500,75", "thousands are not separated"},
      {"1 500", "thousands are not separated"},         {"(5)", "a negative number is written with `-`"},
      {"\u22125", "the sign of a number is `-`"},       {"1_000", "not grouped by `_`"},
  };
  for (const auto& [cell, help] : cells)
    for (const char* declaration : {"", " : [N]", " : i32[N]"}) {
      INFO(cell << declaration);
      check_error(given(cell, declaration), "E0503", help);
    }
  for (const char* category : {"18-25", "2024-01-05", "12:30", "1.2.3", "1/2", "1|2"}) {
    INFO(category);
    check_error(given(category, ""), "E0503", "an integer input takes codes for texts, `i32[N]`");
    check_out(given(category, " : i32[N]"), "y = [0, 0]\n");
  }
  for (const char* declaration : {"", " : [N]"}) check_error(given("5 kg", declaration), "E0503", "a unit belongs into the header");
  check_error(given("True", " : [N]"), "E0503", "a bool input takes it, `bool[N]`");
  for (const char* word : {"3 stars", "1st", "2XL", "A4", "cat"}) check_out(given(word, " : i32[N]"), "y = [0, 0]\n");
  check_out(given("1,5", " : [N]"), "y = [1.5, 1.5]\n");
}

TEST_CASE("a whole number that the real type rounds is told once") {
  const Folder folder;
  folder.write("t.csv", "t,u\n1700000001,16777216\n1700000002,16777217\n1700000003,3\n");
  const std::string script = "input x from \"t.csv\"[\"t\"]\nprint x[1] - x[0]\n";
  const Finished rounded = run_script(folder, script);
  CHECK(rounded.out == "0\n");
  CHECK_THAT(rounded.err, Contains("warning[W0501]") && Contains("line 2, column `t`: `1700000001` becomes 1700000000 in f32"));
  CHECK(rounded.err.find("warning[", 1) == std::string::npos);
  CHECK_THAT(run_script(folder, "input x from \"t.csv\"[\"u\"]\nprint x\n").err,
             Contains("line 3, column `u`: `16777217` becomes 16777216"));
  folder.write("v.csv", "t\n1700000000123456789\n1700000000123456790\n");
  const std::string large = "input x from \"v.csv\"[\"t\"]\nprint x[1] - x[0]\n";
  for (const char* real : {"--real=f32", "--real=f64"})
    CHECK_THAT(run_script(folder, large, {real}).err, Contains("W0501") && Contains("an integer input, `i64[N]`"));
  for (const Finished& exact : {run_script(folder, script, {"--real=f64"}),
                                run_script(folder, "dim N\ninput x : i64[N] from \"t.csv\"[\"t\"]\nprint x[1] - x[0]\n")}) {
    CHECK(exact.out == "1\n");
    CHECK(exact.err.empty());
  }
}

TEST_CASE("a table as wide as no dim says so, and keeps the columns of the script") {
  const Folder folder;
  const std::string table = folder.write("t.csv", "v,w\n1,2\n3,4\n5,6\n");
  check_error(run_script(folder, "dim N\ninput x : [N] from \"t.csv\"\ny = x\n"), "E0504",
              "`x` is declared [N], and the given value is f32[3, 2]");
  check_error(run_script(folder, "dim N\ndim K\ninput x : [N, K] from \"t.csv\"[\"v\"]\ny = x\n"), "E0504", "puts them side by side");
  check_error(run_script(folder, "input x : [3] from \"t.csv\"[[0]]\ny = x\n"), "E0504", "takes it out of a table");
  const std::string script = "dim N\ninput x : [N, 2] from \"nowhere.csv\"[[\"w\", \"v\"]]\ny = x\n";
  check_out(run_script(folder, script, {"--data", "x=" + table}), "y = [[2, 1],\n     [4, 3],\n     [6, 5]]\n");
  check_out(run_script(folder, script, {"--data", "x=" + table + "[[v, w]]"}), "y = [[1, 2],\n     [3, 4],\n     [5, 6]]\n");
  check_out(run_script(folder, script, {"--data", "x=" + folder.write("x.json", "[[1, 2]]")}), "y = [[1, 2]]\n");
  check_out(run_script(folder, script, {"--data", "x=" + folder.write("o.json", R"({"x": [[1, 2]], "w": [3]})")}), "y = [[1, 2]]\n");
  const std::string named = "dim N\ninput x : [N] from \"nowhere.csv\"[\"w\"]\ny = x\n";
  check_out(run_script(folder, named, {"--data", folder.write("p.json", R"({"x": [1, 2], "w": [3]})")}), "y = [3]\n");
  check_out(run_script(folder, named, {"--data", folder.write("q.json", R"({"x": [1, 2]})")}), "y = [1, 2]\n");
}

TEST_CASE("the numbers of columns above an index are a header") {
  const Folder folder;
  auto given = [&](const std::string& table) {
    folder.write("t.csv", table);
    return run_script(folder, "input x from \"t.csv\"[1..]\ny = x\n");
  };
  check_out(given(",0,1\n0,1.5,2.5\n1,3.5,4.5\n"), "y = [[1.5, 2.5],\n     [3.5, 4.5]]\n");
  check_out(given(",0,3\n0,1.5,2.5\n"), "y = [[0, 3],\n     [1.5, 2.5]]\n");
}

TEST_CASE("what is no table, or another kind of file, says what it may be") {
  const Folder folder;
  auto given = [&](const std::string& name, const std::string& bytes) {
    folder.write(name, bytes);
    return run_script(folder, "dim N\ninput x : [N] from \"" + name + "\"[\"x\"]\ny = x\n");
  };
  check_error(given("a.csv", "{\"x\": [1, 2]}\n"), "E0503", "it looks like JSON: give the file a name that ends in `.json`");
  check_error(given("b.csv", "# by me\nx,y\n1,2\n"), "E0503", "a table holds no comments");
  check_error(given("c.csv", "\x1f\x8b\x08...."), "E0503", "compressed data (gzip)");
  check_error(given("d.csv", ",y\n1,2\n"), "E0503", "the columns are \"\", y");
  check_error(given("e.json", "{\n\"x\": [1,\n2,,]}"), "E0503", "line 3: not JSON");
  check_error(given("f.json", "[{\"x\": 1}, {\"x\": 2}]"), "E0503", "this is a list");
  check_error(given("g.csv", "sex,x\nmale,a\n,\n"), "E0503", "select other columns");
  folder.write("h.csv", "x,y\nmale,1\n,2\n");
  check_error(run_script(folder, "dim N\ninput x : i32[N] from \"h.csv\"[\"x\"]\ny = x\n"), "E0503",
              "declare the categories, as in `input t : i32[N] of C`");
}

TEST_CASE("a cell that is missing is NaN, or a category of its own") {
  const Folder folder;
  folder.write("t.csv", "x,port,deck\n?,S,2\n1,?,10\nNA,C,\n,,1\n");
  const Finished finished =
      run_script(folder,
                 "dim N\ndim P, D\ninput x : [N] from \"t.csv\"[\"x\"]\ninput port : i32[N] of P from \"t.csv\"[\"port\"]\n"
                 "input deck : i32[N] of D from \"t.csv\"[\"deck\"]\na = x\np = port\nd = deck\nn = P\n");
  CHECK(finished.out == "a = [nan, 1, nan, nan]\np = [1, 2, 0, 2]\nd = [1, 2, 3, 0]\nn = 3\n");
}

TEST_CASE("a text is read character by character where it is declared so") {
  const Folder folder;
  folder.write("t.txt", "abba\nça");
  const Finished whole = run_script(folder, "dim N, C\ninput t : i32[N] of C from \"t.txt\"\nx = t\nn = C\n");
  CHECK(whole.out == "x = [1, 2, 2, 1, 0, 3, 1]\nn = 4\n");
  const Finished rows = run_script(folder, "dim N, C\ninput t : i32[N, 3] of C from \"t.txt\"[0..3]\nx = t\n");
  CHECK(rows.out == "x = [[1, 2, 2],\n     [1, 0, 3]]\n");
  check_error(run_script(folder, "dim N, C\ninput t : i32[N, 9] of C from \"t.txt\"[0..9]\nx = t\n"), "E0503",
              "it has 7 characters, and a row takes 9");
  folder.write("bad.txt", "ab\xff");
  check_error(run_script(folder, "dim N, C\ninput t : i32[N] of C from \"bad.txt\"\nx = t\n"), "E0503", "byte 2 is no character");
  folder.write("table.txt", "x,y\n1,2\n");
  CHECK(run_script(folder, "dim N\ninput t : [N] from \"table.txt\"[\"y\"]\nx = t\n").out == "x = [2]\n");
}

TEST_CASE("an emitted script reads the same file, whatever its name, and draws from the same seed") {
  const Folder folder;
  folder.write("a\n\"b\\c.csv", "x,y\n1,2\n");
  const std::string script = folder.write("s.bp", "seed -1\ninput x from \"a\\n\\\"b\\\\c.csv\"[[1, 0]]\nu = normal(0, 1, [2]) + x[0]\n");
  const Finished first = run_bpc({"run", script}), emitted = run_bpc({"emit", script, "--as=bp"});
  INFO(first.err << emitted.err << emitted.out);
  REQUIRE(emitted.code == 0);
  CHECK(run_bpc({"run", "-"}, emitted.out).out == first.out);
}

TEST_CASE("one fault of a file is said once, whoever reads it") {
  const Folder folder;
  const std::string script = "dim N\ninput x : [N] from \"f.csv\"[\"x\"]\ninput y : [N] from \"f.csv\"[\"y\"]\nz = sum(x + y)\n";
  check_error(run_script(folder, script), "E0502", "No such file");
  folder.write("f.csv", "x,y\n1,2\n3\n");
  check_error(run_script(folder, script), "E0503", "line 3: 1 cell, and the first row has 2");
}

TEST_CASE("data that cannot be had hide no other mistake, and are the cause of none") {
  const Folder folder;
  folder.write("bad.csv", "a,b\n1,2\noops,3\n");
  const std::string rest =
      "param w : [3] = ones()\n"
      "y = t + w\n"  // of t nothing is known
      "z = sum(x) + w @ [1, 2]\n"
      "v = q + 1\n"
      "fn f(p) = p[5]\n"
      "u = f(w)\n"
      "loss J = sum(y)\n";
  const std::pair<std::string, std::string> faults[] = {
      {"dim N\ninput x : [N] from \"bad.csv\"[\"a\"]\ninput t from \"none.csv\"\n", "E0503"},
      {"dim N\ninput x : [N, 2] from \"none.csv\"\ninput t from \"bad.csv\"\n", "E0502"},
      {"dim N\ninput x : [N] from \"bad.csv\"[k]\ninput t from \"bad.csv\"[\"c\"]\n", "E0511"},
  };
  for (const auto& [inputs, code] : faults) {
    const Finished finished = run_script(folder, inputs + rest);
    INFO(finished.err);
    CHECK(finished.code == 2);
    std::size_t errors = 0;
    for (std::size_t at = 0; (at = finished.err.find("error[", at)) != std::string::npos; ++at) ++errors;
    CHECK(errors == 5);
    for (const std::string& each : {code, std::string("E0103"), std::string("E0201"), std::string("E0401")})
      CHECK_THAT(finished.err, Contains("error[" + each + "]"));
    CHECK(finished.err.starts_with("error[" + code + "]"));
  }
  // A check does without the file: an input of no type may then be anything.
  const Finished checked = run_bpc({"check", folder.write("c.bp", "input t from \"none.csv\"\ny = t @ [1, 2] + t[3]\n")});
  INFO(checked.err);
  CHECK(checked.code == 0);
  const Finished given = run_script(folder, "dim N\ninput x : [N]\ninput t\n" + rest, {"--data", "x=none.csv"});
  INFO(given.err);
  CHECK_THAT(given.err, Contains("E0502") && Contains("E0103") && Contains("E0201") && Contains("E0401") && !Contains("has no value"));
}

TEST_CASE("a size that the data contradict says where it is from, once") {
  const Folder folder;
  folder.write("f.csv", "x,y\n1,2\n3,4\n5,6\n");
  const std::string inputs = "input x : [N] from \"f.csv\"[\"x\"]\ninput y : [N] from \"f.csv\"[\"y\"]\nz = sum(x + y)\n";
  check_error(run_script(folder, "dim N\n" + inputs, {"--set", "N=5"}), "E0504",
              "`x` is declared [N], and the given value is f32[3]; N is 5 from `--set N=5`");
  check_error(run_script(folder, "dim N\n" + inputs, {"--set=N=5"}), "E0504", " = help: without `--set N=5`, N is 3, from `x`\n");
  check_out(run_script(folder, "dim N\n" + inputs), "z = 21\n");
  check_error(run_script(folder, "dim N = 4\n" + inputs), "E0504", "; N is 4 from `dim N = 4`\n");
  check_error(
      run_script(folder, "dim N\ninput v : [2*N] from \"f.csv\"[0]\ninput w : [2*N] from \"f.csv\"[1]\n" + inputs, {"--set", "N=2"}),
      "E0504", "`v` is declared [2*N], and the given value is f32[3]; N is 2 from `--set N=2`");
  const Finished listed = run_script(folder, "dim N\ninput w : [N] = [1, 2]\n" + inputs, {"--set", "N=5"});
  CHECK(listed.code == 1);
  CHECK_THAT(listed.err, Contains("`w` is declared f32[N=5], and this is f32[2]") && Contains(" = help: N is 5 from `--set N=5`\n"));
  CHECK(listed.err.find("error[", 1) == std::string::npos);
  // What the data of two inputs say is not the fault of one of them.
  check_error(run_script(folder, "dim N\n" + inputs, {"--set", "x=[1, 2]"}), "E0504", "; N is 2 from `x`\n");
}

TEST_CASE("a header that one selector names is one for all") {
  const Folder folder;
  folder.write("f.csv", "2019,2020\n1,2\n3,4\n");
  check_out(run_script(folder, "dim N\ninput x : [N] from \"f.csv\"[0]\ninput y : [N] from \"f.csv\"[\"2020\"]\nz = x * y\n"),
            "z = [2, 12]\n");
  check_out(run_script(folder, "input x from \"f.csv\"[0]\nz = x\n"), "z = [2019, 1, 3]\n");
}

TEST_CASE("JSON, safetensors and standard input as data") {
  const Folder folder;
  const std::string script = "dim N\ninput x : [N] = [0, 0]\ninput k = 2\nparam w : [2] = 0\ny = k * sum(x) * w\n";
  const std::string array = folder.write("a.json", "[1, 2]"), object = folder.write("o.json", R"({"x": [3, 4], "k": 10, "w": [1, 1]})");
  check_out(run_script(folder, script, {"--set", "x=@" + array, "--set", "w=[1,1]"}), "y = [6, 6]\n");
  check_out(run_script(folder, script, {"--data", "x=" + array, "--set", "w=[1,1]"}), "y = [6, 6]\n");
  check_out(run_script(folder, script, {"--data", object, "--set", "w=[1,1]"}), "y = [70, 70]\n");
  check_out(run_script(folder, script, {"--data", object, "--params", object}), "y = [70, 70]\n");
  check_out(run_script(folder, script, {"--data", "x=" + object + "[w]", "--data", "w=" + object}), "y = [4, 4]\n");
  check_out(run_script(folder, script, {"--data", "-", "--set", "w=[1,1]"}, "x\n5\n6\n"), "y = [22, 22]\n");
  check_out(run_script(folder, script, {"--data", "x=-", "--set", "w=[1,1]"}, " [5, 6]"), "y = [22, 22]\n");
  check_error(run_script(folder, script, {"--data", "x=" + object + "[z]"}), "E0503", "there is no value `z`");
  check_error(run_script(folder, script, {"--data", "x=" + array + "[0..2]"}), "E0503",
              "a selector names a value of a JSON object, and this is a list");
  check_error(run_script(folder, script, {"--data", "x=" + object + "[0..2]"}), "E0503", "only a name selects");
  check_error(run_script(folder, script, {"--set", "x=@" + folder.write("b.json", "[1,")}), "E0503", "not JSON");
  check_error(run_bpc({"run", "-", "--data", "-"}, script), "E0502", "the script comes from there");
}

TEST_CASE("what a run printed as JSON gives params back") {
  const Folder folder;
  const std::string script = "param w = 1\nparam b : [2] = 5\ny = sum(b) * w\nfor i in 0..3 { w -= 0.5 }\n";
  const Finished first = run_script(folder, script, {"--json"});
  const std::string file = folder.write("out.json", first.out);
  check_out(run_script(folder, script, {"--params", file}), "y = -5\nw = -2\n");
  check_error(run_script(folder, "param v = 1\ny = v\n", {"--params", file}), "E0505", "no value is one of a param");
  check_error(run_script(folder, script, {"--params", folder.write("p.csv", "w\n1\n")}), "E0503",
              "a .safetensors or .npz file or a JSON object");
  check_error(run_script(folder, script, {"--params", folder.write("p.json", R"({"w": 1, "v": 2})")}), "E0505", "`v`");
}

TEST_CASE("params from files") {
  const Folder folder;
  folder.write("w.json", R"({"w": [1, 2]})");
  folder.write("w.csv", "a,b\n3,4\n5,6\n");
  check_out(run_script(folder, "param w : [2] from \"w.json\"\nparam v : [2, 2] from \"w.csv\"\nloss J = sum(w) * sum(v)\n"),
            "J = 54\n\ndJ/dw = [18, 18]\ndJ/dv = [[3, 3],\n         [3, 3]]\n");
  check_out(run_script(folder, "param w : [2] from \"w.json\"\ny = w\n", {"--data", "w=" + folder.write("v.json", "[7, 8]")}),
            "y = [7, 8]\n");
  check_error(run_script(folder, "param w : [3] from \"w.json\"\ny = w\n"), "E0504", "`w` is declared [3]");
}

TEST_CASE("what is no file to read says so") {
  const Folder folder;
  const std::string pipe = folder.path / "pipe";
  REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
  const std::string script = "input x = 1\nparam w = 1\ny = x * w\n";
  check_error(run_bpc({"run", pipe}), "E0502", "it is a pipe");
  CHECK(bpc::test::run({"sh", "-c", "\"$0\" run - < /dev/null", bpc_path()}).code == 0);
  check_error(run_bpc({"run", "/dev/zero"}), "E0502", "it is a device, and may never end");
  for (const std::string flag : {"--data=", "--data=x=", "--set=x=@", "--params="}) {
    check_error(run_script(folder, script, {flag + pipe}), "E0502", "it is a pipe");
    check_error(run_script(folder, script, {flag + "/dev/zero"}), "E0502", "it is a device, and may never end");
    check_error(run_script(folder, script, {flag + folder.path.string()}), "E0502", "it is a folder");
  }
}

TEST_CASE("ten tables as people bring them") {
  const Folder folder;
  auto given = [&](const std::string& table, const std::string& declaration) {
    folder.write("t.csv", table);
    return run_script(folder, "dim N\ninput x : " + declaration + "\ny = x\n");
  };
  const std::string excel =
      "\xEF\xBB\xBFName;Gr\xC3\xB6\xC3\x9F"
      "e (m);Gewicht\r\nAda;1,65;60\r\nBob;1,8;75\r\n;;\r\n";
  check_out(given(excel,
                  "[N] from \"t.csv\"[\"Gr\xC3\xB6\xC3\x9F"
                  "e (m)\"]"),
            "y = [1.65, 1.8]\n");
  check_out(given(excel, "i32[N] from \"t.csv\"[\"Gewicht\"]"), "y = [60, 75]\n");
  check_out(given("\"id\",\"value, scaled\"\r\n\"1\",\"2.5\"\r\n\r\n\r\n", "[N] from \"t.csv\"[\"value, scaled\"]"), "y = [2.5]\n");
  check_out(given("5.1,3.5,setosa\n4.9,3.0,virginica\n4.7,3.2,setosa\n", "i32[N] from \"t.csv\"[-1]"), "y = [0, 1, 0]\n");
  check_out(given("5,0,0,255\n0,0,12,0\n", "i32[N, 3] from \"t.csv\"[1..]"), "y = [[0, 0, 255],\n     [0, 12, 0]]\n");
  check_out(given("age,fare\n22,7.25\n,71.3\nNA,8.05\n", "[N] from \"t.csv\"[\"age\"]"), "y = [22, nan, nan]\n");
  check_error(given("age,fare\n22,7.25\n,71.3\n", "i32[N] from \"t.csv\"[\"age\"]"), "E0503",
              "line 3, column `age`: an empty cell is missing");
  check_error(given("date,close\n2024-01-02,10\n2024-01-03,11\n", "[N, 2] from \"t.csv\""), "E0503",
              "a date, a time or a range is no number");
  check_out(given("date,close\n2024-01-02,10\n2024-01-03,11\n", "[N] from \"t.csv\"[\"close\"]"), "y = [10, 11]\n");
  check_out(given("a\tb\n1\t2\n", "[N, 2] from \"t.csv\""), "y = [[1, 2]]\n");
  check_error(given("x y\n1 2\n3 4\n", "[N] from \"t.csv\""), "E0503", "separate the cells by `,`, `;` or a tab");
  check_error(given("Report of May\nx,y\n1,2\n", "[N] from \"t.csv\"[\"x\"]"), "E0503", "line 2: 2 cells, and the first row has 1");
}

// The files were made by NumPy: x is arange(12) / 2, in four rows of three; y is [0, 2, 1, 2].
TEST_CASE("arrays are read from .npy, .npz and IDX files") {
  const Folder folder;
  const std::string data = source_dir() + "/tests/command/data/";
  const auto sums = [&](const std::string& file, std::vector<std::string> more = {}) {
    more.insert(more.end(), {"--data", data + file});
    return run_script(folder, "dim N\ninput x : [N, 3]\ninput y : i32[N] = [0, 2, 1, 2]\ns = x[:, 1]\nt = sum(y)\n", more);
  };
  check_out(sums("arrays.npz"), "s = [0.5, 2, 3.5, 5]\nt = 5\n");
  check_out(sums("compressed.npz"), "s = [0.5, 2, 3.5, 5]\nt = 5\n");
  const auto array = [&](const std::string& file, const std::string& declared, const std::string& show) {
    std::string dims;
    for (const char dim : {'N', 'H', 'W'})
      if (declared.find(dim) != std::string::npos) dims += std::string("dim ") + dim + "\n";
    return run_script(folder, dims + "input x : " + declared + " from \"" + data + file + "\"\ny = " + show + "\n");
  };
  check_out(array("columns.npy", "[N, H]", "x[:, 1]"), "y = [0.5, 2, 3.5, 5]\n");
  check_out(array("swapped.npy", "f64[N, H]", "x[2]"), "y = [3, 3.5, 4]\n");
  check_out(array("half.npy", "[N]", "x"), "y = [1, -0.5, 65504, 5.9604645e-8, inf, -inf, nan, 0]\n");
  check_out(array("images.idx.gz", "[N, H, W]", "x[1, 0]"), "y = [138, 161, 184]\n");
  check_out(array("images.idx.gz", "i32[N, H, W]", "x[0, 1, 2]"), "y = 115\n");
  check_error(array("arrays.npz", "[N]", "x[0]"), "E0504", "is declared [N]");
  check_error(array("columns.npy", "i32[N, H]", "x[0]"), "E0503", "element 1 is 0.5, and `x` takes i32");
  check_error(array("images.idx.gz", "bool[N, H, W]", "x[0, 0]"), "E0503", "element 1 is 23, and `x` takes bool");
  check_error(run_script(folder, "input x from \"" + data + "columns.npy\"[0]\ny = x\n"), "E0503", "this is an array");
  check_error(run_script(folder, "input x from \"" + data + "arrays.npz\"[\"z\"]\ny = x\n"), "E0503", "it holds x, y");
  const std::string whole = read_file(data + "compressed.npz");
  folder.write("half.npz", whole.substr(0, whole.size() / 2));
  check_error(run_script(folder, "input x from \"half.npz\"\ny = x\n"), "E0503", "not a whole archive");
  folder.write("short.npy", read_file(data + "columns.npy").substr(0, 150));
  check_error(run_script(folder, "input x from \"short.npy\"\ny = x\n"), "E0503", "takes 96 bytes, and it has 22");
  folder.write("t.parquet", "PAR1....");
  check_error(run_script(folder, "input x from \"t.parquet\"\ny = x\n"), "E0503", "it is a Parquet file");
}

TEST_CASE("the columns of a table fill the axes behind the first") {
  const Folder folder;
  folder.write("t.csv", "1,2,3,4,0\n5,6,7,8,1\n");
  const std::string script = "dim N\ninput x : [N, 2, 2] from \"t.csv\"[0..4]\nparam w = 1\ny = x[:, 1, 0]\nloss J = w * sum(x)\n";
  check_out(run_script(folder, script), "y = [3, 7]\nJ = 36\n\ndJ/dw = 36\n");
  check_error(run_script(folder, "dim N\ninput x : [N, 2, 3] from \"t.csv\"[0..4]\ny = x\n"), "E0504", "is declared [N, 2, 3]");
  const Finished trained = run_bpc(
      {"train", folder.write("s.bp", script + "train { steps = 2; batch = 1 }\n"), "--validation", folder.write("v.csv", "1,1,1,1\n")});
  INFO(trained.err);
  CHECK(trained.code == 0);
}
