// A mixture of normal distributions, its derivatives summed point by point. What is below the diagonal of a factor Q lies column by
// column, so that Q y is a sum of columns, and its derivative by a column is a row of numbers as well.
#include "arrays.h"

#include <cmath>
#include <numbers>

namespace {

struct Mixture {
  std::size_t dims, below, components, count;
  std::vector<double> x, alpha, mu, q, l;
  std::vector<double> diagonal, sum_q;                 // exp(q), and the sum of q of each component
  std::vector<double> centred, turned, terms, shares;  // of a point: x - mu and Q (x - mu) by component
  std::vector<double> g_alpha, g_mu, g_q, g_l;

  explicit Mixture(const bench::Arrays& arrays)
      : x(arrays.read("x")), alpha(arrays.read("alpha")), mu(arrays.read("mu")), q(arrays.read("q")), l(arrays.read("l")) {
    components = alpha.size();
    dims = mu.size() / components;
    below = l.size() / components;
    count = x.size() / dims;
    diagonal = q;
    sum_q = terms = shares = g_alpha = alpha;
    centred = turned = g_mu = g_q = q;
    g_l = l;
  }

  double normaliser() const {
    const double d = static_cast<double>(dims), degrees = d + 1;
    double multigamma = d * (d - 1) / 4 * std::log(std::numbers::pi);
    for (std::size_t j = 0; j < dims; ++j) multigamma += std::lgamma((degrees - static_cast<double>(j)) / 2);
    return -degrees * d / 2 * std::log(2) - multigamma;
  }

  void prepare() {
    for (std::size_t k = 0; k < components; ++k) {
      sum_q[k] = 0;
      for (std::size_t i = k * dims; i < (k + 1) * dims; ++i) {
        diagonal[i] = std::exp(q[i]);
        sum_q[k] += q[i];
      }
    }
  }

  // The logarithm of a component's weight times its density at a point, but for what all have in common.
  double term(std::size_t k, const double* point) {
    double* const c = &centred[k * dims];
    double* const y = &turned[k * dims];
    const double* column = &l[k * below];
    for (std::size_t i = 0; i < dims; ++i) {
      c[i] = point[i] - mu[k * dims + i];
      y[i] = diagonal[k * dims + i] * c[i];
    }
    for (std::size_t j = 0; j < dims; ++j) {
      for (std::size_t i = j + 1; i < dims; ++i) y[i] += *column++ * c[j];
    }
    double square = 0;
    for (std::size_t i = 0; i < dims; ++i) square += y[i] * y[i];
    return alpha[k] + sum_q[k] - square / 2;
  }

  // Of `from`; `to` becomes the derivatives.
  static double logsumexp(const std::vector<double>& from, std::vector<double>& to) {
    const double most = *std::max_element(from.begin(), from.end());
    double sum = 0;
    for (std::size_t k = 0; k < from.size(); ++k) sum += to[k] = std::exp(from[k] - most);
    for (double& share : to) share /= sum;
    return most + std::log(sum);
  }

  // Adds the derivatives of `share` times the term of component k.
  void add_derivatives(std::size_t k, double share) {
    const double* const c = &centred[k * dims];
    const double* const y = &turned[k * dims];
    const double* column = &l[k * below];
    double* g_column = &g_l[k * below];
    g_alpha[k] += share;
    for (std::size_t j = 0; j < dims; ++j) {
      const double d = diagonal[k * dims + j], weight = share * c[j];
      double by_mean = d * y[j];
      for (std::size_t i = j + 1; i < dims; ++i) {
        by_mean += *column++ * y[i];
        *g_column++ -= weight * y[i];
      }
      g_mu[k * dims + j] += share * by_mean;
      g_q[k * dims + j] += share * (1 - d * c[j] * y[j]);
    }
  }

  double loss(bool derive) {
    prepare();
    if (derive) {
      for (auto* g : {&g_alpha, &g_mu, &g_q, &g_l}) std::fill(g->begin(), g->end(), 0);
    }
    double sum = 0;
    for (std::size_t n = 0; n < count; ++n) {
      for (std::size_t k = 0; k < components; ++k) terms[k] = term(k, &x[n * dims]);
      sum += logsumexp(terms, shares);
      for (std::size_t k = 0; derive && k < components; ++k) add_derivatives(k, shares[k]);
    }
    const double points = static_cast<double>(count);
    sum -= points * (logsumexp(alpha, shares) + static_cast<double>(dims) / 2 * std::log(2 * std::numbers::pi));
    double squares = 0;
    for (const double d : diagonal) squares += d * d;
    for (const double e : l) squares += e * e;
    if (derive) {
      for (std::size_t k = 0; k < components; ++k) g_alpha[k] -= points * shares[k];
      for (std::size_t i = 0; i < g_q.size(); ++i) g_q[i] -= diagonal[i] * diagonal[i];
      for (std::size_t i = 0; i < g_l.size(); ++i) g_l[i] -= l[i];
    }
    return sum - squares / 2 + static_cast<double>(components) * normaliser();
  }
};

}  // namespace

int main(int argc, char** argv) {
  Mixture m(bench::Arrays(argc, argv));
  double loss = 0;
  const auto run = [&](bool derive) {
    bench::touch(m.q[0]);
    loss = m.loss(derive);
    bench::touch(loss);
  };
  bench::report([&] { run(false); }, [&] { run(true); },
                {{"J", &loss, {}},
                 {"alpha", m.g_alpha.data(), {m.components}},
                 {"mu", m.g_mu.data(), {m.components, m.dims}},
                 {"q", m.g_q.data(), {m.components, m.dims}},
                 {"l", m.g_l.data(), {m.components, m.below}}});
}
