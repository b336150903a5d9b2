#include "tools/bpc/library.h"

#include <dlfcn.h>

#include <filesystem>

#include "tools/bpc/guard.h"

namespace bpc::tool {

namespace fs = std::filesystem;

void* function_of_library(const std::string& file, const char* function, const std::string& what, const std::string& help) {
  std::string why;
  std::error_code ignored;
  const fs::path folder = fs::read_symlink("/proc/self/exe", ignored).parent_path();
  for (const fs::path& path : {folder / file, folder / "../lib/bpc" / file, fs::path(BPC_BUILT_IN) / file}) {
    if (void* library = dlopen(path.c_str(), RTLD_LAZY | RTLD_LOCAL))
      if (void* found = dlsym(library, function)) return found;
    const char* error = dlerror();
    if (why.empty() || fs::exists(path, ignored)) why = error ? error : path.string();
  }
  end_with_error(Code::E0502, "cannot load what " + what + ": " + why, help);
}

}  // namespace bpc::tool
