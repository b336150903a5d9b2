// What passes make of a function: the files of tests/passes. Each begins with "# " and what it shows, then lines that begin the function of
// every case in it; a case is "--- " and names of passes, the rest of the function, "=>", and what becomes of that rest. An empty line ends
// each. BPC_UPDATE_GOLDEN=1 writes what the passes give.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "ir/pipeline.h"
#include "tests/support/process.h"
#include "tests/unit/ir/text.h"

using namespace bpc;

namespace {

struct Case {
  std::string passes, before, after;
};
struct File {
  std::string title, given;
  std::vector<Case> cases;
};

File read_cases(const std::string& text) {
  File file;
  std::istringstream in(text);
  std::string* part = &file.given;
  std::getline(in, file.title);
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("--- ")) {
      file.cases.push_back({line.substr(4), {}, {}});
      part = &file.cases.back().before;
    } else if (line == "=>") {
      part = &file.cases.back().after;
    } else if (!line.empty()) {
      part->append(line).append("\n");
    }
  }
  return file;
}

std::string write_cases(const File& file) {
  std::string text = file.title + "\n" + file.given;
  for (const Case& each : file.cases)
    text.append("\n--- ").append(each.passes).append("\n").append(each.before).append("=>\n").append(each.after);
  return text;
}

// The lines of main after the passes, but those that were given.
std::string after(const std::string& given, const Case& each) {
  const std::string head = "module real=f32 seed=0\nfile 0 \"t.bp\"\n\nfunc main {\n";
  std::string error;
  auto module = test::read_text(head + given + each.before + "}\n", error);
  INFO(each.before << error);
  REQUIRE(module);
  std::vector<std::string> names;
  std::istringstream list(each.passes);
  for (std::string name; std::getline(list >> std::ws, name, ',');) names.push_back(name);
  std::vector<std::string_view> passes(names.begin(), names.end());
  Diagnostics diagnostics;
  ir::run_passes(*module, passes, diagnostics, true);
  CHECK(diagnostics.all().empty());
  const std::string text = ir::print(*module);
  REQUIRE(text.starts_with(head + given));
  REQUIRE(text.ends_with("}\n"));
  return text.substr(head.size() + given.size(), text.size() - head.size() - given.size() - 2);
}

}  // namespace

TEST_CASE("passes make of functions what is recorded") {
  const std::vector<std::string> paths = test::files_in("tests/passes", ".txt");
  REQUIRE(!paths.empty());
  for (const std::string& path : paths) {
    File file = read_cases(test::read_file(test::source_dir() + "/" + path));
    REQUIRE(!file.cases.empty());
    for (Case& each : file.cases) {
      INFO(path << ", " << file.title << "\n--- " << each.passes << "\n" << each.before);
      const std::string found = after(file.given, each);
      if (std::getenv("BPC_UPDATE_GOLDEN"))
        each.after = found;
      else
        CHECK(found == each.after);
    }
    if (std::getenv("BPC_UPDATE_GOLDEN")) std::ofstream(test::source_dir() + "/" + path) << write_cases(file);
  }
}
