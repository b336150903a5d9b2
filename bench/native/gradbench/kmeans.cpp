// The cost of centres, and Newton's direction: a point moves nothing but the nearest centre, so that the derivatives are sums over its
// points.
#include "arrays.h"

#include <limits>

int main(int argc, char** argv) {
  const bench::Arrays arrays(argc, argv);
  const std::vector<double> points = arrays.read("points"), centres = arrays.read("centres");
  const std::size_t dims = arrays.length("points", 1), count = points.size() / dims, clusters = centres.size() / dims;
  std::vector<double> direction(centres.size()), sizes(clusters);
  double cost = 0;
  const auto nearest = [&](const double* point, double& least) {
    std::size_t best = 0;
    least = std::numeric_limits<double>::infinity();
    for (std::size_t k = 0; k < clusters; ++k) {
      double distance = 0;
      for (std::size_t j = 0; j < dims; ++j) distance += (point[j] - centres[k * dims + j]) * (point[j] - centres[k * dims + j]);
      if (distance < least) {
        least = distance;
        best = k;
      }
    }
    return best;
  };
  bench::report(
      [&] {
        cost = 0;
        for (std::size_t i = 0; i < count; ++i) {
          double least = 0;
          nearest(&points[i * dims], least);
          cost += least;
        }
        bench::touch(cost);
      },
      [&] {
        std::fill(direction.begin(), direction.end(), 0);
        std::fill(sizes.begin(), sizes.end(), 0);
        for (std::size_t i = 0; i < count; ++i) {
          double least = 0;
          const std::size_t k = nearest(&points[i * dims], least);
          sizes[k] += 1;
          for (std::size_t j = 0; j < dims; ++j) direction[k * dims + j] += points[i * dims + j];
        }
        for (std::size_t k = 0; k < clusters; ++k) {
          for (std::size_t j = 0; j < dims; ++j) direction[k * dims + j] = centres[k * dims + j] - direction[k * dims + j] / sizes[k];
        }
        bench::touch(direction[0]);
      },
      {{"direction", direction.data(), {clusters, dims}}});
}
