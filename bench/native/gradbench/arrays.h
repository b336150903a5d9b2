// What the programs of this folder have in common: the arrays that they are given, one file each, and how they show times and results.
#pragma once

#include "../measure.h"

#include <cstdint>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <string>

namespace bench {

class Arrays {
 public:
  Arrays(int argc, char** argv) : folder_(argc == 2 ? argv[1] : ".") {}

  template <class T = double>
  std::vector<T> read(const std::string& name) const {
    std::ifstream file(folder_ + "/" + name, std::ios::binary);
    const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
    std::vector<T> numbers(bytes.size() / sizeof(T));
    std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(numbers.data()));
    return numbers;
  }

  std::size_t length(const std::string& name, std::size_t axis) const {
    return static_cast<std::size_t>(read<std::int64_t>(name + ".shape").at(axis));
  }

  std::size_t size(const std::string& name) const { return static_cast<std::size_t>(read<std::int64_t>(name).at(0)); }

 private:
  std::string folder_;
};

struct Result {
  const char* name;
  const double* data;
  std::vector<std::size_t> shape;
};

inline void print(const double*& next, const std::vector<std::size_t>& shape, std::size_t axis = 0) {
  if (axis == shape.size()) {
    std::printf("%.17g", *next++);
    return;
  }
  for (std::size_t i = 0; i < shape[axis]; ++i) {
    std::putchar(i == 0 ? '[' : ',');
    print(next, shape, axis + 1);
  }
  std::putchar(']');
}

// `value` is run to be timed, `gradient` to be timed and for the results.
template <class Value, class Gradient>
void report(const Value& value, const Gradient& gradient, std::initializer_list<Result> results) {
  const double value_time = seconds(value), gradient_time = seconds(gradient);
  std::printf("{\"times\": {\"value\": %.9g, \"gradient\": %.9g}, \"results\": {", value_time, gradient_time);
  const char* separator = "";
  for (const Result& result : results) {
    std::printf("%s\"%s\": ", separator, result.name);
    const double* next = result.data;
    print(next, result.shape);
    separator = ", ";
  }
  std::printf("}}\n");
}

}  // namespace bench
