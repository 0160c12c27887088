#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# check-windows.sh [FILE...]: has the compiler of mingw-w64 look at the sources that only Windows builds (or
# at the files given), without linking anything. The libraries' headers are those of this machine.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
install_packages "${build_packages[@]}" "${windows_packages[@]}"
cd "$root"

# Nothing else of /usr/include may be seen: it belongs to another system.
headers="$root/build/windows-headers"
rm -rf "$headers"; mkdir -p "$headers/openssl"
machine=$(gcc -print-multiarch)
ln -s /usr/include/{spdlog,fmt,nlohmann,CLI,yaml-cpp,mspack.h} "$headers/"
ln -s "/usr/include/$machine/curl" "$headers/curl"
ln -s /usr/include/openssl/*.h "/usr/include/$machine"/openssl/*.h "$headers/openssl/"

if [ $# -gt 0 ]; then files=("$@"); else mapfile -t files < <(git ls-files 'src/*_windows.cpp'); fi
printf '%s\0' "${files[@]}" | xargs -0 -n 1 -P "$(build_jobs)" x86_64-w64-mingw32-g++-posix -std=c++20 -fsyntax-only \
  -Wall -Wextra -Werror -Iinclude -Isrc -isystem "$headers" -D_WIN32_WINNT=0x0A00 -DFMT_HEADER_ONLY \
  -DSIGNCTL_VERSION='""'
echo "${#files[@]} sources for Windows pass"
