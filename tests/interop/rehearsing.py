#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""docs/rehearsing.md, done as it is written: the test tools installed, the server started, the page's config, a bad day.

What differs from the page is the port alone, which the server chooses.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess

from harness import SIGNCTL, SOURCE, Failure, Suite, run, tool, unsigned_files

PAGE = SOURCE / "docs" / "rehearsing.md"
WRITTEN_PORT = "127.0.0.1:4711"


def block(after, kind=""):
    """The first fenced block of the page behind the words `after`."""
    found = re.search(rf"```{kind}\n(.*?)```", PAGE.read_text().split(after, 1)[1], re.S)
    if not found:
        raise Failure(f"docs/rehearsing.md has no block behind \"{after}\"")
    return found.group(1)


def installed(suite, folder):
    """signctl-fake as `cmake --install --component test-tools` puts it."""
    build = os.environ["SIGNCTL_BUILD_DIR"]
    done = run("cmake", "--install", build, "--component", "test-tools", "--prefix", folder)
    program = folder / "bin" / "signctl-fake"
    suite.check("the component test-tools installs signctl-fake", done.returncode == 0 and program.is_file(), done.out)
    return program if program.is_file() else pathlib.Path(os.environ["SIGNCTL_FAKE_BINARY"])


def start(program, folder):
    words = block("stand-ins for the services").split()
    if words[0] != "signctl-fake":
        raise Failure(f"the page starts {words[0]}")
    process = subprocess.Popen([program, *words[1:]], cwd=folder, stdout=subprocess.PIPE, text=True)
    return process, json.loads(process.stdout.readline())


def rehearse(suite, folder, said, sample):
    host = said["url"].removeprefix("https://")
    (folder / "signctl.yaml").write_text(block("A config for it", "yaml").replace(WRITTEN_PORT, host))
    env = {"AZURE_CLIENT_SECRET": said["personalities"]["artifact-signing"]["client_secret"]}
    shutil.copyfile(sample, folder / "app.exe")
    sign = [SIGNCTL, "sign", "app.exe", "--no-timestamp", "--dev", "--trust-cert", "fakes/root.pem"]
    doctor = run(SIGNCTL, "doctor", "--no-timestamp", "--dev", "--trust-cert", "fakes/root.pem", cwd=folder, env=env)
    suite.check("doctor likes the page's config", "is ready to sign" in doctor.out, doctor.out)

    fault = block("A bad day to order").replace(WRITTEN_PORT, host)
    if tool("curl", suite):
        ordered = run("sh", "-c", fault, cwd=folder)
        suite.check("the page's fault is taken", ordered.returncode == 0 and "error" not in ordered.out, ordered.out)
    done = run(*sign, cwd=folder, env=env)
    suite.check("it signs, the bad day notwithstanding", done.returncode == 0, done.out)
    if shutil.which("curl"):
        suite.check("the bad day was one", "429" in done.out, done.out)
    good = run(SIGNCTL, "verify", "app.exe", "--trust-cert", "fakes/root.pem", "--dev", "--timestamp", "optional", cwd=folder)
    suite.check("it passes the verification of the page", good.returncode == 0, good.out)
    release = run(SIGNCTL, "verify", "app.exe", "--trust-cert", "fakes/root.pem", "--timestamp", "optional", cwd=folder)
    suite.check("it passes no release gate", release.returncode == 1, release.out)


def main():
    suite = Suite()
    try:
        program = installed(suite, suite.folder / "installed")
        process, said = start(program, suite.folder)
        try:
            rehearse(suite, suite.folder, said, unsigned_files(suite)[0][1])
        finally:
            process.terminate()
            process.wait(timeout=30)
        # The table of the page names every personality, and no other.
        listed = set(re.findall(r"^\| `([a-z-]+)` \|", block("| personality | plays |\n", "") and
                                PAGE.read_text().split("| personality | plays |", 1)[1].split("\n\n", 1)[0], re.M))
        known = run(program).out  # Its usage.
        suite.check("the page's table has the server's personalities", all(name in known for name in listed) and
                    len(listed) >= 9, f"{listed}\n{known}")
    except Failure as failure:
        suite.check("docs/rehearsing.md can be followed", False, failure)
    suite.finish()


if __name__ == "__main__":
    main()
