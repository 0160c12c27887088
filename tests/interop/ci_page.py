# SPDX-License-Identifier: Apache-2.0
"""The page with the CI examples, and the release that they are to make with a signing service that counts."""
import contextlib
import json
import os
import pathlib
import re
import shutil

from harness import SIGNCTL, SOURCE, dev_certificate, require, run, signctl

STUB = pathlib.Path("/usr/share/nsis/Plugins/x86-unicode/System.dll")
PAGE = SOURCE / "docs" / "scale.md"
VALIDATE = SOURCE / "tests" / "interop" / "packagers" / "validate.js"
FILES = 7
# One that has two files: killed after the first.
DOOMED_SHARD = 2
SIGN = "POST /artifact-signing"
CONFIG = """version: 1
signers:
  release:
    provider: trusted-signing
    endpoint: {url}/artifact-signing
    authority: {url}/entra
    account: contoso
    profile: public-trust{more}
sign:
  signer: release
  timestamp: {{servers: ["dev:dev-tsa.pem"]}}
  retry: {{attempts: 100, initial: 50ms, max: 200ms, deadline: 60s}}
gate: {{trust: [signer, "file:root.pem"]}}
steps:
  - {{name: programs, files: ["dist/**/*.exe"]}}
"""
# Kills signctl as soon as it has a signature in its journal.
DOOM = f"""#!/bin/sh
"{SIGNCTL}" "$@" &
while kill -0 $! 2>/dev/null; do
  grep -rqs --include='journal*' '^made ' . && kill -9 $!
  sleep 0.05
done
wait $!
"""
# What the pipeline's owner has told the CI service, and what the service has for logins to Azure.
VARIABLES = {"AZURE_TENANT_ID": "fake-tenant", "AZURE_CLIENT_ID": "11111111-2222-3333-4444-555555555555"}
GITHUB_TOKEN, AZURE_TOKEN = "fake-actions-request-token", "fake-system-access-token"


class Page:
    """The examples, and the release that they are to make."""

    def __init__(self, suite, modules, fakes):
        self.suite, self.modules, self.fakes = suite, modules, fakes
        self.folder = suite.folder
        self.model = dev_certificate(self.folder / "model", key="p256")
        shutil.copy(fakes.root, self.model)
        self.unsigned = self.folder / "unsigned"
        for i in range(FILES):
            path = self.unsigned / f"d{i % 2}" / f"app{i}.exe"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(STUB.read_bytes() + bytes([i]) * (300 * i))
        self.tools = self.folder / "bin"
        self.tools.mkdir()
        self.set_tool(SIGNCTL)
        doom = self.folder / "doom"
        doom.write_text(DOOM)
        doom.chmod(0o755)
        self.doomed = None
        self.environment = {"PATH": f"{self.tools}:{os.environ['PATH']}", "HOME": str(self.folder), "NODE_PATH": str(modules)}

    def set_tool(self, target):
        link = self.tools / "signctl"
        link.unlink(missing_ok=True)
        link.symlink_to(target)

    def example(self, heading):
        """The YAML of a chapter: a file, and what it holds."""
        chapter = re.search(rf"^## {heading}\n.*?(?=^## |\Z)", PAGE.read_text(), re.M | re.S).group()
        file = self.folder / f"{heading.split()[0].lower()}.yml"
        file.write_text(re.search(r"^```yaml\n(.*?)^```", chapter, re.M | re.S).group(1))
        self.fakes.reset()
        return file, json.loads(require(self.validate("yaml", file)).out)

    def validate(self, kind, file):
        return run("node", VALIDATE, kind, file, env=self.environment)

    def checked(self, kind, file, spoil):
        """What the validator says of the example, and of one that is spoiled."""
        done = self.validate(kind, file)
        self.suite.check(f"{kind}: the example passes the schema", done.returncode == 0, done.out)
        wrong = file.with_name(f"wrong-{file.name}")
        wrong.write_text(file.read_text().replace(*spoil))
        self.suite.check(f"{kind}: and a misspelt one does not", self.validate(kind, wrong).returncode == 1)

    def job(self, name, more=""):
        """A machine's fresh checkout."""
        folder = self.folder / name
        shutil.copytree(self.model, folder)
        (folder / "signctl.yaml").write_text(CONFIG.format(url=self.fakes.url, more=more))
        return folder

    def shell(self, what, command, folder, **more):
        """Whether the command succeeded, as it should."""
        done = run("bash", "-e", "-c", command, cwd=folder, env={**self.environment, **more})
        if not self.doomed:
            self.suite.check(f"{what}: {command[:60]}...", done.returncode == 0, done.out)
        return done.returncode == 0

    def spent(self):
        """Signatures that the service has counted."""
        return len(self.fakes.notes())

    @contextlib.contextmanager
    def doom(self, what):
        """In here signctl pays for one signature, gets no other, and is killed."""
        before = self.spent()
        self.fakes.fault(match=SIGN, kind="delay", delay_ms=1)
        self.fakes.fault(match=SIGN, kind="status", status=503, times=-1)
        self.set_tool(self.folder / "doom")
        self.doomed = True
        yield
        self.doomed = False
        self.set_tool(SIGNCTL)
        self.fakes.control("heal")
        self.suite.check(f"{what}: it is killed once it has paid for a signature", self.spent() == before + 1,
                         f"{before}, then {self.spent()}")

    def attempts(self, what, shards, attempt):
        """Does each shard's job by attempt(shard, number), which tells whether it succeeded. One is killed and done again; when
        it has succeeded it is done once more."""
        for shard in shards:
            number = 1
            if shard == DOOMED_SHARD:
                with self.doom(what):
                    self.suite.check(f"{what}: a job that is killed fails", not attempt(shard, number))
                number = 2
            self.suite.check(f"{what}: job {shard} succeeds", attempt(shard, number))
        self.paid_once(f"{what}: a job that was killed pays for nothing twice")
        attempt(DOOMED_SHARD, 3)
        self.paid_once(f"{what}: a job that succeeded pays for nothing when it is run again")

    def paid_once(self, what):
        self.suite.check(what, self.spent() == FILES, f"{self.spent()} signatures for {FILES} files")

    def made(self, what, manifest):
        """The release is whole, in one manifest."""
        told = json.loads(manifest.read_text()) if manifest.exists() else {"complete": False, "files": []}
        self.suite.check(f"{what}: the manifest is complete", told["complete"] and len(told["files"]) == FILES
                         and len(told.get("parts", [])) == 4, {key: told[key] for key in told if key != "files"})
        files = [manifest.parent / one["path"] for one in told["files"]]
        done = signctl("verify", "--dev", "--trust-cert", self.fakes.root, *files)
        self.suite.check(f"{what}: every file passes the gate", done.returncode == 0, done.out)
