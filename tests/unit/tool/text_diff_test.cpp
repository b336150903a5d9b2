#include "tools/bpc/text_diff.h"

#include <catch2/catch.hpp>

using bpc::tool::unified_diff;

TEST_CASE("equal texts have no difference") {
  CHECK(unified_diff("f", "a\nb\n", "a\nb\n").empty());
}

TEST_CASE("a changed line with its context") {
  CHECK(unified_diff("f", "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n") ==
        "--- f\n+++ f\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n");
}

TEST_CASE("distant changes are hunks of their own") {
  std::string before, after;
  for (int i = 1; i <= 20; ++i) {
    before += std::to_string(i) + "\n";
    after += (i == 2 || i == 19 ? "x" : std::to_string(i)) + "\n";
  }
  CHECK(unified_diff("f", before, after) ==
        "--- f\n+++ f\n@@ -1,5 +1,5 @@\n 1\n-2\n+x\n 3\n 4\n 5\n@@ -16,5 +16,5 @@\n 16\n 17\n 18\n-19\n+x\n 20\n");
}

TEST_CASE("lines put in and taken out") {
  CHECK(unified_diff("f", "a\nb\n", "a\nnew\nb\n") == "--- f\n+++ f\n@@ -1,2 +1,3 @@\n a\n+new\n b\n");
  CHECK(unified_diff("f", "a\nb\n", "b\n") == "--- f\n+++ f\n@@ -1,2 +1,1 @@\n-a\n b\n");
}
