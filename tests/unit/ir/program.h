// Small functions of IR, made by a builder.
#pragma once

#include <fmt/format.h>

#include <vector>

#include "ir/builder.h"

namespace bpc::test {

using ir::Attr;
using ir::Attributes;
using ir::Builder;
using ir::Function;
using ir::Opcode;
using ir::ValueId;

inline Type shaped(Element element, std::vector<std::int64_t> sizes = {}) {
  return Type::of_sizes(element, sizes);
}

inline ValueId parameter(Function& function, const Type& type) {
  return function.add_parameter(ir::Parameter::Kind::input, fmt::format("x{}", function.parameters.size()), type);
}

inline void output(Function& function, ValueId value) {
  function.outputs.push_back({ir::Output::Kind::value, fmt::format("out{}", function.outputs.size()), value});
}

}  // namespace bpc::test
