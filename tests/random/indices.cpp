#include <fmt/format.h>
#include <algorithm>

#include "tests/random/generator.h"

namespace bpc::test {

namespace {

int least(int size) {
  return size < 0 ? kLeastGeneric : size;
}

// Whether lo..hi are indices of an axis.
bool fits(int lo, int hi, int size) {
  return lo >= -least(size) && hi < least(size);
}

}  // namespace

bool Generator::may_index(int size) const {
  return size != 0 || std::any_of(indices_.begin(), indices_.end(), [](const Index& i) { return i.shape.empty() && fits(i.lo, i.hi, 0); });
}

std::string Generator::index(int size) {
  const int n = least(size);
  std::vector<std::string> texts;
  for (const Index& i : indices_) {
    if (!i.shape.empty()) {
      if (i.shape.size() == 1 && fits(i.lo, i.hi, size)) texts.push_back(fmt::format("{}[{}]", i.name, draw_.between(0, i.shape[0] - 1)));
      continue;
    }
    if (i.of == size || fits(i.lo, i.hi, size)) texts.push_back(i.name);
    if (size == 0) continue;
    if (i.of == size && size < 0) texts.push_back(fmt::format("{} - 1 - {}", dim_name(size), i.name));
    if (i.of == size || fits(-1 - i.hi, -1 - i.lo, size)) texts.push_back(fmt::format("-1 - {}", i.name));
    if (fits(i.lo + 1, i.hi + 1, size)) texts.push_back(fmt::format("{} + 1", i.name));
    if (i.of == size || fits(i.lo - 1, i.hi - 1, size)) texts.push_back(fmt::format("{} - 1", i.name));
    texts.push_back(fmt::format("({} + {}) % {}", i.name, draw_.between(0, 3), size < 0 ? dim_name(size) : std::to_string(size)));
  }
  if (!texts.empty() && (size == 0 || draw_.chance(0.75))) return draw_.of(texts);
  return std::to_string(draw_.between(-n, n - 1));
}

std::string Generator::integer_tensor(const Shape& shape, int size) {
  std::vector<std::string> texts;
  for (const Index& i : indices_)
    if (i.shape == shape && fits(i.lo, i.hi, size)) texts.push_back(i.name);
  if (!texts.empty()) return draw_.of(texts);
  if (shape.size() == 1 && shape[0] > 0 && size > 0 && maps_ < 2) {
    std::string i = fresh("j");
    return fmt::format("[({} * {} + {}) % {} for {} in 0..{}]", draw_.between(1, 3), i, draw_.between(0, 3), size, i, size_text(shape[0]));
  }
  return {};
}

// Part of a tensor: whole axes, single indices, ranges, and at most two tensors of indices, whose axes stand where the first does.
std::optional<Generator::Place> Generator::place(const Variable& x, bool by_tensors) {
  Place result;
  std::vector<std::string> items;
  Shape at;  // of the tensors of indices
  std::size_t tensors = 0, before = 0;
  const int gathered = draw_.between(1, 4);
  for (int size : x.shape) {
    const double dice = draw_.unit();
    if (dice < 0.3 || !may_index(size)) {
      items.push_back(":");
      result.shape.push_back(size);
    } else if (by_tensors && tensors < 2 && dice < 0.5) {
      Shape wanted = at.empty() ? Shape{gathered} : at;
      for (const Index& i : indices_)
        if (at.empty() && !i.shape.empty() && fits(i.lo, i.hi, size) && draw_.chance(0.6)) wanted = i.shape;
      std::string indices = integer_tensor(wanted, size);
      if (indices.empty()) return std::nullopt;
      if (tensors++ == 0) before = result.shape.size();
      at = wanted;
      items.push_back(indices);
    } else if (size < 1 || dice < 0.75) {
      items.push_back(index(size));
    } else {
      int lo = draw_.between(0, size - 1), hi = draw_.between(lo + 1, size), step = draw_.chance(0.3) ? 2 : 1;
      std::string by = step == 2 ? " by 2" : "";
      std::vector<const Index*> starts;
      for (const Index& i : indices_)
        if (i.shape.empty() && i.lo >= 0 && i.hi + (hi - lo) <= size) starts.push_back(&i);
      if (!starts.empty() && draw_.chance(0.6)) {
        const std::string& start = draw_.of(starts)->name;
        items.push_back(fmt::format("{}..{} + {}{}", start, start, hi - lo, by));
      } else if (draw_.chance(0.2)) {  // downwards
        items.push_back(hi == size && lo == 0 ? ".. by -1" : fmt::format("{}..{} by -1", hi - 1, lo));
        if (hi == size && lo == 0) lo = -1;
        result.shape.push_back(hi - 1 - lo);
        if (hi - 1 == lo) return std::nullopt;
        continue;
      } else if (hi == size && draw_.chance(0.5)) {
        items.push_back(fmt::format("{}..{}", draw_.chance(0.5) ? lo : lo - size, by));
      } else {
        items.push_back(fmt::format("{}..{}{}", lo == 0 && draw_.chance(0.5) ? "" : std::to_string(lo), hi, by));
      }
      result.shape.push_back((hi - lo + step - 1) / step);
    }
  }
  result.shape.insert(result.shape.begin() + static_cast<std::ptrdiff_t>(before), at.begin(), at.end());
  while (items.size() > 1 && items.back() == ":") items.pop_back();
  result.text = fmt::format("{}[{}]", x.name, fmt::join(items, ", "));
  return result;
}

std::optional<Expr> Generator::read(const Shape& shape, int) {
  for (int tries = 0; tries < 25; ++tries) {
    if (variables_.empty()) return std::nullopt;
    const Variable& x = variables_[std::max(draw_.below(variables_.size()), draw_.below(variables_.size()))];
    if (x.shape.empty() || x.shape.size() + 1 < shape.size()) continue;
    auto part = place(x, true);
    if (!part || part->shape != shape) continue;
    use(x);
    return Expr{part->text, x.bound};
  }
  return std::nullopt;
}

}  // namespace bpc::test
