#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares what is generated from the program with what is in the tree: help, manual, exit codes.

Usage: golden.py BINARY SOURCE-FOLDER [--update]

Also checks that documents name only flags that exist.
"""
import os
import pathlib
import re
import subprocess
import sys


def output_of(binary, *arguments):
    # Away from the tree, whose examples hold configs.
    result = subprocess.run([binary, *arguments], capture_output=True, check=True, cwd="/",
                            env={"PATH": os.environ.get("PATH", ""), "NO_COLOR": "1"})
    return result.stdout.decode()


def commands_of(overview):
    """The commands that the overview lists, in its order."""
    names = []
    for line in overview.splitlines():
        match = re.match(r"  ([a-z][a-z-]*(?: [a-z]+)?)  +[A-Z]", line)
        if match:
            names.append(match[1])
    return names


def pages(binary, source):
    overview = output_of(binary, "--help")
    commands = commands_of(overview)
    if len(commands) < 15:
        sys.exit(f"only {len(commands)} commands were found in the overview")
    result = {source / "tests/cli/help/overview.txt": overview}
    for command in commands:
        name = command.replace(" ", "-")
        result[source / f"tests/cli/help/{name}.txt"] = output_of(binary, *command.split(), "--help")
    result[source / "docs/exit-codes.md"] = output_of(binary, "exit-codes")
    result[source / "docs/man/signctl.1"] = output_of(binary, "man")
    return result


def unknown_flags(document, helps):
    """Flags in a document's signctl commands that no help page has."""
    known = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", helps))
    wrong = []
    for number, line in enumerate(document.read_text().splitlines(), 1):
        for code in re.findall(r"`(signctl [^`]*)`", line):
            code = re.sub(r"\"[^\"]*\"", "", code)
            for flag in re.findall(r"(?<=\s)--?[a-zA-Z][\w-]*", code):
                if flag not in known:
                    wrong.append(f"{document}:{number}: {flag}")
    return wrong


def main():
    binary, source = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2])
    update = "--update" in sys.argv
    wanted = pages(binary, source)
    failures = []
    for path, text in wanted.items():
        if update:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, newline="\n")
        elif not path.exists() or path.read_text() != text:
            failures.append(f"{path} is not what the program prints; run golden.py --update")
    stale = {p for p in (source / "tests/cli/help").glob("*.txt")} - set(wanted)
    failures += [f"{path}: there is no such command" for path in sorted(stale)]
    helps = "\n".join(wanted.values())
    for document in sorted([source / "README.md", *(source / "docs").rglob("*.md")]):
        failures += unknown_flags(document, helps)
    print("\n".join(failures) or f"{len(wanted)} pages agree")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
