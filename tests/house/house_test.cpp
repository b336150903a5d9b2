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
    {"backend/plan", {"backend/plan", "backend/failure", "ir", "runtime", "scalar", "support"}},
    {"backend/llvm", {"backend/llvm", "backend/plan", "backend/failure", "ir", "runtime", "scalar", "support"}},
};

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
        for (const char* house : {"support/", "scalar/", "ir/", "runtime/", "frontend/", "backend/", "tools/", "tests/"}) {
          if (!include.starts_with(house)) continue;
          bool allowed = false;
          for (const std::string& folder : room.may_include) allowed |= include.starts_with(folder + "/");
          CHECK(allowed);
        }
      }
    }
  }
}

TEST_CASE("nothing but tools/bpc/output.cpp writes to the standard streams") {
  fs::path root = bpc::test::source_dir();
  for (const char* room : {"support", "scalar", "ir", "runtime", "frontend", "backend", "tools/bpc"}) {
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
