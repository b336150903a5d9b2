#include "ir/term.h"

namespace bpc::ir {

namespace {

// The letters of an einsum, written out as stretched products: for the rare contraction that needs strong zeros.
Term aligned(Term x, const std::string& letters, const std::string& all) {
  std::vector<std::int64_t> perm;
  std::vector<Dim> dims;
  for (char letter : all) {
    std::size_t at = letters.find(letter);
    if (at != std::string::npos) perm.push_back(static_cast<std::int64_t>(at));
    dims.push_back(at == std::string::npos ? Dim{1, {}} : x.type().dims[at]);
  }
  return {x.builder, x.builder->reshape(x.builder->transpose(x.id, perm), dims)};
}

}  // namespace

Term strong_product(StaticFacts& facts, Term zero, Term factor) {
  if (auto number = constant_value(zero.builder->function(), zero.id); number && *number != 0) return zero * factor;
  facts.update();
  return facts.may_be_nonfinite(factor.id) ? emit(Opcode::strong_mul, {zero, factor}) : zero * factor;
}

Term strong_contraction(StaticFacts& facts, const EinsumSpec& spec, Term zero, Term factor) {
  facts.update();
  if (!facts.may_be_nonfinite(factor.id)) return emit(Opcode::einsum, {zero, factor}, {{Attr::spec, einsum_text(spec)}});
  std::string all = spec.out;
  for (char letter : spec.a + spec.b)
    if (all.find(letter) == std::string::npos) all += letter;
  std::vector<Dim> dims(all.size());
  Term aligned_zero = aligned(zero, spec.a, all), aligned_factor = aligned(factor, spec.b, all);
  for (std::size_t k = 0; k < all.size(); ++k)
    dims[k] = aligned_zero.type().dims[k].size != 1 ? aligned_zero.type().dims[k] : aligned_factor.type().dims[k];
  Term stretched{zero.builder, zero.builder->broadcast(aligned_zero.id, dims)};
  std::vector<std::int64_t> axes;
  for (std::size_t k = spec.out.size(); k < all.size(); ++k) axes.push_back(static_cast<std::int64_t>(k));
  return {zero.builder, zero.builder->reduce(Opcode::reduce_sum, strong_product(facts, stretched, aligned_factor).id, axes, false)};
}

}  // namespace bpc::ir
