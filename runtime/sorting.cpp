#include "runtime/sorting.h"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <type_traits>
#include <utility>

namespace bpc::runtime {

namespace {

using Size = std::int64_t;

template <class T>
using KeyOf = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;

template <class Key>
struct Entry {
  Key key;
  std::int32_t index;
};

// A number that is as large among unsigned integers as x among its like. IEEE 754 numbers are ordered by their bits, the sign apart.
template <class T>
KeyOf<T> key_of(T x, bool descending) {
  using Key = KeyOf<T>;
  constexpr Key sign = Key{1} << (8 * sizeof(Key) - 1), last = std::numeric_limits<Key>::max();
  Key key = 0;
  if constexpr (std::is_floating_point_v<T>) {
    if (x != x) return last;
    key = std::bit_cast<Key>(x == 0 ? T(0) : x);
    key ^= key & sign ? last : sign;
  } else {
    key = static_cast<Key>(x) ^ sign;
  }
  return descending ? static_cast<Key>(~key) : key;
}

// Below so many entries, the counts of a digit cost more than they save.
constexpr Size kFew = 256;

// By one digit after the other, the last one first, each time with entries of the same digit in the order that they had (Knuth, "The Art of
// Computer Programming" 3, 5.2.5). Digits that all entries share are passed over. Gives where the sorted entries are: `entries` or `other`.
template <class Key>
const Entry<Key>* sort_by_digits(Entry<Key>* entries, Entry<Key>* other, Size n) {
  constexpr int bits = 11, digits = (8 * static_cast<int>(sizeof(Key)) + bits - 1) / bits;
  constexpr std::size_t values = std::size_t{1} << bits;
  std::array<std::array<std::int32_t, values>, digits> counts{};
  auto digit = [](Key key, int place) { return static_cast<std::size_t>(key >> (bits * place)) % values; };
  for (Size i = 0; i < n; ++i)
    for (int place = 0; place < digits; ++place) ++counts[static_cast<std::size_t>(place)][digit(entries[i].key, place)];
  for (int place = 0; place < digits; ++place) {
    auto& next = counts[static_cast<std::size_t>(place)];
    if (next[digit(entries[0].key, place)] == n) continue;
    std::int32_t start = 0;
    for (std::int32_t& count : next) start += std::exchange(count, start);
    for (Size i = 0; i < n; ++i) other[next[digit(entries[i].key, place)]++] = entries[i];
    std::swap(entries, other);
  }
  return entries;
}

}  // namespace

template <scalar::Number T>
Size argsort(const T* x, std::int32_t* out, std::int64_t* work, Size outer, Size n, Size inner, Size descending) {
  using Key = KeyOf<T>;
  static_assert(sizeof(Entry<Key>) == 2 * sizeof(T) && alignof(Entry<Key>) <= alignof(std::int64_t));
  auto* entries = reinterpret_cast<Entry<Key>*>(work);
  for (Size line = 0; line < outer * inner; ++line) {
    const Size start = line / inner * n * inner + line % inner;
    bool sorted = true;
    for (Size i = 0; i < n; ++i) {
      entries[i] = {key_of(x[start + i * inner], descending != 0), static_cast<std::int32_t>(i)};
      sorted &= i == 0 || entries[i - 1].key <= entries[i].key;
    }
    const Entry<Key>* result = entries;
    if (!sorted && n < kFew)
      std::sort(entries, entries + n, [](const auto& a, const auto& b) { return a.key != b.key ? a.key < b.key : a.index < b.index; });
    else if (!sorted)
      result = sort_by_digits(entries, entries + n, n);
    for (Size i = 0; i < n; ++i) out[start + i * inner] = result[i].index;
  }
  return 0;
}

#define BPC_INSTANTIATE(T) template Size argsort<T>(const T*, std::int32_t*, std::int64_t*, Size, Size, Size, Size);
BPC_INSTANTIATE(float)
BPC_INSTANTIATE(double)
BPC_INSTANTIATE(std::int32_t)
BPC_INSTANTIATE(std::int64_t)
#undef BPC_INSTANTIATE

}  // namespace bpc::runtime
