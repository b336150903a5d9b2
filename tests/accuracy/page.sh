#!/bin/sh
# Prints docs/accuracy.md. Usage: tests/accuracy/page.sh BUILD_FOLDER PYTHON   (a Python that has torch, numpy and mpmath)
set -e
cd "$(dirname "$0")/../.."
cat <<'END'
# Accuracy

Made by `tests/accuracy/page.sh`.

## Elementwise functions

The largest error found, in units in the last place of the correctly rounded value, and the most that `tests/accuracy` lets pass, interpreted and compiled
alike. The arguments cover the whole range of each function: subnormals, the neighbours of special places, huge values (trigonometric functions of
1e308 included), infinities, NaN and signed zeros, which must come out exactly. The reference is mpmath at 2,400 bits
(`tests/accuracy/make_reference.py`). Of f32, exp, log, sin, cos, tanh, erf and sigmoid are
computed in f32 (`tests/accuracy/narrow_test.cpp` has tried every number), the others in f64 and rounded
once; `+ - * /` and `sqrt` are correctly rounded, as IEEE 754 has them.

`lgamma` has roots on the negative axis, and Bessel functions have roots: there the error is that of an absolute value of 1. `bessel_j` and `bessel_i` are of order 0. `digamma` is `lgamma`'s derivative, for positive arguments.

| function | points f64 | f64 | at most | points f32 | f32 | at most |
|---|---|---|---|---|---|---|
END
BPC_ACCURACY_TABLE=1 "$1/tests/test_accuracy" | grep '^|'
cat <<'END'

## Every operator and library function, against PyTorch

The largest difference of the value, and of the gradient by every real operand, over random shapes, attributes and values
(`tests/accuracy/compare_with_pytorch.py`): |a - b| / max(1, |b|).

END
"$2" tests/accuracy/compare_with_pytorch.py "$1/tools/bpc/bpc"
cat <<'END'

## Incomplete gamma and beta functions, against mpmath

The largest relative error of value and derivatives, at 60 arguments around where the distribution lies (`tests/accuracy/compare_with_mpmath.py`). Where
a derivative is near a root, fewer digits are left. Where `gammaincc` is small because a is, and not because x is large, it is 1 - P(a, x), with the
absolute error of that. In f32 all of it is computed in f32: `gammainc` to 6e-7, `betainc` to 4e-6, absolute, for parameters up to 100.

END
"$2" tests/accuracy/compare_with_mpmath.py "$1/tools/bpc/bpc"
