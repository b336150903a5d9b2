// IR text in, IR text out.
#pragma once

#include <catch2/catch.hpp>
#include <string>

#include "ir/print.h"
#include "ir/read.h"
#include "ir/verify.h"

namespace bpc::test {

// Reads a module; `error` gets "line:column: message" of the first complaint.
inline std::optional<ir::Module> read_text(const std::string& text, std::string& error) {
  SourceMap sources;
  FileId file = sources.add("test.ir", text);
  Diagnostics diagnostics;
  auto module = ir::read(sources, file, diagnostics);
  if (diagnostics.has_errors()) {
    const Diagnostic& first = diagnostics.all()[0];
    error = std::to_string(first.span.line) + ":" + std::to_string(first.span.column) + ": " + first.message;
  }
  return module;
}

// A function `main` of a module without files, given the lines between its brackets.
inline std::string module_text(const std::string& body) {
  return "module real=f32 seed=0\n\nfunc main {\n" + body + "}\n";
}

// The verified function main of a module, given the lines between its brackets.
inline ir::Function read_main(const std::string& body) {
  std::string error;
  const std::optional<ir::Module> module = read_text(module_text(body), error);
  if (!module) FAIL(error);
  for (const std::string& problem : ir::verify(*module)) FAIL(problem);
  return module->main;
}

}  // namespace bpc::test
