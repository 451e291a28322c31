#!/usr/bin/env bash
# Builds dist/promote-<version>-<target>.tar.gz: the binary, the DuckDB library beside it, completions, manual and
# licences; and its .sha256. The same sources, toolchain and SOURCE_DATE_EPOCH give the same bytes.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo=${CARGO:-cargo}

version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
target=$(rustc -vV | sed -n 's/^host: //p')
name=promote-$version-$target
stage=dist/$name
built=${CARGO_TARGET_DIR:-target}/release/promote

"$cargo" build --locked --release --bin promote
rm -rf "$stage" "dist/$name.tar.gz" "dist/$name.tar.gz.sha256"
documents=$stage/share/doc/promote
mkdir -p "$stage/bin" "$stage/lib/promote" "$documents/third-party"
install -m 755 "$built" "$stage/bin/promote"
for library in target/duckdb/libduckdb.*; do install -m 644 "$library" "$stage/lib/promote/"; done

# What the shells and man look for, where they look for it. `install` copies the tree as it is.
completions() {
  mkdir -p "$stage/$2"
  "$built" completions "$1" >"$stage/$2/$3"
}
completions bash share/bash-completion/completions promote
completions zsh share/zsh/site-functions _promote
completions fish share/fish/vendor_completions.d promote.fish
if manual=$("$built" man 2>/dev/null) && [ -n "$manual" ]; then
  mkdir -p "$stage/share/man/man1"
  printf '%s\n' "$manual" >"$stage/share/man/man1/promote.1"
fi

for file in LICENSE-MIT LICENSE-APACHE README.md CHANGELOG.md; do
  if [ -f "$file" ]; then install -m 644 "$file" "$documents/"; fi
done

# Name, version and licence of every crate that is linked in, and the texts that they ask to be passed on.
sources=${CARGO_HOME:-$HOME/.cargo}/registry/src
{
  printf 'promote %s is linked with these; their texts are in third-party/.\n\n' "$version"
  printf 'libduckdb 1.5.6, a library of its own in lib/promote: MIT\n'
  printf 'libgit2, inside the binary: GPL-2.0-only WITH GCC-exception-2.0 (its linking exception)\n\n'
  "$cargo" tree --locked --edges normal --target "$target" --prefix none --format '{p}: {l} {r}' |
    sed -e 's/ (\*)$//' -e 's/ (proc-macro)//' | grep -v '^promote v' | LC_ALL=C sort -u
} >"$documents/THIRD-PARTY"
sed -n 's/^\([^ ]*\) v\([^ :]*\):.*/\1-\2/p' "$documents/THIRD-PARTY" | while read -r crate; do
  for file in "$sources"/*/"$crate"/{LICEN[CS]E*,COPYING*,NOTICE*} "$sources"/*/"$crate"/libgit2/COPYING; do
    [ -f "$file" ] || continue
    mkdir -p "$documents/third-party/$crate"
    install -m 644 "$file" "$documents/third-party/$crate/"
  done
done

epoch=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}
(
  cd dist
  tar --sort=name --format=gnu --mtime="@$epoch" --owner=0 --group=0 --numeric-owner --mode=u+rwX,go+rX,go-w \
    --create --file - "$name" | gzip -n -9 >"$name.tar.gz"
  sha256sum "$name.tar.gz" >"$name.tar.gz.sha256"
)
printf '%s\n' "$name" >dist/NAME
printf 'dist/%s.tar.gz\n' "$name"
cat "dist/$name.tar.gz.sha256"
