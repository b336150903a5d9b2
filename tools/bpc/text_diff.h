// The difference of two texts, as `diff -u` shows it.
#pragma once

#include <string>
#include <string_view>

namespace bpc::tool {

// Empty when the texts are equal.
std::string unified_diff(std::string_view path, std::string_view before, std::string_view after);

}  // namespace bpc::tool
