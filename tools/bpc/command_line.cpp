#include "tools/bpc/command_line.h"

#include <CLI/CLI.hpp>
#include <filesystem>

#include "tools/bpc/session.h"

namespace bpc::tool {

namespace {

int wrong_usage(const Options& options, const std::string& message, const std::string& help) {
  Diagnostics diagnostics;
  diagnostics.error(Code::E0510, {}, message).with_help(help);
  write_diagnostic(diagnostics.all().front(), {}, options);
  return kUsage;
}

// Where one word or two may stand, CLI11 writes `FILE(1x)`.
class Usage : public CLI::Formatter {
 public:
  std::string make_option_usage(const CLI::Option* option) const override {
    const bool is_one_or_two = option->get_expected_min() == 1 && option->get_expected_max() == 2;
    const std::string name = make_option_name(option, true);
    return is_one_or_two ? fmt::format("{} [{}]", name, name) : Formatter::make_option_usage(option);
  }
};

// Reads the words of one command and finds what is wrong with them.
class Parser {
 public:
  Parser(const Command& command, Options& options)
      : command_(command), options_(options), app_(std::string(command.help), std::string(command.name)) {
    app_.formatter(std::make_shared<Usage>());
    app_.get_formatter()->label("REQUIRED", "");
    app_.get_formatter()->label("OPTIONS", "flags");
    app_.allow_extras();
    command.add_flags(app_, options);
  }

  std::optional<int> run(int count, char** words) {
    try {
      app_.parse(count, words);
    } catch (const CLI::CallForHelp&) {
      std::string text = app_.help();
      text.replace(text.find("Usage: "), 7, "Usage: bpc ");
      put(text);
      return kOk;
    } catch (const CLI::ParseError& error) {
      read_message_form();
      if (auto code = stray_words()) return code;
      return wrong(error);
    }
    if (auto code = stray_words()) return code;
    return stray_value(options_.files);
  }

 private:
  int fail(const std::string& message, const std::string& help = {}) {
    return wrong_usage(options_, message, help.empty() ? fmt::format("`bpc {} --help` shows the usage", command_.name) : help);
  }

  // Of words that are wrong nothing has been read yet, but how to say so.
  void read_message_form() {
    const CLI::Option* form = app_.get_option_no_throw("--diagnostics");
    if (form && form->count() > 0 && form->results().back() == "json") options_.messages = MessageForm::json;
  }

  // What belongs to no flag and is no FILE.
  std::optional<int> stray_words() {
    std::vector<std::string> words = app_.remaining();
    std::erase(words, "--");
    if (words.empty()) return std::nullopt;
    const std::string& word = words.front();
    if (!word.starts_with('-')) return fail(fmt::format("unexpected argument `{}`", word));
    const std::string flag = word.substr(0, word.find('='));
    if (flag == "-o" || flag == "--out" || flag == "--output")
      return fail(fmt::format("`bpc {}` has no flag `{}`", command_.name, flag), "results go to standard output; `> FILE` keeps them");
    std::vector<std::string> flags;
    for (const CLI::Option* option : app_.get_options()) {
      for (const std::string& name : option->get_lnames()) flags.push_back("--" + name);
      for (const std::string& name : option->get_snames()) flags.push_back("-" + name);
    }
    const std::string near = closest_match(flag, flags);
    return fail(fmt::format("`bpc {}` has no flag `{}`", command_.name, flag),
                near.empty() ? fmt::format("`bpc {} --help` lists the flags", command_.name) : fmt::format("did you mean `{}`?", near));
  }

  // `--set a=1 b=2`: the second value is taken for a FILE.
  std::optional<int> stray_value(const std::vector<std::string>& files) {
    if (!app_.get_option_no_throw("--set")) return std::nullopt;
    for (const std::string& file : files) {
      std::error_code ignored;
      if (file.find('=') == std::string::npos || std::filesystem::exists(file, ignored)) continue;
      if (file.starts_with('=')) return fail("there is a space before `=`", "a value is one word: `--set NAME=VALUE`");
      return fail(fmt::format("`{}` is no file", file),
                  fmt::format("each value has a flag of its own: `--set {}`, or `--data {}` for a file", file, file));
    }
    return std::nullopt;
  }

  // CLI11 names the flag first, in some texts without its dashes.
  static bool is_about(const std::string& text, const std::string& name) {
    for (const std::string& start : {name, name.substr(std::min(name.find_first_not_of('-'), name.size() - 1))})
      if (text.starts_with(start + ":") || text.starts_with(start + " ")) return true;
    return false;
  }

  int wrong(const CLI::ParseError& error) {
    const std::string text = error.what();
    for (const CLI::Option* option : app_.get_options()) {
      const std::string name = option->get_name();
      const auto& words = option->results();
      if (!is_about(text, name)) continue;
      if (option->get_positional()) {
        if (words.empty()) return fail(fmt::format("`bpc {}` needs a {}", command_.name, name));
        if (auto code = stray_value(words)) return *code;
        return fail(fmt::format("`bpc {}` takes one {}, and was given `{}`", command_.name, name, fmt::join(words, "`, `")));
      }
      const std::string value = option->get_type_name();
      if (value.empty()) return fail(fmt::format("`{}` takes no value", name));
      if (dynamic_cast<const CLI::ValidationError*>(&error)) return fail(fmt::format("`{}` {}", name, text.substr(name.size() + 2)));
      if (words.size() > 1) return fail(fmt::format("`{}` is given more than once", name));
      return fail(fmt::format("`{}` needs a value: `{} {}`", name, name, value));
    }
    return fail(text);
  }

  const Command& command_;
  Options& options_;
  CLI::App app_;
};

bool takes(const Command& command, const std::vector<std::string>& words) {
  Options options;
  CLI::App app;
  command.add_flags(app, options);
  try {
    app.parse(std::vector<std::string>(words.rbegin(), words.rend()));
  } catch (const CLI::ParseError&) {
    return false;
  }
  return true;
}

// The words of a command line, so that a shell reads them as they are.
std::string shell_text(std::string_view command, const std::vector<std::string>& words) {
  std::string text = fmt::format("bpc {}", command);
  for (std::string word : words) {
    const bool is_plain = !word.empty() && std::all_of(word.begin(), word.end(), [](unsigned char c) {
      return std::isalnum(c) || c >= 0x80 || std::string_view("_-./=,:@%+").find(static_cast<char>(c)) != std::string_view::npos;
    });
    for (std::size_t at = 0; (at = word.find('\'', at)) != std::string::npos; at += 4) word.replace(at, 1, "'\\''");
    text += is_plain ? " " + word : fmt::format(" '{}'", word);
  }
  return text;
}

// The script that a word names, which may lack its ending; or nothing.
std::string script_named(const std::string& word) {
  std::error_code ignored;
  if (word == "-" || word.ends_with(".bp")) return word;
  return std::filesystem::exists(word + ".bp", ignored) ? word + ".bp" : std::string();
}

// What somebody wanted who did not begin with a command.
struct Meant {
  enum class How : std::uint8_t { misspelled, later, missing } how;  // the command is the first word, stands further back, is not there
  std::string text;
};
std::optional<Meant> what_is_meant(const std::vector<std::string>& words) {
  std::vector<std::string> names;
  for (const Command& command : all_commands())
    if (command.run) names.emplace_back(command.name);
  const auto command = [](std::string_view name) {
    return *std::find_if(all_commands().begin(), all_commands().end(), [&](const Command& each) { return each.name == name; });
  };
  std::vector<std::string> rest(words.begin() + 1, words.end());
  if (const std::string near = closest_match(words[0], names, 1); !near.empty())
    return Meant{Meant::How::misspelled, takes(command(near), rest) ? shell_text(near, rest) : near};
  for (auto word = words.begin() + 1; word != words.end(); ++word) {
    if (std::find(names.begin(), names.end(), *word) == names.end()) continue;
    std::vector<std::string> turned(word + 1, words.end());
    turned.insert(turned.end(), words.begin(), word);
    if (takes(command(*word), turned)) return Meant{Meant::How::later, shell_text(*word, turned)};
  }
  std::vector<std::string> with_script = words;
  const auto script =
      std::find_if(with_script.begin(), with_script.end(), [](const std::string& word) { return !script_named(word).empty(); });
  if (script == with_script.end() || (script != with_script.begin() && !words[0].starts_with('-'))) return std::nullopt;
  *script = script_named(*script);
  for (const std::string& name : names)
    if (takes(command(name), with_script)) return Meant{Meant::How::missing, shell_text(name, with_script)};
  return std::nullopt;
}

}  // namespace

std::optional<int> parse_command_line(const Command& command, int count, char** words, Options& options) {
  return Parser(command, options).run(count, words);
}

int unknown_command(int count, char** words) {
  const std::vector<std::string> given(words, words + count);
  const std::string& first = given.front();
  const bool is_flag = first.starts_with('-') && first != "-";
  const std::string flag = first.substr(0, first.find('='));
  const auto meant = what_is_meant(given);
  std::string message = is_flag ? fmt::format("there is no flag `{}`", flag) : fmt::format("there is no command `{}`", first);
  std::string help = "`bpc --help` lists the commands";
  if (!meant) return wrong_usage({}, message, help);
  switch (meant->how) {
    case Meant::How::misspelled:
      help = fmt::format("did you mean `{}`?", meant->text);
      break;
    case Meant::How::later:
      message = fmt::format("`{}` stands before the command", is_flag ? flag : first);
      help = fmt::format("{}: `{}`", is_flag ? "flags stand after the command" : "a file stands after the command", meant->text);
      break;
    case Meant::How::missing:
      if (is_flag) message = fmt::format("there is no command before `{}`", flag);
      help = fmt::format("write `{}`", meant->text);
      break;
  }
  return wrong_usage({}, message, help);
}

}  // namespace bpc::tool
