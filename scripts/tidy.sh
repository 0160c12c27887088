#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# tidy.sh [FILE...]: clang-tidy over the given sources, or over those below src/ that changed since
# SIGNCTL_TIDY_BASE (default: the commit before this one). "all" means every source below src/.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
install_packages "${build_packages[@]}" "${lint_packages[@]}"
cd "$root"
dir="$test_build"
[ -f "$dir/compile_commands.json" ] || build "$dir" "${test_options[@]}" --
if [ "${1:-}" = all ]; then
  mapfile -t files < <(git ls-files 'src/*.cpp' | grep -v _windows.cpp)
elif [ $# -gt 0 ]; then
  files=("$@")
else
  base=${SIGNCTL_TIDY_BASE:-HEAD~1}
  git rev-parse --verify --quiet "$base^{commit}" >/dev/null || base=$(git hash-object -t tree /dev/null)
  mapfile -t files < <(git diff --name-only --diff-filter=d "$base" -- 'src/*.cpp' | grep -v _windows.cpp || true)
fi
[ ${#files[@]} -gt 0 ] || { echo "no changed sources to tidy"; exit 0; }
echo "clang-tidy over ${#files[@]} files"
printf '%s\0' "${files[@]}" | xargs -0 -n 1 -P "$(build_jobs)" clang-tidy --quiet -p "$dir" --extra-arg=-Wno-unknown-warning-option 2>/dev/null
echo "clang-tidy has nothing to say about ${#files[@]} files"
