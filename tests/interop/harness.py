# SPDX-License-Identifier: Apache-2.0
"""What the interoperability tests share: running tools, counting checks, saying what was skipped."""
import functools
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(os.environ["SIGNCTL_SOURCE_DIR"])
SIGNCTL = os.environ["SIGNCTL_BINARY"]
SHARED = SOURCE / ".." / "shared" / "testdata"
SAMPLES = SOURCE / "build" / "samples"


class Failure(Exception):
    """A check that did not hold."""


class Suite:
    """Counts checks; a suite that has checked nothing has failed."""

    def __init__(self):
        self.checks = 0
        self.failures = []
        self.skipped = []
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="signctl-interop-"))

    def check(self, what, holds, detail=""):
        self.checks += 1
        if not holds:
            self.failures.append(f"{what}\n    {str(detail).strip()[-1500:]}")

    def skip(self, what, why):
        self.skipped.append(what)
        print(f"SKIPPED: {what} ({why})")

    def finish(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        for failure in self.failures:
            print(f"FAILED: {failure}")
        print(f"{self.checks - len(self.failures)} of {self.checks} checks passed, {len(self.skipped)} skipped")
        if self.failures or (self.checks == 0 and not self.skipped):
            sys.exit(1)


def run(*command, cwd=None, env=None, stdin=None):
    """The finished process, with text output of both streams in .out."""
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LANG": "C.UTF-8",
                   **{k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")}, **(env or {})}
    done = subprocess.run([str(c) for c in command], cwd=cwd, env=environment, input=stdin,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, timeout=300)
    done.out = done.stdout.decode("utf-8", "replace")
    return done


def signctl(*arguments, **options):
    return run(SIGNCTL, *arguments, **options)


def require(done):
    """`done`, which must have succeeded: for preparing, not for checking."""
    if done.returncode != 0:
        raise Failure(f"{done.args} exited with {done.returncode}\n{done.out}")
    return done


def tool(name, suite):
    """Path of a tool, or None after saying that it is absent."""
    path = shutil.which(name)
    if path is None:
        suite.skip(name, f"{name} is not installed")
    return path


@functools.cache
def osslsigncode_for(what, since, suite):
    """Path of osslsigncode if it is of version `since` (a pair) or newer, else None, having said so: Debian 12's 2.5
    knows neither app packages nor scripts."""
    path = tool("osslsigncode", suite)
    version = path and re.search(r"osslsigncode (\d+)\.(\d+)", run(path, "--version").out)
    if version and tuple(map(int, version.groups())) < since:
        suite.skip(f"osslsigncode on {what}", f"version {since[0]}.{since[1]} is the first that knows them")
        return None
    return path


def node_modules(what, suite):
    """Folder of the packages in tests/interop/packagers, or None after saying that they or Node.js are absent."""
    if not tool("node", suite):
        return None
    folder = SAMPLES / "packagers" / "node_modules"
    if not folder.is_dir():
        suite.skip(what, "scripts/fetch-samples.sh could not fetch it")
        return None
    if int(require(run("node", "-p", "process.versions.node")).out.split(".")[0]) < 20:
        suite.skip(what, "it needs Node.js 20")
        return None
    return folder


def sha256(path):
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()


def certificates_of(pem_path, target):
    """Copies only the certificate blocks of a PEM file."""
    text = pathlib.Path(pem_path).read_text()
    blocks = re.findall(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n", text, re.S)
    pathlib.Path(target).write_text("".join(blocks))
    return target


def unsigned_files(suite):
    """Real unsigned executables of this machine: (name, path)."""
    candidates = [
        ("systemd-boot (PE32+, efi)", "/usr/lib/systemd/boot/efi/systemd-bootx64.efi"),
        ("NSIS stub (PE32, exe)", "/usr/share/nsis/Stubs/zlib-x86-unicode"),
        ("NSIS plug-in (PE32, dll)", "/usr/share/nsis/Plugins/x86-unicode/System.dll"),
        ("NSIS stub (PE32+, exe)", "/usr/share/nsis/Stubs/zlib-amd64-unicode"),
        ("rcedit (PE32+, exe, npm)", SAMPLES / "rcedit-unsigned.exe"),
        ("wineyes (PE32, exe)", SHARED / "jsign" / "wineyes.exe"),
        ("fbx64 (PE32+, efi, length not a multiple of 8)", SHARED / "jsign" / "fbx64.efi"),
    ]
    found = []
    for name, path in candidates:
        if pathlib.Path(path).is_file():
            found.append((name, pathlib.Path(path)))
        else:
            suite.skip(name, f"{path} is not here")
    return found


def dev_certificate(folder, key="rsa2048", subject="Interop"):
    """Makes dev.pfx, dev.pem, dev-tsa.pem in `folder`, and tsa-cert.pem with the certificate alone."""
    folder.mkdir(parents=True, exist_ok=True)
    require(signctl("dev-cert", "-o", folder, "--key", key, "--subject", subject))
    certificates_of(folder / "dev-tsa.pem", folder / "tsa-cert.pem")
    return folder


def sign_arguments(dev, *more):
    return ["--provider", "pfx", "-p", f"file={dev / 'dev.pfx'}", "--dev", *more]
