#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Times signing and verifying a Windows Installer file of 500 MB against osslsigncode, in turns, and prints rows
# for the table of docs/performance.md. Exit code 1 when a goal is missed.
#
#   bench_msi.sh [SIGNCTL] [MEGABYTES]
#
# The file has sectors of 4096 bytes and one large stream, where an embedded cabinet would be.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
signctl=$(realpath "${1:-$test_build/src/signctl}") megabytes=${2:-500} rounds=${ROUNDS:-5}
peer=${OSSLSIGNCODE:-$(command -v osslsigncode)}
work=${SIGNCTL_BENCH_DIR:-$root/build/bench}/msi
rm -rf "$work"; mkdir -p "$work"; cd "$work"

python3 "$root/scripts/make_msi.py" large.msi "$megabytes"
"$signctl" dev-cert --key rsa3072 --subject Bench -o . >/dev/null
openssl pkcs12 -in dev.pfx -passin pass: -nodes -nocerts -out key.pem 2>/dev/null
python3 "$root/scripts/bench_turns.py" "$signctl" "$peer" msi "$rounds" "$megabytes"
