#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what is missing, builds, and runs the whole suite. SIGNCTL_SANITIZED=1 runs it once more
# with AddressSanitizer and UndefinedBehaviorSanitizer, SIGNCTL_FUZZ_SECONDS=N each fuzz target for N s.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# Only where there is none: Debian's does not go together with one from elsewhere.
command -v npm >/dev/null || test_packages+=(npm)
install_packages "${build_packages[@]}" "${test_packages[@]}"

# run_suite DIR: everything ctest knows, skipped tests named with their reason at the end.
run_suite() {
  local dir=$1 log="$1/ctest.log" code=0
  say "running the suite of $(basename "$dir")"
  (cd "$dir" && ctest --output-on-failure -j "$(build_jobs)" --timeout 1800) | tee "$log" || code=$?
  local skipped
  skipped=$(grep -rhoE "SKIPPED: .*" "$dir/Testing/Temporary/LastTest.log" 2>/dev/null | sort | uniq -c || true)
  if [ -n "$skipped" ]; then
    say "skipped, and why"; printf '%s\n' "$skipped"
  else
    echo "nothing was skipped"
  fi
  return "$code"
}

"$root/scripts/fetch-samples.sh" "$root/build/samples"

build "$test_build" "${test_options[@]}" --
run_suite "$test_build"

if [ "${SIGNCTL_SANITIZED:-0}" = 1 ]; then
  install_packages "${sanitizer_packages[@]}"
  build "$sanitized_build" "${sanitized_options[@]}" --
  export ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1 UBSAN_OPTIONS=print_stacktrace=1
  run_suite "$sanitized_build"
fi

if [ "${SIGNCTL_FUZZ_SECONDS:-0}" -gt 0 ]; then
  "$root/scripts/fuzz.sh" "$SIGNCTL_FUZZ_SECONDS"
fi
