#include "ir/row_shares.h"

#include <algorithm>
#include <cmath>

#include "ir/shape_rules.h"

namespace bpc::ir {

// Follows the ops of a function in order.
class RowWalk {
  using Share = RowShares::Share;
  using Kind = Share::Kind;
  using Reason = Share::Reason;

 public:
  RowWalk(RowShares& result, const Function& all, const std::string& order)
      : result_(result), function_(result.function_), all_function_(all), order_(order) {}

  void run() {
    if (function_.op_count() != all_function_.op_count() || function_.value_count() != all_function_.value_count()) {
      for (Share& share : result_.shares_) share = {.kind = Kind::unknown, .reason = Reason::number};
      return;
    }
    for (const Parameter& parameter : function_.parameters) of(parameter.value) = {.kind = Kind::same};
    block(function_.body());
  }

 private:
  Share& of(ValueId value) { return result_.shares_[value.index]; }
  const Type& type(ValueId value) const { return function_.type(value); }
  const Type& all_type(ValueId value) const { return all_function_.type(value); }

  Share unknown(const Op& op, Reason reason) const { return {.kind = Kind::unknown, .reason = reason, .origin = op.origin}; }
  static Share same() { return {.kind = Kind::same}; }

  void block(BlockId id) {
    for (OpId op : std::vector<OpId>(function_.block(id).ops)) visit(op);
  }

  void visit(OpId id) {
    const Op op = function_.op(id);
    const Op& twin = all_function_.op(id);
    if (op.results.empty()) return;
    if (op.code != twin.code || op.operands != twin.operands) return give_all(op, unknown(op, Reason::number));
    if (!op.regions.empty()) return control(op);
    if (op_info(op.code).group == Group::derivative) return derivative(op);
    of(op.results[0]) = fitting(op, straight(id, op, twin));
    for (std::size_t i = 1; i < op.results.size(); ++i) of(op.results[i]) = unknown(op, Reason::other);
  }

  // Where the sizes of the result are not those that the share speaks of, nothing is known: `x[0..8]` takes all rows of some shares.
  Share fitting(const Op& op, Share share) const {
    const Type &mine = type(op.results[0]), &whole = all_type(op.results[0]);
    if (share.kind == Kind::unknown) return share;
    const auto rows = rows_of(mine, whole);
    const bool fits = share.kind == Kind::rows ? rows && rows->axis == share.axis && rows->inner == share.inner : same_shape(mine, whole);
    if (!fits) return unknown(op, Reason::together);
    const bool keeps_zero = op.code == Opcode::cast || op.code == Opcode::broadcast || op.code == Opcode::reshape;
    share.is_zero = keeps_zero ? result_.shares_[op.operands[0].index].is_zero : op.code == Opcode::constant && number(op) == 0.0;
    return share;
  }

  void give_all(const Op& op, const Share& share) {
    for (ValueId result : op.results) of(result) = share;
  }

  // ---- what an op makes of its operands ----

  // What holds of an op whatever it is: nothing is known of what is unknown; what is the same, and of the same shape, is so afterwards.
  std::optional<Share> settled(const Op& op, const Op& twin) {
    bool all_same = same_shape(type(op.results[0]), all_type(op.results[0])) && op.attrs == twin.attrs && !op.operands.empty();
    for (ValueId operand : op.operands) {
      if (of(operand).kind == Kind::unknown) return of(operand);
      all_same &= of(operand).kind == Kind::same;
    }
    return all_same ? std::optional(same()) : std::nullopt;
  }

  Share straight(OpId id, const Op& op, const Op& twin) {
    if (op.code == Opcode::slice && is_order(op.operands[0])) return {.kind = Kind::rows};
    if (auto share = settled(op, twin)) return *share;
    const bool may_differ = op.code == Opcode::constant || op.code == Opcode::slice || op.code == Opcode::update;
    if (!may_differ && op.attrs != twin.attrs) return unknown(op, Reason::number);
    switch (op_info(op.code).group) {
      case Group::elementwise:
        return elementwise(op);
      case Group::reduction:
        return reduction(op);
      case Group::contraction:
        return contraction(op);
      case Group::movement:
        return movement(op, twin);
      case Group::source:
        return source(op, twin);
      case Group::random:
        return draw(id, op);
      case Group::library:
        return along_rows(op, op.code == Opcode::argsort ? op.attrs.integer(Attr::axis) : -1);
      default:
        return unknown(op, Reason::other);
    }
  }

  bool is_order(ValueId value) const {
    return std::ranges::any_of(function_.parameters,
                               [&](const Parameter& parameter) { return parameter.value == value && parameter.path == order_; });
  }

  // An axis by which two types differ as the numbers of rows do.
  std::optional<Share> rows_of(const Type& share, const Type& all) const {
    if (share.rank() != all.rank()) return std::nullopt;
    std::optional<Share> found;
    for (std::size_t axis = 0; axis < share.rank(); ++axis) {
      const std::int64_t mine = share.size(axis), whole = all.size(axis);
      if (mine == whole) continue;
      if (found || mine % result_.rows_ != 0 || mine / result_.rows_ * result_.all_ != whole) return std::nullopt;
      found = Share{.kind = Kind::rows, .axis = axis, .inner = mine / result_.rows_};
    }
    return found;
  }

  Share source(const Op& op, const Op& twin) {
    const Type &mine = type(op.results[0]), &whole = all_type(op.results[0]);
    const auto rows = rows_of(mine, whole);
    if (op.code == Opcode::iota) {
      if (same_shape(mine, whole)) return same();
      if (!rows) return unknown(op, Reason::number);
      if (static_cast<std::size_t>(op.attrs.integer(Attr::axis)) != rows->axis) return *rows;
      Share place = *rows;
      place.is_place = true;
      return place.inner == 1 ? place : unknown(op, Reason::place);
    }
    const std::optional<double> value = number(op), other = number(twin);
    if (same_shape(mine, whole)) {
      if (op.attrs == twin.attrs) return same();
      return value && other ? power_of(op, *value, *other) : unknown(op, Reason::number);
    }
    if (rows && value && value == other) return *rows;
    return unknown(op, Reason::place);
  }

  static std::optional<double> number(const Op& op) {
    const AttrValue* value = op.attrs.find(Attr::value);
    if (!value) return std::nullopt;
    if (const auto* whole = std::get_if<std::int64_t>(value)) return static_cast<double>(*whole);
    if (const auto* real = std::get_if<double>(value)) return *real;
    return std::nullopt;
  }

  Share power_of(const Op& op, double mine, double whole) const {
    const double ratio = static_cast<double>(result_.rows_) / static_cast<double>(result_.all_);
    for (int power : {-2, -1, 1, 2})
      if (std::fabs(mine / whole / std::pow(ratio, power) - 1) < 1e-6) return {.kind = Kind::count, .power = power};
    return unknown(op, Reason::number);
  }

  Share draw(OpId id, const Op& op) {
    const auto rows = rows_of(type(op.results[0]), all_type(op.results[0]));
    const bool is_plain = op.operands.empty() || (of(op.operands[0]).kind == Kind::same && type(op.operands[0]).is_scalar());
    if (op.operands.empty() && same_shape(type(op.results[0]), all_type(op.results[0]))) return same();
    if (!rows || rows->inner != 1 || !is_plain) return unknown(op, Reason::place);
    const SharedDraw draw{id, rows->axis, all_type(op.results[0])};
    if (std::ranges::none_of(result_.draws_, [&](const SharedDraw& known) { return known.op == id; })) result_.draws_.push_back(draw);
    return *rows;
  }

  // ---- elementwise ----

  Share elementwise(const Op& op) {
    const std::size_t rank = type(op.results[0]).rank();
    std::optional<Share> rows;
    bool has_sum = false;
    for (ValueId operand : op.operands) {
      Share share = of(operand);
      has_sum |= share.kind == Kind::sum;
      if (share.kind != Kind::rows) continue;
      share.axis += rank - type(operand).rank();
      if (share.is_place && op.code != Opcode::cast) return unknown(op, Reason::place);
      if (rows && (rows->axis != share.axis || rows->inner != share.inner)) return unknown(op, Reason::together);
      rows = share;
    }
    if (rows && has_sum) return unknown(op, Reason::together);
    const std::optional<int> power = power_after(op, has_sum && !rows);
    const auto is_count = [&](ValueId operand) { return of(operand).kind == Kind::count; };
    const bool counts = std::ranges::any_of(op.operands, is_count);
    if (!power) return unknown(op, adds_twice(op) ? Reason::twice : has_sum && !counts ? Reason::together : Reason::number);
    if (rows) {
      rows->power = *power;
      return *rows;
    }
    if (has_sum) return {.kind = Kind::sum, .power = *power};
    return *power == 0 ? same() : Share{.kind = Kind::count, .power = *power};
  }

  bool adds_twice(const Op& op) {
    if (op.code != Opcode::add && op.code != Opcode::sub) return false;
    const Kind a = of(op.operands[0]).kind, b = of(op.operands[1]).kind;
    return (a == Kind::sum && b == Kind::same) || (a == Kind::same && b == Kind::sum);
  }

  int power(ValueId value) { return of(value).power; }

  // The power of the number of rows that the result is a multiple of, where it is one; `of_sums`: and a sum, if operands are.
  std::optional<int> power_after(const Op& op, bool of_sums) {
    const std::vector<ValueId>& in = op.operands;
    const auto is_sum = [&](std::size_t i) { return of(in[i]).kind == Kind::sum; };
    switch (op.code) {
      case Opcode::neg:
      case Opcode::variable:
      case Opcode::stop_grad:
        return power(in[0]);
      case Opcode::cast:
        if (!is_real(type(op.results[0]).element) && (of_sums || power(in[0]) != 0)) return std::nullopt;
        return power(in[0]);
      case Opcode::mul:
      case Opcode::strong_mul:
        if (of_sums && is_sum(0) && is_sum(1)) return std::nullopt;
        return power(in[0]) + power(in[1]);
      case Opcode::div:
        if (of_sums && is_sum(1)) return std::nullopt;
        return power(in[0]) - power(in[1]);
      case Opcode::add:
      case Opcode::sub:
        return common_power(in[0], in[1], of_sums);
      case Opcode::select:
        if (of_sums && is_sum(0)) return std::nullopt;
        return power(in[0]) == 0 ? common_power(in[1], in[2], of_sums) : std::nullopt;
      default:
        for (ValueId operand : in)
          if (of_sums || power(operand) != 0) return std::nullopt;
        return 0;
    }
  }

  // Of two terms. The mean of what is the same for all shares is the same.
  std::optional<int> common_power(ValueId a, ValueId b, bool of_sums) {
    if (of(a).is_zero) return power(b);
    if (of(b).is_zero) return power(a);
    const auto power_of_term = [&](ValueId term) { return of_sums && of(term).kind == Kind::same ? -1 : power(term); };
    if (of_sums && (of(a).kind == Kind::count || of(b).kind == Kind::count)) return std::nullopt;
    return power_of_term(a) == power_of_term(b) ? std::optional(power_of_term(a)) : std::nullopt;
  }

  // ---- reductions and contractions ----

  Share reduction(const Op& op) {
    const Share share = of(op.operands[0]);
    if (share.is_place) return unknown(op, Reason::place);
    if (op.code == Opcode::cumsum) return along_rows(op, op.attrs.integer(Attr::axis));
    const auto& axes = op.attrs.ints(Attr::axes);
    const bool is_sum = op.code == Opcode::reduce_sum;
    if (share.kind == Kind::sum || share.kind == Kind::count) return is_sum ? share : unknown(op, Reason::together);
    if (share.kind != Kind::rows) return unknown(op, Reason::other);
    if (axes.empty()) return unknown(op, Reason::other);
    if (std::ranges::find(axes, static_cast<std::int64_t>(share.axis)) != axes.end())
      return is_sum ? Share{.kind = Kind::sum, .power = share.power} : unknown(op, Reason::together);
    if (!is_sum && share.power != 0) return unknown(op, Reason::number);
    Share result = share;
    if (!op.attrs.flag(Attr::keep))
      result.axis -= static_cast<std::size_t>(
          std::ranges::count_if(axes, [&](std::int64_t axis) { return axis < static_cast<std::int64_t>(share.axis); }));
    return result;
  }

  // Of an op that leaves axes as they are, and treats each place along all others but this one alone.
  Share along_rows(const Op& op, std::int64_t axis) {
    const Share share = of(op.operands[0]);
    if (axis < 0 || share.kind != Kind::rows || share.is_place || share.power != 0) return unknown(op, Reason::other);
    return static_cast<std::size_t>(axis) == share.axis ? unknown(op, Reason::together) : share;
  }

  Share contraction(const Op& op) {
    const EinsumSpec spec = *parse_einsum(op.attrs.string(Attr::spec));
    const Share &a = of(op.operands[0]), &b = of(op.operands[1]);
    if (a.is_place || b.is_place) return unknown(op, Reason::place);
    if (a.kind == Kind::count || b.kind == Kind::count) return unknown(op, Reason::number);
    if (a.kind == Kind::sum || b.kind == Kind::sum) {
      const bool is_linear = a.kind == Kind::same || b.kind == Kind::same;
      return is_linear ? Share{.kind = Kind::sum, .power = a.power + b.power} : unknown(op, Reason::together);
    }
    const bool both = a.kind == Kind::rows && b.kind == Kind::rows;
    const char letter = a.kind == Kind::rows ? spec.a[a.axis] : spec.b[b.axis];
    const auto times = [&](const std::string& letters) { return std::ranges::count(letters, letter); };
    if (both && (spec.b[b.axis] != letter || a.inner != b.inner)) return unknown(op, Reason::together);
    if (times(spec.a) > 1 || times(spec.b) > 1) return unknown(op, Reason::together);
    const std::size_t place = spec.out.find(letter);
    if (place == std::string::npos) return {.kind = Kind::sum, .power = a.power + b.power};
    Share result = a.kind == Kind::rows ? a : b;
    result.axis = place;
    result.power = a.power + b.power;
    return result;
  }

  // ---- movement ----

  Share movement(const Op& op, const Op& twin) {
    const Share share = of(op.operands[0]);
    switch (op.code) {
      case Opcode::reshape:
        return share.kind == Kind::rows ? reshaped(op, share) : share;
      case Opcode::transpose: {
        if (share.kind != Kind::rows) return share;
        const auto& perm = op.attrs.ints(Attr::perm);
        Share result = share;
        result.axis = static_cast<std::size_t>(std::ranges::find(perm, static_cast<std::int64_t>(share.axis)) - perm.begin());
        return result;
      }
      case Opcode::broadcast:
        return stretched(op, share);
      case Opcode::slice:
        return part(op, twin, share);
      case Opcode::update:
        return updated(op, twin, share);
      case Opcode::gather:
        return gathered(op, share);
      case Opcode::concat:
        return joined(op);
      case Opcode::window:
      case Opcode::window_add: {
        const auto axis = static_cast<std::size_t>(op.attrs.integer(Attr::axis));
        if (share.kind == Kind::sum) return share;
        const bool is_beside = share.kind == Kind::rows && !share.is_place && share.axis != axis &&
                               (op.code == Opcode::window || share.axis + 1 != type(op.operands[0]).rank());
        return is_beside ? share : unknown(op, Reason::together);
      }
      default:
        return unknown(op, Reason::other);
    }
  }

  // The axis behind the same number of elements.
  Share reshaped(const Op& op, Share share) const {
    const Type &from = type(op.operands[0]), &to = type(op.results[0]), &all = all_type(op.results[0]);
    std::int64_t before = 1, passed = 1;
    for (std::size_t axis = 0; axis < share.axis; ++axis) before *= from.size(axis);
    for (std::size_t axis = 0; axis < to.rank(); passed *= to.size(axis), ++axis) {
      const std::int64_t mine = to.size(axis), whole = all.size(axis);
      if (passed != before || mine == whole) continue;
      if (mine % result_.rows_ != 0 || mine / result_.rows_ * result_.all_ != whole) break;
      const std::int64_t inner = mine / result_.rows_;
      if (share.is_place && inner != 1) return unknown(op, Reason::place);
      share.axis = axis;
      share.inner = inner;
      return share;
    }
    return unknown(op, Reason::together);
  }

  Share stretched(const Op& op, Share share) const {
    const Type& to = type(op.results[0]);
    if (share.kind == Kind::rows) {
      share.axis += to.rank() - type(op.operands[0]).rank();
      return share;
    }
    if (same_shape(to, all_type(op.results[0]))) return share;
    const auto rows = rows_of(to, all_type(op.results[0]));
    if (share.kind == Kind::sum) return unknown(op, Reason::together);
    if (!rows) return unknown(op, Reason::number);
    Share result = *rows;
    result.power = share.power;
    return result;
  }

  bool are_same(const Op& op, std::size_t from) {
    for (std::size_t i = from; i < op.operands.size(); ++i)
      if (of(op.operands[i]).kind != Kind::same) return false;
    return true;
  }

  // Whether a part takes an axis as it is.
  static bool takes_whole(const Op& op, std::size_t axis, const Type& of) {
    const auto lists = [&](Attr attr) { return std::ranges::count(op.attrs.ints(attr), static_cast<std::int64_t>(axis)) > 0; };
    const auto at = [&](Attr attr) { return op.attrs.ints(attr)[axis]; };
    return !lists(Attr::dynamic) && !lists(Attr::drop) && at(Attr::starts) == 0 && at(Attr::steps) == 1 && at(Attr::sizes) == of.size(axis);
  }
  bool takes_rows(const Op& op, const Op& twin, const Share& share) const {
    return takes_whole(op, share.axis, type(op.operands[0])) && takes_whole(twin, share.axis, all_type(op.operands[0]));
  }
  static std::size_t dropped_before(const Op& op, std::size_t axis) {
    return static_cast<std::size_t>(
        std::ranges::count_if(op.attrs.ints(Attr::drop), [&](std::int64_t each) { return each < static_cast<std::int64_t>(axis); }));
  }

  Share part(const Op& op, const Op& twin, Share share) {
    if (!are_same(op, 1)) return unknown(op, Reason::together);
    if (share.kind != Kind::rows) return share;
    if (!takes_rows(op, twin, share)) return unknown(op, Reason::together);
    share.axis -= dropped_before(op, share.axis);
    return share;
  }

  Share updated(const Op& op, const Op& twin, const Share& share) {
    const Share& with = of(op.operands[1]);
    if (!are_same(op, 2) || share.is_place || with.is_place) return unknown(op, Reason::together);
    if (share.kind == Kind::rows && with.kind == Kind::rows) {
      const bool fits = takes_rows(op, twin, share) && with.axis == share.axis - dropped_before(op, share.axis) &&
                        with.inner == share.inner && (with.power == share.power || share.is_zero);
      Share result = share;
      result.power = with.power;
      return fits ? result : unknown(op, Reason::together);
    }
    if (share.kind == Kind::rows || with.kind == Kind::rows) return unknown(op, Reason::together);
    const Share both = joined(share, with, op);
    return both.kind == Kind::sum ? both : unknown(op, Reason::other);
  }

  Share gathered(const Op& op, Share share) {
    const auto& axes = op.attrs.ints(Attr::axes);
    const std::size_t index_rank = type(op.operands[1]).rank();
    if (are_same(op, 1)) {
      if (share.kind != Kind::rows) return share;
      if (share.is_place || std::ranges::count(axes, static_cast<std::int64_t>(share.axis)) > 0) return unknown(op, Reason::together);
      const auto gone = std::ranges::count_if(axes, [&](std::int64_t axis) { return axis < static_cast<std::int64_t>(share.axis); });
      share.axis += index_rank - static_cast<std::size_t>(gone);
      return share;
    }
    // By an index for each row: from what is the same, or each row from itself.
    std::optional<Share> index;
    bool is_by_itself = false;
    for (std::size_t i = 1; i < op.operands.size(); ++i) {
      const Share& each = of(op.operands[i]);
      if (each.kind != Kind::rows || each.power != 0 || (index && (index->axis != each.axis || index->inner != each.inner)))
        return unknown(op, Reason::together);
      const bool is_of_rows = share.kind == Kind::rows && axes[i - 1] == static_cast<std::int64_t>(share.axis);
      if (each.is_place != is_of_rows) return unknown(op, is_of_rows ? Reason::together : Reason::place);
      is_by_itself |= is_of_rows;
      index = each;
    }
    if (share.kind == Kind::sum || (share.kind == Kind::rows && (!is_by_itself || share.inner != 1))) return unknown(op, Reason::together);
    index->is_place = share.is_place;
    index->power = share.power;
    return *index;
  }

  Share joined(const Op& op) {
    const Share first = of(op.operands[0]);
    for (ValueId operand : op.operands) {
      const Share& share = of(operand);
      if (share.kind == Kind::rows && static_cast<std::size_t>(op.attrs.integer(Attr::axis)) == share.axis)
        return unknown(op, Reason::together);
      if (share.is_place) return unknown(op, Reason::place);
    }
    Share all = first;
    for (ValueId operand : op.operands) all = joined(all, of(operand), op);
    return all;
  }

  // What is either of two.
  Share joined(const Share& a, const Share& b, const Op& op) const {
    if (a == b || b.kind == Kind::none) return a;
    if (a.kind == Kind::none) return b;
    if (a.kind == Kind::unknown) return a;
    if (b.kind == Kind::unknown) return b;
    if (a.kind == Kind::same && b.kind == Kind::same) return same();
    if (a.kind == Kind::rows && b.kind == Kind::rows && a.axis == b.axis && a.inner == b.inner && a.is_place == b.is_place &&
        (a.is_zero || b.is_zero || a.power == b.power)) {
      Share both = a.is_zero ? b : a;
      both.is_zero = false;
      return both;
    }
    for (const auto& [one, other] : {std::pair(&a, &b), std::pair(&b, &a)})
      if (one->kind == Kind::same && other->kind == Kind::sum && (one->is_zero || other->power == -1)) return *other;
    return unknown(op, Reason::together);
  }

  // ---- derivatives and control flow ----

  void derivative(const Op& op) {
    if (op.code != Opcode::grad) return give_all(op, unknown(op, Reason::other));
    const Share y = of(op.operands[0]);
    for (std::size_t i = 0; i < op.results.size(); ++i) {
      const Share x = of(op.operands[i + 1]);
      Share& result = of(op.results[i]);
      if (y.kind == Kind::unknown || x.kind == Kind::unknown)
        result = y.kind == Kind::unknown ? y : x;
      else if (y.kind == Kind::same && x.kind == Kind::same)
        result = same();
      else if (y.kind == Kind::sum && x.kind == Kind::same)
        result = {.kind = Kind::sum, .power = y.power};
      else if (y.kind == Kind::sum && x.kind == Kind::rows && !x.is_place && x.power == 0)
        result = {.kind = Kind::rows, .power = y.power, .axis = x.axis, .inner = x.inner};
      else
        result = unknown(op, Reason::together);
    }
  }

  void control(const Op& op) {
    switch (op.code) {
      case Opcode::if_else:
        if (!are_same_first(op, 1)) return give_all(op, unknown(op, Reason::together));
        for (BlockId region : op.regions) {
          block(region);
          for (std::size_t i = 0; i < op.results.size(); ++i) {
            Share& result = of(op.results[i]);
            result = joined(result, of(function_.block(region).yields[i]), op);
          }
        }
        return;
      case Opcode::checkpoint:
        block(op.regions[0]);
        for (std::size_t i = 0; i < op.results.size(); ++i) of(op.results[i]) = of(function_.block(op.regions[0]).yields[i]);
        return;
      case Opcode::for_loop:
      case Opcode::while_loop:
        return loop(op);
      case Opcode::custom:
        return custom(op);
      default:
        return give_all(op, unknown(op, Reason::other));
    }
  }

  bool are_same_first(const Op& op, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i)
      if (of(op.operands[i]).kind != Kind::same) return false;
    return true;
  }

  // Again until nothing is found out that was not known at the start of a turn: each time, something becomes less certain.
  void loop(const Op& op) {
    const std::size_t lead = uncarried_operands(op.code);
    if (!are_same_first(op, lead)) return give_all(op, unknown(op, Reason::together));
    std::vector<Share> carried;
    for (std::size_t i = lead; i < op.operands.size(); ++i) carried.push_back(of(op.operands[i]));
    const BlockId body = op.regions.back();
    for (bool has_changed = true; has_changed;) {
      has_changed = false;
      for (BlockId region : op.regions) {
        const std::vector<ValueId>& arguments = function_.block(region).arguments;
        const std::size_t before = arguments.size() - carried.size();
        for (std::size_t i = 0; i < arguments.size(); ++i) of(arguments[i]) = i < before ? same() : carried[i - before];
        block(region);
      }
      const std::vector<ValueId>& yields = function_.block(body).yields;
      for (std::size_t i = 0; i < carried.size(); ++i) {
        Share next = joined(carried[i], of(yields[i]), op);
        if (next.kind == Kind::unknown && carried[i].kind == Kind::unknown) next = carried[i];
        has_changed |= next != carried[i];
        carried[i] = next;
      }
    }
    const bool is_same_often = op.code == Opcode::for_loop || of(function_.block(op.regions[0]).yields[0]).kind == Kind::same;
    for (std::size_t i = 0; i < op.results.size(); ++i) of(op.results[i]) = is_same_often ? carried[i] : unknown(op, Reason::together);
  }

  // The author's derivative must be of each row alone, and linear, as any derivative is.
  void custom(const Op& op) {
    constexpr int kMark = 64;  // a power that no other number has
    const Block primal = function_.block(op.regions[0]), adjoint = function_.block(op.regions[1]);
    const std::size_t inputs = op.operands.size(), outputs = op.results.size();
    for (std::size_t i = 0; i < inputs; ++i) of(primal.arguments[i]) = of(adjoint.arguments[i]) = of(op.operands[i]);
    block(op.regions[0]);
    for (std::size_t i = 0; i < outputs; ++i) {
      const Share y = of(primal.yields[i]);
      of(op.results[i]) = of(adjoint.arguments[inputs + i]) = y;
      Share dy = y;
      dy.power = kMark;
      if (y.kind == Kind::same) dy = {.kind = Kind::sum, .power = kMark};
      if (y.kind == Kind::sum || y.kind == Kind::count || y.power != 0) dy = unknown(op, Reason::other);
      of(adjoint.arguments[inputs + outputs + i]) = dy;
    }
    block(op.regions[1]);
    for (std::size_t i = 0; i < adjoint.yields.size(); ++i) {
      const Share &x = of(op.operands[i]), &dx = of(adjoint.yields[i]);
      if (dx.is_zero && dx.kind != Kind::unknown) continue;
      const bool fits = x.kind == Kind::rows ? dx.kind == Kind::rows && dx.axis == x.axis && dx.inner == x.inner && dx.power == kMark
                                             : x.kind == Kind::same && dx.kind == Kind::sum && dx.power == kMark;
      if (!fits) return give_all(op, dx.kind == Kind::unknown ? dx : unknown(op, Reason::together));
    }
  }

  RowShares& result_;
  const Function& function_;
  const Function& all_function_;
  const std::string& order_;
};

RowShares::RowShares(const Function& share, const Function& all, std::int64_t rows_of_share, std::int64_t rows_of_all,
                     const std::string& order)
    : function_(share), rows_(rows_of_share), all_(rows_of_all), shares_(share.value_count()) {
  RowWalk(*this, all, order).run();
}

std::optional<double> RowShares::weight(ValueId value) const {
  const Share& share = shares_[value.index];
  const double part = static_cast<double>(rows_) / static_cast<double>(all_);
  if (share.kind == Share::Kind::same) return part;
  if (share.kind == Share::Kind::sum) return std::pow(part, -share.power);
  return std::nullopt;
}

RowShares::Problem RowShares::problem(ValueId value) const {
  const Share& share = shares_[value.index];
  const Op* op = function_.def(value);
  const bool is_blamed = share.kind == Share::Kind::unknown && share.origin.valid();
  const Origin& origin = function_.origin(is_blamed ? share.origin : op ? op->origin : OriginId{});
  const char* what = "";
  switch (share.reason) {
    case Share::Reason::together:
      what = "needs all rows of a batch at once";
      break;
    case Share::Reason::place:
      what = "depends on the place of a row in its batch";
      break;
    case Share::Reason::number:
      what = "depends on the number of rows, and is no mean over them";
      break;
    case Share::Reason::twice:
      what = "adds to a sum over rows what each process would add again; to a mean it may be added";
      break;
    case Share::Reason::other:
      what = "is not known to be computed row by row";
      break;
  }
  return {origin.calls.empty() ? origin.span : origin.calls.back(), what};
}

}  // namespace bpc::ir
