// How the values of a share of the rows depend on them, found op by op: two lowerings of one script are walked side by side, for the rows
// of the share and for all. What row_shares.h says of their sums is read off the result.
#pragma once

#include <optional>
#include <string>

#include "ir/row_shares.h"

namespace bpc::ir {

// Follows the ops of a function in order.
class RowWalk {
  using Share = RowShares::Share;
  using Kind = Share::Kind;
  using Reason = Share::Reason;

 public:
  // `all`: the function for all rows. What is found is noted in `result`.
  RowWalk(RowShares& result, const Function& all, const std::string& order)
      : result_(result), function_(result.function_), all_function_(all), order_(order) {}

  void run();

 private:
  Share& of(ValueId value) { return result_.shares_[value.index]; }
  const Type& type(ValueId value) const { return function_.type(value); }
  const Type& all_type(ValueId value) const { return all_function_.type(value); }
  Share unknown(const Op& op, Reason reason) const { return {.kind = Kind::unknown, .reason = reason, .origin = op.origin}; }
  static Share same() { return {.kind = Kind::same}; }

  // ---- ops, from first to last ----
  void block(BlockId id);
  void visit(OpId id);
  // Where the sizes of the result are not those that the share speaks of, nothing is known: `x[0..8]` takes all rows of some shares.
  Share fitting(const Op& op, Share share) const;
  void give_all(const Op& op, const Share& share);
  // What holds of an op whatever it is: nothing is known of what is unknown; what is the same, and of the same shape, is so afterwards.
  std::optional<Share> settled(const Op& op, const Op& twin);
  Share straight(OpId id, const Op& op, const Op& twin);
  bool is_order(ValueId value) const;
  // An axis by which two types differ as the numbers of rows do.
  std::optional<Share> rows_of(const Type& share, const Type& all) const;
  Share source(const Op& op, const Op& twin);
  static std::optional<double> number(const Op& op);
  Share power_of(const Op& op, double mine, double whole) const;
  Share draw(OpId id, const Op& op);

  // ---- arithmetic, sums and products (row_arithmetic.cpp) ----
  Share elementwise(const Op& op);
  bool adds_twice(const Op& op);
  int power(ValueId value) { return of(value).power; }
  // The power of the number of rows that the result is a multiple of, where it is one; `of_sums`: and a sum, if operands are.
  std::optional<int> power_after(const Op& op, bool of_sums);
  // Of two terms. The mean of what is the same for all shares is the same.
  std::optional<int> common_power(ValueId a, ValueId b, bool of_sums);
  Share reduction(const Op& op);
  // Of an op that leaves axes as they are, and treats each place along all others but this one alone.
  Share along_rows(const Op& op, std::int64_t axis);
  Share contraction(const Op& op);

  // ---- movement (row_movement.cpp) ----
  Share movement(const Op& op, const Op& twin);
  // The axis behind the same number of elements.
  Share reshaped(const Op& op, Share share) const;
  Share stretched(const Op& op, Share share) const;
  bool are_same(const Op& op, std::size_t from);
  // Whether a part takes an axis as it is.
  static bool takes_whole(const Op& op, std::size_t axis, const Type& of);
  bool takes_rows(const Op& op, const Op& twin, const Share& share) const;
  static std::size_t dropped_before(const Op& op, std::size_t axis);
  Share part(const Op& op, const Op& twin, Share share);
  Share updated(const Op& op, const Op& twin, const Share& share);
  Share gathered(const Op& op, Share share);
  Share joined(const Op& op);

  // ---- derivatives and control flow (row_control.cpp) ----
  // What is either of two.
  Share joined(const Share& a, const Share& b, const Op& op) const;
  void derivative(const Op& op);
  void control(const Op& op);
  bool are_same_first(const Op& op, std::size_t count);
  // Again until nothing is found out that was not known at the start of a turn: each time, something becomes less certain.
  void loop(const Op& op);
  // The author's derivative must be of each row alone, and linear, as any derivative is.
  void custom(const Op& op);

  RowShares& result_;
  const Function& function_;
  const Function& all_function_;
  const std::string& order_;
};

}  // namespace bpc::ir
