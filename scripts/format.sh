#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# format.sh [--check]: formats all C++ sources with clang-format, or says which are not formatted.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
install_packages "${lint_packages[@]}"
mapfile -t files < <(cd "$root" && git ls-files '*.cpp' '*.hpp')
cd "$root"
if [ "${1:-}" = --check ]; then
  clang-format --dry-run --Werror "${files[@]}"
  echo "${#files[@]} files are formatted"
else
  clang-format -i "${files[@]}"
fi
