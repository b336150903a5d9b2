#!/usr/bin/env bash
# Installs what is missing, builds bpc, and runs it: `./bpc.sh examples/tutorial.bp` or `./bpc.sh COMMAND …`.
set -euo pipefail
root=$(cd "$(dirname "$0")" && pwd)
"$root/build.sh"
case "${1-}" in
  *.bp) set -- run "$@" ;;
esac
exec "$root/build/release/tools/bpc/bpc" "$@"
