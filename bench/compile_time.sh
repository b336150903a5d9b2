#!/bin/sh
# How long scripts of growing length and their gradients take, stage by stage: each should grow linearly. Usage:
# bench/compile_time.sh [path of bpc]
set -e
cd "$(dirname "$0")/.."
bpc=${1:-build/release/tools/bpc/bpc}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# What is measured, the command, the sizes; the script of size n on standard output of the awk program.
measure() {
  for n in $3; do
    awk -v n="$n" "$4" > "$work/long.bp"
    printf '%s %s\n' "$n" "$1"
    "$bpc" "$2" -v "$work/long.bp" 2>&1 > "$work/out"
  done
}

measure statements run "500 1000 2000 4000" \
  'BEGIN { print "param w = 0.5\nx = 1.0"; for (i = 0; i < n; ++i) print "x = sin(x)*w + x"; print "loss J = x" }'
measure params run "1000 2000 4000 8000" \
  'BEGIN { print "x = 0"; for (i = 0; i < n; ++i) print "param p" i " = " i % 7 ".5\nx += sin(p" i ")^2"; print "loss J = x" }'
measure names check "10000 20000 40000" \
  'BEGIN { print "a0 = 1"; for (i = 1; i < n; ++i) print "a" i " = a" i - 1 " + 1" }'
