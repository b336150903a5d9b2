#include <algorithm>

#include "backend/plan/lower/elements.h"
#include "backend/plan/lower/groups.h"
#include "ir/shape_rules.h"

namespace bpc::plan {

namespace {

// Whether each element is one product: no letter is summed but of an axis of size 1.
bool is_one_product(const Values& values, const ir::Op& op, const ir::EinsumSpec& spec) {
  auto sums = [&](const std::string& names, ir::ValueId operand) {
    for (std::size_t i = 0; i < names.size(); ++i)
      if (spec.out.find(names[i]) == std::string::npos && values.type(operand).size(i) != 1) return true;
    return false;
  };
  return !sums(spec.a, op.operands[0]) && !sums(spec.b, op.operands[1]);
}

}  // namespace

RegisterId Elements::one_product(const ir::Op& op, std::span<const Affine> indices) {
  const ir::EinsumSpec spec = ir::parse_einsum(op.attrs.string(ir::Attr::spec)).value();
  const Element element = values_.type(op.results[0]).element;
  Compute product{scalar::Operator::mul, {}, 0, {}};
  bool sums = false;
  for (std::size_t i = 0; i < 2; ++i) {
    std::vector<Affine> own;
    for (char name : i == 0 ? spec.a : spec.b) {
      const std::size_t at = spec.out.find(name);
      sums |= at == std::string::npos;
      own.push_back(at == std::string::npos ? affine_constant(0, axes_) : indices[at]);
    }
    product.operands.push_back(this->element(op.operands[i], own));
  }
  const RegisterId made = emit(element, std::move(product));
  // A sum begins with 0, which a product of -0 is added to.
  return sums ? emit(element, Compute{scalar::Operator::add, {emit(element, Constant{}), made}, 0, {}}) : made;
}

void lower_contraction(Values& values, ir::OpId id) {
  const ir::Op& op = values.function.op(id);
  const ir::EinsumSpec spec = ir::parse_einsum(op.attrs.string(ir::Attr::spec)).value();
  const ir::ValueId a = op.operands[0], b = op.operands[1], y = op.results[0];
  if (values.is_tensor(y) && is_one_product(values, op, spec)) return values.lazy_or_stored(op);
  const Element element = values.type(y).element;
  // The letters of the result, outermost first, then those that are summed.
  std::string letters = spec.out;
  Sizes space = values.sizes(y);
  auto add_letters = [&](const std::string& names, ir::ValueId operand) {
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (letters.find(names[i]) != std::string::npos) continue;
      letters += names[i];
      space.push_back(values.type(operand).size(i));
    }
  };
  add_letters(spec.a, a);
  add_letters(spec.b, b);
  Kernel kernel;
  double products = 1;
  for (std::size_t i = 0; i < space.size(); ++i) {
    kernel.axes.push_back({space[i], i >= spec.out.size()});
    products *= static_cast<double>(space[i]);
  }
  Elements body(values, space.size(), kernel.body);
  auto factor = [&](ir::ValueId operand, const std::string& names) {
    std::vector<Affine> indices;
    for (char name : names) indices.push_back(affine_axis(letters.find(name), space.size()));
    // What is read again and again is made once.
    const bool in_memory = is_real(element) && products >= kFewProducts && !values.type(operand).is_scalar();
    if (!in_memory) return body.element(operand, indices);
    const Access from = values.view(operand);
    return body.emit(element, Load{{from.buffer, compose(from.at, indices, space.size())}});
  };
  const RegisterId left = factor(a, spec.a), right = factor(b, spec.b);
  RegisterId product = body.emit(element, Compute{scalar::Operator::mul, {left, right}});
  if (values.type(y).is_scalar()) {
    RegisterId result = values.add_register(element);
    kernel.reductions.push_back({Reduction::Kind::sum, product, result, {}, false, true});
    values.push({std::move(kernel)});
    return values.define(y, result);
  }
  BufferId buffer = values.add_buffer(y);
  Affine to = affine_constant(0, space.size());
  const Sizes strides = dense_strides(values.sizes(y));
  std::copy(strides.begin(), strides.end(), to.strides.begin());
  kernel.reductions.push_back({Reduction::Kind::sum, product, Access{buffer, std::move(to)}, {}, false, true});
  values.push({std::move(kernel)});
  values.define_dense(y, buffer);
}

}  // namespace bpc::plan
