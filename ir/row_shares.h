// What processes that have some of the rows of a batch each make of the whole: whether a value of all rows is a sum over the values of the
// shares, read off the program as it computes them one by one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ir/shared_draws.h"

namespace bpc::ir {

// Of one script, lowered for a share of the rows and for all of them: two functions that differ in nothing but that number. Rows come in
// by parts of a parameter that orders them.
class RowShares {
 public:
  struct Problem {
    Span span;         // of the expression that cannot be shared
    std::string what;  // "needs all rows of a batch at once"
  };

  RowShares(const Function& share, const Function& all, std::int64_t rows_of_share, std::int64_t rows_of_all, const std::string& order);

  // By what the value of the share is to be multiplied, so that the products of all shares add up to the value of all rows; 1 for a sum
  // over rows, the share's part of the rows for a mean. For a sum of which each term is computed from one row, by the same numbers and
  // draws as in the whole, so that its derivatives by what does not depend on rows add up alike. nullopt where no such number is known.
  std::optional<double> weight(ValueId value) const;
  // Why there is no weight.
  Problem problem(ValueId value) const;

  const std::vector<SharedDraw>& draws() const { return draws_; }

 private:
  friend class RowWalk;
  // How a value depends on the rows.
  struct Share {
    enum class Kind : std::uint8_t {
      none,   // of a value that is not computed yet
      same,   // not at all
      count,  // it is a multiple of a power of their number
      rows,   // an axis counts them, and each element is computed from the row that it is of
      sum,    // it is a sum over them
      unknown,
    };
    enum class Reason : std::uint8_t { together, place, number, twice, other };
    Kind kind = Kind::none;
    bool is_zero = false;    // it is 0 everywhere
    bool is_place = false;   // rows: the number of the row
    int power = 0;           // count, rows, sum: times this power of the number of rows
    std::size_t axis = 0;    // rows
    std::int64_t inner = 1;  // rows: so many elements along the axis for each row, one row after the other
    Reason reason = Reason::other;
    OriginId origin{};  // unknown: of the op to blame
    bool operator==(const Share&) const = default;
  };

  const Function& function_;
  std::int64_t rows_, all_;
  std::vector<Share> shares_;  // by value
  std::vector<SharedDraw> draws_;
};

}  // namespace bpc::ir
