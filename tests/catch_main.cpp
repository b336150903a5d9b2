#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>

#include <cstdlib>

// Tests compile what they run, unless they say where compiled code is kept (here no folder can be made).
int main(int count, char** words) {
  setenv("XDG_CACHE_HOME", "/dev/null", 1);
  return Catch::Session().run(count, words);
}
