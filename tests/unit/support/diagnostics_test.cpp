#include "support/diagnostics.h"
#include "support/essays.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <set>

using namespace bpc;

namespace {

Span at(std::uint32_t line, std::uint32_t begin, std::uint32_t end, FileId file = 0) {
  return {file, line, begin, line, end};
}

}  // namespace

TEST_CASE("every code has a name of its own, a title, a meaning and an essay") {
  std::set<std::string_view> names;
  for (const CodeInfo& info : all_codes()) {
    CHECK(names.insert(info.name).second);
    CHECK((info.name[0] == 'E' || info.name[0] == 'W'));
    CHECK(info.name.size() == 5);
    CHECK(!info.title.empty());
    CHECK(!info.meaning.empty());
    CHECK(bpc::essay(info.code).find("```bp") != std::string::npos);
    CHECK(&code_info(info.code) == &info);
  }
  CHECK(code_info(Code::E0201).name == "E0201");
}

TEST_CASE("operands on one line have carets and hanging texts") {
  SourceMap sources;
  sources.add("model.bp", "a\nb\nc\nz = x @ W\n");
  Diagnostics diagnostics;
  diagnostics.error(Code::E0201, at(4, 7, 8), "cannot multiply x [64, 784] @ W [10, 784]")
      .label(at(4, 5, 6), "[64, 784]: 784 columns")
      .label(at(4, 9, 10), "[10, 784]: 10 rows")
      .with_help("`x @ W.T` gives [64, 10]");
  CHECK(render_human(diagnostics.all()[0], sources, false) ==
        "error[E0201]: cannot multiply x [64, 784] @ W [10, 784]\n"
        "  --> model.bp:4:7\n"
        "   |\n"
        " 4 | z = x @ W\n"
        "   |     ^   ^ [10, 784]: 10 rows\n"
        "   |     |\n"
        "   |     [64, 784]: 784 columns\n"
        "   = help: `x @ W.T` gives [64, 10]\n");
}

TEST_CASE("three texts hang one below the other") {
  SourceMap sources;
  sources.add("a.bp", "y = where(cc, aa, bb)\n");
  Diagnostic d{Severity::warning, Code::W0302, at(1, 5, 22), "m", {}, {}, {}};
  d.label(at(1, 11, 13), "c").label(at(1, 15, 17), "a").label(at(1, 19, 21), "b");
  CHECK(render_human(d, sources, false) ==
        "warning[W0302]: m\n"
        "  --> a.bp:1:5\n"
        "   |\n"
        " 1 | y = where(cc, aa, bb)\n"
        "   |           ^^  ^^  ^^ b\n"
        "   |           |   |\n"
        "   |           |   a\n"
        "   |           c\n");
}

TEST_CASE("labels elsewhere show their lines and files") {
  SourceMap sources;
  sources.add("a.bp", "x = 1\n\n\ny = 2\nz = 3\n\n\n\n\nw = 4\n");
  sources.add("lib.bp", "fn f() = 1\n");
  Diagnostic d{Severity::error, Code::E0104, at(10, 1, 2), "m", {}, {}, {}};
  d.label(at(1, 1, 2), "first").label(at(1, 4, 5, 1), "here").note("fact\nmore");
  CHECK(render_human(d, sources, false) ==
        "error[E0104]: m\n"
        "   --> a.bp:10:1\n"
        "    |\n"
        "  1 | x = 1\n"
        "    | ^ first\n"
        "   ...\n"
        " 10 | w = 4\n"
        "    | ^\n"
        "   --> lib.bp:1:4\n"
        "    |\n"
        "  1 | fn f() = 1\n"
        "    |    ^ here\n"
        "    = note: fact\n"
        "            more\n");
}

TEST_CASE("columns are cells: tabs, wide and combining characters") {
  SourceMap sources;
  sources.add("a.bp", "\tσ = 漢 + b\x01\n");
  Diagnostic d{Severity::error, Code::E0101, at(1, 10, 11), "m", {}, {}, {}};
  CHECK(render_human(d, sources, false) ==
        "error[E0101]: m\n"
        "  --> a.bp:1:10\n"
        "   |\n"
        " 1 |     σ = 漢 + b\ufffd\n"
        "   |              ^\n");
}

TEST_CASE("of a very long line the part around the first mark is shown") {
  SourceMap sources;
  sources.add("a.bp", fmt::format("{:a>100000}bc{:d>100000}", "", ""));
  Diagnostic d{Severity::error, Code::E0101, at(1, 100001, 100003), "m", {}, {}, {}};
  const std::string text = render_human(d, sources, false);
  CHECK(text.size() < 1000);
  CHECK(text.find(fmt::format(" 1 | …{:a>39}bc", "")) != std::string::npos);
  CHECK(text.find(fmt::format("   | {:40}^^\n", "")) != std::string::npos);
}

TEST_CASE("a span of several lines is marked on its first; places outside the text do no harm") {
  SourceMap sources;
  sources.add("a.bp", "y = f(1,\n  2)\n");
  Diagnostic d{Severity::error, Code::E0101, {0, 1, 5, 2, 5}, "m", {}, {}, {}};
  CHECK(render_human(d, sources, false) == "error[E0101]: m\n  --> a.bp:1:5\n   |\n 1 | y = f(1,\n   |     ^^^^\n");
  d.span = {0, 7, 90, 7, 95};
  CHECK(!render_human(d, sources, false).empty());
}

TEST_CASE("without a place there are a message and its help") {
  SourceMap sources;
  Diagnostic d{Severity::error, Code::E0505, {}, "m", {}, {}, {}};
  d.with_help("h");
  CHECK(render_human(d, sources, false) == "error[E0505]: m\n = help: h\n");
  CHECK(render_human(d, sources, true) == "\x1b[1;31merror[E0505]\x1b[0m\x1b[1m: m\x1b[0m\n \x1b[1;34m=\x1b[0m \x1b[1mhelp\x1b[0m: h\n");
}

TEST_CASE("what a terminal would obey is shown escaped, and texts have a limit") {
  SourceMap sources;
  Diagnostic diagnostic{Severity::error, Code::E0502, {}, "cannot read a\x1b[31m\xff\u202e", {}, {}, {}};
  diagnostic.with_help("the columns are \u009b1m, é");
  diagnostic.notes = {"\rline"};
  CHECK(render_human(diagnostic, sources, false) ==
        "error[E0502]: cannot read a\\x1b[31m\\xff\\u202e\n = help: the columns are \\u009b1m, é\n = note: \\x0dline\n");
  diagnostic = {Severity::error, Code::E0502, {}, std::string(5000, 'x'), {}, {}, {}};
  CHECK(render_human(diagnostic, sources, false) == fmt::format("error[E0502]: {}…\n", std::string(1000, 'x')));
}

TEST_CASE("diagnostics as JSON") {
  SourceMap sources;
  sources.add("a.bp", "x = y\n");
  Diagnostic d{Severity::error, Code::E0103, at(1, 5, 6), "unknown \xff", {}, {}, {}};
  d.label(at(1, 1, 2), "l").with_help("h").note("n");
  CHECK(render_json(d, sources) == nlohmann::json::parse(R"({"severity": "error", "code": "E0103", "title": "unknown name",
    "message": "unknown \ufffd", "file": "a.bp", "line": 1, "column": 5, "end_line": 1, "end_column": 6, "help": "h", "notes": ["n"],
    "labels": [{"text": "l", "file": "a.bp", "line": 1, "column": 1, "end_line": 1, "end_column": 2}]})"));
  d.span = {};
  CHECK(render_json(d, sources)["line"].is_null());
}

TEST_CASE("the closest name is at most a third away") {
  const std::vector<std::string> names{"relu", "gelu", "softmax", "σ_1"};
  CHECK(closest_match("rellu", names) == "relu");
  CHECK(closest_match("sotfmax", names) == "softmax");
  CHECK(closest_match("σ_2", names) == "σ_1");
  CHECK(closest_match("xy", names).empty());
  CHECK(closest_match("cosine", names).empty());
  CHECK(closest_match("relu", {"relu"}).empty());
  CHECK(closest_match("", names).empty());
}
