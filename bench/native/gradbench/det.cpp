// A determinant by its minors, and its gradient: the derivative by an element is the minor that is left without its row and column.
#include "arrays.h"

namespace {

// Of the rows from `row` on that are not `skipped`, and of the columns that `columns` has.
double minors(const std::vector<double>& a, std::size_t side, std::size_t row, std::size_t skipped, std::vector<std::size_t>& columns) {
  if (row == skipped) ++row;
  if (columns.empty()) return 1;
  double sum = 0, sign = 1;
  for (std::size_t j = 0; j < columns.size(); ++j) {
    const std::size_t column = columns[j];
    columns.erase(columns.begin() + static_cast<std::ptrdiff_t>(j));
    sum += sign * a[row * side + column] * minors(a, side, row + 1, skipped, columns);
    columns.insert(columns.begin() + static_cast<std::ptrdiff_t>(j), column);
    sign = -sign;
  }
  return sum;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<double> a = bench::Arrays(argc, argv).read("A");
  std::size_t side = 0;
  while (side * side < a.size()) ++side;
  std::vector<double> gradient(a.size());
  std::vector<std::size_t> all;
  for (std::size_t j = 0; j < side; ++j) all.push_back(j);
  double det = 0;
  bench::report(
      [&] {
        bench::touch(a[0]);
        det = minors(a, side, 0, side, all);
        bench::touch(det);
      },
      [&] {
        bench::touch(a[0]);
        det = minors(a, side, 0, side, all);
        for (std::size_t i = 0; i < side; ++i) {
          for (std::size_t j = 0; j < side; ++j) {
            std::vector<std::size_t> others = all;
            others.erase(others.begin() + static_cast<std::ptrdiff_t>(j));
            gradient[i * side + j] = ((i + j) % 2 == 0 ? 1 : -1) * minors(a, side, 0, i, others);
          }
        }
        bench::touch(det);
        bench::touch(gradient[0]);
      },
      {{"J", &det, {}}, {"A", gradient.data(), {side, side}}});
}
