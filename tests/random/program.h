// A script as a tree of lines, so that one that fails can be cut down.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bpc::test {

// A program is two scripts that must give the same values, the script and its twin, which says the same in another way; and perhaps a third
// one, which is the script with a mistake at its end.
enum class Side { script, twin, mistaken };

// Text within a line: the script has the first, its twin the second. May be nested.
std::string either(std::string_view script, std::string_view twin);

// How a block is a loop, whose turns the twin has one after the other.
struct Turns {
  std::string index;        // an i32 name that takes the values; empty if the body counts by itself
  std::vector<int> values;  // one per turn
};

struct Line {
  std::string text;
  std::vector<std::string> simpler = {};  // texts that could stand in its place: same names bound, same shapes
  bool block = false;                     // `text { body }`, `text { body } else { otherwise }`; the body alone where the text is empty
  std::vector<Line> body = {}, otherwise = {};
  std::optional<Turns> unrolled = {};
};

struct Program {
  std::vector<Line> lines;
  std::vector<Line> mistake;  // must be an error of differentiation (E03)
  std::string text(Side side = Side::script) const;
};

// Drops and simplifies lines as long as `fails` still holds of what is left.
Program shrink(Program program, const std::function<bool(const Program&)>& fails);

}  // namespace bpc::test
