// Bundle adjustment: the errors of all observations, and their derivatives by a camera, a point and a weight, block by block.
#include "arrays.h"

#include <array>
#include <cmath>

namespace {

using Vector = std::array<double, 3>;

double dot(const Vector& a, const Vector& b) {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

Vector cross(const Vector& a, const Vector& b) {
  return {a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]};
}

// About the axis r by the angle |r|, and with `derive` the derivatives by r (columns 0 to 2) and by x (columns 3 to 5).
template <bool derive>
Vector rotated(const Vector& r, const Vector& x, std::array<Vector, 6>& columns) {
  const double square = dot(r, r);
  if (square == 0) {
    const Vector turned = cross(r, x);
    for (std::size_t k = 0; derive && k < 3; ++k) {
      Vector unit{};
      unit[k] = 1;
      columns[k] = cross(unit, x);
      columns[3 + k] = cross(r, unit);
      columns[3 + k][k] += 1;
    }
    return {x[0] + turned[0], x[1] + turned[1], x[2] + turned[2]};
  }
  const double angle = std::sqrt(square), c = std::cos(angle), s = std::sin(angle);
  const Vector axis{r[0] / angle, r[1] / angle, r[2] / angle}, across = cross(axis, x);
  const double along = dot(axis, x);
  Vector result;
  for (std::size_t i = 0; i < 3; ++i) result[i] = x[i] * c + across[i] * s + axis[i] * (along * (1 - c));
  for (std::size_t k = 0; derive && k < 3; ++k) {
    Vector unit{}, turn;
    unit[k] = 1;
    for (std::size_t i = 0; i < 3; ++i) turn[i] = (unit[i] - axis[i] * axis[k]) / angle;
    const Vector turn_across = cross(turn, x), unit_across = cross(axis, unit);
    const double turn_along = dot(turn, x);
    for (std::size_t i = 0; i < 3; ++i) {
      columns[k][i] = (across[i] * c - x[i] * s + axis[i] * along * s) * axis[k] + turn_across[i] * s +
                      (turn[i] * along + axis[i] * turn_along) * (1 - c);
      columns[3 + k][i] = unit[i] * c + unit_across[i] * s + axis[i] * axis[k] * (1 - c);
    }
  }
  return result;
}

// The error of one observation, and with `derive` its 2 by 15 block.
template <bool derive>
void project(const double* camera, const double* point, double weight, const double* seen, double* error, double* block) {
  const Vector r{camera[0], camera[1], camera[2]};
  const Vector x{point[0] - camera[3], point[1] - camera[4], point[2] - camera[5]};
  const double focal = camera[6], k1 = camera[9], k2 = camera[10];
  std::array<Vector, 6> columns;
  const Vector z = rotated<derive>(r, x, columns);
  const double p[2] = {z[0] / z[2], z[1] / z[2]}, square = p[0] * p[0] + p[1] * p[1];
  const double bent = 1 + k1 * square + k2 * square * square, slope = k1 + 2 * k2 * square;
  double off[2];
  for (std::size_t i = 0; i < 2; ++i) {
    off[i] = p[i] * bent * focal + camera[7 + i] - seen[i];
    error[i] = weight * off[i];
  }
  if (!derive) return;
  for (std::size_t k = 0; k < 6; ++k) {
    const Vector& d = columns[k];
    const double dp[2] = {(d[0] - p[0] * d[2]) / z[2], (d[1] - p[1] * d[2]) / z[2]};
    const double d_bent = slope * 2 * (p[0] * dp[0] + p[1] * dp[1]);
    for (std::size_t i = 0; i < 2; ++i) {
      const double by = weight * focal * (dp[i] * bent + p[i] * d_bent);
      if (k < 3) {
        block[15 * i + k] = by;
      } else {
        block[15 * i + k] = -by;
        block[15 * i + 8 + k] = by;
      }
    }
  }
  for (std::size_t i = 0; i < 2; ++i) {
    block[15 * i + 6] = weight * p[i] * bent;
    block[15 * i + 7 + i] = weight;
    block[15 * i + 8 - i] = 0;
    block[15 * i + 9] = weight * focal * p[i] * square;
    block[15 * i + 10] = weight * focal * p[i] * square * square;
    block[15 * i + 14] = off[i];
  }
}

}  // namespace

int main(int argc, char** argv) {
  const bench::Arrays arrays(argc, argv);
  const std::vector<double> cameras = arrays.read("cameras"), points = arrays.read("points"), weights = arrays.read("weights");
  const std::vector<double> seen = arrays.read("seen");
  const std::vector<std::int32_t> camera = arrays.read<std::int32_t>("camera"), point = arrays.read<std::int32_t>("point");
  const std::size_t count = weights.size();
  std::vector<double> errors(2 * count), blocks(30 * count), weight_errors(count), weight_derivatives(count);
  const auto each = [&](auto&& step) {
    for (std::size_t i = 0; i < count; ++i) {
      step(i, &cameras[11 * static_cast<std::size_t>(camera[i])], &points[3 * static_cast<std::size_t>(point[i])]);
    }
  };
  bench::report(
      [&] {
        each([&](std::size_t i, const double* c, const double* x) {
          project<false>(c, x, weights[i], &seen[2 * i], &errors[2 * i], nullptr);
          weight_errors[i] = 1 - weights[i] * weights[i];
        });
        bench::touch(errors[0]);
      },
      [&] {
        each([&](std::size_t i, const double* c, const double* x) {
          project<true>(c, x, weights[i], &seen[2 * i], &errors[2 * i], &blocks[30 * i]);
          weight_derivatives[i] = -2 * weights[i];
        });
        bench::touch(blocks[0]);
      },
      {{"blocks", blocks.data(), {count, 2, 15}}, {"weight_derivatives", weight_derivatives.data(), {count}}});
}
