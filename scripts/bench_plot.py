#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Draws what bench.sh measured as SVG, from the tables that it wrote.

bench_plot.py TABLE... --into FOLDER     writes ratios.svg and latencies.svg, whichever the tables have rows for
"""
import argparse
import html
import pathlib
import re

INK, FAINT, OURS, MISSED, GRID = "#1c2430", "#667085", "#2a6fdb", "#b3261e", "#e3e7ee"
FONT = "font-family=\"system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif\""
LABELS, LENGTH, ROW = 300, 420, 26


def text(x, y, words, size=13, colour=INK, anchor="start"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{colour}" text-anchor="{anchor}">'
            f"{html.escape(words)}</text>")


def bars(title, note, rows, top):
    """Horizontal bars: rows are (label, value, goal or None, whether the goal is met, words)."""
    height = 70 + ROW * len(rows)
    width = LABELS + LENGTH + 110
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
             f'role="img" aria-label="{html.escape(title)}" {FONT}>',
             f'<rect width="{width}" height="{height}" fill="#fff"/>', text(16, 26, title, 15), text(16, 46, note, 12, FAINT)]
    for number, (label, value, goal, met, words) in enumerate(rows):
        y = 62 + ROW * number
        length = LENGTH * min(value / top, 1.0)
        parts += [text(LABELS - 10, y + 14, label, 12.5, anchor="end"),
                  f'<rect x="{LABELS}" y="{y}" width="{LENGTH}" height="{ROW - 8}" fill="{GRID}" rx="3"/>',
                  f'<rect x="{LABELS}" y="{y}" width="{length:.1f}" height="{ROW - 8}" fill="{OURS if met else MISSED}" rx="3"/>',
                  text(LABELS + LENGTH + 10, y + 14, words, 12.5)]
        if goal is not None:
            x = LABELS + LENGTH * goal / top
            parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{y - 3}" y2="{y + ROW - 5}" stroke="{INK}" stroke-width="2"/>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def ratios(lines):
    """Rows "| task | ours | peer | ratio | at most goal | memory |" that have a peer."""
    rows = []
    for line in lines:
        cells = [cell.strip() for cell in line.strip("| \n").split("|")]
        if len(cells) == 6 and re.fullmatch(r"[\d.]+", cells[3]):
            goal = re.match(r"at most ([\d.]+)", cells[4])
            value, limit = float(cells[3]), float(goal[1]) if goal else None
            rows.append((cells[0], value, limit, limit is None or round(value, 2) <= limit, f"{value:.2f}x"))
    return rows


def latencies(lines):
    """Rows "| N files at L ms, -j J: ... | P% | at least G% | met |"."""
    rows = []
    for line in lines:
        found = re.match(r"\| \d+ files at (\d+) ms, -j (\d+):.*\| (\d+)% \| at least (\d+)% \|", line)
        if found:
            latency, jobs, value, goal = (int(part) for part in found.groups())
            rows.append((f"{latency} ms, -j {jobs}", value, goal, value >= goal, f"{value}%"))
    return rows


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tables", nargs="+")
    parser.add_argument("--into", required=True)
    arguments = parser.parse_args()
    folder = pathlib.Path(arguments.into)
    folder.mkdir(parents=True, exist_ok=True)
    lines = [line for table in arguments.tables for line in pathlib.Path(table).read_text().splitlines()]
    compared, waited = ratios(lines), latencies(lines)
    if compared:
        top = max(1.25, *(row[1] for row in compared))
        (folder / "ratios.svg").write_text(bars("signctl's time over osslsigncode's", "shorter is faster; the mark is the goal, "
                                                "red where it is missed", compared, top))
    if waited:
        (folder / "latencies.svg").write_text(bars("Share of the ideal speed through slow services",
                                                   "longer is better; the mark is the goal, red where it is missed", waited, 100))


if __name__ == "__main__":
    main()
