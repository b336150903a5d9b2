#!/usr/bin/env bash
# Installs what is missing, builds everything, and runs all tests.
set -euo pipefail
cd "$(dirname "$0")"
./build.sh all
exec ctest --test-dir build/release --output-on-failure -j "$(nproc)" "$@"
