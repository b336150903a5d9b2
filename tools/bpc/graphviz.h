// Drawings of graphs, by Graphviz's library, which is loaded when the first one is drawn.
#pragma once

#include <string>

namespace bpc::tool {

// A graph in Graphviz's language as SVG. Ends the process with E0502 when the library is not there.
std::string svg_of(const std::string& dot);

}  // namespace bpc::tool
