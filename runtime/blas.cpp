#include "runtime/blas.h"

#include "runtime/dynamic_library.h"

namespace bpc::runtime::blas {

namespace {

// The functions as Fortran passes arguments: by address, the lengths of texts at the end.
struct Functions {
  void (*potrf)(const char* uplo, const int* n, double* a, const int* lda, int* info, std::size_t);
  void (*getrf)(const int* m, const int* n, double* a, const int* lda, int* pivots, int* info);
  void (*trsm)(const char* side, const char* uplo, const char* trans, const char* diag, const int* m, const int* n, const double* alpha,
               const double* a, const int* lda, double* b, const int* ldb, std::size_t, std::size_t, std::size_t, std::size_t);
};

const Functions* load() {
  static Functions functions;
  void* library = dlopen(BPC_OPENBLAS, RTLD_LAZY | RTLD_LOCAL);
  void (*set_threads)(int) = nullptr;
  if (!library || !find_function(library, "dpotrf_", functions.potrf) || !find_function(library, "dgetrf_", functions.getrf) ||
      !find_function(library, "dtrsm_", functions.trsm))
    return nullptr;
  if (find_function(library, "openblas_set_num_threads", set_threads)) set_threads(1);
  return &functions;
}

const Functions* functions() {
  static const Functions* const found = load();
  return found;
}

// Measured: below, the loops of linalg.cpp are as fast.
constexpr std::int64_t kFewest = 96, kMost = INT32_MAX;

}  // namespace

bool serves(std::int64_t n) {
  return n >= kFewest && n <= kMost && functions();
}

// The lower triangle of a is the upper one of what LAPACK sees, and so is L that of L^T.
bool cholesky(double* a, std::int64_t n) {
  const int size = static_cast<int>(n);
  int info = 0;
  functions()->potrf("U", &size, a, &size, &info, 1);
  return info == 0;
}

// a^T = P^T L' U', whence a = U'^T L'^T P.
bool lu(double* a, std::int64_t n, std::int32_t* pivots) {
  const int size = static_cast<int>(n);
  int info = 0;
  functions()->getrf(&size, &size, a, &size, pivots, &info);
  for (int i = 0; i < size; ++i) --pivots[i];
  return info == 0;
}

// LAPACK sees x^T, from whose right the transpose of t is divided: x^T := x^T t^-T.
void solve_triangle(const double* a, double* x, std::int64_t n, std::int64_t k, bool upper, bool transposed, bool ones) {
  const int size = static_cast<int>(n), columns = static_cast<int>(k);
  const double one = 1;
  functions()->trsm("R", upper ? "L" : "U", transposed ? "T" : "N", ones ? "U" : "N", &columns, &size, &one, a, &size, x, &columns, 1, 1, 1,
                    1);
}

}  // namespace bpc::runtime::blas
