// The way of a script, stage by stage; every stage is a function from the one before. docs/architecture.md has the picture.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "frontend/lower.h"
#include "frontend/program.h"
#include "ir/function.h"
#include "runtime/executable.h"
#include "tools/bpc/data.h"
#include "tools/bpc/session.h"

namespace bpc::tool {

// A script as IR, with what it is fed.
struct Script {
  frontend::Program program;
  Bindings bindings;
  ir::Module module;
};

// text -> program -> lowered IR (grad ops not expanded). Appends diagnostics; nullopt when there were errors.
std::optional<frontend::Program> load_script(Session& session, FileId file);
// To lower a script to run with these values.
frontend::LowerOptions lower_options(const Session& session, const Bindings& bindings);
// What the script says of its training, with --SETTING flags in place of it, is entered into `training`, if given.
std::optional<Script> lower_script(Session& session, frontend::Program program, DataNeed need, frontend::Training* training = nullptr);
std::optional<Script> lower_script(Session& session, const std::string& path, DataNeed need, frontend::Training* training = nullptr);

// Which outputs of a script are wanted. What nobody asked for is never computed.
struct Wanted {
  bool values = true;
  bool gradients = true;
  bool operator()(const ir::Output& output) const { return output.kind == ir::Output::Kind::value ? values : gradients; }
};
// Whether the function prints anywhere.
bool has_print(const ir::Function& function);

// A given tensor in the exact type of the parameter of this path; the columns of a table fill the axes behind the first. nullopt (E0504)
// when it does not fit.
std::optional<runtime::Tensor> fit(Session& session, const runtime::Tensor& tensor, const Type& type, const std::string& path);

// Expands gradients; then the optimising passes, from -O1 on. False when there were errors.
bool expand_gradients(Session& session, ir::Module& module);
bool optimize(Session& session, ir::Module& module);

// Initial values of params and inputs that were not given: runs "init". Then the arguments of `function`, in order.
std::optional<std::vector<runtime::Tensor>> make_arguments(Session& session, const Script& script, const ir::Function& function);

// Hands `function` to the chosen backend. It must outlive the result.
std::unique_ptr<runtime::Executable> make_executable(const Session& session, const ir::Function& function, bool times = false);

runtime::RunOptions run_options(const Options& options, std::function<void(std::string_view)> print);
// Runs; a failure becomes a diagnostic (none for an interrupt).
std::optional<std::vector<runtime::Tensor>> execute(Session& session, runtime::Executable& executable,
                                                    std::span<const runtime::Tensor> arguments, const runtime::RunOptions& options);
// The same of a run that wrote to the caller's memory.
bool succeeded(Session& session, std::optional<runtime::Failure> failure);

// Everything at once: what a whole run of a script gives.
struct RunValue {
  std::string path;
  runtime::Tensor tensor;
};
struct ScriptResult {
  std::vector<RunValue> values, gradients;
};
std::optional<ScriptResult> run_script(Session& session, Script script, Wanted wanted, const runtime::RunOptions& options);

}  // namespace bpc::tool
