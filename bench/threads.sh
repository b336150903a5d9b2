#!/bin/bash
# What a second thread gives: the time of value and gradient with two threads by that with one, the median of five rounds in turn.
# Nothing else should run on the machine. Usage: bench/threads.sh [path of bpc]
set -euo pipefail
cd "$(dirname "$0")/.."
bpc=${1:-build/release/tools/bpc/bpc}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat > "$work/convolution.bp" <<'END'
param x : [16, 32, 32, 32] = normal(0, 1, [16, 32, 32, 32])
param k : [64, 32, 3, 3] = 0.1 * normal(0, 1, [64, 32, 3, 3])
loss J = sum(conv2d(x, k, padding=1)^2)
END
cat > "$work/mlp.bp" <<'END'
const x = sin(reshape(arange(128 * 784), [128, 784]))
param W : [784, 512] = glorot()
param b : [512] = 0
param V : [512, 512] = glorot()
param c : [512] = 0
param U : [512, 10] = glorot()
loss J = mean((relu(relu(x @ W + b) @ V + c) @ U)^2)
END
cat > "$work/chain.bp" <<'END'
param x : [16_000_000] = uniform(0, 1, [16_000_000])
y = abs((x * 1.5 + 0.5)^2 - x) * 0.25
loss J = sum(sqrt(relu(y) + 1.0) / (x * x + 2.0))
END

seconds() { # script threads
  "$bpc" bench --json --threads "$2" "$1" | sed 's/.*"gradient":{"median":\([0-9.e+-]*\),.*/\1/'
}
for script in convolution mlp chain; do
  for _ in 1 2 3 4 5; do
    one=$(seconds "$work/$script.bp" 1)
    two=$(seconds "$work/$script.bp" 2)
    echo "$one $two"
  done | awk '{ print $2 / $1 }' | sort -g | awk -v name="$script" '{ r[NR] = $1 } END { printf "%-12s %.2f (%.2f to %.2f)\n", name, r[3], r[1], r[5] }'
done
