#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Interrupts a run: every file is old or finished, no temporary file is left, and the code is 130.

Usage: interrupt_test.py BINARY
"""
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

from transcript import make_pe

FILES = 400


def check(condition, what):
    if not condition:
        sys.exit(what)


def start(binary, folder, *arguments):
    return subprocess.Popen([binary, *arguments], cwd=folder, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True,
                            env={"PATH": os.environ.get("PATH", ""), "HOME": str(folder)})


def between_files(binary, folder):
    original = make_pe(1)
    names = [f"{i:03}.exe" for i in range(FILES)]
    for name in names:
        (folder / name).write_bytes(original)
    (folder / "list.txt").write_text("\n".join(names))
    run = start(binary, folder, "sign", "--provider", "pfx", "-p", "file=dev.pfx", "--no-timestamp",
                "--dev", "@list.txt")
    # One line for each file, as it ends and not when a buffer is full.
    first = run.stdout.readline()
    check(first.startswith("signed 000.exe"), f"unexpected first line: {first}")
    run.send_signal(signal.SIGINT)
    output, errors = run.communicate(timeout=60)
    check(run.returncode == 130, f"exit code {run.returncode}\n{output[-300:]}\n{errors[-300:]}")
    check("not started" in output, f"no count of what is left: {output[-300:]}")
    check("stopping after the files in flight" in errors, errors)
    check(not list(folder.glob(".signctl-*")), "temporary files are left")
    changed = [name for name in names if (folder / name).read_bytes() != original]
    check(0 < len(changed) < FILES, f"{len(changed)} files were changed")
    verify = start(binary, folder, "verify", "--dev", "--timestamp", "optional", *changed)
    output, _ = verify.communicate(timeout=60)
    check(verify.returncode == 0, f"a file is neither old nor finished:\n{output[-500:]}")


def at_once(binary, folder):
    run = start(binary, folder, "sign", "--provider", "pfx", "-p", "file=dev.pfx",
                "-p", "password=exec:sleep 5", "--no-timestamp", "000.exe")
    time.sleep(0.5)
    begin = time.monotonic()
    run.send_signal(signal.SIGTERM)
    time.sleep(0.2)
    run.send_signal(signal.SIGTERM)
    check(run.wait(timeout=10) == 130, f"exit code {run.returncode}")
    check(time.monotonic() - begin < 3, "the second signal did not end the process at once")
    run.stdout.close()
    run.stderr.close()


def main():
    if os.name == "nt":
        print("SKIPPED: interrupts (needs POSIX signals)")
        return
    binary = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory(prefix="signctl-interrupt-") as scratch:
        folder = pathlib.Path(scratch)
        made = start(binary, folder, "dev-cert", "--key", "rsa2048", "-q")
        check(made.wait(timeout=60) == 0, "dev-cert failed")
        between_files(binary, folder)
        at_once(binary, folder)
    print("interrupted runs leave every file old or finished")


if __name__ == "__main__":
    main()
