#!/usr/bin/env bash
# Fuzzes the readers of configuration with libFuzzer: scripts/fuzz.sh [TARGET [SECONDS]], by default every target for ten
# minutes. What was found lies in fuzz/artifacts. Needs cargo-fuzz (`cargo install cargo-fuzz`).
set -euo pipefail
cd "$(dirname "$0")/.."
if ! command -v cargo-fuzz >/dev/null 2>&1; then
  echo "error: cargo-fuzz is not installed" >&2
  echo "hint: cargo install cargo-fuzz" >&2
  exit 1
fi
scripts/duckdb.sh
export DUCKDB_LIB_DIR=$PWD/target/duckdb LD_LIBRARY_PATH=$PWD/target/duckdb${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
# The coverage that libFuzzer follows is an unstable flag of the compiler.
export RUSTC_BOOTSTRAP=1
targets=(${1:-project_file references})
for target in "${targets[@]}"; do
  mkdir -p "fuzz/corpus/$target"
  if [ "$target" = project_file ]; then
    find fixtures -name '*.yml' -path '*project*' | while read -r file; do
      cp "$file" "fuzz/corpus/$target/$(printf '%s' "$file" | sha256sum | cut -c1-16)"
    done
  fi
  cargo fuzz run --sanitizer none "$target" -- -max_total_time="${2:-600}" -max_len=20000 -timeout=20 -rss_limit_mb=4096
done
