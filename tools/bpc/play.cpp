// `bpc play`: an editor in the browser, whose page follows the script as it is typed. It is served from this machine, to this machine.
#include <filesystem>
#include <nlohmann/json.hpp>
#include <random>
#include <set>

#include "frontend/syntax/parse.h"
#include "tools/bpc/commands.h"
#include "tools/bpc/library.h"
#include "tools/bpc/output.h"
#include "tools/bpc/page.h"
#include "tools/bpc/play/server.h"
#include "tools/bpc/rule_book.h"

namespace bpc {
extern const char *const kPlayHtml, *const kPlayCss, *const kPlayJs, *const kThemeCss, *const kExamples, *const kCourse;
}  // namespace bpc

namespace bpc::tool {

namespace {

namespace fs = std::filesystem;

std::string random_token() {
  static constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::random_device system;
  std::string token;
  for (int i = 0; i < 32; ++i) token += kLetters[system() % kLetters.size()];
  return token;
}

// What can be completed.
std::set<std::string> words() {
  std::set<std::string> words;
  for (const Rule& rule : rule_book())
    if (std::isalpha(static_cast<unsigned char>(rule.name[0]))) words.insert(rule.name);
  for (const std::string& word : frontend::words_of_the_language()) words.insert(word);
  return words;
}

// The parts of a text that support/embed.cmake has made of several files: their names and what stands in them.
std::vector<std::pair<std::string, std::string>> files_of(std::string_view text) {
  static constexpr std::string_view kHead = "#== ";
  std::vector<std::pair<std::string, std::string>> files;
  while (text.starts_with(kHead)) {
    const std::size_t line = text.find('\n'), end = text.find("\n#== ", line);
    files.emplace_back(text.substr(kHead.size(), line - kHead.size()), text.substr(line + 1, end - line));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return files;
}

// The scripts of a chapter of the course that have a name: "```bp neuron.bp".
std::vector<std::pair<std::string, std::string>> scripts_of(const std::string& chapter) {
  static constexpr std::string_view kFence = "\n```bp ";
  std::vector<std::pair<std::string, std::string>> scripts;
  for (std::size_t at = 0; (at = chapter.find(kFence, at)) != std::string::npos;) {
    const std::size_t name = at + kFence.size(), line = chapter.find('\n', name), end = chapter.find("\n```", line);
    const std::string called = chapter.substr(name, line - name);
    if (called.find(' ') == std::string::npos && called.ends_with(".bp"))
      scripts.emplace_back(called, chapter.substr(line + 1, end - line));
    at = end;
  }
  return scripts;
}

// Those that read no file: of the course by chapters, and the examples.
std::vector<Playground::Example> examples() {
  std::vector<Playground::Example> all;
  const auto add = [&](const std::string& group, const std::string& name, const std::string& text) {
    if (text.find(" from \"") == std::string::npos) all.push_back({group, name, text});
  };
  for (const auto& [file, chapter] : files_of(kCourse))
    for (const auto& [name, text] : scripts_of(chapter)) add("Course " + chapter.substr(2, chapter.find('\n') - 2), name, text);
  for (const auto& [name, text] : files_of(kExamples)) add("Examples", name, text);
  return all;
}

}  // namespace

int play_command(const Options& options) {
  Session session(options);
  const fs::path given = options.files.empty() ? fs::path() : fs::path(options.files.front());
  if (!given.empty() && !read_text(given.string())) {
    session.diagnostics.error(Code::E0502, {}, fmt::format("there is no script `{}`", given.string()))
        .with_help("without a FILE, `bpc play` begins with an example");
    return session.finish();
  }
  Playground playground;
  playground.command = fs::read_symlink("/proc/self/exe").string();
  playground.folder = (fs::current_path() / given).parent_path().string();
  playground.file = given.filename().string();
  playground.token = random_token();
  playground.port = options.port;
  playground.examples = examples();
  playground.shell = filled(
      kPlayHtml, {{"@theme@", kThemeCss}, {"@style@", kPlayCss}, {"@given@", script_text({{"words", words()}})}, {"@script@", kPlayJs}});
  playground.ready = [&](int port) {
    print("http://127.0.0.1:{}/?token={}\n", port, playground.token);
    flush_results();
    say("Open this address in a browser of this machine. Ctrl-C ends it.\n");
  };
  const auto serve = reinterpret_cast<decltype(&bpc_serve)>(
      function_of_library("bpc_server.so", "bpc_serve", "answers the browser", "`bpc explain --as=html` writes a page without it"));
  session.begin("serve");
  if (!serve(playground))
    session.diagnostics.error(Code::E0507, {}, fmt::format("the port {} of this machine cannot be used", options.port))
        .with_help("another program has it; without `--port`, `bpc play` takes one that is free");
  return session.finish();
}

}  // namespace bpc::tool
