# SPDX-License-Identifier: Apache-2.0
"""signctl-fake as a child process, with what it says about itself and the means to misbehave."""
import json
import os
import pathlib
import ssl
import subprocess
import urllib.request

FAKE = os.environ["SIGNCTL_FAKE_BINARY"]


class FakeServices:
    """A running signctl-fake; its certificates are in `folder`."""

    def __init__(self, folder, personalities, *options):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True)
        command = [FAKE, "--folder", self.folder, "--personality", ",".join(personalities), *options]
        self.process = subprocess.Popen([str(c) for c in command], stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{FAKE} ended with {self.process.wait()} before it served anything")
        said = json.loads(line)
        self.url = said["url"]
        self.personalities = said["personalities"]
        self.ca_file = self.folder / "ca.pem"
        self.root = self.folder / "root.pem"
        handler = urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=self.ca_file))
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), handler)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(timeout=30)

    def control(self, verb, **body):
        request = urllib.request.Request(f"{self.url}/__control/{verb}", json.dumps(body).encode(), method="POST")
        with self.opener.open(request, timeout=30):
            pass

    def reset(self):
        """Forgets faults and log."""
        self.control("reset")

    def fault(self, **fault):
        self.control("fault", **fault)

    def log(self):
        """[{method, path, status}] of everything since the last reset()."""
        with self.opener.open(f"{self.url}/__control/log", timeout=30) as answer:
            return json.load(answer)

    def notes(self):
        """What the services' own audit logs hold since the last reset()."""
        with self.opener.open(f"{self.url}/__control/notes", timeout=30) as answer:
            return json.load(answer)

    def secrets(self):
        """Every token and one-time credential that the services have given out so far."""
        with self.opener.open(f"{self.url}/__control/secrets", timeout=30) as answer:
            return json.load(answer)

    def count(self, part):
        """How many requests had `part` in "METHOD /path"."""
        return sum(part in f"{one['method']} {one['path']}" for one in self.log())
