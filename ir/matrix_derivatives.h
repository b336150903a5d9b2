// The equations of linear algebra, apart from the table in derivatives.cpp because they are matrix calculus. Sources: Giles (2008),
// "Collected matrix derivative results for forward and reverse mode algorithmic differentiation", for the solves and determinants; Murray
// (2016), "Differentiation of the Cholesky decomposition", equation 10.
#pragma once

#include "ir/derivatives.h"
#include "ir/term.h"

namespace bpc::ir {

// nullopt: zero.
std::optional<Term> matrix_equation(const DifferentiatedOp& differentiated, std::size_t i);

}  // namespace bpc::ir
