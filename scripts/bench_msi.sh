#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Times signing and verifying a Windows Installer file of 500 MB against osslsigncode, in turns, and prints rows
# for the table of docs/performance.md. Exit code 1 when a goal is missed.
#
#   bench_msi.sh [SIGNCTL] [MEGABYTES]
#
# The file has sectors of 4096 bytes and one large stream, where an embedded cabinet would be.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
signctl=$(realpath "${1:-$root/build/release/src/signctl}") megabytes=${2:-500} rounds=${ROUNDS:-5}
peer=${OSSLSIGNCODE:-$(command -v osslsigncode)}
work=${SIGNCTL_BENCH_DIR:-$root/build/bench}/msi
rm -rf "$work"; mkdir -p "$work"; cd "$work"

python3 "$root/scripts/make_msi.py" large.msi "$megabytes"
"$signctl" dev-cert --key rsa3072 --subject Bench -o . >/dev/null
openssl pkcs12 -in dev.pfx -passin pass: -nodes -nocerts -out key.pem 2>/dev/null
python3 - "$signctl" "$peer" "$rounds" "$megabytes" <<'PY'
import os, statistics, subprocess, sys, time
ours, peer, rounds, megabytes = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
GOAL, MEMORY_GOAL = 0.7, 32

def once(command, output=None):
    if output and os.path.exists(output):
        os.unlink(output)
    begin = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    error = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"failed: {' '.join(command)}\n{error.decode()}")
    return time.monotonic() - begin, usage.ru_maxrss / 1024

tasks = {
    "sign": (["sign", "large.msi", "-o", "ours.msi", "--provider", "pfx", "-p", "key=key.pem", "-p",
              "certificate=dev.pem", "--no-timestamp", "--dev", "-q"], "ours.msi",
             ["sign", "-add-msi-dse", "-certs", "dev.pem", "-key", "key.pem", "-in", "large.msi", "-out", "peer.msi"],
             "peer.msi"),
    "verify": (["verify", "ours.msi", "--dev", "--timestamp", "optional", "-q"], None,
               ["verify", "-CAfile", "dev.pem", "peer.msi"], None),
}
missed = False
for task, (mine, out_mine, theirs, out_theirs) in tasks.items():
    a, b = [], []
    for _ in range(rounds):
        a.append(once([ours, *mine], out_mine))
        b.append(once([peer, *theirs], out_theirs))
    x, y = (statistics.median(t for t, _ in side) for side in (a, b))
    memory = [max(m for _, m in side) for side in (a, b)]
    cells = [f"{m:.2f} s ({min(t for t, _ in s):.2f} to {max(t for t, _ in s):.2f})" for m, s in ((x, a), (y, b))]
    print(f"| {task}, {megabytes} MB MSI | {cells[0]} | {cells[1]} | {x / y:.2f} | at most {GOAL:.2f}, {MEMORY_GOAL} MB | "
          f"{memory[0]:.1f} MB / {memory[1]:.1f} MB |")
    missed |= round(x / y, 2) > GOAL or memory[0] > MEMORY_GOAL
sys.exit(1 if missed else 0)
PY
