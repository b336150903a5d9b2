#!/usr/bin/env bash
# A row added to the operator table must not compile before everything that it asks for is there. Usage: new_row.sh COMPILER SOURCE_DIR LLVM_INCLUDE_DIR
set -euo pipefail
compiler=$1 source=$2 llvm=$3
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
mkdir "$copy/ir" "$copy/scalar"
words='("x"), "nothing handles it", "brand_new(1)")'

# Says no to a file that compiles with the new row; the copies of the tables are found first. Usage: refuses FILE… : each for want of brand_new
refuses() {
  for file in "$@"; do
    if said=$("$compiler" -std=c++20 -Werror=switch -fsyntax-only -include "$source/support/pch.h" -I"$copy" -I"$source" -isystem "$llvm" "$source/$file" 2>&1); then
      echo "$file compiles with a new operator that it does not handle"
      exit 1
    fi
    grep -Eq "brand_new.*(not handled in switch|is not a member of)" <<< "$said" || { echo "$file fails for another reason: $said"; exit 1; }
  done
}

for code in emit call elementary narrow; do
  sed "s/^#undef/BPC_SCALAR(brand_new, \"brand_new\", 1, pointwise, real, equation, none, $code, $words\n&/" "$source/scalar/operators.def" > "$copy/scalar/operators.def"
  case $code in
    emit) refuses scalar/apply.cpp ir/derivatives.cpp backend/llvm/scalar.cpp tests/gradient/cases.cpp ;;
    call) refuses scalar/apply.cpp runtime/c_abi.cpp ;;
    elementary | narrow) refuses scalar/elementary.cpp backend/llvm/elementary.cpp ;;
  esac
done
rm "$copy/scalar/operators.def"
sed "s/^#undef/BPC_LIBRARY(brand_new, \"brand_new\", 1, square, real, equation, none, $words\n&/" "$source/scalar/library.def" > "$copy/scalar/library.def"
refuses ir/matrix_derivatives.cpp
rm "$copy/scalar/library.def"
{ cat "$source/ir/ops.def"; echo "BPC_OP(brand_new, \"brand_new\", 1, 1, pointwise, real, movement, equation, none, $words"; } > "$copy/ir/ops.def"
refuses ir/derivatives.cpp backend/interpreter/evaluate.cpp
