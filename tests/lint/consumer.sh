#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# consumer.sh BUILD SOURCE COMPILER [SANITIZERS]: installs the build into a scratch prefix and builds
# examples/library against it with find_package(signctl), as a user of the library would.
set -euo pipefail
build=$1 source=$2 compiler=$3 sanitizers=${4:-}
scratch=$(mktemp -d); trap 'rm -rf "$scratch"' EXIT
cmake --install "$build" --prefix "$scratch/prefix" >"$scratch/log" 2>&1 || { cat "$scratch/log"; exit 1; }
flags=(); [ -z "$sanitizers" ] || flags=("-DCMAKE_CXX_FLAGS=-fsanitize=$sanitizers")
cmake -S "$source/examples/library" -B "$scratch/build" -G Ninja "-DCMAKE_PREFIX_PATH=$scratch/prefix" \
  "-DCMAKE_CXX_COMPILER=$compiler" "${flags[@]}" >"$scratch/log" 2>&1 || { cat "$scratch/log"; exit 1; }
cmake --build "$scratch/build" >"$scratch/log" 2>&1 || { cat "$scratch/log"; exit 1; }
"$scratch/prefix/bin/signctl" version
"$scratch/build/verify_file"
