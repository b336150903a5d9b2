// A script lowered for a test: its outputs' types, its IR as text, or what was reported.
#pragma once

#include <fmt/format.h>
#include <catch2/catch.hpp>

#include "frontend/lower.h"
#include "ir/print.h"
#include "ir/verify.h"

namespace bpc::frontend {

struct Lowered {
  SourceMap sources;
  Diagnostics diagnostics;
  std::optional<ir::Module> module;

  explicit Lowered(const std::string& script, const LowerOptions& options = {}, const std::map<std::string, std::string>& files = {}) {
    auto read = [&](const std::string& path) -> std::optional<std::string> {
      auto found = files.find(path);
      return found == files.end() ? std::nullopt : std::optional(found->second);
    };
    auto program = load(sources, sources.add("main.bp", script), read, diagnostics);
    if (program) module = lower(*program, options, diagnostics);
    CHECK(module.has_value() == !diagnostics.has_errors());
    if (module) CHECK(ir::verify(*module) == std::vector<std::string>{});
  }

  // "x: f32[N=4]" for each output of a function, one a line.
  std::string types(const std::string& function = "main") const {
    std::string text;
    if (!module) return problems();
    const ir::Function& from = function == "init" ? module->initial : module->main;
    for (const ir::Output& output : from.outputs)
      if (output.kind == ir::Output::Kind::value) text += fmt::format("{}: {}\n", output.path, type_text(from.type(output.value)));
    return text;
  }

  // "line:column code message" for each diagnostic, one a line.
  std::string problems() const {
    std::string text;
    for (const Diagnostic& each : diagnostics.all())
      text += fmt::format("{}:{} {} {}\n", each.span.line, each.span.column, code_info(each.code).name, each.message);
    return text;
  }

  // The IR text of one function, without origins.
  std::string ir(const std::string& function = "main") const {
    if (!module) return problems();
    std::string text = ir::print(*module), result;
    std::size_t at = text.find("func " + function), end = text.find("\n}", at) + 2;
    while (at < end) {
      std::size_t newline = text.find('\n', at);
      std::string line = text.substr(at, newline - at);
      if (std::size_t origin = line.find(" @"); origin != std::string::npos) {
        std::size_t brace = line.ends_with("{") ? line.rfind(" (") : std::string::npos;
        if (brace == std::string::npos && line.ends_with("{")) brace = line.size() - 2;
        std::string rest = brace == std::string::npos ? "" : line.substr(brace);
        line = line.substr(0, line.find_last_not_of(' ', origin) + 1) + rest;
      }
      result += line + "\n";
      at = newline + 1;
    }
    return result;
  }

  std::vector<std::string> parameters() const {
    std::vector<std::string> paths;
    if (module)
      for (const ir::Parameter& parameter : module->main.parameters) paths.push_back(parameter.path);
    return paths;
  }
};

}  // namespace bpc::frontend
