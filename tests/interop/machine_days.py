#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Release days on which the machine is the trouble: the disk, the folder, the clock, another program.

What holds on every other bad day holds here: each file is its old bytes, or signed and passing; what is refused is
refused with the right exit code; and no signature whose answer was had is paid for again.
"""
import contextlib
import glob
import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from fake_services import FakeServices
from harness import SIGNCTL, Failure, Suite, run, sha256, unsigned_files
from release_day import QUICK, SIGN, Day


@contextlib.contextmanager
def mounted(suite, folder, options):
    """A file system in memory of a chosen size at `folder`; gives whether there is one."""
    done = run("mount", "-t", "tmpfs", "-o", options, "none", folder)
    if done.returncode != 0:
        suite.skip(f"a file system with {options}", "this user may not mount one")
        yield False
        return
    try:
        yield True
    finally:
        run("umount", folder)


def drafts(folder):
    return [path.name for path in folder.iterdir() if path.name.startswith(".signctl-") and path.suffix == ".tmp"]


def old_or_passing(day, what, folder, files):
    changed = [path for path in files if sha256(path) != day.before[path]]
    if changed:
        done = day.verify(folder, changed)
        day.suite.check(f"{what}: what is not old is signed and passes", done.returncode == 0, done.out)
    day.suite.check(f"{what}: no draft is left", not drafts(folder), drafts(folder))
    return len(changed)


def full_disk(day):
    """Room for the files and half a file more."""
    folder, files = day.folder(4, jobs=1)
    place = folder.parent / "small"
    place.mkdir()
    size = sum(path.stat().st_size for path in files)
    with mounted(day.suite, place, f"size={(size + files[0].stat().st_size // 2) // 4096 * 4 + 16}k") as there:
        if not there:
            return
        inside = []
        for path in files:
            shutil.copyfile(path, place / path.name)
            inside.append(place / path.name)
            day.before[inside[-1]] = day.before[path]
        shutil.copyfile(folder / "signctl.yaml", place / "signctl.yaml")
        done = day.sign(place, "--journal", folder / "journal")
        day.suite.check("a full disk is exit code 11", done.returncode == 11, (done.returncode, done.out))
        day.suite.check("a full disk is said to be full", "no space left" in done.out, done.out)
        day.suite.check("a full disk costs no signature", day.spent() == 0, day.spent())
        changed = old_or_passing(day, "a full disk", place, inside)
        day.suite.check("a full disk leaves the files alone", changed == 0, changed)
        done = day.sign(place, "--journal", folder / "journal", "--output-dir", folder / "elsewhere")
        day.suite.check("elsewhere there is room", done.returncode == 0, done.out)
        day.suite.check("and each file is paid for once", day.spent() == len(files), day.spent())


def file_size_limit(day):
    """ulimit -f, as service managers set it: below the size of the file. The journal is not written either."""
    folder, files = day.folder(1)
    command = ["bash", "-c", 'ulimit -f 1; exec "$@"', "limited", *map(str, day.command(folder))]
    done = run(*command, env=day.env())
    day.suite.check("a file size limit is exit code 11", done.returncode == 11, (done.returncode, done.out))
    day.suite.check("a file size limit is named", "ulimit -f" in done.out, done.out)
    day.suite.check("a file size limit leaves no draft", not drafts(folder), drafts(folder))
    day.untouched("a file size limit", files)


def read_only_folder(day):
    """One folder of two may not be written to; --keep-going signs the other."""
    folder, files = day.folder(2, jobs=2)
    place = folder / "sealed"
    place.mkdir()
    with mounted(day.suite, place, "size=8m") as there:
        if not there:
            return
        sealed = place / "sealed.exe"
        sealed.write_bytes(day.sample.read_bytes() + b"in a folder that may not be written to ")
        day.before[sealed] = sha256(sealed)
        if run("mount", "-o", "remount,ro", place).returncode != 0:
            day.suite.skip("a read-only folder", "it cannot be mounted so")
            return
        done = day.sign(folder, sealed, *files, "--keep-going")
        day.suite.check("a read-only folder is exit code 11", done.returncode == 11, (done.returncode, done.out))
        day.suite.check("its file is named", "sealed.exe" in done.out and "ead-only" in done.out, done.out)
        day.suite.check("it costs no signature", day.spent() == len(files), day.spent())
        day.suite.check("its file is untouched", sha256(sealed) == day.before[sealed])
        day.all_signed("the others of a read-only folder", folder, files)


def planned_code(day, folder, *arguments, user=()):
    """The exit code that the plan foresees, and what it says."""
    done = run(*user, SIGNCTL, "plan", "--json", "-c", folder / "signctl.yaml", *arguments, env=day.env())
    try:
        return json.JSONDecoder().raw_decode(done.out[done.out.index("{\n"):])[0]["would_exit"], done.out
    except ValueError:
        return None, done.out


def no_place(day):
    """Files that cannot be replaced although they can be written to: the plan says so, and no signature is spent."""
    folder, files = day.folder(4)
    place = folder / "place"
    place.mkdir()
    with mounted(day.suite, place, "size=8m") as there:
        if there:
            inside = place / "inside.exe"
            shutil.copyfile(files[0], inside)
            run("mount", "-o", "remount,ro", place)
            refused(day, "a drive that is mounted read-only", folder, inside)
    bound = folder / "bound.exe"
    shutil.copyfile(files[1], bound)
    if run("mount", "--bind", files[2], bound).returncode == 0:
        refused(day, "a file that is a mount point", folder, bound)
        run("umount", bound)
    else:
        day.suite.skip("a file that is a mount point", "this user may not mount one")
    for mark in ("+i", "+a"):
        if run("chattr", mark, files[3]).returncode != 0:
            day.suite.skip(f"a file with chattr {mark}", "this file system does not have it")
            continue
        refused(day, f"a file with chattr {mark}", folder, files[3])
        run("chattr", mark.replace("+", "-"), files[3])
    unprivileged(day, files[0])


def refused(day, what, folder, path):
    before = sha256(path)
    day.fakes.reset()
    code, told = planned_code(day, folder, path)
    day.suite.check(f"{what}: the plan sees it", code == 11 and "FAIL" in told, told)
    done = day.sign(folder, path)
    day.suite.check(f"{what}: signing is exit code 11", done.returncode == 11, done.out)
    day.suite.check(f"{what}: no signature is spent", day.spent() == 0, day.spent())
    day.suite.check(f"{what}: the file is as it was", sha256(path) == before)


def unprivileged(day, program):
    """What root may always do: asked as somebody else."""
    user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    place = Path(tempfile.mkdtemp(prefix="signctl-user-"))
    (place / "signctl.yaml").write_text("version: 1\nsigners: { local: { provider: pfx, file: local.pfx } }\n"
                                        "gate: { trust: [signer], timestamp: optional }\n")
    try:
        for name in ("sticky", "closed"):
            (place / name).mkdir()
            shutil.copyfile(program, place / name / "app.exe")
            (place / name / "app.exe").chmod(0o666)
        place.chmod(0o755)
        (place / "sticky").chmod(0o1777)
        (place / "closed").chmod(0o755)
        if run(*user, SIGNCTL, "version").returncode != 0:
            day.suite.skip("folders of another user", "setpriv cannot run signctl as one")
            return
        for name in ("sticky", "closed"):
            code, told = planned_code(day, place, place / name / "app.exe", user=user)
            day.suite.check(f"a file of somebody else in a {name} folder: the plan sees it", code == 11, told)
    finally:
        shutil.rmtree(place)


def held_open(day):
    """Programs that have a file open, mapped or running keep the old one; nobody sees half a file."""
    folder, files = day.folder(3, jobs=3)
    whole = {path: path.read_bytes() for path in files}
    wrong, stop = [], threading.Event()

    def watch():
        """Opens the first file again and again, and each time reads it whole."""
        while not stop.is_set():
            seen = files[0].read_bytes()
            if seen != whole[files[0]] and not seen.startswith(whole[files[0]][:2]):
                wrong.append(len(seen))
            sizes.add(len(seen))

    sizes = set()
    watcher = threading.Thread(target=watch)
    with open(files[1], "rb") as reader, open(files[2], "r+b") as writer:
        start = reader.read(100)
        watcher.start()
        done = day.sign(folder)
        stop.set()
        watcher.join()
        day.suite.check("files that others hold open are signed", done.returncode == 0, done.out)
        day.suite.check("a reader goes on in the old file", start + reader.read() == whole[files[1]])
        writer.seek(0, os.SEEK_END)
        writer.write(b"too late")
    day.suite.check("who looks sees the old file or the new one",
                    not wrong and sizes <= {len(whole[files[0]]), files[0].stat().st_size}, (wrong, sizes))
    day.all_signed("what others held open, even for writing", folder, files)


def jumping_clock(day):
    """The clock is put forward by two hours, and back by four, while signatures are awaited."""
    library = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
    if not library or QUICK:
        day.suite.skip("a clock that jumps", "a sanitizer does not work under libfaketime" if QUICK else "no libfaketime")
        return
    folder, files = day.folder(12, jobs=2, retry="{ attempts: 6, initial: 20ms, max: 200ms, deadline: 60s }")
    day.fakes.fault(match=SIGN, times=-1, kind="delay", delay_ms=300)
    clock = folder.parent / "clock"
    clock.write_text("+0")
    environment = {**day.env(), "LD_PRELOAD": library[0], "FAKETIME_TIMESTAMP_FILE": str(clock), "FAKETIME_NO_CACHE": "1",
                   "FAKETIME_DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1"}
    started = time.monotonic()
    process = subprocess.Popen(day.command(folder), env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               text=True)
    for offset in ("+2h", "-2h"):
        time.sleep(0.6)
        clock.write_text(offset)
    text = process.communicate()[0]
    took = time.monotonic() - started
    day.suite.check("a clock that jumps stops nothing", process.returncode == 0, text)
    day.suite.check("and makes nobody wait", took < 20, took)
    day.suite.check("nor pay twice", day.spent() == len(files), day.spent())
    day.all_signed("a clock that jumps", folder, files)


def silent_server(day):
    """Who is told to stop does not wait for a server that says nothing."""
    folder, files = day.folder(2, jobs=2)
    day.fakes.fault(match=SIGN, times=-1, kind="delay", delay_ms=20000)
    config = (folder / "signctl.yaml").read_text()
    (folder / "signctl.yaml").write_text(config.replace('timeout: "3s"', 'timeout: "60s"'))
    process = day.start(folder)
    time.sleep(1.5)
    started = time.monotonic()
    process.send_signal(signal.SIGINT)
    text = process.communicate()[0]
    took = time.monotonic() - started
    day.suite.check("Ctrl-C does not wait for a silent server", process.returncode == 130 and took < 8, (took, text))
    day.untouched("Ctrl-C and a silent server", files)


def main():
    suite = Suite()
    inputs = unsigned_files(suite)
    if not inputs:
        raise Failure("there is no executable to test with")
    sample = min((path for _, path in inputs), key=lambda path: path.stat().st_size)
    with FakeServices(suite.folder / "fakes", ["google-kms"]) as fakes:
        day = Day(suite, fakes, sample)
        for test in (full_disk, file_size_limit, read_only_folder, no_place, held_open, jumping_clock, silent_server):
            started = time.monotonic()
            test(day)
            print(f"{test.__name__}: {time.monotonic() - started:.1f} s", flush=True)
    suite.finish()


if __name__ == "__main__":
    main()
