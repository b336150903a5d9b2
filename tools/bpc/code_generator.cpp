#include "tools/bpc/code_generator.h"

#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>

#include "tools/bpc/guard.h"

namespace bpc::tool {

namespace {

namespace fs = std::filesystem;

// Beside the command, as it is built; where it is installed; and where this command was built, for a copy of it.
void* load(std::string& why) {
  std::error_code ignored;
  const fs::path folder = fs::read_symlink("/proc/self/exe", ignored).parent_path();
  for (const fs::path& file :
       {folder / BPC_CODE_GENERATOR, folder / "../lib/bpc" / BPC_CODE_GENERATOR, fs::path(BPC_BUILT_IN) / BPC_CODE_GENERATOR}) {
    if (void* library = dlopen(file.c_str(), RTLD_LAZY | RTLD_LOCAL)) return library;
    const char* error = dlerror();
    if (why.empty() || fs::exists(file, ignored)) why = error ? error : file.string();
  }
  return nullptr;
}

const backend::CodeGenerator* find() {
  std::string why;
  void* library = load(why);
  void* function = library ? dlsym(library, "bpc_code_generator") : nullptr;
  if (!function) end_with_error(Code::E0502, "cannot load what generates code: " + why, "`--backend=interp` runs without it");
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
