// Every block of code on every page does what the page says. What a block is stands behind its fence:
//   bp            a script that runs; a line `# expect: …` in it is checked
//   bp E0301      a script that stops with this error first, or warns with this code; its file's name may follow, a command in place of
//   run,
//                 and flags for it
//   bp layers.bp  a file that later blocks of the page use; a line `# expect: …` in it is checked, too
//   csv new.csv   a file that later blocks read
// and text, cpp: none of the language. In a block `console`, what follows `$ bpc run …`, `test`, `check`, `emit`, `explain`, `train`,
// `predict`, `eval`, `summary` or `bench --count` is what that prints, errors included.
#include <unistd.h>
#include <catch2/catch.hpp>
#include <cstdlib>
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

// The pages of docs, the chapters of the course, and the README.
std::vector<std::string> all_pages() {
  std::vector<std::string> pages = bpc::test::files_in("docs", ".md");
  for (std::string& chapter : bpc::test::files_in("docs/course", ".md")) pages.push_back(std::move(chapter));
  pages.push_back("README.md");
  return pages;
}

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
    return path(name);
  }
  std::string path(const std::string& name) const { return (path_ / name).string(); }
  bool holds(const std::string& name) const { return fs::is_regular_file(path_ / name); }
  // A text that speaks of files here as if one stood in the folder.
  std::string without_path(std::string text) const {
    const std::string prefix = path_.string() + "/";
    for (std::size_t at; (at = text.find(prefix)) != std::string::npos;) text.erase(at, prefix.size());
    return text;
  }

 private:
  fs::path path_;
};

void replace_in_page(const std::string& page, const std::string& from, const std::string& to) {
  const std::string path = bpc::test::source_dir() + "/" + page;
  std::string text = bpc::test::read_file(path);
  text.replace(text.find(from), from.size(), to);
  std::ofstream(path, std::ios::binary) << text;
}

void check(const Block& block, const Folder& folder) {
  std::istringstream words(block.kind);
  std::string code, word, name, command = block.text.find("# expect") != std::string::npos ? "test" : "";
  words >> word;
  std::vector<std::string> flags;
  while (words >> word) {
    const std::size_t value = word.find('=') + 1;
    const bool is_code = word.size() == 5 && (word[0] == 'E' || word[0] == 'W') && std::isdigit(word[1]);
    if (is_code)
      code = word;
    else if (word.ends_with(".bp"))
      name = word;
    else if (word[0] != '-')
      command = word;
    else
      flags.push_back(
          word.starts_with("--save=") || folder.holds(word.substr(value)) ? word.substr(0, value) + folder.path(word.substr(value)) : word);
  }
  if (command.empty()) command = name.empty() || !code.empty() ? "run" : "check";
  flags.insert(flags.begin(), {command, folder.write(name.empty() ? "block.bp" : name, block.text)});
  if (command == "train" && name.empty()) flags.push_back("--save=" + folder.path("block.model"));
  const Finished finished = run_bpc(flags);
  INFO(finished.out << finished.err);
  if (code.empty())
    CHECK((finished.code == 0 && finished.err.find("warning[") == std::string::npos));
  else
    CHECK(finished.err.starts_with((code[0] == 'W' ? "warning[" : "error[") + code + "]"));
}

}  // namespace

TEST_CASE("explanations on the pages are what bpc prints") {
  const char* update = std::getenv("BPC_UPDATE_GOLDEN");
  const bool is_updating = update && *update == '1';
  const Folder folder;
  int shown = 0;
  for (const std::string& page : all_pages())
    for (const Block& block : blocks_of(page)) {
      if (block.kind.starts_with("bp ") && block.kind.ends_with(".bp"))
        folder.write(block.kind.substr(block.kind.rfind(' ') + 1), block.text);
      if (block.kind.starts_with("csv ")) folder.write(block.kind.substr(4), block.text);
      const std::string prompt = "$ bpc ";
      const std::set<std::string> shown_commands{"run", "test", "check", "emit", "explain", "train", "predict", "eval", "summary"};
      const std::string command = block.text.substr(0, prompt.size()) == prompt
                                      ? block.text.substr(prompt.size(), block.text.find(' ', prompt.size()) - prompt.size())
                                      : "";
      const bool is_shown = shown_commands.contains(command) || block.text.starts_with(prompt + "bench --count ");
      if (block.kind != "console" || !is_shown) continue;
      const std::size_t end = block.text.find('\n');
      std::istringstream line(block.text.substr(prompt.size(), end - prompt.size()));
      std::vector<std::string> words;
      for (std::string word; line >> word;) {
        std::erase(word, '\'');  // a shell's quotes
        words.push_back(folder.holds(word) ? folder.path(word) : word);
      }
      words.insert(words.begin() + 1, "-q");
      const Finished finished = run_bpc(words);
      const std::string now = folder.without_path(finished.out + finished.err);
      INFO(page << ":" << block.line);
      if (!is_updating) CHECK(now == block.text.substr(end + 1));
      if (is_updating) replace_in_page(page, block.text, block.text.substr(0, end + 1) + now);
      ++shown;
    }
  CHECK(shown > 2);
}

TEST_CASE("each code is shown by a script and mended in another one") {
  const std::set<std::string> elsewhere{"E0514"};  // takes several processes
  std::set<std::string> codes, wrong, right;
  std::istringstream lines(bpc::test::read_file(bpc::test::source_dir() + "/docs/errors.md"));
  std::string code;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("## ")) codes.insert(code = line.substr(3, 5));
    if (line.starts_with("```bp " + code)) wrong.insert(code);
    if (line.starts_with("```bp") && !line.starts_with("```bp " + code)) right.insert(code);
  }
  CHECK(codes.size() > 50);
  for (const std::string& each : codes) {
    INFO(each);
    CHECK(wrong.contains(each) != elsewhere.contains(each));
    CHECK(right.contains(each));
    const Finished finished = run_bpc({"explain", each});
    CHECK(finished.code == 0);
    CHECK(finished.out.starts_with(each));
  }
}

TEST_CASE("every block of every page runs, or fails as it says") {
  const Folder folder;
  const std::set<std::string> others{"text", "console", "cpp"};
  int scripts = 0;
  for (const std::string& page : all_pages())
    for (const Block& block : blocks_of(page)) {
      INFO(page << ":" << block.line << "\n" << block.text);
      const bool is_script = block.kind == "bp" || block.kind.starts_with("bp ");
      CHECK(is_script != (others.contains(block.kind) || block.kind.starts_with("csv ")));
      if (is_script) check(block, folder);
      if (block.kind.starts_with("csv ")) folder.write(block.kind.substr(4), block.text);
      scripts += is_script;
    }
  CHECK(scripts > 20);
}

TEST_CASE("the answers to the exercises of the course are right") {
  std::vector<std::string> words = bpc::test::files_in("docs/course/answers", ".bp");
  CHECK(words.size() > 5);
  words.insert(words.begin(), "test");
  const Finished finished = run_bpc(words);
  INFO(finished.out << finished.err);
  CHECK(finished.code == 0);
}
