// What sums are accumulated in, so that their error does not grow with the number of terms.
#pragma once

#include <cmath>
#include <cstdint>

namespace bpc::interpreter {

// A sum of doubles, beside what rounding lost of it (Knuth's two-sum).
class LongSum {
 public:
  LongSum() = default;
  LongSum& operator+=(double term) {
    const double before = sum_;
    sum_ += term;
    const double added = sum_ - before;
    lost_ += (before - (sum_ - added)) + (term - added);
    return *this;
  }
  // Of an infinite sum nothing was lost.
  explicit operator double() const { return std::isnan(lost_) ? sum_ : sum_ + lost_; }

 private:
  double sum_ = 0, lost_ = 0;
};

template <class T>
struct SumOf {
  using type = std::uint64_t;  // wraps, and so does its low half
  using term = std::uint64_t;
};
template <>
struct SumOf<float> {
  using type = double;
  using term = double;
};
template <>
struct SumOf<double> {
  using type = LongSum;
  using term = double;
};
template <class T>
using Sum = typename SumOf<T>::type;
template <class T>
using Term = typename SumOf<T>::term;

}  // namespace bpc::interpreter
