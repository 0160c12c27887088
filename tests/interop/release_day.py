#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Release days that go wrong: batches through a signing service that counts what it is asked for.

What a bad day may never do: leave a file that is neither its old bytes nor signed and passing, or pay twice
for a signature whose answer has been had. Outages are scaled down by the settings.
"""
import http.server
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import threading
import time
import xml.etree.ElementTree

from fake_services import FakeServices
from harness import SIGNCTL, Failure, Suite, require, run, sha256, signctl, unsigned_files
from openssl_tsa import OpensslTsa

SIGN = ":asymmetricSign"
GOOD_LOCK = threading.Lock()
QUICK = any(name.endswith("SAN_OPTIONS") for name in os.environ)
FILES_IN_BULK = int(os.environ.get("SIGNCTL_BULK_FILES", "1000" if QUICK else "10000"))
PROJECT = "projects/fake/locations/global/keyRings/ring/cryptoKeys"


class Day:
    """A service, files that all differ, and a config."""

    def __init__(self, suite, fakes, sample):
        self.suite, self.fakes, self.sample = suite, fakes, sample
        self.token = fakes.personalities["google-kms"]["token"]
        self.round = 0

    def folder(self, count, **more):
        """A fresh folder with `count` files and a signctl.yaml; the originals' hashes are in .before."""
        self.round += 1
        folder = self.suite.folder / f"day{self.round}"
        folder.mkdir()
        files = []
        image = self.sample.read_bytes()
        for i in range(count):
            path = folder / f"app{i:04}.exe"
            path.write_bytes(image + f"overlay {self.round} {i:06}  ".encode())
            files.append(path)
        self.before = {path: sha256(path) for path in files}
        self.write(folder, **more)
        self.fakes.control("heal")
        self.fakes.reset()
        return folder, files

    def signer(self, kind, indent="  "):
        settings = {**self.fakes.personalities["google-kms"], "ca_file": self.fakes.ca_file, "timeout": "3s",
                    "key": f"{PROJECT}/{kind}/cryptoKeyVersions/1", "chain": self.fakes.folder / f"{kind}.pem"}
        settings["token"] = "env:DAY_TOKEN"
        lines = [f"{indent}{kind}:", f"{indent}  provider: google-kms"]
        return "\n".join(lines + [f"{indent}  {key}: {json.dumps(str(value))}" for key, value in settings.items()])

    def write(self, folder, signers=("rsa2048",), retry="{ attempts: 6, initial: 20ms, max: 200ms, deadline: 60s }",
              timestamp=None, jobs=8, more="", gate_timestamp="optional"):
        servers = f"\n  timestamp: {{ servers: {json.dumps(timestamp)} }}" if timestamp else ""
        (folder / "signctl.yaml").write_text(f"""version: 1
signers:
{chr(10).join(self.signer(kind) for kind in ("rsa2048", "rsa3072"))}
sign:
  signer: {json.dumps(list(signers))}
  jobs: {jobs}
  retry: {retry}{servers}
gate:
  timestamp: {gate_timestamp}
  trust: ["file:{self.fakes.root}"]
steps:
  - {{ name: all, files: ["*.exe"] }}
{more}
""")

    def command(self, folder, *arguments):
        return [SIGNCTL, "sign", "-c", str(folder / "signctl.yaml"), "--dev", *map(str, arguments)]

    def env(self):
        return {"DAY_TOKEN": self.token, "PATH": os.environ["PATH"], "HOME": "/nonexistent"}

    def sign(self, folder, *arguments):
        return run(*self.command(folder, *arguments), env=self.env())

    def start(self, folder, *arguments):
        return subprocess.Popen(self.command(folder, *arguments), env=self.env(), stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True)

    def verify(self, folder, files, *arguments):
        return run(SIGNCTL, "verify", "-c", folder / "signctl.yaml", "--dev", *files, *arguments, env=self.env())

    def spent(self):
        """Signatures that the service has made."""
        return sum(SIGN in one["path"] and one["status"] == 200 for one in self.fakes.log())

    def all_signed(self, what, folder, files):
        done = self.verify(folder, files)
        self.suite.check(f"{what}: every file passes", done.returncode == 0, done.out)

    def untouched(self, what, files):
        changed = [str(path) for path in files if sha256(path) != self.before[path]]
        self.suite.check(f"{what}: the files are untouched", not changed, changed)


def made_in(folder):
    """Signatures that the journal knows of."""
    journal = folder / ".signctl-journal"
    return sum(line.startswith("made ") for line in journal.read_text().splitlines()) if journal.exists() else 0


def killed_and_resumed(day, rounds=12, count=24):
    """kill -9 at random times, and the same command again until it is through."""
    dice = random.Random(11)
    folder, files = day.folder(count)
    day.fakes.fault(match=SIGN, times=-1, kind="delay", delay_ms=60)
    started = time.monotonic()
    require(day.sign(folder))
    whole = time.monotonic() - started
    folder, files = day.folder(count)
    day.fakes.fault(match=SIGN, times=-1, kind="delay", delay_ms=60)
    lost = 0
    for number in range(rounds):
        process = day.start(folder)
        time.sleep(dice.uniform(whole / 4, whole))
        process.kill()
        if process.wait() == 0:
            break
        time.sleep(0.4)  # What was under way at the service ends.
        half = [path for path in files if sha256(path) != day.before[path]]
        if len(half) == count and not (folder / ".signctl-journal").exists():
            break  # It was through but for the last word.
        lost = day.spent() - made_in(folder)
        if half:
            done = day.verify(folder, half)
            day.suite.check(f"killed in round {number}: what is not old is signed and passes", done.returncode == 0,
                            done.out)
    through = not (folder / ".signctl-journal").exists()  # Nothing is left to continue: a new run.
    done = day.sign(folder, *(["--if-signed", "skip-valid"] if through else []))
    day.suite.check("after kills the same command succeeds", done.returncode == 0, done.out)
    day.all_signed("after kills", folder, files)
    spent = day.spent()
    day.suite.check("no signature whose answer was had is paid for twice", spent == count + lost,
                    f"{spent} made for {count} files, {lost} were under way when a kill came")
    day.suite.check("the journal is gone when all is done", not (folder / ".signctl-journal").exists())
    left = [p.name for p in folder.iterdir() if p.name.endswith(".tmp")]
    print(f"killed: {count} files, {spent} signatures made, {lost} lost in flight, {len(left)} temporary files left")


def killed_half_way(day, count=6):
    """A folder whose run was killed with some files done and the journal there, and which files those are."""
    folder, files = day.folder(count, jobs=1)
    day.fakes.fault(match=SIGN, times=-1, kind="delay", delay_ms=150)
    process = day.start(folder)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and sum(sha256(path) != day.before[path] for path in files) < 3:
        time.sleep(0.02)
    process.kill()
    process.wait()
    time.sleep(0.4)  # What was under way at the service ends.
    return folder, files, [path for path in files if sha256(path) != day.before[path]]


def resumed_differently(day):
    """What an earlier run signed is done only if it is what this one would make."""
    folder, files, half = killed_half_way(day)
    plan = json.loads(require(run(SIGNCTL, "plan", "-c", folder / "signctl.yaml", "--dev", "--json", "--no-timestamp",
                                  env=day.env())).stdout)
    day.suite.check("plan knows what the journal has as done", (plan["would_skip"], plan["would_fail"]) == (len(half), 0), plan)
    config = (folder / "signctl.yaml").read_text()
    for what, change in (("description", ("  jobs: 1", "  description: New\n  jobs: 1")),
                         ("signer", ('signer: ["rsa2048"]', 'signer: ["rsa3072"]')),
                         ("digest", ("  jobs: 1", "  digest: sha384\n  jobs: 1"))):
        (folder / "signctl.yaml").write_text(config.replace(*change))
        spent = day.spent()
        done = day.sign(folder)
        day.suite.check(f"another {what}: what the earlier run signed is not taken for done",
                        done.returncode == 4 and f"other settings: it has another {what}" in done.out
                        and day.spent() == spent, done.out)
    (folder / "signctl.yaml").write_text(config)
    signed = half[0].read_bytes()
    half[0].write_bytes(signed[:0x50] + bytes([signed[0x50] ^ 1]) + signed[0x51:])
    done = day.sign(folder)
    day.suite.check("a file that was changed since is called that", done.returncode == 4 and "changed since" in done.out, done.out)
    half[0].write_bytes(signed)
    done = day.sign(folder, "--max-signatures", len(files) - len(half))
    day.suite.check("the limit counts what is left", done.returncode == 0, done.out)
    day.all_signed("resumed", folder, files)


def signed_elsewhere(day):
    """A second run into the same folder pays for nothing that is there."""
    folder, files = day.folder(4)
    arguments = ["--output-dir", folder / "out", "--if-signed", "skip-valid", "--manifest", folder / "out" / "m.json"]
    require(day.sign(folder, *arguments))
    done = day.sign(folder, *arguments)
    day.suite.check("outputs that are there are not paid for again",
                    done.returncode == 0 and day.spent() == 4 and "0 signed + 4 skipped" in done.out, (day.spent(), done.out))
    done = run(SIGNCTL, "verify", "-c", folder / "signctl.yaml", "--dev", "--manifest", folder / "out" / "m.json", env=day.env())
    day.suite.check("and the manifest tells of the outputs", done.returncode == 0, done.out)
    done = day.sign(folder, "--output-dir", folder / "all", "--if-signed", "skip-valid", folder / "out" / files[0].name, files[1])
    day.suite.check("what is signed already belongs to the output as well", done.returncode == 0 and day.spent() == 5
                    and sha256(folder / "all" / files[0].name) == sha256(folder / "out" / files[0].name), (day.spent(), done.out))
    done = day.verify(folder, [folder / "all"])
    day.suite.check("all of it passes", done.returncode == 0 and "2 passed" in done.out, done.out)
    day.fakes.reset()
    files[0].write_bytes(files[0].read_bytes() + b"changed!")
    config = (folder / "signctl.yaml").read_text()
    done = day.sign(folder, *arguments)
    day.suite.check("one whose input has changed is", done.returncode == 0 and day.spent() == 1, (day.spent(), done.out))
    (folder / "signctl.yaml").write_text(config.replace("  jobs: 8", "  description: New\n  jobs: 8"))
    done = day.sign(folder, *arguments)
    day.suite.check("and all are when the description has", done.returncode == 0 and day.spent() == 5, (day.spent(), done.out))


def outage(day):
    """The service is down for a while at first."""
    folder, files = day.folder(12, retry="{ attempts: 100, initial: 50ms, max: 400ms, deadline: 60s }")
    day.fakes.fault(match=SIGN, times=-1, status=503)
    ended = []

    def heal():
        time.sleep(3)
        day.fakes.control("heal")
        ended.append(time.monotonic())

    threading.Thread(target=heal).start()
    done = day.sign(folder)
    recovery = time.monotonic() - ended[0] if ended else -1
    day.suite.check("an outage is waited out", done.returncode == 0, done.out)
    day.all_signed("outage", folder, files)
    day.suite.check("one signature a file in spite of an outage", day.spent() == len(files), day.spent())
    day.suite.check("all is done within 2 s of the end of an outage", 0 <= recovery < 2, recovery)

    folder, files = day.folder(6, retry="{ attempts: 3, initial: 10ms, max: 20ms, deadline: 20s }")
    day.fakes.fault(match=SIGN, times=-1, status=503)
    done = day.sign(folder, "--keep-going")
    day.suite.check("an outage for good ends with 9", done.returncode == 9, done.out)
    day.suite.check("and says how often it was tried", "tried 3 times" in done.out, done.out)
    day.untouched("an outage for good", files)


def hung(day):
    folder, files = day.folder(2, retry="{ attempts: 2, initial: 10ms, max: 20ms, deadline: 4s }")
    day.fakes.fault(match=SIGN, times=-1, kind="delay", delay_ms=8_000)
    started = time.monotonic()
    done = day.sign(folder)
    day.suite.check("a call that hangs is cut off", done.returncode == 9 and time.monotonic() - started < 15, done.out)
    day.untouched("a call that hangs", files)


def throttled(day):
    folder, files = day.folder(6, retry="{ attempts: 100, initial: 50ms, max: 1s, deadline: 60s }")
    day.fakes.control("throttle", match=SIGN, per_second=2)
    started = time.monotonic()
    done = day.sign(folder)
    took = time.monotonic() - started
    day.suite.check("a throttled batch gets through", done.returncode == 0, done.out)
    day.all_signed("throttled", folder, files)
    day.suite.check("one signature a file in spite of throttling", day.spent() == len(files), day.spent())
    day.suite.check("and not much slower than allowed", took < 12, took)
    print(f"throttled to 2/s: {len(files)} files in {took:.1f} s")

    # With the attempts that everybody has: who waits longest in the crowd must not fail while it gets on.
    folder, files = day.folder(20, jobs=16, retry="{ attempts: 6, initial: 100ms, max: 2s, deadline: 90s }")
    day.fakes.control("throttle", match=SIGN, per_second=3)
    done = day.sign(folder)
    day.suite.check("a crowd is signed at the pace that the service allows", done.returncode == 0 and day.spent() == len(files),
                    (day.spent(), done.out[-2000:]))
    day.all_signed("a throttled crowd", folder, files)


def fallback(day):
    folder, files = day.folder(4, signers=("rsa2048", "rsa3072"),
                               retry="{ attempts: 2, initial: 10ms, max: 20ms, deadline: 20s }")
    day.fakes.fault(match="cryptoKeys/rsa2048/cryptoKeyVersions/1:asymmetricSign", times=-1, status=503)
    done = day.sign(folder, "--json")
    document = json.loads(done.stdout.decode()[done.stdout.decode().index("{\n"):])
    day.suite.check("a fallback signs what the first cannot", done.returncode == 0, done.out)
    day.suite.check("the fallback is loud", "FALLBACK" in done.out, done.out)
    day.suite.check("the report says who signed what", {f["signer"] for f in document["files"]} == {"rsa3072"}, done.out)
    counts = {one["name"]: one["signatures"] for one in document["signers"]}
    day.suite.check("and how many each", counts == {"rsa2048": 0, "rsa3072": 4}, counts)
    day.all_signed("fallback", folder, files)

    for signers, code in ((("rsa2048", "rsa3072"), 0), (("rsa2048",), 9)):
        folder, files = day.folder(6, signers=signers, jobs=2)
        day.fakes.fault(match="cryptoKeys/rsa2048/cryptoKeyVersions/1:asymmetricSign", times=-1, status=429,
                        headers={"Retry-After": "3600"})
        started = time.monotonic()
        done = day.sign(folder, "--keep-going")
        took = time.monotonic() - started
        day.suite.check(f"nobody waits for a service that asks for an hour ({len(signers)} signers)",
                        done.returncode == code and took < 15, (took, done.out))

    folder, files = day.folder(1, signers=("rsa2048", "rsa3072"))
    day.fakes.fault(match="cryptoKeys/rsa2048/", times=-1, status=403)
    done = day.sign(folder)
    day.suite.check("a refusal is no reason to fall back", done.returncode in (6, 7) and "FALLBACK" not in done.out, done.out)
    day.untouched("a refusal", files)

    folder, files = day.folder(1, signers=("rsa2048", "rsa3072"),
                               retry="{ attempts: 2, initial: 10ms, max: 20ms, deadline: 20s }")
    config = (folder / "signctl.yaml").read_text()
    (folder / "signctl.yaml").write_text(config.replace("gate:\n", "gate:\n  identity: { subject: { CN: Fake Signer rsa2048/0 } }\n"))
    day.fakes.fault(match="cryptoKeys/rsa2048/cryptoKeyVersions/1:asymmetricSign", times=-1, status=503)
    done = day.sign(folder)
    day.suite.check("a fallback of another identity signs nothing", done.returncode == 3 and "gate.identity" in done.out, done.out)
    day.untouched("a fallback of another identity", files)
    day.fakes.control("heal")
    (folder / "signctl.yaml").write_text(config.replace("gate:\n", "gate:\n  identity: { subject: { CN: Somebody Else } }\n"))
    day.fakes.reset()
    done = day.sign(folder)
    day.suite.check("a signer of another identity costs nothing",
                    done.returncode == 1 and "identity-mismatch" in done.out and day.spent() == 0, done.out)
    day.untouched("a signer of another identity", files)


class Tsa:
    """A timestamp server that stands before a good one and misbehaves in one way."""

    def __init__(self, mode, good):
        self.mode, self.good, self.count, self.lock = mode, good, 0, threading.Lock()

    def __enter__(self):
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            """Answers by mode."""
            protocol_version = "HTTP/1.1"

            def do_POST(self):  # noqa: N802, the base class decides the name
                """One answer."""
                query = self.rfile.read(int(self.headers["Content-Length"]))
                status, reply = outer.answer(query)
                self.send_response(status)
                self.send_header("Content-Type", "application/timestamp-reply")
                self.send_header("Content-Length", str(len(reply)))
                self.end_headers()
                self.wfile.write(reply)

            def log_message(self, *_):
                """Quiet."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def answer(self, query):
        with self.lock:
            self.count += 1
            count = self.count
        if self.mode == "down" or (self.mode == "thirds" and count % 3 == 0):
            return 503, b""
        if self.mode == "slow":
            time.sleep(1.5)
        with GOOD_LOCK:  # It keeps its question in one file.
            reply = bytearray(self.good.answer(query))
        if self.mode == "lying":
            reply[-20] ^= 1
        return 200, bytes(reply)

    def __exit__(self, *_):
        self.server.shutdown()


def timestamps(day, good):
    trust = ["--trust-cert", good.certificate]
    quick = "{ attempts: 3, initial: 10ms, max: 50ms, deadline: 30s }"
    with Tsa("down", good) as down, Tsa("down", good) as gone, Tsa("lying", good) as lying, Tsa("slow", good) as slow, \
            Tsa("good", good) as fine:
        folder, files = day.folder(6, retry=quick, timestamp=[down.url, gone.url], gate_timestamp="required")
        done = day.sign(folder, *trust, "--keep-going")
        day.suite.check("every timestamp server down: 8", done.returncode == 8, done.out)
        day.suite.check("and the error names server, status and attempt",
                        all(word in done.out for word in (down.url, gone.url, "503", "attempt ")), done.out)
        day.untouched("every timestamp server down", files)
        day.write(folder, retry=quick, timestamp=[fine.url], gate_timestamp="required")
        done = day.sign(folder, *trust)
        day.suite.check("the run after it succeeds", done.returncode == 0, done.out)
        day.suite.check("and pays for no signature again", day.spent() == len(files), day.spent())
        done = day.verify(folder, files, *trust)
        day.suite.check("with timestamps", done.returncode == 0, done.out)

        folder, files = day.folder(60, retry=quick, timestamp=[down.url], gate_timestamp="required", jobs=4)
        day.fakes.fault(match=SIGN, times=-1, kind="delay", delay_ms=50)
        done = day.sign(folder, *trust, "--keep-going")
        day.suite.check("no timestamp server is well: few signatures are paid for",
                        done.returncode == 8 and day.spent() <= 12, (day.spent(), done.out[-1500:]))

        folder, files = day.folder(12, retry=quick, timestamp=[lying.url, slow.url, fine.url], gate_timestamp="required")
        started = time.monotonic()
        done = day.sign(folder, *trust, "-j", 4)
        took = time.monotonic() - started
        day.suite.check("one server lies, one is slow: all is well", done.returncode == 0, done.out)
        day.suite.check("one server lies, one is slow: one signature a file", day.spent() == len(files), day.spent())
        day.suite.check("the slow server is overtaken", slow.count <= 8 and fine.count >= 4, (slow.count, fine.count))
        print(f"timestamps: lying asked {lying.count}, slow {slow.count}, good {fine.count} times in {took:.1f} s")
    with OpensslTsa(day.suite.folder / "stranger") as stranger:
        folder, files = day.folder(3, retry=quick, timestamp=[stranger.url, good.url], gate_timestamp="required")
        done = day.sign(folder, *trust)
        day.suite.check("a server that nobody trusts is passed over", done.returncode == 0 and stranger.requests > 0, done.out)
        day.suite.check("and costs no signature", day.spent() == len(files), day.spent())
        folder, files = day.folder(1, retry=quick, timestamp=[stranger.url], gate_timestamp="required")
        done = day.sign(folder, *trust)
        day.suite.check("with no other it is exit code 8", done.returncode == 8 and "chain-untrusted" in done.out, done.out)
        day.untouched("a server that nobody trusts", files)
        done = run(SIGNCTL, "doctor", "-c", folder / "signctl.yaml", env=day.env())
        day.suite.check("doctor says so", done.returncode != 0 and "chain-untrusted" in done.out, done.out)
    with Tsa("thirds", good) as thirds:
        folder, files = day.folder(12, retry=quick, timestamp=[thirds.url], gate_timestamp="required")
        done = day.sign(folder, *trust)
        day.suite.check("a server that refuses every third call is enough", done.returncode == 0, done.out)
        day.suite.check("and is asked no more than needed", thirds.count <= 2 * len(files), thirds.count)


def two_processes(day):
    folder, files = day.folder(12)
    day.fakes.fault(match=SIGN, times=-1, kind="delay", delay_ms=80)
    # Whichever comes second finds files that are signed already, or waits for those under way.
    both = [day.start(folder, "--if-signed", "skip-valid") for _ in range(2)]
    outputs = [process.communicate()[0] for process in both]
    day.suite.check("two runs on the same files both end well", [p.returncode for p in both] == [0, 0], "\n".join(outputs))
    day.suite.check("and pay once", day.spent() == len(files), day.spent())
    day.all_signed("two runs", folder, files)


def identical(day):
    folder, files = day.folder(3)
    for i in range(3):
        shutil.copyfile(files[0], folder / f"copy{i}.exe")
    os.symlink(files[1], folder / "link.exe")
    done = day.sign(folder)
    day.suite.check("identical files are signed", done.returncode == 0, done.out)
    day.suite.check("identical files share one signature", day.spent() == 3, day.spent())
    copies = {sha256(folder / f"copy{i}.exe") for i in range(3)} | {sha256(files[0])}
    day.suite.check("and are identical again", len(copies) == 1, copies)
    day.suite.check("the summary counts files", "6 planned = 6 signed + 0 skipped" in done.out, done.out)
    plan_folder, _ = day.folder(2)
    shutil.copyfile(plan_folder / "app0000.exe", plan_folder / "twin.exe")
    plan = json.loads(require(run(SIGNCTL, "plan", "-c", plan_folder / "signctl.yaml", "--json", "--no-timestamp",
                                  env=day.env())).stdout)
    day.suite.check("plan counts them once", plan["billable_signatures"] == 2 and plan["would_sign"] == 3, plan)
    (plan_folder / "broken.exe").write_text("no program\n")
    plan = json.loads(require(run(SIGNCTL, "plan", "-c", plan_folder / "signctl.yaml", "--json", "--no-timestamp",
                                  env=day.env())).stdout)
    day.suite.check("plan tells what would fail", plan["would_fail"] == 1, plan)


def cached(day):
    folder, files = day.folder(4, more="cache: cache")
    originals = {path: path.read_bytes() for path in files}
    require(day.sign(folder))
    signed = {path: sha256(path) for path in files}
    for path, image in originals.items():
        path.write_bytes(image)
    files[0].write_bytes(originals[files[0]] + b"changed!")
    done = day.sign(folder)
    day.suite.check("what is unchanged comes from the cache", done.returncode == 0 and day.spent() == 5, (day.spent(), done.out))
    day.suite.check("byte for byte", all(sha256(path) == signed[path] for path in files[1:]))
    day.all_signed("cache", folder, files)
    for entry in (folder / "cache").iterdir():
        image = bytearray(entry.read_bytes())
        image[-30] ^= 1
        entry.write_bytes(image)
    for path, image in originals.items():
        path.write_bytes(image)
    done = day.sign(folder)
    day.suite.check("a cache that lies is not believed", done.returncode == 0 and day.spent() == 9, (day.spent(), done.out))
    day.all_signed("a lying cache", folder, files)


def credential(day):
    """A login that expires mid-run is renewed."""
    folder = day.suite.folder / "login"
    folder.mkdir()
    with FakeServices(day.suite.folder / "vault-fakes", ["entra", "key-vault"]) as fakes:
        settings = {**fakes.personalities["key-vault"], "ca_file": str(fakes.ca_file), "certificate": "rsa2048",
                    "chain": str(fakes.folder / "rsa2048.pem")}
        secret = settings.pop("client_secret")
        flags = [word for key, value in settings.items() for word in ("-p", f"{key}={value}")]
        files = []
        for i in range(12):
            path = folder / f"app{i}.exe"
            path.write_bytes(day.sample.read_bytes() + f"login {i:03}".encode())
            files.append(path)
        fakes.fault(match="/sign", times=-1, kind="delay", delay_ms=150)
        command = [SIGNCTL, "sign", *files, "--provider", "azure-key-vault", *flags, "-p", "client_secret=env:SECRET",
                   "--no-timestamp", "--trust-cert", fakes.root, "--dev", "-j", "1", "--journal", "off"]
        process = subprocess.Popen([str(c) for c in command], env={**day.env(), "SECRET": secret}, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True)
        time.sleep(0.9)
        fakes.control("clock", offset_s=7200)
        text = process.communicate()[0]
        logins = fakes.count("/token")
        day.suite.check("a login that expires mid-run is renewed", process.returncode == 0, text)
        day.suite.check("by logging in once more", logins == 2, logins)


def stopped(day):
    folder, files = day.folder(30, jobs=4)
    day.fakes.fault(match=SIGN, times=-1, kind="delay", delay_ms=200)
    report = folder / "report.xml"
    process = day.start(folder, "--report", report)
    while process.poll() is None and not any(sha256(path) != day.before[path] for path in files):
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    started = time.monotonic()
    text = process.communicate()[0]
    day.suite.check("SIGTERM ends with 130 and soon", process.returncode == 130 and time.monotonic() - started < 5, text)
    day.suite.check("SIGTERM still writes the report", report.exists() and "<testsuite" in report.read_text(), text)
    changed = [path for path in files if sha256(path) != day.before[path]]
    day.suite.check("SIGTERM leaves files old or finished", 0 < len(changed) < len(files), len(changed))
    done = day.verify(folder, changed)
    day.suite.check("SIGTERM: what was finished passes", done.returncode == 0, done.out)
    done = day.sign(folder)
    day.suite.check("and the next run finishes the rest", done.returncode == 0 and day.spent() == len(files), (day.spent(), done.out))


def meddled(day):
    """Somebody else changes a file while it is being signed."""
    folder, files = day.folder(1)
    day.fakes.fault(match=SIGN, times=-1, kind="delay", delay_ms=2500)
    process = day.start(folder)
    time.sleep(1.2)
    files[0].write_bytes(day.sample.read_bytes() + b"something else, by somebody else")
    other = sha256(files[0])
    text = process.communicate()[0]
    day.suite.check("a file changed meanwhile is refused", process.returncode == 4 and "changed by somebody else" in text, text)
    day.suite.check("and left as somebody else made it", sha256(files[0]) == other)

    # The first is signed and in place while the others still are.
    folder, files = day.folder(6, jobs=1)
    day.fakes.fault(match=SIGN, times=-1, kind="delay", delay_ms=200)
    process = day.start(folder)
    while process.poll() is None and sha256(files[0]) == day.before[files[0]]:
        time.sleep(0.02)
    with open(files[0], "ab") as file:
        file.write(b"one more line")
    text = process.communicate()[0]
    day.suite.check("a file changed behind the run's back fails it", process.returncode == 1
                    and "app0000.exe was changed by somebody else after it was signed" in text, (process.returncode, text))
    day.suite.check("and the sum says so", "5 signed" in text and "1 failed" in text, text)


def limits(day):
    folder, files = day.folder(3, more="limits: { signatures_per_run: 2 }")
    done = day.sign(folder)
    day.suite.check("limits.signatures_per_run refuses first", done.returncode == 3 and day.spent() == 0, done.out)
    day.untouched("limits.signatures_per_run", files)
    shutil.copyfile(files[0], files[2])
    done = day.sign(folder)
    day.suite.check("files that are the same count once", done.returncode == 0 and day.spent() == 2, done.out)


def reports(day):
    folder, files = day.folder(2)
    (folder / "bad<&>.exe").write_text("not a program")
    for name, look in (("r.json", '"signctl/sign/1"'), ("r.xml", "<testsuite"), ("r.sarif", '"2.1.0"'), ("r.md", "| file |"),
                       ("r.html", "<!doctype html>")):
        done = day.sign(folder, "--keep-going", "--if-signed", "replace", "--report", folder / name)
        text = (folder / name).read_text() if (folder / name).exists() else ""
        day.suite.check(f"report {name} is written by a failing run", done.returncode == 5 and look in text, done.out)
        if name.endswith((".json", ".sarif")):
            json.loads(text)
        if name.endswith(".xml"):
            root = xml.etree.ElementTree.fromstring(text)
            day.suite.check("JUnit counts", root[0].get("tests") == "3" and root[0].get("errors") == "1", text)
        if name.endswith(".html"):
            day.suite.check("HTML escapes names", "bad&lt;&amp;&gt;.exe" in text and "bad<&>" not in text, text[-2000:])
    done = day.sign(folder, "--report", "report.doc")
    day.suite.check("an unknown kind of report is a usage error", done.returncode == 2, done.out)


def bulk(day):
    """Many files, a local key: one signature each, little memory."""
    folder = day.suite.folder / "bulk"
    folder.mkdir()
    require(signctl("dev-cert", "-o", folder, "--key", "p256", "--subject", "Bulk"))
    image = day.sample.read_bytes()
    for i in range(FILES_IN_BULK):
        (folder / f"{i:05}.exe").write_bytes(image + f"bulk {i:08}".encode())
    command = ["sign", folder / "*.exe", "--provider", "pfx", "-p", f"file={folder / 'dev.pfx'}", "--no-timestamp", "--dev",
               "-q", "-j", "4"]
    started = time.monotonic()
    done = run("/usr/bin/time", "-f", "peak %M", SIGNCTL, *command) if shutil.which("time") else signctl(*command)
    took = time.monotonic() - started
    day.suite.check(f"{FILES_IN_BULK} files are signed", done.returncode == 0, done.out[-2000:])
    peak = re.search(r"peak (\d+)", done.out)
    if peak and not QUICK:
        day.suite.check("in at most 64 MB", int(peak[1]) <= 65536, peak[0])
    print(f"bulk: {FILES_IN_BULK} files in {took:.1f} s, {peak[0] if peak else 'memory not measured'}")


def main():
    suite = Suite()
    files = unsigned_files(suite)
    if not files:
        raise Failure("there is no executable to test with")
    sample = min((path for _, path in files), key=lambda path: path.stat().st_size)
    with FakeServices(suite.folder / "fakes", ["google-kms"]) as fakes, OpensslTsa(suite.folder / "tsa") as good:
        day = Day(suite, fakes, sample)
        tests = [killed_and_resumed, resumed_differently, signed_elsewhere, outage, throttled, fallback, two_processes, identical, cached, credential,
                 stopped, meddled, limits, reports, bulk, lambda d: timestamps(d, good),
                 hung]  # Last: the service still counts what was cut off.
        chosen = os.environ.get("SIGNCTL_DAYS", "").split(",")
        for test in tests:
            name = getattr(test, "__name__", "")
            name = "timestamps" if name == "<lambda>" else name
            if chosen == [""] or name in chosen:
                started = time.monotonic()
                test(day)
                print(f"{name}: {time.monotonic() - started:.1f} s", flush=True)
    suite.finish()


if __name__ == "__main__":
    main()
