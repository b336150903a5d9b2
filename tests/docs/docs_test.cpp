// Every block of code on every page does what the page says. What a block is stands behind its fence:
//   bp            a script that runs; a line `# expect: …` in it is checked
//   bp E0301      a script that stops with this error first
//   bp layers.bp  a file that later scripts of the page import
// and text, cpp: none of the language. In a block `console`, what follows `$ bpc explain …` is what that prints.
#include <unistd.h>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "tests/support/process.h"

namespace {

namespace fs = std::filesystem;
using bpc::test::Finished;
using bpc::test::run_bpc;

struct Block {
  std::string page, kind, text;
  int line = 0;
};

std::vector<Block> blocks_of(const std::string& page) {
  std::istringstream lines(bpc::test::read_file(bpc::test::source_dir() + "/" + page));
  std::vector<Block> blocks;
  std::string line;
  bool is_inside = false;
  for (int number = 1; std::getline(lines, line); ++number) {
    const std::size_t indent = std::min(line.find_first_not_of(' '), line.size());
    if (line.compare(indent, 3, "```") == 0) {
      is_inside = !is_inside;
      if (is_inside) blocks.push_back({page, line.substr(indent + 3), "", number});
    } else if (is_inside) {
      blocks.back().text += line + "\n";
    }
  }
  return blocks;
}

// A folder with the data that the pages read, gone afterwards.
class Folder {
 public:
  Folder() : path_(fs::temp_directory_path() / ("bpc-docs-test-" + std::to_string(getpid()))) {
    fs::create_directories(path_);
    for (const auto& entry : fs::directory_iterator(bpc::test::source_dir() + "/examples/data"))
      fs::copy(entry.path(), path_ / entry.path().filename(), fs::copy_options::overwrite_existing);
  }
  ~Folder() { fs::remove_all(path_); }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ / name, std::ios::binary) << text;
    return (path_ / name).string();
  }

 private:
  fs::path path_;
};

void check(const Block& block, const Folder& folder) {
  const std::string what = block.kind == "bp" ? "" : block.kind.substr(3);
  if (what.ends_with(".bp")) {
    CHECK(run_bpc({"check", folder.write(what, block.text)}).code == 0);
    return;
  }
  const bool has_expectations = block.text.find("# expect") != std::string::npos;
  Finished finished = run_bpc({has_expectations ? "test" : "run", folder.write("block.bp", block.text)});
  INFO(finished.out << finished.err);
  if (what.empty())
    CHECK(finished.code == 0);
  else
    CHECK(finished.err.starts_with("error[" + what + "]"));
}

}  // namespace

TEST_CASE("explanations on the pages are what bpc prints") {
  std::vector<std::string> pages = bpc::test::files_in("docs", ".md");
  pages.push_back("README.md");
  int shown = 0;
  for (const std::string& page : pages)
    for (const Block& block : blocks_of(page)) {
      const std::string prompt = "$ bpc explain ";
      if (block.kind != "console" || !block.text.starts_with(prompt)) continue;
      const std::size_t end = block.text.find('\n');
      std::istringstream line(block.text.substr(prompt.size(), end - prompt.size()));
      std::vector<std::string> words{"explain", "-q"};
      for (std::string word; line >> word;) words.push_back(word);
      INFO(page << ":" << block.line);
      CHECK(run_bpc(words).out == block.text.substr(end + 1));
      ++shown;
    }
  CHECK(shown > 2);
}

TEST_CASE("every block of every page runs, or fails as it says") {
  const Folder folder;
  const std::set<std::string> others{"text", "console", "cpp"};
  std::vector<std::string> pages = bpc::test::files_in("docs", ".md");
  pages.push_back("README.md");
  int scripts = 0;
  for (const std::string& page : pages)
    for (const Block& block : blocks_of(page)) {
      INFO(page << ":" << block.line << "\n" << block.text);
      const bool is_script = block.kind == "bp" || block.kind.starts_with("bp ");
      CHECK(is_script != others.contains(block.kind));
      if (is_script) check(block, folder);
      scripts += is_script;
    }
  CHECK(scripts > 20);
}
