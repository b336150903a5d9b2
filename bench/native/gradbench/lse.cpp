// log(sum(exp(x))): its gradient is the exponentials by their sum, so that they are kept.
#include "arrays.h"

#include <cmath>

int main(int argc, char** argv) {
  const std::vector<double> x = bench::Arrays(argc, argv).read("x");
  std::vector<double> gradient(x.size());
  double loss = 0;
  bench::report(
      [&] {
        const double most = *std::max_element(x.begin(), x.end());
        double sum = 0;
        for (const double e : x) sum += std::exp(e - most);
        loss = most + std::log(sum);
        bench::touch(loss);
      },
      [&] {
        const double most = *std::max_element(x.begin(), x.end());
        double sum = 0;
        for (std::size_t i = 0; i < x.size(); ++i) sum += gradient[i] = std::exp(x[i] - most);
        for (double& e : gradient) e /= sum;
        loss = most + std::log(sum);
        bench::touch(loss);
        bench::touch(gradient[0]);
      },
      {{"J", &loss, {}}, {"x", gradient.data(), {x.size()}}});
}
