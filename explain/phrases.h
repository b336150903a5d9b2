// What every form of an explanation says, in the symbols of text or of LaTeX.
#pragma once

#include <string>
#include <vector>

#include "explain/explanation.h"

namespace bpc::explain {

enum class Symbols : std::uint8_t { text, latex };
enum class Detail : std::uint8_t { full, brief };

// What is shown of all there is: everything, or the way of one of the values that the derivative is taken by.
struct Shown {
  std::vector<std::size_t> steps;  // into the visible ones
  std::vector<QuantityId> walk;    // in the order of the walk back, y left out; in forward mode, from x to y
  std::vector<std::size_t> chains;
};
Shown shown(const Explanation& explanation, const std::string& only);

// "z1 = w1*x + b1", "a, b = f(x)", "turns 0…4 of 0..T".
std::string step_text(const Explanation& explanation, const Step& step);
// One local derivative of a visible step by an input: "∂z1/∂w1 = x = 1".
struct LocalText {
  std::string text, why;
};
std::vector<LocalText> local_texts(const Explanation& explanation, std::size_t visible, Symbols symbols);

// A part of a derivative, "dJ/da2 · relu'(z2)", and its factor alone, where it has one, "relu'(z2)".
std::string term_text(const Explanation& explanation, const Contribution& contribution, Symbols symbols);
std::string factor_of(const Contribution& contribution, Symbols symbols);

// Which way the walk goes: "Backward", "Forward mode".
std::string walk_name(const Explanation& explanation);
// A line of the walk: "dJ/da" "dJ/dc·b + dJ/dd" "1 · 4 + 2" "6".
struct WalkText {
  std::string of, symbolic, numbers, result;
  std::string why;  // where nothing of what arrives goes on
};
WalkText walk_text(const Explanation& explanation, QuantityId quantity, Symbols symbols, Detail detail = Detail::full);

// The product of local derivatives along each path: "(a2 − y) · relu'(z2)", "2 · 1", "2".
struct ChainText {
  std::string symbolic, numbers, result;
};
// "a = b = c", of what there is.
std::string equation(const std::string& of, const std::vector<std::string>& sides);
std::optional<ChainText> chain_text(const Explanation& explanation, const Chain& chain, Symbols symbols);

std::string check_text(const Explanation& explanation, const FiniteCheck& check);
std::string cost_text(const Explanation& explanation);
std::string decision_text(const Decision& decision);
// Of a loop's history: whether derivatives vanish or explode on their way; empty where they do neither.
std::string trend_text(const Explanation& explanation, const History& history);

// A scalar is its number; a tensor its shape, norm and extremes, and a strip of blocks, each as high as the elements are large there.
// Brief: without the extremes.
std::string value_text(const runtime::Tensor& tensor, Detail detail = Detail::full);
std::string strip_text(const std::vector<double>& sizes);

}  // namespace bpc::explain
