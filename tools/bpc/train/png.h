// Pictures as dots.
#pragma once

#include <string>

namespace bpc::tool {

// An SVG document as a PNG file, twice as large as it says. Ends the process with E0502 where the libraries that draw it are not there.
std::string png_of(const std::string& svg);

}  // namespace bpc::tool
