#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The audit log: what a run writes into it as it goes, checked by a few lines of Python beside signctl."""
import hashlib
import json
import signal
import subprocess
import time

from fake_services import FakeServices
from harness import SIGNCTL, Failure, Suite, run, sha256, unsigned_files
from release_day import SIGN, Day

BUILD = {"GITHUB_REPOSITORY": "contoso/studio", "GITHUB_SHA": "0123abcd", "GITHUB_RUN_ID": "4711"}


def records(suite, what, log):
    """The records, once the chain has been followed by the documented rule."""
    lines = log.read_bytes().split(b"\n")
    suite.check(f"{what}: the log ends with a line break", lines[-1] == b"", lines[-1])
    prev, found, torn = "0" * 64, [], False
    for line in lines[:-1]:
        try:
            record = json.loads(line)
            suite.check(f"{what}: the chain holds", record["prev"] == prev and record["schema"] == "signctl/audit/1"
                        and record.get("after_torn_line", False) == torn, record)
            found.append(record)
            torn = False
        except ValueError:
            torn = True
        prev = hashlib.sha256(line).hexdigest()
    done = run(SIGNCTL, "audit", "verify", log, "--head", prev)
    suite.check(f"{what}: audit verify agrees", done.returncode == 0 and prev in done.out, done.out)
    return found


def one_run(day):
    suite = day.suite
    folder, files = day.folder(3, more="audit: { log: trail/audit.jsonl }")
    (folder / "trail").mkdir()
    (folder / "bad.exe").write_text("not a program")
    done = run(*day.command(folder, "--keep-going"), env={**day.env(), **BUILD, "GITHUB_TOKEN": "ghs_secret"})
    suite.check("a run with a bad file", done.returncode == 5, done.out)
    log = folder / "trail/audit.jsonl"
    found = records(suite, "one run", log)
    suite.check("its events", [one["event"] for one in found] ==
                ["run-started", "file-signed", "file-signed", "file-signed", "file-failed", "run-ended"], found)
    suite.check("the build is told", found[0]["build"] == BUILD, found[0])
    suite.check("all of one run", len({one["run"] for one in found}) == 1)
    for path, record in zip(files, found[1:4]):
        suite.check("who signed what", record["path"].endswith(path.name) and record["signer"] == "rsa2048"
                    and len(record["certificate_sha256"]) == 64 and record["digest"].startswith("sha256:"), record)
    last = found[-1]
    suite.check("and with which bytes", [(one["before_sha256"], one["after_sha256"]) for one in last["files"][:3]] ==
                [(day.before[path], sha256(path)) for path in files], last)
    suite.check("the end is told", last["exit_code"] == 5 and last["complete"] is False, last)
    text = log.read_text()
    suite.check("no secret is in it", day.token not in text and "ghs_secret" not in text)
    done = run(SIGNCTL, "audit", "show", log)
    suite.check("audit show shows it", done.returncode == 0 and "file-signed" in done.out and "contoso/studio" in done.out, done.out)
    done = run(SIGNCTL, "audit", "show", log, "--json")
    suite.check("also as JSON", len(json.loads(done.stdout)["records"]) == len(found), done.out)

    def broken(what, data, *arguments, code=1):
        copy = folder / "copy.jsonl"
        copy.write_bytes(data)
        done = run(SIGNCTL, "audit", "verify", copy, *arguments)
        suite.check(f"{what}: exit code {code}", done.returncode == code, (done.returncode, done.out))
        return done
    lines = log.read_bytes().splitlines(keepends=True)
    done = broken("a record changed", b"".join(lines).replace(b"app0001.exe", b"app0009.exe", 1))
    suite.check("the line is named", "copy.jsonl:4:" in done.out, done.out)
    broken("a record taken out", b"".join(lines[:2] + lines[3:]))
    broken("the beginning cut off", b"".join(lines[1:]))
    broken("the end cut off, with a head", b"".join(lines[:-1]), "--head", hashlib.sha256(lines[-1][:-1]).hexdigest())
    broken("an empty log", b"", code=4)
    broken("a head that is none", b"".join(lines), "--head", "abc", code=2)
    done = run(SIGNCTL, "audit", "verify", folder / "none.jsonl")
    suite.check("no log", done.returncode == 4, done.out)


def several(day):
    """Two processes at once, then one that is killed, and a torn line."""
    suite = day.suite
    folder, files = day.folder(12, jobs=2)
    log = folder / "audit.jsonl"
    day.fakes.fault(match=SIGN, times=-1, kind="delay", delay_ms=20)
    both = [subprocess.Popen([SIGNCTL, "sign", "-c", str(folder / "signctl.yaml"), "--dev", "--audit", str(log), *map(str, half)],
                             env=day.env(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            for half in (files[:6], files[6:])]
    text = [one.communicate()[0] for one in both]
    suite.check("two at once", all(one.returncode == 0 for one in both), text)
    found = records(suite, "two at once", log)
    suite.check("both are in it", len(found) == 16 and len({one["run"] for one in found}) == 2, len(found))

    folder, files = day.folder(12, jobs=2)
    day.fakes.fault(match=SIGN, times=-1, kind="delay", delay_ms=100)
    process = day.start(folder, "--audit", log)
    while process.poll() is None and not any(sha256(path) != day.before[path] for path in files):
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    with open(log, "ab") as out:
        out.write(b'{"schema":"signctl/audit/1","time":"2026')
    done = day.sign(folder, "--audit", log)
    suite.check("the run after a kill", done.returncode == 0, done.out)
    found = records(suite, "after a kill", log)
    suite.check("the torn line is told of", sum(one.get("after_torn_line", False) for one in found) == 1)
    starts = [one["event"] for one in found].count("run-started")
    suite.check("a run without an end can be seen", starts == 4 and [one["event"] for one in found].count("run-ended") == 3, starts)


def unwritable(day):
    folder, files = day.folder(1)
    done = day.sign(folder, "--audit", folder / "no" / "folder.jsonl")
    day.suite.check("a log that cannot be written costs nothing", done.returncode == 11 and day.spent() == 0, done.out)
    day.untouched("a log that cannot be written", files)


def main():
    suite = Suite()
    inputs = unsigned_files(suite)
    if not inputs:
        raise Failure("there is no executable to test with")
    sample = min((path for _, path in inputs), key=lambda path: path.stat().st_size)
    with FakeServices(suite.folder / "fakes", ["google-kms"]) as fakes:
        day = Day(suite, fakes, sample)
        one_run(day)
        several(day)
        unwritable(day)
    suite.finish()


if __name__ == "__main__":
    main()
