// Texts within XML and HTML.
#pragma once

#include <string>
#include <string_view>

namespace bpc {

// With `&`, `<`, `>` and `"` as entities: between tags, and within quotes.
std::string xml_text(std::string_view text);

}  // namespace bpc
