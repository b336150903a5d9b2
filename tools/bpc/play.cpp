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
extern const char *const kPlayHtml, *const kPlayCss, *const kPlayJs, *const kThemeCss, *const kExamples;
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

// Of the examples, those that read no file.
std::vector<std::pair<std::string, std::string>> examples() {
  static constexpr std::string_view kHead = "#== ";  // support/embed.cmake
  std::vector<std::pair<std::string, std::string>> all;
  std::string_view rest = kExamples;
  while (rest.starts_with(kHead)) {
    const std::size_t line = rest.find('\n'), end = rest.find("\n#== ", line);
    const std::string_view name = rest.substr(kHead.size(), line - kHead.size()), text = rest.substr(line + 1, end - line);
    if (text.find(" from \"") == std::string_view::npos) all.emplace_back(name, text);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
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
