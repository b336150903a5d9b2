// What the tests of damaged input share: how text is damaged, and what bpc must make of it.
#pragma once

#include <random>
#include <string>
#include <vector>

namespace bpc::test {

// BPC_FUZZ_COUNT, or `otherwise`.
int fuzz_count(int otherwise);

// Cut off; bits flipped; a piece left out, repeated or moved; a number replaced by one that is hard to bear. `text` is not empty.
std::string damaged(std::string text, std::mt19937& random);

// bpc ends within ten seconds with exit code 0, 1 or 2, and with a coded message when not 0. `what` tells the case; the input is shown.
void check_survives(const std::vector<std::string>& words, const std::string& input, const std::string& what, const std::string& shown);

}  // namespace bpc::test
