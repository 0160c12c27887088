#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""signctl session: one login for many runs, on a socket that only its owner reaches."""
import base64
import concurrent.futures
import hashlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import time

from fake_services import FakeServices
from harness import SIGNCTL, Suite, require, run, sha256, unsigned_files

LOGIN, SIGN = "POST /entra/fake-tenant/oauth2/v2.0/token", "POST /artifact-signing"


class Desk:
    """A signer at the Artifact Signing stand-in, files, and a folder for sockets."""

    def __init__(self, suite, fakes, sample):
        self.suite, self.fakes, self.sample, self.number = suite, fakes, sample, 0
        self.folder = suite.folder / "desk"
        self.folder.mkdir()
        self.runtime = suite.folder / "run"
        self.runtime.mkdir(mode=0o700)
        settings = {**fakes.personalities["artifact-signing"], "ca_file": str(fakes.ca_file), "timeout": "5s"}
        self.secret = settings.pop("client_secret")
        self.settings = settings
        require(run(SIGNCTL, "dev-cert", "-o", self.folder))
        self.write()

    def write(self, signer="release", **changes):
        lines = [f"    {key}: {json.dumps(str(value))}" for key, value in {**self.settings, **changes}.items()]
        (self.folder / "signctl.yaml").write_text(
            f"version: 1\nsigners:\n  {signer}:\n    provider: trusted-signing\n    client_secret: env:DESK_SECRET\n" + "\n".join(lines)
            + f"\nsign: {{ signer: {signer}, retry: {{ attempts: 3, initial: 20ms, max: 200ms, deadline: 30s }}, "
              "timestamp: { servers: ['dev:dev-tsa.pem'] } }\n"
            + f"gate: {{ timestamp: optional, trust: ['file:{self.fakes.root}'] }}\n")

    def env(self, **more):
        return {"DESK_SECRET": self.secret, "XDG_RUNTIME_DIR": str(self.runtime), **more}

    def call(self, *arguments, **env):
        return run(SIGNCTL, *arguments, cwd=self.folder, env=self.env(**env))

    def start(self, *arguments, **env):
        return self.call("session", "start", "--dev", *arguments, **env)

    def stop(self):
        return self.call("session", "stop")

    def file(self):
        self.number += 1
        path = self.folder / f"app{self.number:03}.exe"
        path.write_bytes(self.sample.read_bytes() + b"file %04d" % self.number)
        return path

    def sign(self, path, *arguments, **env):
        return self.call("sign", "--dev", "--journal", "off", *arguments, path, **env)

    def logins(self):
        return self.fakes.count(LOGIN)


def many_runs(desk):
    suite = desk.suite
    desk.fakes.reset()
    files = [desk.file() for _ in range(30)]
    before = [hashlib.sha256(path.read_bytes()).digest() for path in files]
    # Its output goes into a pipe, as in a CI job: the step ends although the session lives on.
    started = time.monotonic()
    done = desk.start()
    suite.check("a session starts, and lets go of what it inherited", done.returncode == 0 and time.monotonic() - started < 20, done.out)
    chains = len(desk.fakes.log())
    with concurrent.futures.ThreadPoolExecutor(15) as pool:
        results = list(pool.map(lambda path: desk.call("signtool", "sign", "/fd", "sha256", "--dev", path), files))
    suite.check("30 runs at the same time sign", all(one.returncode == 0 for one in results), [one.out for one in results][:3])
    suite.check("with one login", desk.logins() == 1, desk.fakes.log()[:8])
    paths = [f"{one['method']} {one['path']}" for one in desk.fakes.log()[chains:]]
    suite.check("and no look at the chain after the first", not any("certificates" in one or "certchain" in one.lower() for one in paths), paths[:6])
    done = desk.call("verify", "--dev", "--timestamp", "required", *files)
    suite.check("every file passes, with a timestamp", done.returncode == 0, done.out)
    noted = json.dumps(desk.fakes.notes())
    missing = [digest for digest in before if base64.b64encode(digest).decode() not in noted and digest.hex() not in noted]
    suite.check("the service was told each file's hash", not missing, noted[:400])
    status = json.loads(desk.call("session", "status", "--json").stdout)
    suite.check("status counts", status["signatures"] == 30 and status["timestamps"] == 30 and status["running"], status)
    again = desk.start()
    suite.check("starting it once more is no error", again.returncode == 0 and "already" in again.out, again.out)

    here = pathlib.Path(f"/proc/{status['process']}")
    if here.exists():
        words = (here / "cmdline").read_bytes()
        suite.check("no secret among its arguments", desk.secret.encode() not in words, words)
        suite.check("it has its parent's streams no more", all(os.readlink(here / "fd" / str(i)) == "/dev/null" for i in range(3)))
    for path in (desk.runtime / "signctl").iterdir():
        mode = path.stat().st_mode & 0o777
        suite.check(f"{path.suffix} is not for others", (desk.runtime / "signctl").stat().st_mode & 0o777 == 0o700 and
                    (path.is_socket() or mode & 0o077 == 0), oct(mode))
        suite.check("and holds no secret", path.is_socket() or desk.secret not in path.read_text())

    done = desk.sign(desk.file(), "-vv")
    suite.check("a run says that it uses the session, and no secret", "session that was started" in done.out and desk.secret not in done.out, done.out[-600:])
    done = desk.stop()
    suite.check("it is stopped", done.returncode == 0 and "31 signatures" in done.out, done.out)
    suite.check("stopping it once more is no error", desk.stop().returncode == 0)
    suite.check("status then is exit code 4", desk.call("session", "status").returncode == 4)
    suite.check("a run after that logs in itself", desk.sign(desk.file()).returncode == 0 and desk.logins() == 2)


def not_for_others(desk):
    """What is asked for something else does not use it."""
    suite = desk.suite
    require(desk.start())
    desk.fakes.reset()
    for what, arguments, env in (("another timestamp server", ["--timestamp-url", "dev:"], {}),
                                 ("another secret", [], {"DESK_SECRET": desk.secret + "x"})):
        done = desk.sign(desk.file(), "-v", *arguments, **env)
        suite.check(f"{what}: the session is not used", "not used" in done.out and "session that was started" not in done.out, done.out)
    suite.check("each logs in by itself", desk.logins() >= 2, desk.fakes.log())
    desk.write(timeout="6s")
    done = desk.sign(desk.file(), "-v")
    suite.check("another setting: the session is not used", done.returncode == 0 and "not used" in done.out, done.out)
    done = desk.start()
    suite.check("nor is a second one started beside it", done.returncode == 11 and "session stop" in done.out, (done.returncode, done.out))
    desk.write()
    require(desk.stop())


def private(desk):
    suite = desk.suite
    folder = desk.runtime / "signctl"
    require(desk.start())
    folder.chmod(0o755)
    done = desk.sign(desk.file())
    suite.check("a folder that others may enter is refused", done.returncode == 11 and "nobody else" in done.out, (done.returncode, done.out))
    done = desk.start()
    suite.check("also by start", done.returncode == 11, done.out)
    folder.chmod(0o700)
    require(desk.stop())
    other = suite.folder / "elsewhere"
    other.mkdir(mode=0o700)
    (other / "signctl").symlink_to(folder)
    done = desk.start(XDG_RUNTIME_DIR=str(other))
    suite.check("a link in its place is refused", done.returncode == 11, (done.returncode, done.out))
    # What is no session there is passed over, or refused; it never hangs.
    for path in folder.glob("*.sock*"):
        path.unlink()
    require(desk.start())
    socket = next(folder.glob("*.sock"))
    require(desk.stop())
    socket.write_text("not a socket")
    done = desk.sign(desk.file())
    suite.check("a file in the socket's place is passed over", done.returncode == 0, done.out)
    done = desk.start()
    suite.check("and replaced by the next session", done.returncode == 0, done.out)
    if os.geteuid() == 0 and shutil.which("setpriv"):
        path = desk.file()
        path.chmod(0o666)
        done = run("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "true")
        if done.returncode == 0:
            folder_mode = folder.stat().st_mode
            for part in (suite.folder, desk.runtime, folder):
                part.chmod(0o755)
            done = run("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", SIGNCTL, "session", "status",
                       cwd=desk.folder, env=desk.env())
            suite.check("another user cannot ask it", done.returncode == 11, (done.returncode, done.out))
            desk.runtime.chmod(0o700)
            folder.chmod(folder_mode & 0o777)
    require(desk.stop())


def ends(desk):
    """Idle, killed, told to stop, out of signatures."""
    suite = desk.suite
    require(desk.start("--idle", "1s"))
    time.sleep(2.5)
    suite.check("an idle session ends", desk.call("session", "status").returncode == 4 and not list((desk.runtime / "signctl").glob("*.sock")))

    require(desk.start())
    pid = json.loads(desk.call("session", "status", "--json").stdout)["process"]
    desk.fakes.reset()
    os.kill(pid, signal.SIGKILL)
    time.sleep(0.2)
    done = desk.sign(desk.file())
    suite.check("after a session was killed a run signs by itself", done.returncode == 0 and desk.logins() == 1, done.out)
    suite.check("and the next session takes its place", desk.start().returncode == 0)

    pid = json.loads(desk.call("session", "status", "--json").stdout)["process"]
    os.kill(pid, signal.SIGTERM)
    time.sleep(1)
    suite.check("SIGTERM ends it", desk.call("session", "status").returncode == 4)

    # Killed while it signs: what may have been counted is not asked for again, and the next run signs by itself.
    require(desk.start())
    pid = json.loads(desk.call("session", "status", "--json").stdout)["process"]
    path = desk.file()
    before = sha256(path)
    desk.fakes.reset()
    desk.fakes.fault(match=SIGN, times=1, kind="delay", delay_ms=3000)
    process = subprocess.Popen([SIGNCTL, "sign", "--dev", "--journal", "off", str(path)], cwd=desk.folder,
                               env={"PATH": os.environ["PATH"], **{k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")}, **desk.env()},
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    time.sleep(1.2)
    os.kill(pid, signal.SIGKILL)
    out = process.communicate(timeout=60)[0]
    suite.check("killed while it signs: the run says that a signature may have been counted, and stops",
                process.returncode == 9 and "may have counted" in out and sha256(path) == before, (process.returncode, out))
    time.sleep(2.5)  # What is delayed is in the log once it is answered.
    asked = [one for one in desk.fakes.log() if SIGN in f"{one['method']} {one['path']}"]
    suite.check("killed while it signs: nothing is asked for twice", len(asked) == 1, asked)
    done = desk.sign(path)
    suite.check("and another run signs by itself", done.returncode == 0, done.out)
    desk.fakes.control("heal")
    desk.fakes.reset()

    # Stopped while it signs: what is under way is finished.
    require(desk.start())
    desk.fakes.fault(match=SIGN, times=1, kind="delay", delay_ms=1500)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        signing = pool.submit(desk.sign, desk.file())
        time.sleep(0.7)
        done = desk.stop()
        result = signing.result()
    suite.check("stop waits for what is under way", done.returncode == 0 and "1 signatures" in done.out and result.returncode == 0, (done.out, result.out))
    desk.fakes.control("heal")
    desk.fakes.reset()

    require(desk.start("--max-signatures", "3"))
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        results = list(pool.map(lambda path: desk.sign(path), [desk.file() for _ in range(6)]))
    good = [one for one in results if one.returncode == 0]
    suite.check("--max-signatures holds over all runs", len(good) == 3 and all("may make" in one.out for one in results if one.returncode != 0),
                [one.out for one in results if one.returncode != 0][:1])
    require(desk.stop())


def errors(desk):
    suite = desk.suite
    done = desk.start(DESK_SECRET="wrong~client~secret.value")
    suite.check("a wrong credential is start's error, with its exit code", done.returncode == 6 and "wrong~client" not in done.out, (done.returncode, done.out))
    suite.check("and leaves nothing running", desk.call("session", "status").returncode == 4)
    for arguments, words in ((["--idle", "soon"], "--idle"), (["--idle", "0s"], "--idle"), (["--max-signatures", "0"], "--max-signatures")):
        done = desk.start(*arguments)
        suite.check(f"{arguments}: exit code 2", done.returncode == 2 and words in done.out, done.out)
    require(desk.start())
    desk.fakes.fault(match=SIGN, times=-1, status=403)
    path = desk.file()
    before = sha256(path)
    done = desk.sign(path)
    suite.check("what the service refuses comes through, with its exit code", done.returncode in (6, 7) and sha256(path) == before, (done.returncode, done.out))
    desk.fakes.control("heal")
    desk.fakes.reset()
    desk.fakes.fault(match=SIGN, times=1, status=429, headers={"Retry-After": "1"})
    done = desk.sign(path)
    suite.check("throttling is waited out", done.returncode == 0, done.out)
    desk.fakes.reset()
    require(desk.stop())


def main():
    suite = Suite()
    if os.name == "nt":
        suite.skip("sessions", "there are none on Windows")
        suite.finish()
        return
    (_, sample) = next(one for one in unsigned_files(suite) if "NSIS plug-in" in one[0])
    with FakeServices(suite.folder / "services", ["artifact-signing", "entra"]) as fakes:
        desk = Desk(suite, fakes, sample)
        try:
            many_runs(desk)
            not_for_others(desk)
            private(desk)
            ends(desk)
            errors(desk)
        finally:
            desk.stop()
    suite.finish()


if __name__ == "__main__":
    main()
