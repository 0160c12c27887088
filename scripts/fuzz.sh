#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# fuzz.sh [SECONDS]: builds the libFuzzer targets with Clang, ASan and UBSan, and runs each for that
# long (60) on its seed corpus, twice as many at a time as there are processors. A crash ends the script
# with the input's path.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
seconds=${1:-60}

install_packages "${build_packages[@]}" "${sanitizer_packages[@]}"
build "$sanitized_build" "${sanitized_options[@]}" -- signctl_fuzz_targets
mkdir -p "$root/build/fuzz"

# fuzz_one TARGET: says what it did in one go, since others run beside it.
fuzz_one() {
  local name corpus seeds
  name=$(basename "$1" _fuzz)
  corpus="$root/build/fuzz/corpus/$name"; mkdir -p "$corpus"
  seeds=("$corpus")
  [ -d "$root/tests/fuzz/corpus/$name" ] && seeds+=("$root/tests/fuzz/corpus/$name")
  if ! "$1" -max_total_time="$seconds" -rss_limit_mb=2048 -timeout=10 -print_final_stats=1 \
      -artifact_prefix="$root/build/fuzz/crash-$name-" "${seeds[@]}" >"$root/build/fuzz/$name.log" 2>&1; then
    tail -40 "$root/build/fuzz/$name.log" >&2; echo "fuzzing $name found something" >&2; return 1
  fi
  printf '%s\n' "$name" "$(grep -E "stat::number_of_executed_units|stat::peak_rss_mb" "$root/build/fuzz/$name.log")"
}

ran=0 running=() failed=0
for target in "$sanitized_build"/tests/fuzz/*_fuzz; do
  [ -x "$target" ] || continue
  if [ "${#running[@]}" -ge $((2 * $(build_jobs))) ]; then
    wait "${running[0]}" || failed=1
    running=("${running[@]:1}")
  fi
  [ "$failed" = 0 ] || break
  say "fuzzing $(basename "$target" _fuzz) for $seconds s"
  fuzz_one "$target" & running+=($!)
  ran=$((ran + 1))
done
for job in "${running[@]}"; do wait "$job" || failed=1; done
[ "$failed" = 0 ] || exit 1
[ "$ran" -gt 0 ] || { echo "no fuzz target was built" >&2; exit 1; }
echo "$ran fuzz targets ran, nothing found"
