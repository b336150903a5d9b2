// Values whose arithmetic emits ops, so that the equations of derivatives read as equations.
#pragma once

#include <initializer_list>

#include "ir/builder.h"
#include "ir/shape_rules.h"
#include "ir/static_facts.h"

namespace bpc::ir {

struct Term {
  Builder* builder;
  ValueId id;

  const Type& type() const { return builder->function().type(id); }
  // A scalar constant of this term's element type.
  Term number(double value) const { return {builder, builder->constant(value, Type(type().element))}; }
};

inline Term emit(Opcode code, std::initializer_list<Term> operands, Attributes attrs = {}) {
  std::vector<ValueId> ids;
  for (const Term& operand : operands) ids.push_back(operand.id);
  Builder* builder = operands.begin()->builder;
  return {builder, builder->emit(code, ids, std::move(attrs))};
}

inline Term operator-(Term a) {
  return emit(Opcode::neg, {a});
}
inline Term operator+(Term a, Term b) {
  return emit(Opcode::add, {a, b});
}
inline Term operator-(Term a, Term b) {
  return emit(Opcode::sub, {a, b});
}
inline Term operator*(Term a, Term b) {
  return emit(Opcode::mul, {a, b});
}
inline Term operator/(Term a, Term b) {
  return emit(Opcode::div, {a, b});
}
inline Term operator==(Term a, Term b) {
  return emit(Opcode::eq, {a, b});
}
inline Term operator>(Term a, Term b) {
  return emit(Opcode::gt, {a, b});
}
inline Term operator+(double a, Term b) {
  return b.number(a) + b;
}
inline Term operator-(double a, Term b) {
  return b.number(a) - b;
}
inline Term operator*(double a, Term b) {
  return b.number(a) * b;
}
inline Term operator/(double a, Term b) {
  return b.number(a) / b;
}
inline Term operator==(Term a, double b) {
  return a == a.number(b);
}
inline Term where(Term c, Term a, Term b) {
  return emit(Opcode::select, {c, a, b});
}
inline Term where(Term c, double a, Term b) {
  return where(c, b.number(a), b);
}
inline Term where(Term c, Term a, double b) {
  return where(c, a, a.number(b));
}

// zero * factor where a zero stays zero whatever the factor: only a factor that may be infinite or NaN pays for it.
Term strong_product(StaticFacts& facts, Term zero, Term factor);
// The einsum of both, likewise.
Term strong_contraction(StaticFacts& facts, const EinsumSpec& spec, Term zero, Term factor);

}  // namespace bpc::ir
