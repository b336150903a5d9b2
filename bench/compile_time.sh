#!/bin/sh
# How long a script of n statements and its gradient takes, stage by stage: it should grow linearly. Usage: bench/compile_time.sh [path of bpc]
set -e
cd "$(dirname "$0")/.."
bpc=${1:-build/release/tools/bpc/bpc}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for n in 500 1000 2000 4000; do
  awk -v n="$n" 'BEGIN { print "param w = 0.5\nx = 1.0"; for (i = 0; i < n; ++i) print "x = sin(x)*w + x"; print "loss J = x" }' > "$work/long.bp"
  printf '%s statements\n' "$n"
  "$bpc" run -v "$work/long.bp" 2>&1 > "$work/out"
done
