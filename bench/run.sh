#!/bin/sh
# Times bpc beside the other tools that are installed: bench/run.sh [PATTERN…]; see bench/README.md.
set -e
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
if ! "$python" -c 'import numpy' 2> /dev/null; then
  echo "bench/run.sh: $python has no NumPy; say PYTHON=…, see bench/README.md" >&2
  exit 2
fi
exec "$python" bench/compare "$@"
