#include "runtime/factors.h"

#include <Eigen/Dense>
#include <limits>

namespace bpc::runtime {

namespace {

using scalar::Real;
using Size = std::int64_t;
using Matrix = Eigen::MatrixXd;
template <class T>
using Rows = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

enum class Reads : bool { all, lower };

// Puts into `out`, which has `rows` rows for each matrix, what `factorise` makes of it; NaN where it is not finite.
template <Reads reads, Real T, class F>
Size each(const T* a, T* out, Size batches, Size m, Size n, Size rows, F factorise) {
  for (Size batch = 0; batch < batches; ++batch) {
    Matrix matrix = Eigen::Map<const Rows<T>>(a + batch * m * n, m, n).template cast<double>();
    if (reads == Reads::lower) matrix.triangularView<Eigen::StrictlyUpper>().setZero();
    Matrix factors = Matrix::Constant(rows, n, std::numeric_limits<double>::quiet_NaN());
    if (n > 0 && matrix.allFinite()) factorise(matrix, factors);
    Eigen::Map<Rows<T>>(out + batch * rows * n, rows, n) = factors.template cast<T>();
  }
  return 0;
}

// -1 where the largest element of a column is negative.
Eigen::VectorXd signs_of(const Matrix& columns) {
  Eigen::VectorXd signs(columns.cols());
  for (Eigen::Index j = 0; j < columns.cols(); ++j) {
    Eigen::Index largest = 0;
    columns.col(j).cwiseAbs().maxCoeff(&largest);
    signs[j] = columns(largest, j) < 0 ? -1 : 1;
  }
  return signs;
}

}  // namespace

template <Real T>
Size eigh_packed(const T* a, T* out, double*, Size batches, Size m, Size n) {
  return each<Reads::lower>(a, out, batches, m, n, n + 1, [n](const Matrix& matrix, Matrix& factors) {
    const Eigen::SelfAdjointEigenSolver<Matrix> solver(matrix);
    if (solver.info() != Eigen::Success) return;
    factors.topRows(n) = solver.eigenvectors() * signs_of(solver.eigenvectors()).asDiagonal();
    factors.row(n) = solver.eigenvalues().transpose();
  });
}

template <Real T>
Size svd_packed(const T* a, T* out, double*, Size batches, Size m, Size n) {
  return each<Reads::all>(a, out, batches, m, n, m + 1 + n, [m, n](const Matrix& matrix, Matrix& factors) {
    const Eigen::BDCSVD<Matrix> solver(matrix, Eigen::ComputeThinU | Eigen::ComputeThinV);
    if (solver.info() != Eigen::Success) return;
    const Eigen::VectorXd signs = signs_of(solver.matrixU());
    factors.topRows(m) = solver.matrixU() * signs.asDiagonal();
    factors.row(m) = solver.singularValues().transpose();
    factors.bottomRows(n) = solver.matrixV() * signs.asDiagonal();
  });
}

template <Real T>
Size qr_packed(const T* a, T* out, double*, Size batches, Size m, Size n) {
  return each<Reads::all>(a, out, batches, m, n, m + n, [m, n](const Matrix& matrix, Matrix& factors) {
    const Eigen::HouseholderQR<Matrix> solver(matrix);
    const Matrix r = solver.matrixQR().topRows(n).triangularView<Eigen::Upper>();
    const Eigen::VectorXd signs = (r.diagonal().array() < 0).select(Eigen::VectorXd::Constant(n, -1), Eigen::VectorXd::Ones(n));
    factors.topRows(m) = solver.householderQ() * Matrix::Identity(m, n) * signs.asDiagonal();
    factors.bottomRows(n).setZero();
    factors.bottomRows(n).triangularView<Eigen::Upper>() = signs.asDiagonal() * r;
  });
}

template <Real T>
Size lu_packed(const T* a, T* out, double*, Size batches, Size m, Size n) {
  return each<Reads::all>(a, out, batches, m, n, n + 1, [n](const Matrix& matrix, Matrix& factors) {
    const Eigen::PartialPivLU<Matrix> solver(matrix);
    factors.topRows(n) = solver.matrixLU();
    // Row i of the matrix becomes row indices[i]: p is the inverse.
    const auto& indices = solver.permutationP().indices();
    for (Eigen::Index i = 0; i < n; ++i) factors(n, indices[i]) = static_cast<double>(i);
  });
}

#define BPC_INSTANTIATE(name)                                          \
  template Size name(const float*, float*, double*, Size, Size, Size); \
  template Size name(const double*, double*, double*, Size, Size, Size);
BPC_INSTANTIATE(eigh_packed)
BPC_INSTANTIATE(svd_packed)
BPC_INSTANTIATE(qr_packed)
BPC_INSTANTIATE(lu_packed)

}  // namespace bpc::runtime
