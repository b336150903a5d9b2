// Hand tracking: a mesh on bones, and the derivatives of the errors by the pose. A number of the pose moves the bones of one finger.
#include "arrays.h"

#include <array>
#include <cmath>

namespace {

using Matrix = std::array<double, 16>;  // row by row

Matrix operator*(const Matrix& a, const Matrix& b) {
  Matrix c{};
  for (std::size_t i = 0; i < 4; ++i) {
    for (std::size_t k = 0; k < 4; ++k) {
      for (std::size_t j = 0; j < 4; ++j) c[4 * i + j] += a[4 * i + k] * b[4 * k + j];
    }
  }
  return c;
}

Matrix read_matrix(const std::vector<double>& from, std::size_t i) {
  Matrix m;
  std::copy_n(&from[16 * i], 16, m.begin());
  return m;
}

Matrix about_x(double c, double s, double one) {
  return {one, 0, 0, 0, 0, c, -s, 0, 0, s, c, 0, 0, 0, 0, one};
}
Matrix about_z(double c, double s, double one) {
  return {c, -s, 0, 0, s, c, 0, 0, 0, 0, one, 0, 0, 0, 0, one};
}

constexpr std::size_t kFree = 20;  // numbers of the pose that bend fingers, four each

struct Hand {
  std::size_t bones, vertices, count;
  std::vector<double> theta, rest, to_bone, positions, weights, us, points;
  std::vector<std::int32_t> parent, triangles, triangle;
  std::vector<Matrix> absolute, moved;
  std::vector<std::array<Matrix, 4>> d_absolute, d_moved;  // by the numbers of the bone's finger
  std::vector<double> skin, d_skin;                        // by vertex; by number, then vertex
  std::vector<double> errors, by_us, by_theta;

  explicit Hand(const bench::Arrays& arrays)
      : theta(arrays.read("theta")),
        rest(arrays.read("rest")),
        to_bone(arrays.read("to_bone")),
        positions(arrays.read("vertices")),
        weights(arrays.read("weights")),
        us(arrays.read("us")),
        points(arrays.read("points")),
        parent(arrays.read<std::int32_t>("parent")),
        triangles(arrays.read<std::int32_t>("triangles")),
        triangle(arrays.read<std::int32_t>("triangle")) {
    bones = parent.size();
    vertices = positions.size() / 4;
    count = triangle.size();
    absolute.resize(bones);
    moved.resize(bones);
    d_absolute.resize(bones);
    d_moved.resize(bones);
    skin.resize(3 * vertices);
    d_skin.resize(kFree * 3 * vertices);
    errors.resize(3 * count);
    by_us.resize(2 * 3 * count);
    by_theta.resize(3 * 26 * count);
  }

  static bool bends(std::size_t bone) { return bone > 0 && bone <= kFree; }

  void place_bones(bool derive) {
    for (std::size_t i = 0; i < bones; ++i) {
      const std::size_t joint = bends(i) ? (i - 1) % 4 : 0;  // 0 is stiff
      const double* const bend = &theta[6 + (bends(i) ? (i - 1) / 4 * 4 : 0)];
      const double x = joint == 0 ? 0 : bend[joint == 1 ? 0 : joint], z = joint == 1 ? bend[1] : 0;
      const Matrix X = about_x(std::cos(x), std::sin(x), 1), Z = about_z(std::cos(z), std::sin(z), 1);
      const Matrix at_rest = read_matrix(rest, i), here = at_rest * (Z * X);
      const bool root = parent[i] < 0;
      const std::size_t above = root ? 0 : static_cast<std::size_t>(parent[i]);
      absolute[i] = root ? here : absolute[above] * here;
      moved[i] = absolute[i] * read_matrix(to_bone, i);
      if (!derive || joint == 0) continue;
      for (std::size_t p = 0; p < 4; ++p) {
        Matrix& d = d_absolute[i][p];
        d = above > 0 && (above - 1) % 4 != 0 ? d_absolute[above][p] * here : Matrix{};
        const bool by_x = p == (joint == 1 ? 0 : joint), by_z = joint == 1 && p == 1;
        if (by_x || by_z) {
          const Matrix turn = by_x ? Z * about_x(-std::sin(x), std::cos(x), 0) : about_z(-std::sin(z), std::cos(z), 0) * X;
          const Matrix more = absolute[above] * (at_rest * turn);
          for (std::size_t e = 0; e < 16; ++e) d[e] += more[e];
        }
        d_moved[i][p] = d * read_matrix(to_bone, i);
      }
    }
  }

  void place_vertices(bool derive) {
    for (std::size_t v = 0; v < vertices; ++v) {
      const double* const weight = &weights[bones * v];
      const double* const x = &positions[4 * v];
      std::array<double, 12> mixed{};
      for (std::size_t b = 0; b < bones; ++b) {
        for (std::size_t e = 0; e < 12; ++e) mixed[e] += weight[b] * moved[b][e];
      }
      turn(mixed, x, &skin[3 * v]);
      for (std::size_t p = 0; derive && p < kFree; ++p) {
        mixed = {};
        for (std::size_t b = p / 4 * 4 + 2; b < p / 4 * 4 + 5; ++b) {
          for (std::size_t e = 0; e < 12; ++e) mixed[e] += weight[b] * d_moved[b][p % 4][e];
        }
        turn(mixed, x, &d_skin[3 * (p * vertices + v)]);
      }
    }
  }

  static void turn(const std::array<double, 12>& m, const double* x, double* to) {
    for (std::size_t i = 0; i < 3; ++i) to[i] = m[4 * i] * x[0] + m[4 * i + 1] * x[1] + m[4 * i + 2] * x[2] + m[4 * i + 3] * x[3];
  }

  // The rotation by the first three numbers, and its derivatives by them.
  void rotation(std::array<double, 9>& R, std::array<std::array<double, 9>, 3>& dR) const {
    const double* const a = theta.data();
    const double angle = std::sqrt(a[0] * a[0] + a[1] * a[1] + a[2] * a[2]);
    R = {1, 0, 0, 0, 1, 0, 0, 0, 1};
    dR = {};
    if (angle < 0.0001) return;
    const double c = std::cos(angle), s = std::sin(angle);
    const std::array<double, 3> u{a[0] / angle, a[1] / angle, a[2] / angle};
    const auto across = [](const std::array<double, 3>& v) {
      return std::array<double, 9>{0, -v[2], v[1], v[2], 0, -v[0], -v[1], v[0], 0};
    };
    const auto turned = across(u);
    for (std::size_t i = 0; i < 9; ++i) R[i] = (i % 4 == 0 ? c : 0) + (1 - c) * u[i / 3] * u[i % 3] + s * turned[i];
    for (std::size_t k = 0; k < 3; ++k) {
      std::array<double, 3> du;
      for (std::size_t i = 0; i < 3; ++i) du[i] = ((i == k) - u[i] * u[k]) / angle;
      const auto d_turned = across(du);
      for (std::size_t i = 0; i < 9; ++i) {
        dR[k][i] = -s * u[k] * ((i % 4 == 0) - u[i / 3] * u[i % 3]) + (1 - c) * (du[i / 3] * u[i % 3] + u[i / 3] * du[i % 3]) +
                   c * u[k] * turned[i] + s * d_turned[i];
      }
    }
  }

  void run(bool derive) {
    place_bones(derive);
    place_vertices(derive);
    std::array<double, 9> R;
    std::array<std::array<double, 9>, 3> dR;
    rotation(R, dR);
    const auto rotate = [](const std::array<double, 9>& m, const double* x, std::size_t i) {
      return m[3 * i] * x[0] + m[3 * i + 1] * x[1] + m[3 * i + 2] * x[2];
    };
    for (std::size_t n = 0; n < count; ++n) {
      const std::int32_t* const corner = &triangles[3 * static_cast<std::size_t>(triangle[n])];
      const double mix[3] = {us[2 * n], us[2 * n + 1], 1 - us[2 * n] - us[2 * n + 1]};
      const auto mixed = [&](const double* of, double* to) {
        for (std::size_t i = 0; i < 3; ++i) {
          to[i] = 0;
          for (std::size_t j = 0; j < 3; ++j) to[i] += mix[j] * of[3 * static_cast<std::size_t>(corner[j]) + i];
        }
      };
      double at[3];
      mixed(skin.data(), at);
      for (std::size_t i = 0; i < 3; ++i) errors[3 * n + i] = points[3 * n + i] - (rotate(R, at, i) + theta[3 + i]);
      if (!derive) continue;
      double sides[2][3];
      for (std::size_t j = 0; j < 2; ++j) {
        for (std::size_t i = 0; i < 3; ++i) {
          sides[j][i] = skin[3 * static_cast<std::size_t>(corner[2]) + i] - skin[3 * static_cast<std::size_t>(corner[j]) + i];
        }
        for (std::size_t i = 0; i < 3; ++i) by_us[3 * (j * count + n) + i] = rotate(R, sides[j], i);
      }
      double* const by = &by_theta[3 * 26 * n];
      for (std::size_t i = 0; i < 3; ++i) {
        for (std::size_t k = 0; k < 3; ++k) {
          by[26 * i + k] = -rotate(dR[k], at, i);
          by[26 * i + 3 + k] = i == k ? -1 : 0;
        }
      }
      for (std::size_t p = 0; p < kFree; ++p) {
        mixed(&d_skin[3 * p * vertices], at);
        for (std::size_t i = 0; i < 3; ++i) by[26 * i + 6 + p] = -rotate(R, at, i);
      }
    }
  }
};

}  // namespace

int main(int argc, char** argv) {
  Hand hand(bench::Arrays(argc, argv));
  const auto run = [&](bool derive) {
    bench::touch(hand.theta[0]);
    hand.run(derive);
    bench::touch(hand.errors[0]);
  };
  bench::report([&] { run(false); }, [&] { run(true); },
                {{"by_us", hand.by_us.data(), {2, hand.count, 3}}, {"by_theta", hand.by_theta.data(), {hand.count, 3, 26}}});
}
