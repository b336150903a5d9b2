// Random numbers for the generator: the same on every machine, which the distributions of the standard library are not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>

namespace bpc::test {

class Draw {
 public:
  explicit Draw(std::uint64_t seed) : state_(mixed(seed)) {}  // mixed: the streams of neighbours must not overlap

  // splitmix64 (Steele, Lea, Flood 2014)
  std::uint64_t bits() { return mixed(state_ += 0x9e3779b97f4a7c15); }
  // lo..hi, both included
  int between(int lo, int hi) { return lo + static_cast<int>(bits() % static_cast<std::uint64_t>(hi - lo + 1)); }
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(bits() % n); }
  double unit() { return static_cast<double>(bits() >> 11) * 0x1p-53; }
  bool chance(double probability) { return unit() < probability; }
  template <class List>
  const auto& of(const List& list) {
    return list[below(std::size(list))];
  }

 private:
  static std::uint64_t mixed(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

  std::uint64_t state_;
};

}  // namespace bpc::test
