#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every config block of the documentation is one that signctl takes.

docs_test.py SIGNCTL SOURCE-FOLDER

A block is a fenced yaml block with a line `signers:`, `sign:`, `steps:` or `gate:` at its beginning or in it; `version: 1`
is added where a page leaves it out. Pipelines' own YAML (GitHub, Azure DevOps, GitLab) is not ours to judge.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

OURS = re.compile(r"^(signers|sign|steps|gate|audit|version):", re.M)
FOREIGN = re.compile(r"^(on|jobs|stages|pool|trigger|permissions|variables|- )|^ +(runs-on:|- (run|script|uses|task):)", re.M)


def blocks(page):
    for match in re.finditer(r"^```ya?ml\n(.*?)^```", page.read_text(), re.M | re.S):
        text = match.group(1)
        if OURS.search(text) and not FOREIGN.search(text):
            yield page.read_text()[: match.start()].count("\n") + 2, text


def main():
    signctl, source = sys.argv[1], pathlib.Path(sys.argv[2])
    pages = [source / "README.md", *sorted((source / "docs").rglob("*.md"))]
    failures, tried, without = [], 0, []
    with tempfile.TemporaryDirectory() as folder:
        config = pathlib.Path(folder) / "signctl.yaml"
        for page in pages:
            found = list(blocks(page))
            if page.parent.name == "providers" and not any("provider: " in text for _, text in found):
                without.append(page.name)
            for line, text in found:
                tried += 1
                config.write_text(text if text.startswith("version:") else "version: 1\n" + text)
                done = subprocess.run([signctl, "config", "show", "-c", config], stdout=subprocess.PIPE,
                                      stderr=subprocess.STDOUT, text=True, check=False)
                if done.returncode != 0:
                    failures.append(f"{page.relative_to(source)}:{line}\n{done.stdout}")
    for failure in failures:
        print("FAILED:", failure)
    for name in without:
        print("FAILED: docs/providers/" + name, "has no config block")
    print(f"{tried - len(failures)} of {tried} config blocks are taken")
    return 1 if failures or without or tried == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
