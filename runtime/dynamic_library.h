// Functions of libraries that are loaded while running.
#pragma once

#include <dlfcn.h>

namespace bpc::runtime {

// Whether the library, a handle of dlopen, has one of that name, which `function` then is. Of which type it is, the caller knows.
template <class F>
bool find_function(void* library, const char* name, F& function) {
  function = reinterpret_cast<F>(dlsym(library, name));
  return function != nullptr;
}

}  // namespace bpc::runtime
