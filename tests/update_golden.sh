#!/usr/bin/env bash
# Writes every golden file anew (tests/golden, tests/errors, tests/explain, tests/run/*.out, explanations in docs) from what bpc does now. Review the result with `git diff`.
set -euo pipefail
build=${1:-$(dirname "$0")/../build/release}
BPC_UPDATE_GOLDEN=1 "$build/tests/test_golden" > /dev/null
BPC_UPDATE_GOLDEN=1 "$build/tests/test_passes" > /dev/null
BPC_UPDATE_GOLDEN=1 "$build/tests/test_scripts" "printed text is as recorded" > /dev/null
BPC_UPDATE_GOLDEN=1 "$build/tests/test_docs" "explanations on the pages are what bpc prints" > /dev/null
cmake --build "$build" --target update_docs > /dev/null
"$build/tools/bpc/bpc" rules --markdown > "$(dirname "$0")/../docs/operators.md"
