#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""kill -9 at a random moment of a batch, hundreds of times; each time the same command is run again.

Whatever the moment: every file is its old bytes, or signed and passing; the second run completes; no signature
whose answer was had is asked for again, so that at most those under way at the kill are lost.
"""
import os
import random
import time

from fake_services import FakeServices
from harness import Failure, Suite, sha256, unsigned_files
from release_day import SIGN, Day

FILES, JOBS = 10, 4
QUICK = any(name.endswith("SAN_OPTIONS") for name in os.environ)
ROUNDS = int(os.environ.get("SIGNCTL_KILLS", "25" if QUICK else "200"))


def round_of(day, folder, files, images, moment):
    """One kill and one run more. What it found: (files changed at the kill, signatures lost), or None where the first
    run was through already."""
    for path, image in images.items():
        path.write_bytes(image)
    day.fakes.reset()
    process = day.start(folder)
    time.sleep(moment)
    process.kill()
    if process.wait() == 0:
        return None
    what = f"killed after {moment * 1000:.0f} ms"
    changed = [path for path in files if sha256(path) != day.before[path]]
    if changed:
        done = day.verify(folder, changed)
        day.suite.check(f"{what}: what is not old is signed and passes", done.returncode == 0, done.out)
    through = len(changed) == FILES and not (folder / ".signctl-journal").exists()
    done = day.sign(folder, *(["--if-signed", "skip-valid"] if through else []))
    day.suite.check(f"{what}: the same command completes", done.returncode == 0, done.out)
    day.all_signed(what, folder, files)
    lost = day.spent() - FILES
    day.suite.check(f"{what}: nothing is paid for twice", 0 <= lost <= JOBS, f"{lost} more than {FILES} files")
    left = [path.name for path in drafts(folder)]
    day.suite.check(f"{what}: nothing but drafts of the dead run is left over",
                    all(name.startswith(f".signctl-{process.pid}-") for name in left), left)
    # Young ones stay, since they may be another machine's; those of yesterday go with the next run.
    for path in drafts(folder):
        os.utime(path, (time.time() - 86400,) * 2)
    return len(changed), lost


def drafts(folder):
    return [path for path in folder.iterdir() if path.name.startswith(".signctl-")]


def between_files(found):
    """How many kills came when some files were signed and others not."""
    return sum(one is not None and 0 < one[0] < FILES for one in found)


def main():
    suite = Suite()
    inputs = unsigned_files(suite)
    if not inputs:
        raise Failure("there is no executable to test with")
    sample = min((path for _, path in inputs), key=lambda path: path.stat().st_size)
    dice = random.Random(5)
    with FakeServices(suite.folder / "fakes", ["google-kms"]) as fakes:
        day = Day(suite, fakes, sample)
        folder, files = day.folder(FILES, jobs=JOBS)
        images = {path: path.read_bytes() for path in files}
        day.fakes.fault(match=SIGN, times=-1, kind="delay", delay_ms=10)
        started = time.monotonic()
        suite.check("nobody kills it", day.sign(folder).returncode == 0)
        whole = time.monotonic() - started
        found = []
        # A slow machine takes most kills before its first file: some more rounds then.
        while len(found) < ROUNDS or (len(found) < 4 * ROUNDS and not between_files(found)):
            found.append(round_of(day, folder, files, images, dice.uniform(0, whole)))
            # Follows the machine, whose first run is the slowest: five of six kills come in time.
            whole *= 0.95 if found[-1] is None else 1.01
    caught = [one for one in found if one is not None]
    partly = between_files(found)
    suite.check("most kills came in time", len(caught) >= len(found) / 2, len(caught))
    suite.check("some came between two files", partly > 0, partly)
    print(f"{len(found)} kills: {len(caught)} in time, {partly} with some of {FILES} files signed, "
          f"{sum(lost for _, lost in caught)} signatures lost under way")
    suite.finish()


if __name__ == "__main__":
    main()
