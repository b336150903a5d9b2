#include "tools/bpc/rule_book.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "frontend/builtins/builtins.h"
#include "frontend/prelude/prelude.h"

using bpc::tool::result_of;
using bpc::tool::Rule;
using bpc::tool::rule_book;

TEST_CASE("every rule says how it is called, what it does, its shape, and has an example that runs") {
  for (const Rule& rule : rule_book()) {
    INFO(rule.usage);
    CHECK(!rule.usage.empty());
    CHECK(!rule.doc.empty());
    CHECK(!rule.shape.empty());
    REQUIRE(!rule.example.empty());
    CHECK(!result_of(rule.example).empty());
  }
}

TEST_CASE("what a script can call has a rule, and what is for the library alone has none") {
  const std::vector<Rule> rules = rule_book();
  auto has_rule = [&](std::string_view name) {
    return std::any_of(rules.begin(), rules.end(), [&](const Rule& rule) { return rule.name == name; });
  };
  for (const std::string& name : bpc::frontend::builtin_names()) {
    INFO(name);
    CHECK(has_rule(name));
    CHECK(bpc::frontend::is_builtin_function(name));
  }
  for (const char* name : {"pair_of", "windows2d", "masked", "labels_by_row", "standardized", "attended"}) {
    INFO(name);
    CHECK(!has_rule(name));
    CHECK(!bpc::frontend::is_builtin_function(name));
    CHECK(bpc::frontend::is_library_function(name));
  }
}

TEST_CASE("an example shows what its last statement gives") {
  CHECK(result_of("[1, 2] + 1") == "[2, 3]");
  CHECK(result_of("x = 3; x * x") == "9");
  CHECK(result_of("x = 3; v, i = topk([1, 5], 1)") == "v = [5]; i = [1]");
}
