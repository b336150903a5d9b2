// Least squares of a polynomial, evaluated by a running power; the powers are made again for the gradient.
#include "arrays.h"

int main(int argc, char** argv) {
  const bench::Arrays arrays(argc, argv);
  const std::vector<double> x = arrays.read("x");
  const std::size_t count = arrays.size("N");
  std::vector<double> gradient(x.size());
  double loss = 0;
  const auto place = [&](std::size_t i) { return 2.0 * static_cast<double>(i) / static_cast<double>(count - 1) - 1; };
  const auto residual = [&](double t) {
    double r = (t > 0) - (t < 0), power = 1;
    for (const double c : x) {
      r -= c * power;
      power *= t;
    }
    return r;
  };
  bench::report(
      [&] {
        loss = 0;
        for (std::size_t i = 0; i < count; ++i) {
          const double r = residual(place(i));
          loss += r * r / 2;
        }
        bench::touch(loss);
      },
      [&] {
        loss = 0;
        std::fill(gradient.begin(), gradient.end(), 0);
        for (std::size_t i = 0; i < count; ++i) {
          const double t = place(i), r = residual(t);
          loss += r * r / 2;
          double term = r;
          for (double& g : gradient) {
            g -= term;
            term *= t;
          }
        }
        bench::touch(loss);
        bench::touch(gradient[0]);
      },
      {{"J", &loss, {}}, {"x", gradient.data(), {x.size()}}});
}
