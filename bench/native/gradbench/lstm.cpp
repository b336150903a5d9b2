// Stacked cells whose weights are vectors: forward, keeping the gates and states of each, and back through time.
#include "arrays.h"

#include <cmath>

namespace {

double sigmoid(double x) {
  return 1 / (1 + std::exp(-x));
}

struct Network {
  std::size_t bits, layers, length;
  std::vector<double> sequence, start, main, extra;
  std::vector<double> g_main, g_extra;
  std::vector<double> state, kept, last;  // kept: of a turn, layer and bit, kKept numbers; last: the outputs of the topmost layer
  std::vector<double> d_state, dx, y, dy;
  static constexpr std::size_t kKept = 8;  // x, h, c, forget, in, out, change, tanh(new c)

  explicit Network(const bench::Arrays& arrays)
      : sequence(arrays.read("sequence")), start(arrays.read("state0")), main(arrays.read("main")), extra(arrays.read("extra")) {
    bits = extra.size() / 3;
    layers = start.size() / (2 * bits);
    length = sequence.size() / bits;
    g_main = main;
    g_extra = extra;
    state = d_state = start;
    kept.resize((length - 1) * layers * bits * kKept);
    last.resize((length - 1) * bits);
    dx = y = dy = std::vector<double>(bits);
  }

  double loss(bool derive) {
    double total = 0;
    state = start;
    for (std::size_t t = 0; t + 1 < length; ++t) {
      for (std::size_t b = 0; b < bits; ++b) y[b] = sequence[t * bits + b] * extra[b];
      for (std::size_t i = 0; i < layers; ++i) {
        const double* const w = &main[i * 8 * bits];
        const double* const bias = w + 4 * bits;
        double* const h = &state[i * 2 * bits];
        double* const c = h + bits;
        for (std::size_t b = 0; b < bits; ++b) {
          const double x = y[b];
          const double forget = sigmoid(x * w[b] + bias[b]), in = sigmoid(h[b] * w[bits + b] + bias[bits + b]);
          const double out = sigmoid(x * w[2 * bits + b] + bias[2 * bits + b]),
                       change = std::tanh(h[b] * w[3 * bits + b] + bias[3 * bits + b]);
          const double next = c[b] * forget + in * change, squashed = std::tanh(next);
          if (derive) {
            double* const k = &kept[((t * layers + i) * bits + b) * kKept];
            k[0] = x, k[1] = h[b], k[2] = c[b], k[3] = forget, k[4] = in, k[5] = out, k[6] = change, k[7] = squashed;
          }
          c[b] = next;
          h[b] = y[b] = out * squashed;
        }
      }
      if (derive) std::copy(y.begin(), y.end(), &last[t * bits]);
      total += score(t, y.data(), nullptr);
    }
    const double scale = -1.0 / static_cast<double>((length - 1) * bits);
    if (derive) back(scale);
    return total * scale;
  }

  // The score of what is foretold at a turn from the outputs h, and its derivatives by what is foretold.
  double score(std::size_t t, const double* h, double* derivative) const {
    double sum = 2, hits = 0, found = 0;
    const double* const target = &sequence[(t + 1) * bits];
    for (std::size_t b = 0; b < bits; ++b) {
      const double e = h[b] * extra[bits + b] + extra[2 * bits + b], power = std::exp(e);
      sum += power;
      hits += target[b];
      found += target[b] * e;
      if (derivative) derivative[b] = power;
    }
    for (std::size_t b = 0; derivative && b < bits; ++b) derivative[b] = target[b] - hits * derivative[b] / sum;
    return found - hits * std::log(sum);
  }

  void back(double scale) {
    std::fill(g_main.begin(), g_main.end(), 0);
    std::fill(g_extra.begin(), g_extra.end(), 0);
    std::fill(d_state.begin(), d_state.end(), 0);
    for (std::size_t t = length - 1; t-- > 0;) {
      const double* const h = &last[t * bits];
      score(t, h, dy.data());
      for (std::size_t b = 0; b < bits; ++b) {
        const double d = scale * dy[b];
        g_extra[bits + b] += d * h[b];
        g_extra[2 * bits + b] += d;
        dx[b] = d * extra[bits + b];
      }
      for (std::size_t i = layers; i-- > 0;) {
        const double* const w = &main[i * 8 * bits];
        double* const g = &g_main[i * 8 * bits];
        double* const dh = &d_state[i * 2 * bits];
        double* const dc = dh + bits;
        for (std::size_t b = 0; b < bits; ++b) {
          const double* const k = &kept[((t * layers + i) * bits + b) * kKept];
          const double x = k[0], before = k[1], c = k[2], forget = k[3], in = k[4], out = k[5], change = k[6], squashed = k[7];
          const double d = dh[b] + dx[b], d_next = dc[b] + d * out * (1 - squashed * squashed);
          const double d_forget = d_next * c * forget * (1 - forget), d_in = d_next * change * in * (1 - in);
          const double d_out = d * squashed * out * (1 - out), d_change = d_next * in * (1 - change * change);
          g[b] += d_forget * x;
          g[bits + b] += d_in * before;
          g[2 * bits + b] += d_out * x;
          g[3 * bits + b] += d_change * before;
          g[4 * bits + b] += d_forget;
          g[5 * bits + b] += d_in;
          g[6 * bits + b] += d_out;
          g[7 * bits + b] += d_change;
          dc[b] = d_next * forget;
          dh[b] = d_in * w[bits + b] + d_change * w[3 * bits + b];
          dx[b] = d_forget * w[b] + d_out * w[2 * bits + b];
        }
      }
      for (std::size_t b = 0; b < bits; ++b) g_extra[b] += dx[b] * sequence[t * bits + b];
    }
  }
};

}  // namespace

int main(int argc, char** argv) {
  Network n(bench::Arrays(argc, argv));
  double loss = 0;
  const auto run = [&](bool derive) {
    bench::touch(n.main[0]);
    loss = n.loss(derive);
    bench::touch(loss);
  };
  bench::report([&] { run(false); }, [&] { run(true); },
                {{"J", &loss, {}}, {"main", n.g_main.data(), {n.layers, 2, 4 * n.bits}}, {"extra", n.g_extra.data(), {3, n.bits}}});
}
