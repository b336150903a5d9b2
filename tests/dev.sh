#!/usr/bin/env bash
# Runs the parts and the scripts with all that can be verified: asserts, and the IR and the plan after each of their passes (preset `dev`).
set -euo pipefail
cd "$(dirname "$0")/.."
[ -f build/dev/build.ninja ] || cmake --preset dev > /dev/null
cmake --build build/dev --target unit_tests test_scripts test_passes
exec ctest --test-dir build/dev --output-on-failure -j "$(nproc)" -R '^(support|scalar|ir|frontend|runtime|interpreter|plan|llvm|tool|passes|scripts):|^script: '
