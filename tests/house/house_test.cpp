// The rules of the house: who may include whom (docs/architecture.md).
#include <catch2/catch.hpp>
#include <filesystem>
#include <map>
#include <set>
#include <sstream>

#include "tests/support/process.h"

namespace {

namespace fs = std::filesystem;

struct Room {
  std::string folder;
  std::set<std::string> may_include;  // folders, itself included
};

const std::vector<Room> kRooms{
    {"support", {"support"}},
    {"scalar", {"scalar", "support"}},
    {"ir", {"ir", "scalar", "support"}},
    {"runtime", {"runtime", "scalar", "support"}},
    {"frontend", {"frontend", "ir", "scalar", "support"}},
    {"backend/failure", {"backend/failure", "ir", "runtime", "scalar", "support"}},
    {"backend/interpreter", {"backend/interpreter", "backend/failure", "ir", "runtime", "scalar", "support"}},
    {"explain", {"explain", "frontend", "backend/interpreter", "backend/failure", "ir", "runtime", "scalar", "support"}},
    {"backend/plan", {"backend/plan", "backend/failure", "ir", "runtime", "scalar", "support"}},
    {"backend/llvm", {"backend/llvm", "backend/plan", "backend/failure", "ir", "runtime", "scalar", "support"}},
};

// The rooms and doors of the front end, by how their files' names begin: each may include itself, and those of the lines above it.
const std::vector<std::vector<std::string>> kFrontEnd{
    {"prelude/"},
    {"builtins/"},
    {"syntax/"},
    {"format/", "names/", "training."},
    {"program.", "script/"},
    {"lower"},
    {"query.", "write_script.", "write_expression."},
};

// The line and the column of what a file of the front end belongs to.
std::pair<std::size_t, std::size_t> front_room(const std::string& file) {
  for (std::size_t line = 0; line < kFrontEnd.size(); ++line)
    for (std::size_t column = 0; column < kFrontEnd[line].size(); ++column)
      if (file.starts_with("frontend/" + kFrontEnd[line][column])) return {line, column};
  FAIL(file << " is of no room of the front end");
  return {};
}

// What stands between the quotes or brackets of each #include.
std::vector<std::string> includes_of(const fs::path& file) {
  std::istringstream text(bpc::test::read_file(file.string()));
  std::vector<std::string> includes;
  for (std::string line; std::getline(text, line);) {
    if (!line.starts_with("#include ")) continue;
    std::size_t begin = line.find_first_of("\"<"), end = line.find_last_of("\">");
    if (begin != std::string::npos && end > begin) includes.push_back(line.substr(begin + 1, end - begin - 1));
  }
  return includes;
}

}  // namespace

TEST_CASE("rooms include only what they may") {
  fs::path root = bpc::test::source_dir();
  for (const Room& room : kRooms) {
    for (const auto& entry : fs::recursive_directory_iterator(root / room.folder)) {
      if (entry.path().extension() != ".h" && entry.path().extension() != ".cpp") continue;
      std::string file = fs::relative(entry.path(), root).string();
      for (const std::string& include : includes_of(entry.path())) {
        INFO(file << " includes " << include);
        if (include.starts_with("llvm/")) CHECK(room.folder == "backend/llvm");
        if (include.starts_with("antlr4") || include.starts_with("Bp")) CHECK(file.starts_with("frontend/syntax/parse"));
        for (const char* house : {"support/", "scalar/", "ir/", "runtime/", "frontend/", "backend/", "explain/", "tools/", "tests/"}) {
          if (!include.starts_with(house)) continue;
          bool allowed = false;
          for (const std::string& folder : room.may_include) allowed |= include.starts_with(folder + "/");
          CHECK(allowed);
        }
      }
    }
  }
}

TEST_CASE("rooms of the front end include only those below them") {
  const fs::path root = bpc::test::source_dir();
  for (const auto& entry : fs::recursive_directory_iterator(root / "frontend")) {
    if (entry.path().extension() != ".h" && entry.path().extension() != ".cpp") continue;
    const std::string file = fs::relative(entry.path(), root).string();
    const auto room = front_room(file);
    for (const std::string& include : includes_of(entry.path())) {
      if (!include.starts_with("frontend/")) continue;
      INFO(file << " includes " << include);
      const auto other = front_room(include);
      CHECK((other == room || other.first < room.first));
    }
  }
}

TEST_CASE("nothing but tools/bpc/output.cpp writes to the standard streams") {
  fs::path root = bpc::test::source_dir();
  for (const char* room : {"support", "scalar", "ir", "runtime", "frontend", "backend", "explain", "tools/bpc"}) {
    for (const auto& entry : fs::recursive_directory_iterator(root / room)) {
      std::string file = fs::relative(entry.path(), root).string();
      if ((entry.path().extension() != ".h" && entry.path().extension() != ".cpp") || file == "tools/bpc/output.cpp") continue;
      std::string text = bpc::test::read_file(entry.path().string());
      for (const char* way : {"fmt::print(", "std::cout", "std::cerr", "stdout", "stderr", "printf("}) {
        INFO(file << " uses " << way);
        CHECK(text.find(way) == std::string::npos);
      }
    }
  }
}
