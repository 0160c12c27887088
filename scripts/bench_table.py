#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Turns what bench.sh measured into a Markdown table.

bench_table.py FOLDER PEER-NAME          prints the table; exit code 1 when a goal is missed
bench_table.py --disk FOLDER             the same tasks on a disk, for which there is no goal
bench_table.py --into DOCUMENT NAME TABLE     puts it between the document's markers of that name
"""
import datetime
import json
import pathlib
import platform
import re
import statistics
import sys

ROWS = [
    ("sign, 40 KB PE", "sign-small", 1.0),
    ("verify, 40 KB PE", "verify-small", None),
    ("sign, 97.4 MB PE", "sign-large", 0.65),
    ("verify, 97.4 MB PE", "verify-large", 0.60),
    ("start-up (version)", "start", None),
]
HUGE_MEMORY_GOAL = 16  # MB


def result(folder, name):
    times = [seconds * 1000 for path in folder.glob(f"{name}.*.json")
             for seconds in json.loads(path.read_text())["results"][0]["times"]]
    rss = folder / f"{name}.rss"
    memory = f"{int(rss.read_text()) / 1024:.1f} MB" if rss.exists() else "-"
    return statistics.median(times), min(times), max(times), memory


def machine():
    cpu = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    cores = len(re.findall(r"^processor", pathlib.Path("/proc/cpuinfo").read_text(), re.M))
    return f"{cpu[1] if cpu else platform.machine()}, {cores} cores, Linux {platform.release().split('-')[0]}"


HEAD = ["| task | signctl median (min to max) | peer median (min to max) | ratio | goal | memory signctl / peer |",
        "|---|---|---|---|---|---|"]


def side_by_side(folder, rows):
    """The lines, and the names of the rows whose goal is missed."""
    missed, lines = [], []
    for title, name, goal in rows:
        ours, peers = result(folder, f"{name}-ours"), result(folder, f"{name}-peer")
        cells = [f"{r[0]:.1f} ms ({r[1]:.1f} to {r[2]:.1f})" for r in (ours, peers)]
        limit = f"at most {goal:.2f}" if goal else "-"
        ratio = ours[0] / peers[0]
        if goal and round(ratio, 2) > goal:
            missed.append(title)
        lines.append(f"| {title} | {cells[0]} | {cells[1]} | {ratio:.2f} | {limit} | {ours[3]} / {peers[3]} |")
    return lines, missed


def table(folder, peer):
    """The table, and the names of the rows whose goal is missed."""
    folder = pathlib.Path(folder)
    lines, missed = side_by_side(folder, ROWS)
    lines = [f"Measured on {datetime.date.today()} on {machine()}; peer: {peer}.", "", *HEAD, *lines]
    for title, name in (("sign", "huge.txt"), ("verify", "huge-verify.txt")):
        seconds, kilobytes = (folder / name).read_text().split()[-2:]
        megabytes = int(kilobytes) / 1024
        if megabytes > HUGE_MEMORY_GOAL:
            missed.append(f"{title}, 3 GB sparse PE")
        lines.append(f"| {title}, 3 GB sparse PE | {float(seconds):.2f} s | - | - | at most {HUGE_MEMORY_GOAL} MB | "
                     f"{megabytes:.1f} MB / - |")
    return "\n".join(lines) + "\n", missed


def put_into(document, name, text):
    begin, end = f"<!-- bench {name}: begin -->", f"<!-- bench {name}: end -->"
    path = pathlib.Path(document)
    before, _, rest = path.read_text().partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise SystemExit(f"{document} has no place for {name}")
    path.write_text(f"{before}{begin}\n{text}{end}{after}")


def main():
    if sys.argv[1] == "--into":
        put_into(sys.argv[2], sys.argv[3], pathlib.Path(sys.argv[4]).read_text())
    elif sys.argv[1] == "--disk":
        lines, _ = side_by_side(pathlib.Path(sys.argv[2]), [(title, name, None) for title, name, _ in ROWS[:4]])
        print("\n".join([*HEAD, *lines]))
    else:
        text, missed = table(sys.argv[1], sys.argv[2])
        sys.stdout.write(text)
        if missed:
            sys.exit("missed: " + "; ".join(missed))


if __name__ == "__main__":
    main()
