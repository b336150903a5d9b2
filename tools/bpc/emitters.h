// The formats of `bpc emit`, one table: a new one is its function and its row.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "ir/function.h"
#include "tools/bpc/explain_script.h"

namespace bpc::tool {

struct Emitter {
  std::string_view name;
  std::string_view help;
  bool needs_expansion;  // cannot show grad ops: they are expanded also without --grad
  bool of_optimized;     // by default shows what the optimising passes made, otherwise lowered IR
  std::string (*write)(const ir::Module& module, const Options& options);  // null: see `show`
  // Of a format that shows a run of the script, and not the program; null where there is neither: not implemented yet.
  std::string (*show)(Session& session, const Explained& explained, const ir::Module& module) = nullptr;

  bool is_there() const { return write || show; }
};
std::span<const Emitter> all_emitters();

}  // namespace bpc::tool
