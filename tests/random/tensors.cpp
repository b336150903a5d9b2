#include <fmt/format.h>
#include <algorithm>
#include <cmath>
#include <numeric>

#include "tests/random/generator.h"

namespace bpc::test {

namespace {

double count(const Shape& shape) {
  return std::accumulate(shape.begin(), shape.end(), 1.0, [](double n, int size) { return n * (size < 0 ? 4 : size); });
}

bool is_generic(const Shape& shape) {
  return std::any_of(shape.begin(), shape.end(), [](int size) { return size < 0; });
}

Shape without_axis(Shape shape, std::size_t axis) {
  shape.erase(shape.begin() + static_cast<std::ptrdiff_t>(axis));
  return shape;
}
Shape with_axis(Shape shape, std::size_t axis, int size) {
  shape.insert(shape.begin() + static_cast<std::ptrdiff_t>(axis), size);
  return shape;
}

// Of {0}, reduced as {1} says: `, axis=…` or ` for …`. Those that are there of nothing, too, come first.
struct Reduction {
  const char* format;
  double (*bound)(double b, double n);
};
constexpr Reduction kReductions[] = {
    {"prod({}{})", [](double b, double n) { return std::pow(b, n); }},
    {"sum({}{})", [](double b, double n) { return b * n; }},
    {"sum({}{})", [](double b, double n) { return b * n; }},
    {"\1square(norm({0}{1}))\2sum(square({0}){1})\3", [](double b, double n) { return b * b * n; }},
    {"mean({}{})", [](double b, double) { return b; }},
    {"max({}{})", [](double b, double) { return b; }},
    {"min({}{})", [](double b, double) { return b; }},
    {"var({}{})", [](double b, double) { return b * b; }},
    {"\1square(std({0}{1}))\2var({0}{1})\3", [](double b, double) { return b * b; }},
    {"logsumexp({}{})", [](double b, double n) { return b + std::log(n); }},
};
constexpr std::size_t kOfNothing = 4;

const Reduction& any_reduction(Draw& draw, double n) {
  return kReductions[draw.below(n == 0 ? kOfNothing : std::size(kReductions))];
}

}  // namespace

Shape Generator::wider(const Shape& shape, std::size_t& axis) {
  std::vector<std::pair<Shape, std::size_t>> known;
  for (const Variable& x : variables_)
    for (std::size_t k = 0; k < x.shape.size(); ++k)
      if (without_axis(x.shape, k) == shape) known.emplace_back(x.shape, k);
  if (!known.empty() && draw_.chance(0.8)) {
    const auto& [found, at] = draw_.of(known);
    axis = at;
    return found;
  }
  axis = draw_.below(shape.size() + 1);
  return with_axis(shape, axis, random_size());
}

std::optional<Expr> Generator::reduction(const Shape& shape, int depth) {
  Shape from;
  std::string how;
  double n = 1;
  for (std::size_t k = 0; k < shape.size(); ++k) {  // keep=true where there is a size 1
    if (shape[k] != 1) continue;
    from = shape;
    from[k] = random_size();
    n = count({from[k]});
    how = fmt::format(", axis={}, keep=true", k);
  }
  if (from.empty()) {
    std::size_t axis = 0;
    from = wider(shape, axis);
    n = count({from[axis]});
    how =
        shape.empty() && draw_.chance(0.8)
            ? ""
            : fmt::format(", axis={}", draw_.chance(0.5) ? static_cast<int>(axis) : static_cast<int>(axis) - static_cast<int>(from.size()));
    if (from.size() < 3 && draw_.chance(0.25)) {  // two axes at once
      int more = random_size();
      n *= count({more});
      from = with_axis(from, 0, more);
      how = shape.empty() ? "" : fmt::format(", axis=[0, {}]", axis + 1);
    }
  }
  const Reduction& reduction = any_reduction(draw_, n);
  Expr x = expr(from, depth - 1);
  return Expr{fmt::format(fmt::runtime(reduction.format), x.text, how), reduction.bound(x.bound, n)};
}

std::optional<Expr> Generator::contraction(const Shape& shape, int depth) {
  const int k = random_size();
  auto product = [&](const Shape& a, const Shape& b) {
    Expr x = tamed(expr(a, depth - 1), 3), y = tamed(expr(b, depth - 1), 3);
    return Expr{fmt::format("{} @ {}", at(x, kProduct), at(y, kUnary)), count({k}) * x.bound * y.bound, kProduct};
  };
  switch (shape.size()) {
    case 0:
      if (draw_.chance(0.5)) return product({k}, {k});
      {
        Expr x = expr({k}, depth - 1), y = expr({k}, depth - 1);
        return Expr{fmt::format("dot({}, {})", x.text, y.text), count({k}) * x.bound * y.bound};
      }
    case 1:
      return draw_.chance(0.5) ? product({shape[0], k}, {k}) : product({k}, {k, shape[0]});
    case 2:
      if (draw_.chance(0.6)) return product({shape[0], k}, {k, shape[1]});
      {
        Expr x = expr({shape[0]}, depth - 1), y = expr({shape[1]}, depth - 1);
        return Expr{fmt::format("outer({}, {})", x.text, y.text), x.bound * y.bound};
      }
    default:
      if (shape.size() > 3) return std::nullopt;
      return draw_.chance(0.5) ? product({shape[0], shape[1], k}, {shape[0], k, shape[2]})
                               : product({shape[0], shape[1], k}, {k, shape[2]});
  }
}

// Windows of up to three elements, summed, or put back where they overlap.
std::optional<Expr> Generator::windows(const Shape& shape, int depth) {
  if (shape.empty() || shape.size() > 2 || is_generic(shape)) return std::nullopt;
  const std::size_t axis = draw_.below(shape.size());
  const int size = draw_.between(1, 3), stride = draw_.between(1, 2), dilation = draw_.between(1, 2), reach = dilation * (size - 1) + 1;
  const std::string slides = fmt::format("stride={}, dilation={}", stride, dilation);
  Shape from = shape;
  if (draw_.chance(0.5) && reach <= shape[axis]) {
    from[axis] = (shape[axis] - reach) / stride + 1;
    Expr y = tamed(expr(with_axis(from, from.size(), size), depth - 1), 3);
    return Expr{fmt::format("window_add({}, {}, {}, {})", y.text, axis, shape[axis], slides), y.bound * count({size})};
  }
  from[axis] = stride * (shape[axis] - 1) + reach;
  if (shape[axis] < 1 || from[axis] > 6) return std::nullopt;
  Expr x = tamed(expr(from, depth - 1), 3);
  return Expr{fmt::format("sum(window({}, {}, {}, {}), axis=-1)", x.text, axis, size, slides), x.bound * count({size})};
}

std::optional<Expr> Generator::movement(const Shape& shape, int depth) {
  const std::size_t rank = shape.size();
  auto wrapped = [&](const Shape& from, const char* before, const std::string& after) {
    Expr x = expr(from, depth - 1);
    return Expr{before + x.text + after, x.bound};
  };
  switch (draw_.below(11)) {
    case 0:
      if (rank != 2) return std::nullopt;
      {
        Expr x = expr({shape[1], shape[0]}, depth - 1);
        return Expr{at(x, kAtom) + ".T", x.bound};
      }
    case 1:
      if (rank != 3) return std::nullopt;
      return wrapped({shape[1], shape[2], shape[0]}, "transpose(", ", [2, 0, 1])");
    case 2: {  // a visible shape with as many elements
      if (is_generic(shape)) return std::nullopt;
      std::vector<Shape> alike;
      for (const Variable& x : variables_)
        if (x.shape != shape && !is_generic(x.shape) && count(x.shape) == count(shape)) alike.push_back(x.shape);
      if (alike.empty()) return std::nullopt;
      return wrapped(draw_.of(alike), "reshape(", fmt::format(", {})", shape_text(shape)));
    }
    case 3:
      for (std::size_t k = 0; k < rank; ++k)
        if (shape[k] == 1) return wrapped(without_axis(shape, k), "expand_dims(", fmt::format(", {})", k));
      if (rank > 2) return std::nullopt;
      return wrapped(with_axis(shape, rank, 1), "squeeze(", fmt::format(", {})", rank));
    case 4:
      if (rank == 0) return std::nullopt;
      return wrapped(without_axis(shape, 0), "broadcast_to(", fmt::format(", {})", shape_text(shape)));
    case 5:
      if (rank == 0 || shape[0] < 2) return std::nullopt;
      {
        std::size_t axis = rank > 1 && shape[1] >= 2 ? draw_.below(2) : 0;
        Shape left = shape, right = shape;
        left[axis] = draw_.between(1, shape[axis] - 1);
        right[axis] -= left[axis];
        Expr a = expr(left, depth - 1), b = expr(right, depth - 1);
        return Expr{fmt::format("concat([{}, {}], axis={})", a.text, b.text, axis), std::max(a.bound, b.bound)};
      }
    case 6:
      if (rank == 0) return std::nullopt;
      return wrapped(shape, "flip(", fmt::format(", {})", draw_.below(rank)));
    case 7:
      if (rank != 2) return std::nullopt;
      if (shape[0] == shape[1] && draw_.chance(0.5)) return wrapped({shape[0]}, "diag(", ")");
      return wrapped(shape, draw_.chance(0.5) ? "tril(" : "triu(", draw_.chance(0.5) ? ", k=-1)" : ")");
    case 8:
      if (rank == 0) return std::nullopt;
      return wrapped(shape, "roll(", fmt::format(", {}, {})", draw_.between(-3, 3), draw_.below(rank)));
    case 9:
      return windows(shape, depth);
    default:
      if (rank > 1) return std::nullopt;
      {
        int n = rank == 1 ? shape[0] : random_size();
        return wrapped({n, n}, rank == 1 ? "diag(" : "trace(", ")");
      }
  }
}

std::optional<Expr> Generator::along_axis(const Shape& shape, int depth) {
  if (shape.empty()) return std::nullopt;
  Expr x = expr(shape, depth - 1);
  std::size_t axis = draw_.below(shape.size());
  switch (has_elements(shape) ? draw_.below(4) : 0) {
    case 0:
      return Expr{fmt::format("cumsum({}, axis={})", x.text, axis), x.bound * count({shape[axis]})};
    case 1:
      return Expr{fmt::format("softmax({}, axis={})", x.text, axis), 1};
    case 2:
      return Expr{fmt::format("softmax({})", x.text), 1};
    default:
      return Expr{fmt::format("log_softmax({})", x.text), 2 * x.bound + 1.5};
  }
}

// `fold` and `scan` over the rows of a name; the twin says what they come to.
std::optional<Expr> Generator::folded_rows(const Shape& shape, int depth) {
  if (has_params_) return std::nullopt;
  const bool all = !shape.empty() && draw_.chance(0.6);
  const Shape state = all ? without_axis(shape, 0) : shape;
  Shape rows = state;
  rows.insert(rows.begin(), all ? shape[0] : draw_.of(sizes_));
  if (rows[0] < 1 || rows[0] > 4) return std::nullopt;
  const Variable* found = variable(rows);
  if (!found) return std::nullopt;
  const Variable xs = *found;
  use(xs);
  const Expr start = tamed(expr(state, depth - 1), 1.5), factor = number(-0.9, 0.9);
  static constexpr const char* kSteps[] = {"sin({0}) + {1}", "{2} * {0} + 0.5 * {1}", "0.5 * {0} * sin({1})"};
  const char* const step = draw_.of(kSteps);
  auto next = [&](const std::string& s, const std::string& x) {
    return fmt::format(fmt::runtime(step), "(" + s + ")", x, at(factor, kAtom));
  };
  std::string last = start.text, states;
  for (int i = 0; i < rows[0]; ++i) {
    last = next(last, fmt::format("{}[{}]", xs.name, i));
    states += (i == 0 ? "" : ", ") + last;
  }
  const std::string s = fresh("s"), x = fresh("x");
  const std::string script = fmt::format("{}(fn({}, {}) = {}, {}, {})", all ? "scan" : "fold", s, x, next(s, x), start.text, xs.name);
  return Expr{either(script, all ? "[" + states + "]" : "(" + last + ")"), xs.bound + 2};
}

std::optional<Expr> Generator::list(const Shape& shape, int depth) {
  if (shape.empty() || shape[0] < 1 || shape[0] > 3) return std::nullopt;
  Expr all{"[", 0};
  for (int i = 0; i < shape[0]; ++i) {
    Expr x = expr(without_axis(shape, 0), depth - 2);
    all.text += (i == 0 ? "" : ", ") + x.text;
    all.bound = std::max(all.bound, x.bound);
  }
  all.text += "]";
  return all;
}

// A range of `size` turns, binding an index in the scope.
std::string Generator::generator(int size, std::string_view name) {
  Index i{std::string(name), 0, size - 1, size, {}};
  std::string range = "0.." + size_text(size);
  if (size > 0 && draw_.chance(0.3)) {
    switch (draw_.below(3)) {
      case 0:
        i.lo = 1, i.hi = size;
        range = fmt::format("1..{}", size + 1);
        break;
      case 1:
        i.lo = 0, i.hi = size - 1;
        range = fmt::format("{}..-1 by -1", size - 1);
        break;
      default:
        i.lo = -1, i.hi = 2 * size - 3;
        range = fmt::format("-1..{} by 2", 2 * size - 1);
    }
    i.of = 0;
  }
  if (size < 0) i.hi = kFar;
  indices_.push_back(i);
  return fmt::format("{} in {}", name, range);
}

std::optional<Expr> Generator::comprehension(const Shape& shape, int depth) {
  if (shape.empty() || maps_ >= 2) return std::nullopt;
  std::size_t generators = shape.size() > 1 && draw_.chance(0.4) ? 2 : 1, outside = indices_.size();
  std::string ranges;
  for (std::size_t k = 0; k < generators; ++k) ranges += (k == 0 ? "" : ", ") + generator(shape[k], fresh("j"));
  ++maps_, ++inner_;
  Expr x = expr(Shape(shape.begin() + static_cast<std::ptrdiff_t>(generators), shape.end()), depth - 1);
  --maps_, --inner_;
  indices_.resize(outside);
  return Expr{fmt::format("[{} for {}]", x.text, ranges), x.bound};
}

std::optional<Expr> Generator::folded_comprehension(const Shape& shape, int depth) {
  if (maps_ >= 2) return std::nullopt;
  const std::size_t outside = indices_.size();
  const Reduction* reduction = &kReductions[1];
  double n = 4;
  std::string ranges;
  std::vector<Index> bounds;
  for (const Index& i : indices_)
    if (i.shape.empty() && i.hi < kFar) bounds.push_back(i);
  if (!bounds.empty() && draw_.chance(0.3)) {  // a length only known at run time: a sum
    const Index& to = draw_.of(bounds);
    std::string name = fresh("j");
    ranges = fmt::format("{} in 0..{}", name, to.name);
    indices_.push_back({name, 0, std::max(0, to.hi - 1), 0, {}});
  } else {
    const int size = draw_.chance(0.05) ? 0 : random_size();
    ranges = generator(size, fresh("j"));
    n = count({size});
    if (draw_.chance(0.2)) {
      int second = random_size();
      ranges += ", " + generator(second, fresh("j"));
      n *= count({second});
    }
    reduction = &any_reduction(draw_, n);
  }
  ++maps_, ++inner_;
  Expr x = expr(shape, depth - 1);
  --maps_, --inner_;
  indices_.resize(outside);
  return Expr{fmt::format(fmt::runtime(reduction->format), x.text, " for " + ranges), reduction->bound(x.bound, n)};
}

// Functions of the library: contractions by letters, rows by integers, layers and losses.
std::optional<Expr> Generator::library(const Shape& shape, int depth) {
  if (is_generic(shape) || !has_elements(shape) || shape.size() > 2 || maps_ > 1) return std::nullopt;
  auto some = [&](const Shape& of, double limit = 2) { return tamed(expr(of, depth - 1), limit); };
  const int n = draw_.of(sizes_), k = draw_.of(sizes_);
  if (shape.empty()) {
    switch (draw_.below(4)) {
      case 0:
        return Expr{fmt::format("mean(huber({}, {}))", some({n}).text, some({n}).text), 4};
      case 1:
        return Expr{fmt::format("mean(bce_with_logits({}, sigmoid({})))", some({n}).text, some({n}).text), 4};
      case 2:
        return Expr{fmt::format("norm({} + 2.7)", at(some({n}), kSum)), 5 * std::sqrt(n)};
      default:
        return Expr{fmt::format("einsum(\"ij,ij->\", {}, {})", some({n, k}).text, some({n, k}).text), 4.0 * n * k};
    }
  }
  const Shape row(shape.begin() + 1, shape.end());
  switch (draw_.below(5)) {
    case 0: {
      Shape last{shape.back()};
      return Expr{fmt::format("layer_norm({}, {}, {}, eps=0.2)", some(shape).text, some(last).text, some(last).text), 6};
    }
    case 1: {
      Expr x = expr(with_axis(row, 0, k), depth - 1);
      return Expr{fmt::format("embedding({}, {})", integer_tensor({shape[0]}, k), x.text), x.bound};
    }
    case 2: {
      Expr x = some(shape), v = some(with_axis(row, 0, n));
      return Expr{fmt::format("scatter_add({}, {}, {})", x.text, integer_tensor({n}, shape[0]), v.text), x.bound + n * v.bound};
    }
    case 3:
      if (shape.size() == 1) return Expr{fmt::format("einsum(\"ij,i->j\", {}, {})", some({n, shape[0]}).text, some({n}).text), 4.0 * n};
      return Expr{fmt::format("einsum(\"ij,kj->ik\", {}, {})", some({shape[0], n}).text, some({shape[1], n}).text), 4.0 * n};
    default: {
      const std::string i = fresh("j"), j = fresh("j");
      if (shape.size() == 1)
        return Expr{fmt::format("cross_entropy({}, [({} + {}) % {} for {} in 0..{}])", some({shape[0], k}).text, i, draw_.between(0, 3), k,
                                i, shape[0]),
                    6};
      const std::string index =
          fmt::format("[({} + {} * {}) % {} for {} in 0..{}, {} in 0..{}]", i, draw_.between(1, 2), j, k, i, shape[0], j, shape[1]);
      Expr x = expr({k, shape[1]}, depth - 1);
      return Expr{fmt::format("gather({}, {}, 0)", x.text, index), x.bound};
    }
  }
}

// Of matrices near the one, where nothing is singular: eye(n) + q M, with q so small that the diagonal is more than the rest of its row.
std::optional<Expr> Generator::linear_algebra(const Shape& shape, int depth) {
  const bool is_square = shape.size() == 2 && shape[0] == shape[1];
  if (is_generic(shape) || !has_elements(shape) || shape.size() > 2 || maps_ > 1) return std::nullopt;
  const int n = shape.empty() ? draw_.of(sizes_) : shape[0];
  if (is_square && draw_.chance(0.3)) {  // the gradient of cholesky is that by a symmetric matrix
    const std::string half = at(tamed(leaf(shape), 1), kAtom);
    return Expr{fmt::format("cholesky(eye({}) + {:.2g} * ({} + {}.T))", n, 0.4 / n, half, half), 2};
  }
  if (is_square && draw_.chance(0.5)) {  // eigenvalues and singular values stay apart
    static constexpr const char* kFactors[] = {"eigh_packed", "svd_packed", "qr_packed", "lu_packed"};
    const std::string half = at(tamed(leaf(shape), 1), kAtom);
    return Expr{
        fmt::format("{}(diag(1 + arange({})) + {:.2g} * ({} + {}.T))[1..{}]", kFactors[draw_.below(4)], n, 0.1 / n, half, half, n + 1),
        n + 1.0};
  }
  const Expr m = tamed(expr({n, n}, depth - 1), 1);
  const std::string matrix = fmt::format("eye({}) + {:.2g} * {}", n, 0.8 / n, at(m, kUnary));
  if (shape.empty()) return Expr{fmt::format("{}({})", draw_.chance(0.5) ? "det" : "logdet", matrix), std::pow(1.8, n)};
  if (is_square && draw_.chance(0.2)) return Expr{fmt::format("cofactors({})", matrix), std::pow(1.8, n)};
  const bool is_triangular = draw_.chance(0.5);
  std::string flags = draw_.chance(0.3) ? ", transposed=true" : "";
  if (is_triangular && draw_.chance(0.3)) flags += ", lower=false";
  const Expr b = expr(shape, depth - 1);
  return Expr{fmt::format("{}({}, {}{})", is_triangular ? "triangular_solve" : "solve", matrix, b.text, flags), 5 * b.bound};
}

}  // namespace bpc::test
