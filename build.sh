#!/usr/bin/env bash
# Installs the Debian packages that are missing and builds bpc (or the targets named) in build/release. All it says goes to standard error.
set -euo pipefail
cd "$(dirname "$0")"
exec 1>&2

missing=()
for package in $(cat packages.txt); do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
if ((${#missing[@]})); then
  echo "installing ${missing[*]}"
  root=()
  [ "$(id -u)" = 0 ] || root=(sudo)
  "${root[@]}" apt-get update -qq
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
fi

[ -f build/release/build.ninja ] || cmake --preset release > /dev/null
[ -x build/release/tools/bpc/bpc ] || echo "building; the first time takes some minutes"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
targets=("${@:-bpc}")
if [ -t 2 ]; then
  cmake --build build/release --target "${targets[@]}"
elif ! cmake --build build/release --target "${targets[@]}" >"$log" 2>&1; then
  tail -n 60 "$log"
  exit 1
fi
