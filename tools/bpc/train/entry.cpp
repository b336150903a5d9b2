#include "tools/bpc/train/entry.h"

#include "support/internal_error.h"

namespace bpc::tool {

std::optional<ir::Module> lower_written(Session& session, const Script& script, const frontend::LowerOptions& how, const Tensors& given) {
  session.begin("types, shapes, IR");
  frontend::LowerOptions options = how;
  options.real = session.real;
  options.dims = script.bindings.dims;
  options.classes = script.bindings.classes;
  options.seed = session.options.seed;
  for (const auto& [name, tensor] : given) options.bound[name] = tensor.type();
  Diagnostics found;
  std::optional<ir::Module> module = frontend::lower(script.program, options, found);
  // What the script has been warned of is not said again.
  for (const Diagnostic& diagnostic : found.all()) {
    bool is_known = false;
    for (const Diagnostic& known : session.diagnostics.all())
      is_known |= known.message == diagnostic.message && known.span == diagnostic.span;
    if (!is_known) session.diagnostics.add(diagnostic);
  }
  return module;
}

std::optional<ir::Module> lower_entry(Session& session, const Script& script, const frontend::LowerOptions& how, const Tensors& given) {
  std::optional<ir::Module> module = lower_written(session, script, how, given);
  if (!module || !expand_gradients(session, *module) || !optimize(session, *module)) return std::nullopt;
  return module;
}

std::unique_ptr<CompiledEntry> CompiledEntry::make(Session& session, ir::Module module) {
  session.begin("compile");
  std::unique_ptr<CompiledEntry> entry(new CompiledEntry(std::move(module)));
  entry->executable_ = make_executable(session, entry->module_.main);
  return entry;
}

void CompiledEntry::bind(const std::vector<Tensors*>& memory) {
  auto find = [&](const std::string& name) -> runtime::Tensor& {
    for (Tensors* tensors : memory)
      if (auto found = tensors->find(name); found != tensors->end()) return found->second;
    throw InternalError("train", fmt::format("`{}` has no value", name));
  };
  const runtime::Signature& signature = executable_->signature();
  inputs_.clear();
  outputs_.clear();
  std::vector<bool> donates(signature.inputs.size());
  for (const runtime::Port& port : signature.outputs)
    if (port.donor) donates[*port.donor] = true;
  std::vector<void*> donated(signature.inputs.size());
  for (std::size_t i = 0; i < signature.inputs.size(); ++i) {
    runtime::Tensor& tensor = find(signature.inputs[i].name);
    if (!same_type(tensor.type(), signature.inputs[i].type))
      throw InternalError("train", fmt::format("`{}` has another type", signature.inputs[i].name));
    if (donates[i]) donated[i] = tensor.raw();
    inputs_.push_back(donates[i] ? donated[i] : std::as_const(tensor).raw());
  }
  for (const runtime::Port& port : signature.outputs) {
    if (port.donor) {
      outputs_.push_back(donated[*port.donor]);
    } else {
      runtime::Tensor& own = own_.insert_or_assign(port.name, runtime::Tensor::zeros(port.type)).first->second;
      outputs_.push_back(own.raw());
    }
  }
}

}  // namespace bpc::tool
