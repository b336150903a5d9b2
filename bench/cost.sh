#!/bin/sh
# What gradients cost, counted by the interpreter: the tables of docs/cost.md. Usage: bench/cost.sh [path of bpc]
# One operation is an elementwise result, a multiply-add, an element reduced, or an element pushed, popped or accumulated.
set -e
cd "$(dirname "$0")/.."
bpc=${1:-build/release/tools/bpc/bpc}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

count() { # script [flags]: operations of the value, of value and gradient, their ratio, peak bytes of both
  "$bpc" bench --count "$@" | awk '/^operations/ {v=$2; g=$3; r=$4} /^peak/ {pv=$3; pg=$4} END {printf "%s | %s | %s | %s | %s |\n", v, g, r, pv, pg}'
}
head() {
  printf '\n| %s | value | value + gradient | ratio | peak bytes, value | peak bytes, both |\n|---|---|---|---|---|---|\n' "$1"
}

head "examples"
for script in examples/*.bp; do
  grep -q '^loss' "$script" && printf '| `%s` | %s\n' "$(basename "$script")" "$(count "$script")"
done

head "params of a network, n -> n -> 1"
for n in 4 16 64 256; do
  cat > "$work/params.bp" <<END
param W : [$n, $n] = glorot()
param b : [$n] = 0.1
param v : [$n] = 0.5
const x = linspace(-1, 1, $n)
loss J = (tanh(x @ W + b) @ v - 1)^2
END
  printf '| n = %s | %s\n' "$n" "$(count "$work/params.bp")"
done

recurrent() {
  cat > "$work/turns.bp" <<END
param W : [16, 16] = 0.05
param b : [16] = 0.1
h = zeros([16])
for t in 0..$1 { h = tanh(W @ h + b) }
loss J = sum(h)
END
}
head "turns of a recurrent loop over a state of 16 f32"
for turns in 10 1000 10000 100000; do
  recurrent $turns
  printf '| T = %s | %s\n' "$turns" "$(count "$work/turns.bp" --checkpoint=none)"
done
head "the same with --checkpoint=all"
for turns in 1000 10000 100000; do
  recurrent $turns
  printf '| T = %s | %s\n' "$turns" "$(count "$work/turns.bp" --checkpoint=all)"
done

head "reading x[i] for each of n elements in a loop"
for n in 1000 10000 100000; do
  cat > "$work/reads.bp" <<END
param x : [$n] = 0.5
s = 0.0
for i in 0..$n { s += sin(x[i]) * x[i] }
loss J = s
END
  printf '| n = %s | %s\n' "$n" "$(count "$work/reads.bp")"
done

forward() { # what it is called, n, statements that make y of x: operations of y, of its jvp, of the sum of y, of its grad and hvp
  printf '| `%s`, n = %s |' "$1" "$2"
  for of in "y" "jvp(y, x, x)" "sum(y)" "grad(sum(y), x)" "hvp(sum(y), x, x)"; do
    printf 'param x : [%s] = 0.5\n%s\nloss J = sum(%s)\n' "$2" "$3" "$of" > "$work/forward.bp"
    "$bpc" bench --count "$work/forward.bp" | awk '/^operations/ {printf " %s |", $2}'
  done
  echo
}
printf '\n| derivatives of loops over n elements | value | jvp | sum | grad | hvp |\n|---|---|---|---|---|---|\n'
for n in 1000 4000 16000; do
  forward "y[i] = sin(x[i])*x[i]" $n "y = x
for i in 0..$n { y[i] = sin(x[i]) * x[i] }"
  forward "y[i] += y[i-1]*x[i]" $n "y = x
for i in 1..$n { y[i] += y[i-1] * x[i] }"
  forward "scatter_add" $n "y = x
const at = i32(arange(0, $n))
for i in 0..$n { y = scatter_add(y, at[i..i+1], x[i..i+1]^2) }"
done

checkpointed() { # what it is called, script: value and gradient with --checkpoint=none, then auto
  cat > "$work/checkpointed.bp"
  for how in none auto; do printf '| `%s`, %s | %s\n' "$1" $how "$(count "$work/checkpointed.bp" --checkpoint=$how)"; done
}
head "loops that write arrays in place, --checkpoint=none and auto"
checkpointed "h[t] = tanh(W @ h[t-1] + x[t])" <<END
param W : [8, 8] = 0.1
const x = linspace(-1, 1, 20000)
h = zeros([20000, 8])
for t in 1..20000 { h[t] = tanh(W @ h[t-1] + x[t]) }
loss J = sum(h[-1])
END
checkpointed "x[(k*7) % N] *= v[k]" <<END
param v : [20000] = 0.999
x = ones([5000])
for k in 0..20000 { x[(k*7) % 5000] *= v[k] }
loss J = sum(x)
END
checkpointed "soft DTW, 300 x 300" <<END
param a : [300] = sin(arange(0, 300))
const b = cos(arange(0, 300))
D = full([301, 301], 1e3)
D[0, 0] = 0
for i in 1..301 { for j in 1..301 {
  m = min(min(D[i-1, j], D[i, j-1]), D[i-1, j-1])
  s = exp(m - D[i-1, j]) + exp(m - D[i, j-1]) + exp(m - D[i-1, j-1])
  D[i, j] = (a[i-1] - b[j-1])^2 + m - log(s)
} }
loss J = D[300, 300]
END

operations() { # n, expression of y(x): operations of the sum of its elements
  printf 'param x : [%s] = 0.5\ny = sum(tanh(x * x) * sin(x)) + prod(x)\nloss J = sum(%s)\n' "$1" "$2" > "$work/form.bp"
  "$bpc" bench --count "$work/form.bp" | awk '/^operations/ {print $2}'
}
printf '\n| derivatives by n variables | value | grad | hvp | hessian | hessian over n hvps |\n|---|---|---|---|---|---|\n'
for n in 4 16 64; do
  hvp=$(operations $n "hvp(y, x, x)") hessian=$(operations $n "hessian(y, x)")
  printf '| n = %s | %s | %s | %s | %s | %s |\n' $n "$(operations $n y)" "$(operations $n "grad(y, x)")" "$hvp" "$hessian" \
    "$(awk "BEGIN { printf \"%.2f\", $hessian / ($n * $hvp) }")"
done

head "functions of the library, of 64 rows of 100"
library() { # what it is called, an expression of x
  printf 'param x : [64, 100] = normal(0, 1)\nconst t = sin(arange(0, 100))\nconst labels = i32(arange(0, 64))\nloss J = sum(%s)\n' "$2" > "$work/library.bp"
  printf '| `%s` | %s\n' "$1" "$(count "$work/library.bp")"
}
library "softmax" "softmax(x) * t"
library "log_softmax" "log_softmax(x) * t"
library "cross_entropy" "cross_entropy(x, labels)"
library "layer_norm" "layer_norm(x, t, t) * t"
library "var" "var(x, axis=1)"
library "norm" "norm(x, axis=1)"

head "attention in n layers, T = 128 vectors of 8"
for layers in 1 4 8; do
  {
    printf 'param x : [128, 8] = normal(0, 1)\nh = x\n'
    for _ in $(seq $layers); do printf 'h = attention(h, h, h)\n'; done
    printf 'loss J = sum(h * h)\n'
  } > "$work/attention.bp"
  printf '| n = %s | %s\n' "$layers" "$(count "$work/attention.bp")"
done
