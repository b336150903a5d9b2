// A script as a tree of lines, so that one that fails can be cut down.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace bpc::test {

struct Line {
  std::string text;
  std::vector<std::string> simpler = {};  // texts that could stand in its place: same names bound, same shapes
  bool block = false;                     // `text { body }`, `text { body } else { otherwise }`
  std::vector<Line> body = {}, otherwise = {};
};

struct Program {
  std::vector<Line> lines;
  std::string text() const;
};

// Drops and simplifies lines as long as `fails` still holds of what is left.
Program shrink(Program program, const std::function<bool(const Program&)>& fails);

}  // namespace bpc::test
