// Shape rules of linear algebra and sorting.
#include <fmt/format.h>

#include "ir/shape_rule.h"

namespace bpc::ir::shape_rule {

namespace {

std::vector<Dim> batch_of(const Type& matrices) {
  return {matrices.dims.begin(), matrices.dims.end() - 2};
}

std::optional<ShapeError> check_square(const ShapeQuery& query) {
  const Type& a = query.operands[0];
  std::string_view name = op_info(query.code).spelling;
  if (a.rank() < 2)
    return ShapeError{
        Code::E0204,
        fmt::format("`{}` takes a matrix, and {{0}} has {}", name, a.rank() == 0 ? "no axes" : "1 axis"),
        {shape_text(a.dims)},
        a.rank() == 0 ? "`reshape({0.name}, [1, 1])` makes it a matrix" : "`diag({0.name})` is the matrix with this diagonal"};
  const Dim &rows = a.dims[a.rank() - 2], &columns = a.dims.back();
  if (rows.size == columns.size) return std::nullopt;
  return ShapeError{
      Code::E0201,
      fmt::format("`{}` takes a square matrix, and {{0}} has {} rows and {} columns", name, size_text(rows), size_text(columns)),
      {shape_text(a.dims)},
      query.code == Opcode::solve ? "least squares are `solve({0.name}.T @ {0.name}, {0.name}.T @ {1.name})`"
                                  : "`{0.name}.T @ {0.name}` is square"};
}

}  // namespace

Result square(const ShapeQuery& query) {
  if (auto problem = check_square(query)) return *problem;
  return Types{query.operands[0]};
}

Result determinant(const ShapeQuery& query) {
  if (auto problem = check_square(query)) return *problem;
  return Types{Type(query.operands[0].element, batch_of(query.operands[0]))};
}

// The factors have as many columns as the matrix; the rows of each are in runtime/factors.h.
Result factors(const ShapeQuery& query) {
  const Type& a = query.operands[0];
  const bool is_tall = query.code == Opcode::svd_packed || query.code == Opcode::qr_packed;
  if (a.rank() < 2 || !is_tall)
    if (auto problem = check_square(query)) return *problem;
  const Dim &m = a.dims[a.rank() - 2], &n = a.dims.back();
  if (m.size < n.size)
    return ShapeError{Code::E0201,
                      fmt::format("`{}` takes a matrix with no fewer rows than columns, and {{0}} has {} and {}",
                                  op_info(query.code).spelling, size_text(m), size_text(n)),
                      {shape_text(a.dims)},
                      query.code == Opcode::svd_packed ? "`svd` takes any" : "`qr` takes any"};
  Type result = a;
  const std::int64_t more = query.code == Opcode::qr_packed ? n.size : query.code == Opcode::svd_packed ? n.size + 1 : 1;
  result.dims[a.rank() - 2] = {m.size + more, {}};
  return Types{result};
}

// The right-hand side is a vector if it has one axis; with more it is a matrix, or a batch of them.
Result solve(const ShapeQuery& query) {
  if (auto problem = check_square(query)) return *problem;
  const Type &a = query.operands[0], &b = query.operands[1];
  std::string_view name = op_info(query.code).spelling;
  const std::vector<std::string> notes{shape_text(a.dims), shape_text(b.dims)};
  if (b.rank() == 0)
    return ShapeError{Code::E0204, fmt::format("`{}` takes a vector or a matrix, and {{1}} has no axes", name), notes,
                      fmt::format("`full([{}], {{1.name}})` is a vector of it", size_text(a.dims.back()))};
  const Dim &rows = a.dims.back(), &given = b.dims[b.rank() == 1 ? 0 : b.rank() - 2];
  bool is_batch_of_vectors = b.rank() > 1 && b.rank() + 1 == a.rank() && b.dims.back().size == rows.size;
  const std::string columns = "`expand_dims({1.name}, -1)` makes each vector a column";
  if (rows.size != given.size) {
    bool is_turned = b.rank() > 1 && b.dims.back().size == rows.size;
    return ShapeError{
        Code::E0201,
        fmt::format("cannot solve {{0}} times x = {{1}}: {{0.name}} has {} rows, and {{1.name}} has {}", size_text(rows), size_text(given)),
        notes,
        is_batch_of_vectors ? columns
        : is_turned         ? fmt::format("`{{1.name}}.T` has {} rows", size_text(rows))
                            : ""};
  }
  if (!sizes_match(rows, given, query.strict_names))
    return ShapeError{Code::E0202, "cannot solve {0} times x = {1}: the sizes are equal, but the dims have different names", notes,
                      "if the match is meant, rename one with `reshape(v, [NAME])`"};
  std::vector<Dim> batch = batch_of(a);
  if (b.rank() > 2 && batch.empty()) batch = batch_of(b);
  if (b.rank() > 2 && !same_shape(Type(a.element, batch), Type(a.element, batch_of(b))))
    return ShapeError{Code::E0201, "cannot solve {0} times x = {1}: the axes before the matrices differ", notes,
                      is_batch_of_vectors ? columns : "they should be equal, or one side a single matrix"};
  std::vector<Dim> dims = batch;
  dims.push_back(rows);
  if (b.rank() > 1) dims.push_back(b.dims.back());
  return Types{Type(b.element, std::move(dims))};
}

Result order(const ShapeQuery& query) {
  if (!valid_axes({query.attrs.integer(Attr::axis)}, query.operands[0].rank())) return bad_axis(query);
  return Types{query.operands[0].with_element(Element::i32)};
}

}  // namespace bpc::ir::shape_rule
