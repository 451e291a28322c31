#!/usr/bin/env bash
# Finds what a build needs. On Debian, as root or with sudo, it installs what is missing; elsewhere it says so.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'prepare: %s\n' "$*" >&2; }
have() { command -v "$1" >/dev/null 2>&1; }
# Whether version $1 is at least $2.
at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

packages=()
missing=()
# need COMMAND PACKAGE: the command is needed, and that Debian package has it.
need() {
  have "$1" && return
  missing+=("$1")
  packages+=("$2")
}
need cc gcc
need git git
need make make
have cc && ! printf '#include <stdlib.h>\n' | cc -E - >/dev/null 2>&1 && missing+=("libc headers") && packages+=(libc6-dev)
if ! have cc; then packages+=(libc6-dev); fi

duckdb_is_here() {
  { [ -f target/duckdb/VERSION ] && ls target/duckdb/libduckdb.* >/dev/null 2>&1; } ||
    ls "${DUCKDB_LIB_DIR:-/nowhere}"/libduckdb.* >/dev/null 2>&1
}
if ! duckdb_is_here && ! have pnpm && ! have yarn; then need npm npm; fi

# The tests start a private server; without its programs they are skipped.
server_is_here() { have initdb || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; }
may_install() { have apt-get && { [ "$(id -u)" -eq 0 ] || { have sudo && sudo -n true 2>/dev/null; }; }; }
if ! server_is_here && may_install; then
  missing+=(initdb)
  packages+=(postgresql)
fi

if [ "${#missing[@]}" -gt 0 ]; then
  become=()
  if [ "$(id -u)" -ne 0 ]; then become=(sudo -n); fi
  if have apt-get && { [ "$(id -u)" -eq 0 ] || { have sudo && sudo -n true 2>/dev/null; }; }; then
    say "installing ${packages[*]}"
    "${become[@]}" apt-get update -qq >&2
    DEBIAN_FRONTEND=noninteractive "${become[@]}" apt-get install -qq -y --no-install-recommends "${packages[@]}" >&2
  else
    say "missing: ${missing[*]}"
    if have apt-get; then
      say "hint: as root, apt-get install --no-install-recommends ${packages[*]}"
    else
      say "hint: install them with this system's package manager"
    fi
    exit 1
  fi
fi

rust_wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
if ! have cargo || ! have rustc; then
  say "missing: a Rust toolchain, version $rust_wanted or later"
  say "hint: install rustup and run: rustup toolchain install stable"
  exit 1
fi
rust=$(rustc --version | cut -d ' ' -f 2)
if ! at_least "$rust" "$rust_wanted"; then
  say "Rust $rust is here, $rust_wanted or later is needed"
  say "hint: rustup update stable"
  exit 1
fi

git=$(git --version | sed 's/[^0-9]*\([0-9.]*[0-9]\).*/\1/')
if ! at_least "$git" 2.43; then
  say "git $git is older than 2.43: the comparison with Git's merge is skipped"
fi
