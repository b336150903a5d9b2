#include "tools/bpc/emitters.h"

#include "explain/render.h"
#include "frontend/write_script.h"
#include "ir/print.h"
#include "tools/bpc/code_generator.h"
#include "tools/bpc/graphviz.h"
#include "tools/bpc/page.h"

namespace bpc::tool {

namespace {

std::string write_bp(const ir::Module& module, const Options&) {
  return frontend::write_script(module);
}
std::string write_ir(const ir::Module& module, const Options&) {
  return ir::print(module);
}
std::string write_plan(const ir::Module& module, const Options&) {
  return code_generator().plan_text(module.main);
}
std::string write_llvm(const ir::Module& module, const Options& options) {
  return code_generator().llvm_text(module.main, {options.optimization});
}
std::string write_asm(const ir::Module& module, const Options& options) {
  return code_generator().assembly_text(module.main, {options.optimization});
}

std::string show_dot(Session&, const Explained& explained, const ir::Module&) {
  return explain::to_dot(explained.explanation);
}
std::string show_svg(Session&, const Explained& explained, const ir::Module&) {
  return svg_of(explain::to_dot(explained.explanation));
}
std::string show_latex(Session& session, const Explained& explained, const ir::Module&) {
  return explain::to_latex(explained.explanation, session.options.files.front(), "");
}

constexpr Emitter kEmitters[] = {
    {"bp", "a script", false, false, write_bp},
    {"ir", "the intermediate representation", false, false, write_ir},
    {"llvm", "LLVM IR", true, true, write_llvm},
    {"asm", "the host's assembly", true, true, write_asm},
    {"plan", "kernels and buffers", true, true, write_plan},
    {"dot", "the graph of a run, in Graphviz's language", false, false, nullptr, show_dot},
    {"svg", "the graph of a run, drawn", false, false, nullptr, show_svg},
    {"latex", "the derivation, as a document", false, false, nullptr, show_latex},
    {"html", "a page to step through", false, false, nullptr, page_of},
    {"json", "the IR as JSON", false, false, nullptr},
};

}  // namespace

std::span<const Emitter> all_emitters() {
  return kEmitters;
}

}  // namespace bpc::tool
