#!/usr/bin/env bash
# A row added to ir/ops.def must not compile before it has a derivative and its kernels. Usage: new_row.sh COMPILER SOURCE_DIR LLVM_INCLUDE_DIR
set -euo pipefail
compiler=$1 source=$2 llvm=$3
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
mkdir "$copy/ir"
{ cat "$source/ir/ops.def"; echo 'BPC_OP(brand_new, "brand_new", 1, 1, pointwise, real, elementwise, none, "x", "nothing handles it", "brand_new(1)")'; } > "$copy/ir/ops.def"
for file in ir/derivatives.cpp backend/interpreter/evaluate.cpp backend/llvm/scalar.cpp; do
  # The copy of the table is found first.
  if said=$("$compiler" -std=c++20 -Werror=switch -fsyntax-only -include "$source/support/pch.h" -I"$copy" -I"$source" -isystem "$llvm" "$source/$file" 2>&1); then
    echo "$file compiles with a new operator that it does not handle"
    exit 1
  fi
  grep -q "brand_new.*not handled in switch" <<< "$said" || { echo "$file fails for another reason: $said"; exit 1; }
done
