#include "tests/fuzz/damage.h"

#include <catch2/catch.hpp>
#include <cctype>
#include <cstdlib>

#include "tests/support/process.h"

namespace bpc::test {

int fuzz_count(int otherwise) {
  const char* wanted = std::getenv("BPC_FUZZ_COUNT");
  return wanted ? std::atoi(wanted) : otherwise;
}

std::string damaged(std::string text, std::mt19937& random) {
  static const char* const numbers[] = {"0",
                                        "-1",
                                        "9223372036854775807",
                                        "-9223372036854775808",
                                        "18446744073709551616",
                                        "4294967296",
                                        "1e400",
                                        "nan",
                                        "1099511627776",
                                        "33",
                                        "2147483648"};
  auto below = [&](std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random); };
  auto piece = [&] {
    std::size_t from = below(text.size());
    return std::pair(from, 1 + below(std::min<std::size_t>(text.size() - from, 40)));
  };
  switch (below(6)) {
    case 0:
      return text.substr(0, below(text.size()));
    case 1: {
      auto [from, size] = piece();
      return text.erase(from, size);
    }
    case 2: {
      auto [from, size] = piece();
      return text.insert(below(text.size()), text.substr(from, size));
    }
    case 3: {
      std::size_t from = below(text.size());
      while (from < text.size() && !std::isdigit(static_cast<unsigned char>(text[from]))) ++from;
      std::size_t to = from;
      while (to < text.size() && std::isdigit(static_cast<unsigned char>(text[to]))) ++to;
      return text.replace(from, to - from, numbers[below(std::size(numbers))]);
    }
    default:
      for (std::size_t flips = 1 + below(4); flips > 0; --flips) text[below(text.size())] ^= static_cast<char>(1 << below(8));
      return text;
  }
}

void check_survives(const std::vector<std::string>& words, const std::string& input, const std::string& what, const std::string& shown) {
  const Finished finished = run_bpc(words, input, 10);
  INFO(what << ", exit " << finished.code << "\n" << finished.err << "\n----\n" << shown);
  CHECK_FALSE(finished.timed_out);
  CHECK((finished.code >= 0 && finished.code <= 2));
  if (finished.code != 0) CHECK(finished.err.find("error[E") != std::string::npos);
}

}  // namespace bpc::test
