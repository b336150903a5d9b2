#include <catch2/catch.hpp>

#include "ir/builder.h"
#include "support/internal_error.h"

using namespace bpc;
using namespace bpc::ir;

TEST_CASE("an attribute that is not there is no zero") {
  const Attributes attrs{{Attr::axis, std::int64_t{1}}};
  CHECK(attrs.integer(Attr::axis) == 1);
  CHECK_THROWS_AS(attrs.integer(Attr::size), InternalError);
  CHECK_THROWS_AS(attrs.flag(Attr::descending), InternalError);
  CHECK_THROWS_AS(attrs.ints(Attr::axes), InternalError);
  CHECK_THROWS_AS(attrs.ints(Attr::axis), InternalError);  // of another kind
  CHECK(!attrs.find(Attr::size));
}

TEST_CASE("an op has the attributes of its row, and no others") {
  Function function;
  Builder builder(function);
  ValueId x = function.add_parameter(Parameter::Kind::input, "x", Type::of_sizes(Element::f32, {2, 3}));
  auto attrs_of = [&](ValueId y) { return function.def(y)->attrs; };
  CHECK(attrs_of(builder.emit(Opcode::argsort, {x}, {{Attr::axis, std::int64_t{1}}})) ==
        Attributes{{Attr::axis, std::int64_t{1}}, {Attr::descending, false}});
  CHECK(attrs_of(builder.emit(Opcode::window, {x}, {{Attr::axis, std::int64_t{1}}, {Attr::size, std::int64_t{2}}})).integer(Attr::stride) ==
        1);
  CHECK_THROWS_AS(builder.emit(Opcode::argsort, {x}), InternalError);  // lacks the axis
  CHECK_THROWS_AS(builder.emit(Opcode::exp, {x}, {{Attr::keep, true}}), InternalError);
  CHECK_THROWS_AS(builder.emit(Opcode::argsort, {x}, {{Attr::axis, std::vector<std::int64_t>{1}}}), InternalError);
}

TEST_CASE("every default is of its attribute's kind, and its word reads back") {
  for (std::size_t i = 0; i < std::size(kAttributes); ++i) {
    const auto attr = static_cast<Attr>(i);
    INFO(attr_info(attr).name);
    CHECK(attr_from_name(attr_info(attr).name) == attr);
    if (auto value = default_value(attr)) CHECK(is_of_kind(*value, attr_info(attr).kind));
    CHECK((attr_info(attr).written == Written::inner) == attr_info(attr).word.empty());
  }
}

TEST_CASE("a signature shows what scripts give, in their order") {
  CHECK(signature_text(op_info(Opcode::reduce_sum).signature) == "x, axis = none, keep = false");
  CHECK(signature_text(op_info(Opcode::cumsum).signature) == "x, axis = none");
  CHECK(signature_text(op_info(Opcode::polygamma).signature) == "n, x");
  CHECK(signature_text(op_info(Opcode::triangular_solve).signature) == "A, b, lower = true, transposed = false");
  CHECK(signature_text(op_info(Opcode::argsort).signature) == "x, axis = -1, descending = false");
  CHECK(signature_text({"spec", many("operands")}) == "spec, operands, …");
}
