#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The manifest of a run, and verify --manifest: nothing touched, taken away, added or left out unnoticed."""
import hashlib
import json
import os
import shutil
import signal
import time

from fake_services import FakeServices
from harness import Failure, Suite, run, sha256, signctl, unsigned_files
from release_day import SIGN, Day


class Release:
    """A folder of signed files with its manifest, made anew for each test from one that was signed once."""

    def __init__(self, suite, day):
        self.suite, self.day, self.round = suite, day, 0
        folder, files = day.folder(4)
        (folder / "notes.txt").write_text("a file that is not signed")
        self.before = {path.name: sha256(path) for path in files}
        self.model = folder
        done = day.sign(folder, "--manifest", folder / "manifest.json")
        suite.check("a run writes its manifest", done.returncode == 0 and (folder / "manifest.json").exists(), done.out)

    def copy(self):
        self.round += 1
        folder = self.suite.folder / f"release{self.round}"
        shutil.copytree(self.model, folder)
        return folder

    def verify(self, folder, *arguments):
        return run("env", "-C", folder, f"PATH={os.environ['PATH']}", os.environ["SIGNCTL_BINARY"], "verify", "-c", "signctl.yaml",
                   "--dev", "--manifest", "manifest.json", *arguments)

    def refused(self, what, folder, *words, code=1, arguments=()):
        done = self.verify(folder, *arguments)
        self.suite.check(f"{what}: exit code {code}", done.returncode == code, (done.returncode, done.out))
        for word in words:
            self.suite.check(f"{what}: says {word}", word in done.out, done.out)


def contents(release):
    manifest = json.loads((release.model / "manifest.json").read_text())
    suite = release.suite
    suite.check("its schema is named", manifest["schema"] == "signctl/manifest/1", manifest["schema"])
    suite.check("it is complete and a rehearsal", manifest["complete"] and manifest["rehearsal"], manifest)
    suite.check("it has every file", [one["path"] for one in manifest["files"]] == sorted(release.before), manifest["files"])
    for one in manifest["files"]:
        image = (release.model / one["path"]).read_bytes()
        suite.check("the digests are those of the files", one["after"] == {
            "size": len(image), "sha256": hashlib.sha256(image).hexdigest(), "sha512": hashlib.sha512(image).hexdigest()}, one)
        suite.check("and those before signing", one["before"]["sha256"] == release.before[one["path"]], one)
        made = one["signature"]
        suite.check("who signed is told", made["signer"] == "rsa2048" and made["provider"] == "google-kms"
                    and len(made["certificate_sha256"]) == 64 and made["digest"].startswith("sha256:"), made)


def tampered(release):
    """Every way to be wrong, each alone."""
    folder = release.copy()
    release.suite.check("what was signed passes", release.verify(folder).returncode == 0, release.verify(folder).out)
    done = release.verify(folder, ".", "!notes.txt")
    release.suite.check("also when its folder is named, but for what is not released", done.returncode == 0, done.out)
    release.refused("a file that was never signed, its folder named", folder, "manifest-added", "notes.txt", "'!NAME'",
                    arguments=["."])
    os.utime(folder / "app0000.exe")
    release.suite.check("times mean nothing", release.verify(folder).returncode == 0)

    with open(folder / "app0001.exe", "ab") as out:
        out.write(b"more")
    release.refused("bytes added", folder, "manifest-changed", "app0001.exe")
    folder = release.copy()
    (folder / "app0002.exe").unlink()
    release.refused("a file gone", folder, "manifest-missing", "app0002.exe")
    folder = release.copy()
    one, other = folder / "app0000.exe", folder / "app0001.exe"
    image = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(image)
    release.refused("two files exchanged, both well signed", folder, "manifest-changed", "app0000.exe", "app0001.exe")
    folder = release.copy()
    shutil.copyfile(folder / "app0000.exe", folder / "more.exe")
    release.refused("a file added", folder, "manifest-added", "more.exe")
    release.refused("a file added, its folder named", folder, "manifest-added", "more.exe", arguments=["."])
    done = release.verify(folder, *(path.name for path in sorted(folder.glob("app*.exe"))))
    release.suite.check("a file beside those that are released", done.returncode == 0, done.out)
    folder = release.copy()
    (folder / "app0003.exe").write_bytes(release.day.sample.read_bytes())
    release.refused("a file unsigned again", folder, "manifest-changed", "unsigned")


def added(release):
    """Files of any type, anywhere in the folder that is named; what signctl wrote there is none of them."""
    manifest = json.loads((release.model / "manifest.json").read_text())
    for name, image in (("evil.bat", b"echo evil"), ("a.js", b"echo('evil')"), ("a.zip", b"PK\5\6" + bytes(18)), ("empty", b""),
                        ("deeper/still/x.dat", b"evil"), ("app.runtimeconfig.json", json.dumps(manifest | {"runtimeOptions": {}}).encode()),
                        ("signctl.yml", b"version: 1"), ("audit.jsonl", b'{"schema":"signctl/audit/1","prev":""}\n')):
        folder = release.copy()
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(image)
        release.refused(f"{name} added, its folder named", folder, "manifest-added", name, arguments=[".", "!notes.txt"])
    folder = release.copy()
    (folder / "deeper").mkdir()
    shutil.copyfile(folder / "app0000.exe", folder / "deeper" / "x.dll")
    release.refused("a program added in a sub-folder, nothing named", folder, "manifest-added", "deeper/x.dll")
    folder = release.copy()
    shutil.copyfile(folder / "manifest.json", folder / "of-a-shard.json")
    (folder / ".signctl-1-00.tmp").write_bytes(b"left behind")
    report = ["--report", "report.json", "--report-format", "json"]
    for _ in range(2):
        done = release.verify(folder, ".", "!notes.txt", *report)
        release.suite.check("records of signing are not added files", done.returncode == 0, done.out)


def edited(release):
    """A manifest that somebody has worked on."""
    def with_change(change):
        folder = release.copy()
        manifest = json.loads((folder / "manifest.json").read_text())
        change(manifest)
        (folder / "manifest.json").write_text(json.dumps(manifest))
        return folder

    def other_digest(manifest):
        manifest["files"][0]["after"]["sha512"] = "0" * 128
    release.refused("another digest", with_change(other_digest), "manifest-changed")
    release.refused("a file taken out", with_change(lambda m: m["files"].pop()), "manifest-added", "app0003.exe")
    for what, change in (
            ("no schema", lambda m: m.pop("schema")), ("another schema", lambda m: m.update(schema="signctl/manifest/9")),
            ("an absolute path", lambda m: m["files"][0].update(path="/etc/passwd")),
            ("a path that goes up later", lambda m: m["files"][0].update(path="a/../../x")),
            ("a file twice", lambda m: m["files"].append(m["files"][0])),
            ("no digests", lambda m: m["files"][0].pop("after")), ("a wrong state", lambda m: m["files"][0].update(state="fine")),
            ("completeness claimed", lambda m: m["run"].update(exit_code=4)), ("no list", lambda m: m.update(files={}))):
        release.refused(what, with_change(change), "not a manifest", code=4)
    folder = release.copy()
    text = (folder / "manifest.json").read_bytes()
    for size in (0, 1, len(text) // 2, len(text) - 3):
        (folder / "manifest.json").write_bytes(text[:size])
        release.refused(f"the first {size} bytes of it", folder, "not a manifest", code=4)
    (folder / "manifest.json").unlink()
    release.refused("no manifest", folder, "manifest.json", code=4)


def incomplete(day):
    """A run that did not sign all it wanted is not proof of anything."""
    suite = day.suite
    folder, _ = day.folder(3)
    (folder / "bad.exe").write_text("not a program")
    manifest = folder / "manifest.json"
    done = day.sign(folder, "--manifest", manifest, "--keep-going")
    suite.check("a run with a bad file fails", done.returncode == 5, done.out)
    told = {one["path"]: one["state"] for one in json.loads(manifest.read_text())["files"]}
    suite.check("and says which", told == {"app0000.exe": "signed", "app0001.exe": "signed", "app0002.exe": "signed",
                                            "bad.exe": "failed"}, told)
    done = run(os.environ["SIGNCTL_BINARY"], "verify", "-c", folder / "signctl.yaml", "--dev", "--manifest", manifest)
    suite.check("such a manifest is refused", done.returncode == 1 and "manifest-incomplete" in done.out, done.out)
    (folder / "bad.exe").unlink()
    done = day.sign(folder, "--manifest", manifest, "--if-signed", "skip-valid")
    states = {one["state"] for one in json.loads(manifest.read_text())["files"]}
    suite.check("the next run makes it whole", done.returncode == 0 and states == {"skipped"}, (done.out, states))
    done = run(os.environ["SIGNCTL_BINARY"], "verify", "-c", folder / "signctl.yaml", "--dev", "--manifest", manifest)
    suite.check("which passes", done.returncode == 0, done.out)
    done = signctl("verify", "-c", folder / "signctl.yaml", "--manifest", manifest)
    suite.check("but not without --dev", done.returncode == 1, done.out)


def killed(day):
    """Killed or told to stop: the manifest says so, whatever stood there before."""
    suite = day.suite
    for what, sent in (("kill -9", signal.SIGKILL), ("SIGTERM", signal.SIGTERM)):
        folder, files = day.folder(12, jobs=2, more="audit: { manifest: out/manifest.json }")
        (folder / "out").mkdir()
        manifest = folder / "out/manifest.json"
        manifest.write_text('{"this": "is the one of the last release"}')
        day.fakes.fault(match=SIGN, times=-1, kind="delay", delay_ms=100)
        process = day.start(folder)
        while process.poll() is None and not any(sha256(path) != day.before[path] for path in files):
            time.sleep(0.01)
        process.send_signal(sent)
        text = process.communicate()[0]
        now = json.loads(manifest.read_text())
        suite.check(f"{what}: the manifest says that it is incomplete", now["complete"] is False, text)
        done = run(os.environ["SIGNCTL_BINARY"], "verify", "-c", folder / "signctl.yaml", "--dev", "--manifest", manifest)
        suite.check(f"{what}: and is refused", done.returncode == 1 and "manifest-incomplete" in done.out, done.out)
        done = day.sign(folder)
        suite.check(f"{what}: the same command completes", done.returncode == 0, done.out)
        done = run(os.environ["SIGNCTL_BINARY"], "verify", "-c", folder / "signctl.yaml", "--dev", "--manifest", manifest, folder)
        suite.check(f"{what}: and its manifest passes", done.returncode == 0, done.out)
        suite.check(f"{what}: paths are from the manifest's folder",
                    json.loads(manifest.read_text())["files"][0]["path"] == "../app0000.exe")


def elsewhere(day):
    """Outputs in another folder, a manifest that cannot be written, a folder that moves."""
    suite = day.suite
    folder, files = day.folder(2)
    out = folder / "signed"
    done = day.sign(folder, "--output-dir", out, "--manifest", folder / "signed" / "manifest.json")
    suite.check("--output-dir: the outputs are listed", done.returncode == 0, done.out)
    day.untouched("--output-dir", files)
    moved = day.suite.folder / "moved"
    shutil.move(out, moved)
    done = run(os.environ["SIGNCTL_BINARY"], "verify", "-c", folder / "signctl.yaml", "--dev", "--manifest", moved / "manifest.json")
    suite.check("a release may move", done.returncode == 0, done.out)
    day.fakes.reset()
    done = day.sign(folder, "--manifest", folder / "no" / "such" / "folder.json")
    suite.check("a manifest that cannot be written costs nothing", done.returncode == 11 and day.spent() == 0, done.out)
    day.untouched("a manifest that cannot be written", files)


def own_files(day):
    """What a run writes besides what it signs is never laid over a file that is something else."""
    suite = day.suite
    folder, files = day.folder(2)
    config = (folder / "signctl.yaml").read_bytes()
    named = files[0].name
    (folder / "other.exe").write_bytes(files[1].read_bytes() + b"other")
    other = (folder / "other.exe").read_bytes()
    for what, arguments, code in (
            ("a manifest over an input", ("--manifest", folder / named), 2),
            ("an audit log over an input", ("--audit", folder / "." / named), 2),
            ("a report over an input", ("--report", folder / named, "--report-format", "json"), 2),
            ("a manifest over another program", ("--manifest", folder / "other.exe"), 2),
            ("an audit log over another program", ("--audit", folder / "other.exe"), 2),
            ("a report over another program", ("--report", folder / "other.exe", "--report-format", "json"), 2),
            ("a report over the config", ("--report", folder / "signctl.yaml", "--report-format", "json"), 2),
            ("two in one file", ("--report", folder / "one.json", "--manifest", folder / "one.json"), 2),
            ("a report in a folder that is not there", ("--report", folder / "no" / "such.json"), 11),
            ("a report that is a folder", ("--report", folder, "--report-format", "json"), 11)):
        day.fakes.reset()
        done = day.sign(folder, *arguments, *files)
        suite.check(f"{what}: exit code {code}, nothing spent", done.returncode == code and day.spent() == 0, (done.returncode, done.out))
        day.untouched(what, files)
        suite.check(f"{what}: the others are as they were", (folder / "other.exe").read_bytes() == other
                    and (folder / "signctl.yaml").read_bytes() == config)
    done = day.sign(folder, "--report", folder / "r.json", "--manifest", folder / "m.json", "--audit", folder / "a.log", *files)
    suite.check("names of their own are taken", done.returncode == 0, done.out)
    done = day.sign(folder, "--if-signed", "skip-valid", "--report", folder / "r.json", "--manifest", folder / "m.json", "--audit",
                    folder / "a.log", *files)
    suite.check("and a second time", done.returncode == 0, done.out)
    (folder / ".signctl-1-00.tmp").write_bytes(other)
    done = run(os.environ["SIGNCTL_BINARY"], "verify", "-c", folder / "signctl.yaml", "--dev", "--manifest", folder / "m.json")
    suite.check("what a killed run left behind is no added file", "signctl-1-00" not in done.out, done.out)
    for what, name in (("a backslash", b"back\\slash.exe"), ("bytes that are no UTF-8", b"l\xe4tin.exe")):
        day.fakes.reset()
        odd = os.fsdecode(os.path.join(os.fsencode(folder), name))
        shutil.copy(folder / "other.exe", odd)
        done = day.sign(folder, "--manifest", folder / "odd.json", odd)
        suite.check(f"a name with {what} is refused, nothing spent", done.returncode == 4 and day.spent() == 0
                    and "rename" in done.out, (done.returncode, done.out))
        os.remove(odd)
    done = run(os.environ["SIGNCTL_BINARY"], "verify", "-c", folder / "signctl.yaml", "--dev", "--report", files[0], "--report-format", "json",
               *files)
    suite.check("verify writes no report over what it judges", done.returncode == 2, done.out)
    done = run(os.environ["SIGNCTL_BINARY"], "merge", "--manifest", folder / "m.json", folder / "m.json")
    suite.check("merge does not write over what it reads", done.returncode == 2, done.out)


def main():
    suite = Suite()
    inputs = unsigned_files(suite)
    if not inputs:
        raise Failure("there is no executable to test with")
    sample = min((path for _, path in inputs), key=lambda path: path.stat().st_size)
    with FakeServices(suite.folder / "fakes", ["google-kms"]) as fakes:
        day = Day(suite, fakes, sample)
        release = Release(suite, day)
        contents(release)
        tampered(release)
        added(release)
        edited(release)
        incomplete(day)
        killed(day)
        elsewhere(day)
        own_files(day)
    suite.finish()


if __name__ == "__main__":
    main()
