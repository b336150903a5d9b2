#include "tools/bpc/graphviz.h"

#include "runtime/dynamic_library.h"
#include "support/internal_error.h"
#include "tools/bpc/guard.h"

namespace bpc::tool {

namespace {

// The functions of libgvc and libcgraph that are called (gvc.h, cgraph.h).
struct Graphviz {
  void* (*context)();
  void* (*read)(const char* text);
  int (*layout)(void* context, void* graph, const char* engine);
  int (*render)(void* context, void* graph, const char* format, char** result, unsigned int* length);
  void (*free_render)(char* data);
  int (*free_layout)(void* context, void* graph);
  int (*close)(void* graph);
};

[[noreturn]] void missing(const std::string& why) {
  end_with_error(Code::E0502, "cannot load Graphviz's library, which lays graphs out: " + why,
                 "it is the package libgvc6; `--as=dot` works without it");
}

template <class Function>
void find(Function& function, void* library, const char* name) {
  if (!runtime::find_function(library, name, function)) missing(name);
}

Graphviz load() {
  void* gvc = dlopen(BPC_GVC, RTLD_LAZY | RTLD_LOCAL);
  void* cgraph = gvc ? dlopen(BPC_CGRAPH, RTLD_LAZY | RTLD_LOCAL) : nullptr;
  if (!cgraph) missing(dlerror());
  Graphviz graphviz{};
  find(graphviz.context, gvc, "gvContext");
  find(graphviz.read, cgraph, "agmemread");
  find(graphviz.layout, gvc, "gvLayout");
  find(graphviz.render, gvc, "gvRenderData");
  find(graphviz.free_render, gvc, "gvFreeRenderData");
  find(graphviz.free_layout, gvc, "gvFreeLayout");
  find(graphviz.close, cgraph, "agclose");
  return graphviz;
}

}  // namespace

std::string svg_of(const std::string& dot) {
  static const Graphviz graphviz = load();
  void* context = graphviz.context();
  void* graph = graphviz.read(dot.c_str());
  char* data = nullptr;
  unsigned int length = 0;
  if (!graph || graphviz.layout(context, graph, "dot") != 0 || graphviz.render(context, graph, "svg", &data, &length) != 0)
    throw InternalError("emit", "Graphviz does not take the graph");
  std::string svg(data, length);
  graphviz.free_render(data);
  graphviz.free_layout(context, graph);
  graphviz.close(graph);
  return svg;
}

}  // namespace bpc::tool
