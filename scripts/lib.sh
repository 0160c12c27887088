# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the scripts share: installing what is missing, configuring and building. Sourced, not run.

set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# Debian 12 names. Other systems: install the same libraries by hand, or use vcpkg (vcpkg.json).
build_packages=(g++ cmake ninja-build pkg-config libcli11-dev libssl-dev libcurl4-openssl-dev
  nlohmann-json3-dev libspdlog-dev libfmt-dev libyaml-cpp-dev libmspack-dev zlib1g-dev libdeflate-dev
  libxml2-dev)
demo_packages=(systemd-boot-efi ca-certificates)
test_packages=(lld catch2 libcpp-httplib-dev libbrotli-dev openssl osslsigncode nsis systemd-boot-efi shim-signed gcab xmlsec1
  python3 ca-certificates procps unzip zsh fish faketime mount rsync e2fsprogs
  msitools wixl softhsm2 opensc libtpm2-pkcs11-1 swtpm opencryptoki p11-kit p11-kit-modules
  mono-runtime mono-mcs libmono-windowsbase4.0-cil libmono-system-componentmodel-dataannotations4.0-cil
  libmono-system-xml-linq4.0-cil libmono-system-io-compression-filesystem4.0-cil)
sanitizer_packages=(clang libclang-rt-14-dev llvm)
lint_packages=(git python3 clang-format clang-tidy)
windows_packages=(g++-mingw-w64-x86-64-posix)
bench_packages=(lld hyperfine time osslsigncode openssl python3 nsis)

# The build that the suite, the benchmarks and, once it is there, the demo share: optimized as for users.
test_build="$root/build/test"
test_options=(-DCMAKE_BUILD_TYPE=Release -DSIGNCTL_TESTS=ON -DSIGNCTL_STATIC_OPENSSL=ON)
# The build for finding what the compiler lets pass: the suite and the fuzz targets, by the other compiler.
sanitized_build="$root/build/sanitized"
sanitized_options=(-DCMAKE_CXX_COMPILER=clang++ -DCMAKE_BUILD_TYPE=Debug "-DCMAKE_CXX_FLAGS_DEBUG=-O1 -g1"
  -DSIGNCTL_TESTS=ON -DSIGNCTL_FUZZ=ON -DSIGNCTL_PCH=ON -DSIGNCTL_SANITIZE=address,undefined,fuzzer-no-link)

say() { printf '\n== %s\n' "$*"; }

# install_packages NAME...: installs what is missing, asks for nothing, is quick when nothing is.
install_packages() {
  local missing=() name
  command -v dpkg-query >/dev/null || { echo "not a Debian system: expecting $* to be there"; return 0; }
  for name in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null || true)" = installed ] || missing+=("$name")
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  say "installing ${missing[*]}"
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "need root or sudo to install: ${missing[*]}" >&2; exit 1; }
    as_root=(sudo -n)
    sudo -n true 2>/dev/null || as_root=(sudo)
  fi
  local log; log=$(mktemp)
  apt_get() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 "$@" >"$log" 2>&1; }
  # Package lists may be absent or old: fetch them, and once more if the first install fails.
  if ! { apt_get update && apt_get install -y --no-install-recommends "${missing[@]}"; } &&
     ! { sleep 5; apt_get update && apt_get install -y --no-install-recommends "${missing[@]}"; }; then
    cat "$log" >&2; rm -f "$log"; echo "could not install: ${missing[*]}" >&2; exit 1
  fi
  rm -f "$log"
}

# jobs_for_build: two at least, because a lone compiler leaves the disk idle.
build_jobs() { local n; n=$(nproc 2>/dev/null || echo 2); echo $((n < 2 ? 2 : n)); }

# build DIR [CMAKE-OPTIONS...] -- [TARGETS...]: configures when needed and builds, quietly when all is well.
build() {
  local dir=$1; shift
  local options=() targets=()
  while [ $# -gt 0 ] && [ "$1" != -- ]; do options+=("$1"); shift; done
  [ $# -gt 0 ] && shift
  targets=("$@")
  local stamp="$dir/.configured-with" wanted
  wanted=$(printf '%s\n' "${options[@]}")
  mkdir -p "$dir"
  if [ ! -f "$dir/build.ninja" ] || [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
    say "configuring $(basename "$dir")"
    if ! cmake -S "$root" -B "$dir" -G Ninja "${options[@]}" >"$dir/configure.log" 2>&1; then
      cat "$dir/configure.log" >&2; echo "configuring failed" >&2; exit 1
    fi
    printf '%s\n' "$wanted" >"$stamp"
  fi
  say "building $(basename "$dir")"
  local log="$dir/build.log"
  if ! cmake --build "$dir" -j "$(build_jobs)" ${targets[@]:+--target "${targets[@]}"} >"$log" 2>&1; then
    grep -E "error|FAILED|undefined" "$log" | head -40 >&2 || true
    tail -20 "$log" >&2; echo "building failed, all of it in $log" >&2; exit 1
  fi
  tail -1 "$log"
}
