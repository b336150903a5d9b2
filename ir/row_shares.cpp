#include "ir/row_shares.h"

#include <cmath>

#include "ir/row_walk.h"

namespace bpc::ir {

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
