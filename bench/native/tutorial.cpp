// examples/tutorial.bp and its gradient, derived by hand.
#include "measure.h"

struct Numbers {
  float x = 1, y = 5, w1 = 2, b1 = 0, w2 = 3, b2 = 1;
};

int main() {
  Numbers n;
  float loss = 0, gradient[4];
  const double value = bench::seconds([&] {
    bench::touch(n);
    const float z1 = n.w1 * n.x + n.b1, a1 = z1 > 0 ? z1 : 0, z2 = n.w2 * a1 + n.b2, a2 = z2 > 0 ? z2 : 0;
    loss = 0.5f * (a2 - n.y) * (a2 - n.y);
    bench::touch(loss);
  });
  const double both = bench::seconds([&] {
    bench::touch(n);
    const float z1 = n.w1 * n.x + n.b1, a1 = z1 > 0 ? z1 : 0, z2 = n.w2 * a1 + n.b2, a2 = z2 > 0 ? z2 : 0;
    loss = 0.5f * (a2 - n.y) * (a2 - n.y);
    const float d2 = z2 > 0 ? a2 - n.y : 0, d1 = z1 > 0 ? d2 * n.w2 : 0;
    gradient[0] = d1 * n.x, gradient[1] = d1, gradient[2] = d2 * a1, gradient[3] = d2;
    bench::touch(loss);
    bench::touch(gradient);
  });
  std::printf(
      "{\"times\": {\"value\": %.9g, \"gradient\": %.9g}, \"results\": {\"J\": %.9g, \"w1\": %.9g, \"b1\": %.9g, \"w2\": %.9g, \"b2\": "
      "%.9g}}\n",
      value, both, loss, gradient[0], gradient[1], gradient[2], gradient[3]);
}
