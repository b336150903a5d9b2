// An explanation as a page that stands alone: one HTML file, which runs the script's own compiled code and needs no network.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tools/bpc/explain_script.h"

namespace bpc::tool {

// The graph is laid out by Graphviz (graphviz.h), and the code linked by LLVM's wasm-ld: without one of them this ends the process with
// E0502. Where the numbers cannot be computed in a page, which the page then says, it shows those of this run.
std::string page_of(Session& session, const Explained& explained, const ir::Module& module);

// For pages: a text in which names between @ stand for others; and data as the text of a <script>, in which no tag can be.
std::string filled(std::string_view text, const std::vector<std::pair<std::string_view, std::string>>& by);
std::string script_text(const nlohmann::ordered_json& data);

}  // namespace bpc::tool
