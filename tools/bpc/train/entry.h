// A script lowered for one purpose, compiled, and bound to tensors by name.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tools/bpc/driver.h"

namespace bpc::tool {

using Tensors = std::map<std::string, runtime::Tensor>;

// A script lowered for an entry, with inputs and params of these types, as it is written; nullopt when there were errors.
std::optional<ir::Module> lower_written(Session& session, const Script& script, const frontend::LowerOptions& how, const Tensors& given);
// What stage after stage makes of a script for an entry, of inputs and params of these types; nullopt when there were errors.
std::optional<ir::Module> lower_entry(Session& session, const Script& script, const frontend::LowerOptions& how, const Tensors& given);

class CompiledEntry {
 public:
  static std::unique_ptr<CompiledEntry> make(Session& session, ir::Module module);

  const ir::Function& function() const { return module_.main; }
  // Ports take their memory from here; it must live, and no tensor of it move, until they are bound anew. An output without a donor is
  // written to a tensor of the entry's own.
  void bind(const std::vector<Tensors*>& memory);
  // Runs once; why it stopped, if it did.
  std::optional<runtime::Failure> run(const runtime::RunOptions& options) { return executable_->call(inputs_, outputs_, options); }
  // An output that is no port's donor.
  const runtime::Tensor& output(const std::string& name) const { return own_.at(name); }

 private:
  explicit CompiledEntry(ir::Module module) : module_(std::move(module)) {}
  ir::Module module_;
  std::unique_ptr<runtime::Executable> executable_;
  std::vector<const void*> inputs_;
  std::vector<void*> outputs_;
  Tensors own_;
};

}  // namespace bpc::tool
