#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bench_turns.py SIGNCTL OSSLSIGNCODE KIND ROUNDS MEGABYTES: signs and verifies large.KIND of the current folder by
both, in turns, and prints rows for the table of docs/performance.md. Exit code 1 when a goal is missed."""

import os
import statistics
import subprocess
import sys
import time

ours, peer, kind, rounds, megabytes = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5]
# osslsigncode takes a package's block map on trust; signctl compares every block with it. Their times are shown side by
# side, but no goal follows from them.
GOALS, MEMORY_GOAL = {"msi": 0.7}, 32
EXTRA = {"msi": ["-add-msi-dse"]}


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
    "sign": (["sign", f"large.{kind}", "-o", f"ours.{kind}", "--provider", "pfx", "-p", "key=key.pem", "-p",
              "certificate=dev.pem", "--no-timestamp", "--dev", "-q"], f"ours.{kind}",
             ["sign", *EXTRA.get(kind, []), "-certs", "dev.pem", "-key", "key.pem", "-in", f"large.{kind}",
              "-out", f"peer.{kind}"], f"peer.{kind}"),
    "verify": (["verify", f"ours.{kind}", "--dev", "--timestamp", "optional", "-q"], None,
               ["verify", "-CAfile", "dev.pem", f"peer.{kind}"], None),
}
goal = GOALS.get(kind)
limits = (f"at most {goal:.2f}, " if goal else "") + f"{MEMORY_GOAL} MB"
missed = False
for task, (mine, out_mine, theirs, out_theirs) in tasks.items():
    a, b = [], []
    for _ in range(rounds):
        a.append(once([ours, *mine], out_mine))
        b.append(once([peer, *theirs], out_theirs))
    x, y = (statistics.median(t for t, _ in side) for side in (a, b))
    memory = [max(m for _, m in side) for side in (a, b)]
    cells = [f"{m:.2f} s ({min(t for t, _ in s):.2f} to {max(t for t, _ in s):.2f})" for m, s in ((x, a), (y, b))]
    print(f"| {task}, {megabytes} MB {kind.upper()} | {cells[0]} | {cells[1]} | {x / y:.2f} | {limits} | "
          f"{memory[0]:.1f} MB / {memory[1]:.1f} MB |")
    missed |= (goal is not None and round(x / y, 2) > goal) or memory[0] > MEMORY_GOAL
sys.exit(1 if missed else 0)
