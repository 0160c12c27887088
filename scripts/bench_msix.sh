#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Times signing and verifying an app package of 500 MB against osslsigncode, in turns, and prints rows for the
# table of docs/performance.md. Exit code 1 when a goal is missed.
#
#   [JSIGN=COMMAND] bench_msix.sh [SIGNCTL] [MEGABYTES]
#
# JSIGN is Jsign 8 (java -jar jsign.jar in a script); it is not in Debian, and without it only osslsigncode is compared with.
# The package holds one stored file of noise, as a package of pictures or of packed data does, and text that compresses.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
signctl=$(realpath "${1:-$test_build/src/signctl}") megabytes=${2:-500} rounds=${ROUNDS:-5}
peer=${OSSLSIGNCODE:-$(command -v osslsigncode)}
work=${SIGNCTL_BENCH_DIR:-$root/build/bench}/msix
rm -rf "$work"; mkdir -p "$work"; cd "$work"

PYTHONPATH="$root/tests/interop" python3 - "$megabytes" <<'PY'
import random, sys
from msix_maker import BLOCK, make_package
noise = random.Random(1)
blocks = int(sys.argv[1]) * 1_000_000 // BLOCK
text = (b"%d: the same line again and again\n" * 4000)[:BLOCK]
make_package("large.msix", "sha256", "CN=Bench (signctl rehearsal)", [
    ("noise.bin", (noise.randbytes(BLOCK) for _ in range(blocks * 9 // 10)), True),
    ("text.txt", (text for _ in range(blocks // 10)), False)])
PY
"$signctl" dev-cert --key rsa3072 --subject Bench -o . >/dev/null
openssl pkcs12 -in dev.pfx -passin pass: -nodes -nocerts -out key.pem 2>/dev/null
openssl pkcs12 -export -inkey key.pem -in dev.pem -passout pass:bench -out jsign.p12
python3 "$root/scripts/bench_turns.py" "$signctl" "$peer" msix "$rounds" "$megabytes"
