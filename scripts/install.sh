#!/usr/bin/env bash
# Copies what `make dist` built below a prefix: bin/promote finds its library in ../lib/promote.
set -euo pipefail
prefix=${1:?usage: scripts/install.sh PREFIX}
cd "$(dirname "$0")/.."
name=$(cat dist/NAME)
mkdir -p "$prefix"
for folder in bin lib share; do
  (cd "dist/$name" && find "$folder" -type f) | while read -r file; do
    mode=644
    [ "$folder" = bin ] && mode=755
    mkdir -p "$prefix/$(dirname "$file")"
    install -m "$mode" "dist/$name/$file" "$prefix/$file"
  done
done
printf 'installed %s\n' "$prefix/bin/promote"
