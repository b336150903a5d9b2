#include <algorithm>

#include "backend/plan/lower/elements.h"
#include "backend/plan/lower/groups.h"
#include "ir/shape_rules.h"

namespace bpc::plan {

void lower_contraction(Values& values, ir::OpId id) {
  const ir::Op& op = values.function.op(id);
  const ir::EinsumSpec spec = ir::parse_einsum(op.attrs.string(ir::Attr::spec)).value();
  const ir::ValueId a = op.operands[0], b = op.operands[1], y = op.results[0];
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
  if (space.size() > spec.out.size())
    kernel.reductions.push_back({Reduction::Kind::sum, product, Access{buffer, std::move(to)}, {}, false, true});
  else
    kernel.stores.push_back({product, {buffer, std::move(to)}, {}});
  values.push({std::move(kernel)});
  values.define_dense(y, buffer);
}

}  // namespace bpc::plan
