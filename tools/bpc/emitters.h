// The formats of `bpc emit`, one table: a new one is its function and its row.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "ir/function.h"
#include "tools/bpc/options.h"

namespace bpc::tool {

struct Emitter {
  std::string_view name;
  std::string_view help;
  bool needs_expansion;  // cannot show grad ops: they are expanded also without --grad
  bool of_optimized;     // by default shows what the optimising passes made, otherwise lowered IR
  std::string (*write)(const ir::Module& module, const Options& options);  // null: not implemented yet
};
std::span<const Emitter> all_emitters();

}  // namespace bpc::tool
