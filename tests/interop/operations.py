#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A service that accepts a signature first and makes it later: signctl is killed while it waits, and run again.

What was accepted is fetched by the second run and not asked for again; where the service has it no longer, another is asked for
and the user is told.
"""
import base64
import hashlib
import json
import pathlib
import shutil
import subprocess
import time

from fake_services import FakeServices
from harness import SIGNCTL, Failure, Suite, run, sha256, unsigned_files

SLOW_MS = 4000
CONFIG = """version: 1
signers:
  release:
    provider: trusted-signing
    endpoint: {url}/artifact-signing
    authority: {url}/entra
    account: contoso
    profile: public-trust
    tenant_id: fake-tenant
    client_id: 11111111-2222-3333-4444-555555555555
sign: {{signer: release}}
gate: {{timestamp: optional, trust: ["file:{root}"]}}
steps:
  - {{name: all, files: ["*.exe"]}}
"""
ENVIRONMENT = {"AZURE_CLIENT_SECRET": "fake~client~secret.value", "PATH": "/usr/bin:/bin", "HOME": "/nonexistent"}


class Day:
    def __init__(self, suite, fakes, sample):
        self.suite, self.fakes, self.sample = suite, fakes, sample
        self.command = [SIGNCTL, "sign", "--no-timestamp"]

    def killed_while_waiting(self, name):
        """A folder whose one file was being signed: the service has accepted, and signctl is dead."""
        folder = self.suite.folder / name
        folder.mkdir()
        shutil.copy(self.sample, folder / "app.exe")
        (folder / "signctl.yaml").write_text(CONFIG.format(url=self.fakes.url, root=self.fakes.root))
        self.fakes.control("heal")
        self.fakes.reset()
        self.fakes.fault(match="OPERATION /artifact-signing", kind="delay", delay_ms=SLOW_MS)
        process = subprocess.Popen(self.command, cwd=folder, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        journal = folder / ".signctl-journal"
        deadline = time.monotonic() + 60
        while not (journal.exists() and "\npending " in journal.read_text()):
            if process.poll() is not None or time.monotonic() > deadline:
                process.kill()
                raise Failure(f"{name}: no operation came into the journal")
            time.sleep(0.02)
        process.kill()
        process.wait()
        self.suite.check(f"{name}: the file is untouched", sha256(folder / "app.exe") == sha256(self.sample))
        self.suite.check(f"{name}: the service has counted one", len(self.fakes.notes()) == 1, self.fakes.notes())
        return folder

    def run_again(self, name, folder, counted, *more):
        done = run(*self.command, *more, cwd=folder, env=ENVIRONMENT)
        self.suite.check(f"{name}: the same command completes", done.returncode == 0, done.out)
        self.suite.check(f"{name}: the service has counted {counted}", len(self.fakes.notes()) == counted, self.fakes.notes())
        self.suite.check(f"{name}: the journal is gone", not (folder / ".signctl-journal").exists())
        verified = run(SIGNCTL, "verify", "app.exe", cwd=folder, env=ENVIRONMENT)
        self.suite.check(f"{name}: the file passes", verified.returncode == 0, verified.out)
        return done


    def is_counted_apart(self, folder):
        """What the service has accepted is paid: plan says so, and no limit counts it again."""
        (folder / "other.exe").write_bytes(self.sample.read_bytes() + b"another file")
        done = run(SIGNCTL, "plan", "--json", "--no-timestamp", cwd=folder, env=ENVIRONMENT)
        plan = json.loads(done.stdout)
        self.suite.check("plan counts what was accepted apart",
                         (plan["billable_signatures"], plan["already_paid"], plan["to_be_fetched"], plan["would_sign"]) ==
                         (1, 1, 1, 2), plan)
        said = run(SIGNCTL, "plan", "--no-timestamp", cwd=folder, env=ENVIRONMENT)
        self.suite.check("plan says so", "at most 1 billable signature, 1 already paid, 1 of them to be fetched" in said.out
                         and "to be fetched" in said.out, said.out)
        done = run(*self.command, "--max-signatures", "0", cwd=folder, env=ENVIRONMENT)
        self.suite.check("a limit counts what is not paid yet", done.returncode == 2 and "1 signatures would be made" in done.out,
                         done.out)
        (folder / "other.exe").unlink()

    def is_spoilt(self, folder, operation):
        """The journal's operation becomes one that no service has, well sealed."""
        journal = folder / ".signctl-journal"
        lines = []
        for line in journal.read_text().splitlines():
            words = line.split(" ")
            if words[0] == "pending":
                text = " ".join([*words[:4], base64.b64encode(operation.encode()).decode()]) + " "
                line = text + hashlib.sha256(text.encode()).hexdigest()[:16]
            lines.append(line + "\n")
        journal.write_text("".join(lines))


def half_a_release(suite, fakes, sample):
    """A file that cannot be signed is told before another is paid for."""
    folder = suite.folder / "half"
    folder.mkdir()
    (folder / "signctl.yaml").write_text(CONFIG.format(url=fakes.url, root=fakes.root))
    shutil.copy(sample, folder / "app.exe")
    shutil.copy(sample, folder / "kept.exe")
    with open(folder / "kept.exe", "ab") as out:
        out.write(b"another file")
    (folder / "zebra.exe").write_text("no program")
    (folder / "yak.exe").write_text("no program either")
    fakes.control("heal")
    fakes.reset()
    command = [SIGNCTL, "sign", "--no-timestamp"]
    planned = run(SIGNCTL, "plan", "--json", "--no-timestamp", cwd=folder, env=ENVIRONMENT)
    done = run(*command, "--report", "report.json", cwd=folder, env=ENVIRONMENT)
    suite.check("a file of no known type: the run ends as planned", f'"would_exit": {done.returncode},' in planned.out
                and done.returncode != 0, (done.out, planned.out))
    suite.check("files of no known type: all are named", "zebra.exe: " in done.out and "yak.exe: " in done.out
                and "nothing was signed" in done.out, done.out)
    report = json.loads((folder / "report.json").read_text())
    suite.check("the report has them", [pathlib.Path(f["path"]).name for f in report["files"]] == ["yak.exe", "zebra.exe"]
                and all(f["error"]["message"] for f in report["files"])
                and (report["planned"], report["failed"], report["not_started"]) == (4, 2, 2), report)
    suite.check("a file of no known type: nothing was paid for", not fakes.notes(), fakes.notes())
    kept = run(*command, "--keep-going", cwd=folder, env=ENVIRONMENT)
    suite.check("--keep-going signs the others", kept.returncode == done.returncode and len(fakes.notes()) == 2, kept.out)


def main():
    suite = Suite()
    inputs = unsigned_files(suite)
    if not inputs:
        raise Failure("there is no executable to test with")
    with FakeServices(suite.folder / "fakes", ["entra", "artifact-signing"], "--http", "--unmarked") as fakes:
        day = Day(suite, fakes, inputs[0][1])
        folder = day.killed_while_waiting("killed")
        day.is_counted_apart(folder)
        config = folder / "signctl.yaml"
        config.write_text(config.read_text() + "limits: {quota: {release: 0}}\n")
        day.run_again("killed", folder, 1, "--max-signatures", "0")
        for operation in ("..", "a/b", "operation-1?x=", "a" * 300, ""):
            name = f"an operation {operation[:20]!r} in the journal"
            folder = day.killed_while_waiting(name.replace("/", "-"))
            day.is_spoilt(folder, operation)
            fakes.control("heal")
            done = day.run_again(name, folder, counted=2)
            suite.check(f"{name}: it is said", operation == "" or "both may be counted" in done.out, done.out)
        folder = day.killed_while_waiting("forgotten by the service")
        fakes.fault(match="/sign/operation-", kind="status", status=404)
        done = day.run_again("forgotten by the service", folder, counted=2)
        half_a_release(suite, fakes, inputs[0][1])
        suite.check("it is said that both may be counted", "both may be counted" in done.out, done.out)
    suite.finish()


if __name__ == "__main__":
    main()
