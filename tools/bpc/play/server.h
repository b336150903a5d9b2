// What answers a browser on this machine, a library of its own that is loaded by `bpc play` alone (tools/bpc/library.h).
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace bpc::tool {

struct Playground {
  std::string command;  // this `bpc`, which is run for each text that comes
  std::string folder;   // the one whose scripts can be opened and saved
  std::string file;     // the script to begin with, a name in that folder; or empty
  std::string shell;    // the page around the editor
  std::string token;    // of random letters: what comes without it is refused
  struct Example {
    std::string group, name, text;
  };
  std::vector<Example> examples;  // those of a group one after the other
  int port = 0;                   // 0: any that is free
  double max_seconds = 10;
  std::size_t max_memory = std::size_t{1} << 30;
  std::function<void(int port)> ready;  // called when the browser can come
};

// Answers at 127.0.0.1 until the process ends. false when the port is taken.
extern "C" bool bpc_serve(const Playground& playground);

}  // namespace bpc::tool
