// The command line: which subcommand, which flags; and the one place that catches a bug in bpc.
#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>

#include "runtime/executable.h"
#include "support/diagnostics.h"
#include "support/internal_error.h"
#include "tools/bpc/commands.h"

namespace {

using namespace bpc;
using namespace bpc::tool;

// Compiled loops and the interpreter poll the flag. SA_RESETHAND: a second Ctrl-C kills, whatever bpc is doing.
void stop_on_interrupt() {
  struct sigaction action = {};
  action.sa_handler = [](int) { runtime::interrupt_requested = true; };
  action.sa_flags = SA_RESETHAND;
  sigaction(SIGINT, &action, nullptr);
}

std::string usage() {
  std::string text =
      "bpc compiles .bp scripts and their gradients.\n\n"
      "Usage: bpc COMMAND FILE [flags]\n\n"
      "Commands:\n";
  for (const Command& command : all_commands())
    if (command.run) text += fmt::format("  {:<7} {}\n", command.name, command.help);
  text +=
      "\nA first try:\n"
      "  bpc run examples/tutorial.bp\n"
      "  bpc COMMAND --help          the flags of a command\n"
      "  bpc --version\n";
  return text;
}

int usage_error(const std::string& message, const std::string& help) {
  fmt::print(stderr, "error: {}\n", message);
  if (!help.empty()) fmt::print(stderr, "   = help: {}\n", help);
  return kUsage;
}

int unknown_command(std::string_view word) {
  std::vector<std::string> names;
  for (const Command& command : all_commands()) names.emplace_back(command.name);
  std::string help;
  if (std::string near = closest_match(word, names); !near.empty()) {
    help = fmt::format("did you mean `{}`?", near);
  } else if (word == "-" || word.ends_with(".bp")) {
    help = fmt::format("to run a script: `bpc run {}`", word);
  } else {
    help = "`bpc --help` lists the commands";
  }
  return usage_error(fmt::format("there is no {} `{}`", word.starts_with('-') ? "flag" : "command", word), help);
}

int unknown_flag(const CLI::App& app, const std::string& word) {
  if (!word.starts_with('-'))
    return usage_error(fmt::format("unexpected argument `{}`", word), fmt::format("`bpc {} --help` shows the usage", app.get_name()));
  std::string flag = word.substr(0, word.find('='));
  std::vector<std::string> flags;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) flags.push_back("--" + name);
    for (const std::string& name : option->get_snames()) flags.push_back("-" + name);
  }
  std::string near = closest_match(flag, flags);
  return usage_error(
      fmt::format("`bpc {}` has no flag `{}`", app.get_name(), flag),
      near.empty() ? fmt::format("`bpc {} --help` lists the flags", app.get_name()) : fmt::format("did you mean `{}`?", near));
}

int dispatch(const Command& command, int count, char** words) {
  CLI::App app{std::string(command.help), std::string(command.name)};
  app.get_formatter()->label("REQUIRED", "");
  app.get_formatter()->label("OPTIONS", "flags");
  app.allow_extras();
  Options options;
  command.add_flags(app, options);
  try {
    app.parse(count, words);
  } catch (const CLI::CallForHelp&) {
    std::string text = app.help();
    text.replace(text.find("Usage: "), 7, "Usage: bpc ");
    fmt::print("{}", text);
    return kOk;
  } catch (const CLI::ParseError& error) {
    if (!app.remaining().empty()) return unknown_flag(app, app.remaining().front());
    return usage_error(error.what(), fmt::format("`bpc {} --help` shows the usage", command.name));
  }
  if (!app.remaining().empty()) return unknown_flag(app, app.remaining().front());
  return command.run(options);
}

int run(int count, char** words) {
  if (count < 2) {
    fmt::print(stderr, "{}", usage());
    return kUsage;
  }
  std::string_view word = words[1];
  if (word == "--help" || word == "-h" || word == "help") {
    fmt::print("{}", usage());
    return kOk;
  }
  if (word == "--version") {
    fmt::print("bpc {}\n", BPC_VERSION);
    return kOk;
  }
  for (const Command& command : all_commands()) {
    if (command.name != word) continue;
    if (command.run) return dispatch(command, count - 1, words + 1);
    Diagnostics diagnostics;
    diagnostics.error(Code::E0199, {}, fmt::format("the command `{}` is not implemented yet", word));
    fmt::print(stderr, "{}", render_human(diagnostics.all().front(), {}, false));
    return kUsage;
  }
  return unknown_command(word);
}

}  // namespace

int main(int count, char** words) {
  stop_on_interrupt();
  try {
    return run(count, words);
  } catch (const InternalError& error) {
    std::string place = error.span().valid() ? fmt::format(" (line {}, column {})", error.span().line, error.span().column) : "";
    fmt::print(stderr, "internal error in {}{}: {}\nThis is a bug in bpc. Please report it with the script.\n", error.stage(), place,
               error.what());
  } catch (const std::bad_alloc&) {
    fmt::print(stderr, "error[E0406]: there is not enough memory\n");
    return kWrong;
  } catch (const std::exception& error) {
    fmt::print(stderr, "internal error: {}\nThis is a bug in bpc. Please report it with the script.\n", error.what());
  }
  return kInternal;
}
