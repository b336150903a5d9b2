// Declarations: import, dim, const, input, param, loss, seed and fn.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "frontend/lower/context.h"

namespace bpc::frontend::lowering {

// Lowers the top level of a file in its own frame: its functions are bound first, so that they may call each other in any order. Of an
// imported file only dims, consts, functions and its own imports count.
void lower_file(Context& c, std::size_t index);
void import(Context& c, const ImportStmt& s);
// E0205 when it is not a compile-time integer.
void declare_seed(Context& c, const SeedStmt& s);
void declare_dim(Context& c, const DimStmt& s);
void declare_const(Context& c, const ConstStmt& s);
void declare_input(Context& c, const InputStmt& s, Span span);
void declare_param(Context& c, const ParamStmt& s, Span span);
void declare_loss(Context& c, const LossStmt& s, Span span);

// `"data/iris.csv"["label"]` as a script writes it, the path resolved against the script's folder; and that path alone.
std::string resolved_path(const SourceMap& sources, FileId script, const std::string& path);
std::string canonical_source(const SourceMap& sources, const Ast& ast, const FromClause& from);

}  // namespace bpc::frontend::lowering
