// einsum of two operands as a contraction over outer…, m, n, k, or as a fused reduction when it is small or thin.
#include "backend/plan/planner.h"
#include "ir/shape_rules.h"

namespace bpc::plan {

namespace {

// A letter of the spec: its size and the stride of each operand along it (0 where it is absent).
struct Letter {
  char name;
  std::int64_t size;
  std::int64_t a, b, c;
  bool in_a, in_b, in_c;
};

// Merges letters that each operand walks as one axis.
std::vector<Letter> merged(std::vector<Letter> letters) {
  std::erase_if(letters, [](const Letter& letter) { return letter.size == 1; });
  for (std::size_t i = letters.size(); i-- > 1;) {
    Letter &outer = letters[i - 1], &inner = letters[i];
    if (outer.a != inner.a * inner.size || outer.b != inner.b * inner.size || outer.c != inner.c * inner.size) continue;
    inner.size *= outer.size;
    letters.erase(letters.begin() + static_cast<std::ptrdiff_t>(i - 1));
  }
  return letters;
}

constexpr double kFewProducts = 4096;

// Worth a packed panel and a register tile: enough of every axis.
bool is_large(std::int64_t m, std::int64_t n, std::int64_t k) {
  return m >= 4 && n >= 4 && k >= 4 && static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k) >= kFewProducts;
}

}  // namespace

void Planner::einsum(const ir::Op& op) {
  ir::EinsumSpec spec = ir::parse_einsum(op.attrs.string(ir::Attr::spec)).value();
  ir::ValueId y = op.results[0];
  Element element = type(y).element;
  double products = static_cast<double>(type(y).count());
  for (std::size_t i = 0; i < spec.a.size(); ++i)
    if (!(spec.out.find(spec.a[i]) != std::string::npos)) products *= static_cast<double>(type(op.operands[0]).size(i));
  bool many = is_real(element) && products >= kFewProducts;
  auto operand = [&](ir::ValueId id) { return many && !type(id).is_scalar() ? view(id) : Access{{}, dense(sizes(id))}; };
  Access a = operand(op.operands[0]), b = operand(op.operands[1]);
  std::vector<Letter> letters;
  auto letter = [&](char name, std::int64_t size) -> Letter& {
    for (Letter& known : letters)
      if (known.name == name) return known;
    return letters.emplace_back(Letter{name, size, 0, 0, 0, false, false, false});
  };
  Sizes strides = dense_strides(sizes(y));
  for (std::size_t i = 0; i < spec.out.size(); ++i) {
    Letter& known = letter(spec.out[i], type(y).size(i));
    known.c = strides[i];
    known.in_c = true;
  }
  for (std::size_t i = 0; i < spec.a.size(); ++i) {
    Letter& known = letter(spec.a[i], type(op.operands[0]).size(i));
    known.a = a.at.strides[i];
    known.in_a = true;
  }
  for (std::size_t i = 0; i < spec.b.size(); ++i) {
    Letter& known = letter(spec.b[i], type(op.operands[1]).size(i));
    known.b = b.at.strides[i];
    known.in_b = true;
  }

  std::vector<Letter> outer, m, n, k;
  for (const Letter& item : letters) (!item.in_c ? k : item.in_a && item.in_b ? outer : item.in_a ? m : n).push_back(item);
  m = merged(m);
  n = merged(n);
  k = merged(k);
  // The register tile lies along the axis that the result is contiguous in.
  if (!m.empty() && m.back().c == 1) {
    std::swap(m, n);
    std::swap(a, b);
    for (auto* group : {&outer, &m, &n, &k})
      for (Letter& item : *group) std::swap(item.a, item.b);
  }
  auto last = [](const std::vector<Letter>& group) { return group.empty() ? 1 : group.back().size; };
  if (many && k.size() == 1 && is_large(last(m), last(n), last(k))) {
    Contraction step;
    step.m = last(m);
    step.n = last(n);
    step.k = last(k);
    std::vector<Letter> order = outer;
    order.insert(order.end(), m.begin(), m.end() - 1);
    order.insert(order.end(), n.begin(), n.end() - 1);
    order = merged(order);
    for (const Letter& item : order) step.outer.push_back(item.size);
    order.insert(order.end(), {m.back(), n.back(), k.back()});
    BufferId buffer = add_buffer(type(y), function_.value(y).name);
    Affine at_a = a.at, at_b = b.at, at_c;
    at_a.strides.clear();
    at_b.strides.clear();
    for (const Letter& item : order) {
      at_a.strides.push_back(item.a);
      at_b.strides.push_back(item.b);
      at_c.strides.push_back(item.c);
    }
    step.a = {a.buffer, std::move(at_a)};
    step.b = {b.buffer, std::move(at_b)};
    step.c = {buffer, std::move(at_c)};
    step.panel = element == Element::f32 ? 16 : 8;
    step.scratch = add_buffer(Type::of_sizes(element, {step.k, step.panel}), "panel");
    push({std::move(step)});
    place(buffer);
    return define_dense(y, buffer);
  }

  // Few elements, or integers: a product folded by an ordinary kernel.
  Kernel kernel;
  Sizes space;
  for (const Letter& item : letters) {
    kernel.axes.push_back({item.size, !item.in_c});
    space.push_back(item.size);
  }
  BodyBuilder body(*this, space.size(), kernel.body);
  auto indices = [&](const std::string& names) {
    std::vector<Affine> result;
    for (char name : names)
      for (std::size_t i = 0; i < letters.size(); ++i)
        if (letters[i].name == name) result.push_back(affine_axis(i, space.size()));
    return result;
  };
  RegisterId left = body.element(op.operands[0], indices(spec.a)), right = body.element(op.operands[1], indices(spec.b));
  RegisterId product = body.emit(element, Compute{scalar::Operator::mul, {left, right}, 0, UINT32_MAX});
  Affine to = affine_constant(0, space.size());
  for (std::size_t i = 0; i < letters.size(); ++i) to.strides[i] = letters[i].c;
  bool scalar_result = type(y).is_scalar();
  if (scalar_result) {
    RegisterId result = add_register(element);
    kernel.reductions.push_back({Reduction::Kind::sum, product, result, {}, {}, false});
    define(y, result);
  } else {
    BufferId buffer = add_buffer(type(y), function_.value(y).name);
    define_dense(y, buffer);
    bool folds = std::any_of(letters.begin(), letters.end(), [](const Letter& item) { return !item.in_c; });
    if (folds)
      kernel.reductions.push_back({Reduction::Kind::sum, product, {}, {buffer, std::move(to)}, {}, false});
    else
      kernel.stores.push_back({product, {buffer, std::move(to)}, {}});
  }
  add_kernel(std::move(kernel), true);
}

}  // namespace bpc::plan
