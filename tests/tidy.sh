#!/usr/bin/env bash
# Runs clang-tidy (package clang-tidy-19) on the .cpp files that differ from BASE, by default where main was before this branch, or on those
# named. Usage: tests/tidy.sh [BASE | FILE.cpp …]
set -euo pipefail
cd "$(dirname "$0")/.."
if [[ ${1:-} == *.cpp ]]; then
  files=("$@")
else
  mapfile -t files < <(git diff --name-only --diff-filter=d "$(git merge-base "${1:-origin/main}" HEAD)" -- '*.cpp')
fi
((${#files[@]})) || { echo "no file has changed"; exit 0; }
[ -f build/release/build.ninja ] || cmake --preset release > /dev/null
mkdir -p build/tidy
# As the compiler is called, but for what clang does not know.
cmake -S . -B build/release -DCMAKE_EXPORT_COMPILE_COMMANDS=ON > /dev/null
sed 's/ -fpch-preprocess//g; s/ -Winvalid-pch//g' build/release/compile_commands.json > build/tidy/compile_commands.json
printf '%s\0' "${files[@]}" | xargs -0 -n 1 -P "$(nproc)" clang-tidy-19 -p build/tidy --quiet --warnings-as-errors='*'
