#!/usr/bin/env bash
# Finds or fetches the prebuilt DuckDB library and puts it into target/duckdb, where .cargo/config.toml points.
# Order: the library that is there already, DUCKDB_LIB_DIR, the npm package, the same package by another client.
set -euo pipefail
version=1.5.6
package_version=1.5.6-r.1
cd "$(dirname "$0")/.."
into=target/duckdb
stamp=$into/VERSION

say() { printf 'duckdb: %s\n' "$*" >&2; }
fail() {
  say "$1"
  say "hint: install npm (Debian: apt-get install npm), or set DUCKDB_LIB_DIR to a folder with libduckdb $version,"
  say "      or compile it in: cargo build --features bundled (half an hour on two cores)"
  exit 1
}

if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$version" ] && ls "$into"/libduckdb.* >/dev/null 2>&1; then
  exit 0
fi

case "$(uname -s)-$(uname -m)" in
  Linux-x86_64) platform=linux-x64 library=libduckdb.so ;;
  Linux-aarch64 | Linux-arm64) platform=linux-arm64 library=libduckdb.so ;;
  Darwin-arm64) platform=darwin-arm64 library=libduckdb.dylib ;;
  Darwin-x86_64) platform=darwin-x64 library=libduckdb.dylib ;;
  *) fail "no prebuilt library for $(uname -s) $(uname -m)" ;;
esac

mkdir -p "$into"
if [ -n "${DUCKDB_LIB_DIR:-}" ] && [ -f "$DUCKDB_LIB_DIR/$library" ]; then
  if [ ! "$DUCKDB_LIB_DIR/$library" -ef "$into/$library" ]; then
    say "using $library of DUCKDB_LIB_DIR"
    cp -L "$DUCKDB_LIB_DIR/$library" "$into/$library"
  fi
  printf '%s' "$version" >"$stamp"
  exit 0
fi

package="@duckdb/node-bindings-$platform@$package_version"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
say "fetching $package"
if command -v npm >/dev/null 2>&1; then
  (cd "$scratch" && npm pack --silent "$package" >/dev/null) || fail "npm could not fetch $package"
elif command -v pnpm >/dev/null 2>&1; then
  (cd "$scratch" && pnpm pack --silent "$package" >/dev/null) || fail "pnpm could not fetch $package"
elif command -v yarn >/dev/null 2>&1; then
  (cd "$scratch" && printf '{}' >package.json && yarn add --silent --ignore-scripts "$package" >/dev/null) ||
    fail "yarn could not fetch $package"
else
  fail "no npm, pnpm or yarn here to fetch $package"
fi
for tarball in "$scratch"/*.tgz; do [ -f "$tarball" ] && tar -xzf "$tarball" -C "$scratch"; done
found=$(find "$scratch" -name "$library" -type f | head -n 1)
[ -n "$found" ] || fail "$package holds no $library"
cp "$found" "$into/$library.part"
mv "$into/$library.part" "$into/$library"
printf '%s' "$version" >"$stamp"
say "$library $version is in $into"
