#!/bin/sh
# Times bpc beside the other tools that are installed: bench/run.sh [PATTERN…]; see bench/README.md.
set -e
cd "$(dirname "$0")/.."
exec "${PYTHON:-python3}" bench/compare "$@"
