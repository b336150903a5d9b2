#include "tools/bpc/code_generator.h"

#include <cstdlib>
#include <filesystem>

#include "tools/bpc/library.h"

namespace bpc::tool {

namespace {

namespace fs = std::filesystem;

const backend::CodeGenerator* find() {
  void* function =
      function_of_library("bpc_code_generator.so", "bpc_code_generator", "generates code", "`--backend=interp` runs without it");
  return reinterpret_cast<decltype(&backend::bpc_code_generator)>(function)();
}

}  // namespace

const backend::CodeGenerator& code_generator() {
  static const backend::CodeGenerator* const functions = find();
  return *functions;
}

std::string code_folder() {
  const char *caches = std::getenv("XDG_CACHE_HOME"), *home = std::getenv("HOME");
  if (caches && *caches == '/') return (fs::path(caches) / "bpc").string();  // a relative one is to be ignored (XDG Base Directory, 0.8)
  if (home && *home == '/') return (fs::path(home) / ".cache" / "bpc").string();
  return "";
}

}  // namespace bpc::tool
