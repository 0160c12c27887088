#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Times batches: against a loop of osslsigncode, against services of known latency, and on bad days.

bench_batch.py SIGNCTL SIGNCTL-FAKE PE-FILE [--quick]     prints Markdown tables; fails where a goal is missed

signctl's times include its verification gate. The ideal of a service run is files / jobs x latency, beside what a
run with one file takes for login, chain and start-up; or what the same run takes without any latency, where that is
longer, because stand-in and signctl share the machine's cores. Both are printed.
"""
import http.server
import itertools
import os
import pathlib
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

SIGN = ":asymmetricSign"
missed = []


def row(name, value, goal, holds):
    if not holds:
        missed.append(name)
    print(f"| {name} | {value} | {goal} | {'yes' if holds else '**no**'} |", flush=True)


serial = itertools.count()


def fresh(folder, sample, count):
    """Files no two of which, of this call or another, are alike: such share a signature."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    image = sample.read_bytes()
    files = [folder / f"{i:05}.exe" for i in range(count)]
    for path in files:
        path.write_bytes(image[:-16] + f"{next(serial):016}".encode())
    return files


def timed(command, env=None):
    started = time.monotonic()
    done = subprocess.run([str(c) for c in command], env=env, check=False, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        sys.exit(f"failed: {command[:4]}\n{done.stdout[-2000:]}")
    return time.monotonic() - started, done.stdout


def rsa_seconds(files):
    """What the signatures alone take: RSA-3072 over all cores, as openssl says."""
    done = subprocess.run(["openssl", "speed", "-seconds", "2", "-multi", str(os.cpu_count()), "rsa3072"],
                          capture_output=True, text=True, check=False)
    rate = re.search(r"rsa 3072 bits\s+\S+\s+\S+\s+([\d.]+)", done.stdout)
    return files / float(rate[1]) if rate else None


def local(signctl, sample, work, quick):
    count = 200 if quick else 1000
    subprocess.run([signctl, "dev-cert", "--key", "rsa3072", "--subject", "Bench", "-o", work], check=True,
                   stdout=subprocess.DEVNULL)
    subprocess.run(["openssl", "pkcs12", "-in", work / "dev.pfx", "-passin", "pass:", "-nodes", "-nocerts", "-out",
                    work / "key.pem"], check=True, stderr=subprocess.DEVNULL)
    ours = ["sign", work / "files/*.exe", "--provider", "pfx", "-p", f"file={work / 'dev.pfx'}", "--no-timestamp", "--dev",
            "-q", "-j", os.cpu_count() * 2]
    fresh(work / "files", sample, count)
    alone, _ = timed([signctl, *ours])
    files = fresh(work / "files", sample, 100)
    peer = shutil.which("osslsigncode")
    if peer:
        started = time.monotonic()
        for path in files:
            subprocess.run([peer, "sign", "-certs", work / "dev.pem", "-key", work / "key.pem", "-in", path, "-out",
                            work / "out.exe"], check=True, stdout=subprocess.DEVNULL)
            (work / "out.exe").unlink()
        loop = (time.monotonic() - started) / 100 * count
        row(f"{count} PE files of 40 KB, PFX with RSA-3072: {alone:.2f} s; loop of osslsigncode {loop:.2f} s",
            f"{loop / alone:.1f}x", "at least 7x", loop / alone >= 7)
    ideal = rsa_seconds(count)
    if ideal:
        row("the same, over RSA time alone", f"{alone / ideal:.2f}x", "at most 1.4x", alone / ideal <= 1.4)
    small, large = (100, 500) if quick else (1000, 10000)
    took = []
    for number in (small, large):
        fresh(work / "files", sample, number)
        command = ["/usr/bin/time", "-f", "peak %M", signctl, *ours]
        seconds, text = timed(command if os.path.exists("/usr/bin/time") else [signctl, *ours])
        took.append(seconds)
    peak = re.search(r"peak (\d+)", text)
    row(f"{large} files over {small}, per file", f"{took[1] / large / (took[0] / small):.2f}x", "at most 1.2x",
        took[1] / large / (took[0] / small) <= 1.2)
    if peak:
        row(f"memory with {large} files", f"{int(peak[1]) / 1024:.0f} MB", "at most 64 MB", int(peak[1]) <= 65536)


# Bytes of a desktop program's 30 PE files: a runtime, a few large libraries, many small ones; 336 MB together.
RELEASE = [98_000_000, 61_000_000, 40_000_000, 30_000_000, 22_000_000, 17_000_000, 13_000_000, 10_000_000, 8_000_000,
           6_500_000, 5_300_000, 4_300_000, 3_500_000, 2_900_000, 2_400_000, 2_000_000, 1_700_000, 1_500_000, 1_300_000,
           1_100_000, 1_000_000, 900_000, 700_000, 600_000, 500_000, 400_000, 300_000, 200_000, 150_000, 100_000]


def release(signctl, sample, work):
    """Files of all sizes in one run, beside a loop of osslsigncode over the same ones."""
    peer = shutil.which("osslsigncode")
    if not peer:
        return
    noise = random.Random(1)
    took = {"ours": [], "loop": []}
    for _ in range(3):
        files = fresh(work / "release", sample, len(RELEASE))
        for path, size in zip(files, RELEASE):
            with path.open("ab") as file:
                file.write(noise.randbytes(size - path.stat().st_size) if size > path.stat().st_size else b"")
        started = time.monotonic()
        for path in files:
            timed([peer, "sign", "-certs", work / "dev.pem", "-key", work / "key.pem", "-in", path, "-out", work / "out.exe"])
            (work / "out.exe").unlink()
        took["loop"].append(time.monotonic() - started)
        took["ours"].append(timed([signctl, "sign", work / "release/*.exe", "--provider", "pfx", "-p",
                                   f"file={work / 'dev.pfx'}", "--no-timestamp", "--dev", "-q"])[0])
    shutil.rmtree(work / "release")
    ours, loop = (statistics.median(took[side]) for side in ("ours", "loop"))
    row(f"{len(RELEASE)} PE files, {sum(RELEASE) / 1e6:.0f} MB: {ours:.2f} s; loop of osslsigncode {loop:.2f} s",
        f"{ours / loop:.2f}x", "at most 0.45x", ours / loop <= 0.45)


class Service:
    """A fake signing service, and the words and variables to sign by it."""

    def __init__(self, fakes, work):
        self.fakes, self.work = fakes, work
        key = "projects/fake/locations/global/keyRings/ring/cryptoKeys/p256/cryptoKeyVersions/1"
        settings = {**fakes.personalities["google-kms"], "ca_file": fakes.ca_file, "key": key,
                    "chain": fakes.folder / "p256.pem"}
        self.env = {**os.environ, "BENCH_TOKEN": settings["token"]}
        settings["token"] = "env:BENCH_TOKEN"
        self.words = ["--provider", "google-kms", *[w for k, v in settings.items() for w in ("-p", f"{k}={v}")],
                      "--trust-cert", fakes.root, "--dev", "-q", "--journal", work / "bench-journal"]

    def sign(self, signctl, files, *more):
        return timed([signctl, "sign", *files, *self.words, *more], self.env)[0]


def latencies(signctl, sample, service, quick):
    for latency in (0.05, 0.2) if quick else (0.05, 0.2, 1.0):
        for jobs in (1, 8) if quick else (1, 4, 16, 64):
            # Ten rounds of the widest window and more: a release, not the climb alone.
            count = jobs * max(10, int((1 if quick else 3) / latency))
            files = fresh(service.work / "files", sample, count + 1)
            service.fakes.control("heal")
            alone = service.sign(signctl, files[-1:], "--no-timestamp")
            floor = service.sign(signctl, files[:-1], "--no-timestamp", "-j", jobs)
            files = fresh(service.work / "files", sample, count)
            service.fakes.fault(match=SIGN, times=-1, kind="delay", delay_ms=int(latency * 1000))
            took = service.sign(signctl, files, "--no-timestamp", "-j", jobs)
            waits = count / jobs * latency + alone
            ideal = max(waits, floor)
            row(f"{count} files at {latency * 1000:.0f} ms, -j {jobs}: {took:.2f} s; waits alone {waits:.2f} s, "
                f"work alone {floor:.2f} s", f"{ideal / took:.0%}", "at least 85%", ideal / took >= 0.85)


def outage(signctl, sample, service, quick):
    seconds = 5 if quick else 60
    files = fresh(service.work / "files", sample, 32)
    config = service.work / "outage.yaml"
    config.write_text("version: 1\nsign:\n  retry: { attempts: 100, initial: 500ms, max: 2s, deadline: 10m }\n")
    service.fakes.control("heal")
    service.fakes.fault(match=SIGN, times=-1, status=503)
    ended = []

    def heal():
        time.sleep(seconds)
        service.fakes.control("heal")
        ended.append(time.monotonic())

    threading.Thread(target=heal).start()
    service.sign(signctl, files, "--no-timestamp", "-c", config, "-j", 8)
    recovery = time.monotonic() - ended[0]
    row(f"32 files, after an outage of {seconds} s: done after", f"{recovery:.2f} s", "at most 2 s", recovery <= 2)


def refusing(signctl, sample, work, quick):
    """A timestamp server that refuses every third call, beside one that does not."""
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "interop"))
    count = 60 if quick else 200
    took = {"willing": [], "refusing": []}
    with FixedTsa(signctl, work) as tsa:
        for name, every in (("willing", 0), ("refusing", 3)) * (1 if quick else 3):
            tsa.every, tsa.count = every, 0
            fresh(work / "files", sample, count)
            took[name].append(timed([signctl, "sign", work / "files/*.exe", "--provider", "pfx", "-p",
                                     f"file={work / 'dev.pfx'}", "--timestamp-url", tsa.url, "--trust-cert",
                                     tsa.certificate, "--dev", "-q", "-j", 8])[0])
    refusing, willing = (statistics.median(took[side]) for side in ("refusing", "willing"))
    row(f"{count} files, timestamp server refuses every third call: {refusing:.2f} s for {willing:.2f} s",
        f"{refusing / willing - 1:+.0%}", "at most +10%", refusing / willing <= 1.10)


class FixedTsa:
    """An authority by openssl, several answers at a time; what it waits is more than what openssl takes, one at a time."""

    def __init__(self, _signctl, work):
        sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "interop"))
        from openssl_tsa import OpensslTsa
        self.good = OpensslTsa(work / "tsa")
        self.certificate = self.good.certificate
        self.every, self.count, self.lock = 0, 0, threading.Lock()

    def __enter__(self):
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            """Answers by turn."""
            protocol_version = "HTTP/1.1"

            def do_POST(self):  # noqa: N802, the base class decides the name
                """One answer."""
                query = self.rfile.read(int(self.headers["Content-Length"]))
                with outer.lock:
                    outer.count += 1
                    refuse = outer.every and outer.count % outer.every == 0
                    reply = b"" if refuse else outer.good.answer(query)
                if not refuse:
                    time.sleep(0.2)
                self.send_response(503 if refuse else 200)
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

    def __exit__(self, *_):
        self.server.shutdown()


def main():
    quick = "--quick" in sys.argv
    signctl, fake, sample = (pathlib.Path(p).resolve() for p in [a for a in sys.argv[1:] if not a.startswith("--")][:3])
    os.environ["SIGNCTL_FAKE_BINARY"] = str(fake)
    os.environ.setdefault("SIGNCTL_BINARY", str(signctl))
    os.environ.setdefault("SIGNCTL_SOURCE_DIR", str(pathlib.Path(__file__).resolve().parent.parent))
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "interop"))
    from fake_services import FakeServices
    print("| batch | measured | goal | met |")
    print("|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        work = pathlib.Path(name)
        local(signctl, sample, work, quick)
        release(signctl, sample, work)
        with FakeServices(work / "fakes", ["google-kms"]) as fakes:
            service = Service(fakes, work)
            latencies(signctl, sample, service, quick)
            outage(signctl, sample, service, quick)
        refusing(signctl, sample, work, quick)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
