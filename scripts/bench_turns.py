#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bench_turns.py SIGNCTL OSSLSIGNCODE KIND ROUNDS MEGABYTES: signs and verifies large.KIND of the current folder by
both, in turns, and prints rows for the table of docs/performance.md. Exit code 1 when a goal is missed."""

import os
import shutil
import statistics
import subprocess
import sys
import time

ours, peer, kind, rounds, megabytes = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5]
# osslsigncode takes a package's block map on trust; signctl compares every block with it. Their times are shown side by
# side, but no goal follows from them. Jsign, which signs in place and has no gate, is asked where JSIGN names its command.
GOALS, MEMORY_GOAL = {"msi": 0.7, "msix of Jsign": 0.7}, 32
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


def sign_in_place(command, path):
    shutil.copy(f"large.{kind}", path)
    return once(command)


key = ["--keystore", "jsign.p12", "--storepass", "bench", "--storetype", "PKCS12"]
sign_ours = ["sign", f"large.{kind}", "-o", f"ours.{kind}", "--provider", "pfx", "-p", "key=key.pem", "-p",
             "certificate=dev.pem", "--no-timestamp", "--dev", "-q"]
verify_ours = ["verify", f"ours.{kind}", "--dev", "--timestamp", "optional", "-q"]
# Name, goal, and both sides as calls.
tasks = [
    (f"sign, {megabytes} MB {kind.upper()}", GOALS.get(kind),
     lambda: once([ours, *sign_ours], f"ours.{kind}"),
     lambda: once([peer, "sign", *EXTRA.get(kind, []), "-certs", "dev.pem", "-key", "key.pem", "-in", f"large.{kind}",
                   "-out", f"peer.{kind}"], f"peer.{kind}")),
    (f"verify, {megabytes} MB {kind.upper()}", GOALS.get(kind),
     lambda: once([ours, *verify_ours]),
     lambda: once([peer, "verify", "-CAfile", "dev.pem", f"peer.{kind}"])),
]
jsign = os.environ.get("JSIGN")
if jsign and kind == "msix":
    goal = GOALS["msix of Jsign"]
    tasks += [
        (f"sign, {megabytes} MB MSIX, peer Jsign", goal,
         lambda: once([ours, *sign_ours], "ours.msix"),
         lambda: sign_in_place([jsign, *key, "--quiet", "jsign.msix"], "jsign.msix")),
        (f"verify, {megabytes} MB MSIX, peer `jsign show`", goal,
         lambda: once([ours, *verify_ours]),
         lambda: once([jsign, "show", "jsign.msix"])),
    ]
elif kind == "msix":
    print("no rows for Jsign: set JSIGN to its command", file=sys.stderr)

missed = False
for task, goal, mine, theirs in tasks:
    a, b = [], []
    for _ in range(rounds):
        a.append(mine())
        b.append(theirs())
    x, y = (statistics.median(t for t, _ in side) for side in (a, b))
    memory = [max(m for _, m in side) for side in (a, b)]
    cells = [f"{m:.2f} s ({min(t for t, _ in s):.2f} to {max(t for t, _ in s):.2f})" for m, s in ((x, a), (y, b))]
    limits = (f"at most {goal:.2f}, " if goal else "") + f"{MEMORY_GOAL} MB"
    print(f"| {task} | {cells[0]} | {cells[1]} | {x / y:.2f} | {limits} | {memory[0]:.1f} MB / {memory[1]:.1f} MB |")
    missed |= (goal is not None and round(x / y, 2) > goal) or memory[0] > MEMORY_GOAL
sys.exit(1 if missed else 0)
