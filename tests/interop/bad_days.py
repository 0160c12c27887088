#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Bad days: whatever goes wrong, the exit code is right, the message helps, and the file is what it was."""
import http.server
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import threading
import time

from harness import (SIGNCTL, Failure, Suite, dev_certificate, require, run, sha256, sign_arguments, signctl,
                     unsigned_files)
from openssl_tsa import OpensslTsa

ROUNDS = 40


def leftovers(folder):
    return [p.name for p in pathlib.Path(folder).iterdir() if p.name.startswith(".signctl-")]


class Bench:
    """A file to sign, and the means to sign it."""

    def __init__(self, suite, path):
        self.suite = suite
        self.source = path
        self.folder = suite.folder / "bench"
        self.folder.mkdir()
        self.file = self.folder / "app.exe"
        self.dev = dev_certificate(suite.folder / "dev")
        self.reset()

    def reset(self):
        self.file.unlink(missing_ok=True)
        shutil.copyfile(self.source, self.file)
        self.before = sha256(self.file)

    def refused(self, what, done, code, *words):
        """`done` must have failed with `code`, said `words`, hinted, and left the file alone."""
        text = done.out
        self.suite.check(f"{what}: exit code {code}", done.returncode == code, f"{done.returncode}\n{text}")
        for word in words:
            self.suite.check(f"{what}: says '{word}'", word.lower() in text.lower(), text)
        self.suite.check(f"{what}: is an error in our words", "signctl: error: " in text or code == 1, text)
        self.suite.check(f"{what}: the file is untouched", sha256(self.file) == self.before)
        self.suite.check(f"{what}: nothing is left behind", not leftovers(self.folder), leftovers(self.folder))

    def sign(self, *more, **options):
        return signctl("sign", self.file, *sign_arguments(self.dev), *more, **options)


def inputs(bench):
    folder = bench.folder
    plain = sign_arguments(bench.dev, "--no-timestamp")
    bench.refused("a missing file", signctl("sign", folder / "none.exe", *plain), 4, "none.exe")
    empty = folder / "empty.exe"
    empty.write_bytes(b"")
    bench.refused("an empty file", signctl("sign", empty, *plain), 4, "empty")
    bench.refused("verifying an empty file", signctl("verify", empty), 4, "empty")
    bench.refused("verifying a directory", signctl("verify", folder / "sub"), 4)
    (folder / "sub").mkdir()
    bench.refused("signing an empty directory", signctl("sign", folder / "sub", *plain), 4)
    text = folder / "readme.txt"
    text.write_text("not a program\n")
    bench.refused("a text file", signctl("sign", text, *plain), 5)
    dos = folder / "dos.exe"
    dos.write_bytes(b"MZ" + b"\0" * 58 + (0x10000000).to_bytes(4, "little") + b"\0" * 200)
    bench.refused("a DOS program", signctl("sign", dos, *plain), 5)
    image = bench.source.read_bytes()
    for length in (1, 2, 63, 64, 100, 200, 400, len(image) // 2):
        cut = folder / "cut.exe"
        cut.write_bytes(image[:length])
        done = signctl("verify", cut)
        bench.suite.check(f"a file cut to {length} bytes does not verify", done.returncode in (1, 4, 5), done.out)


def signed_truncations(bench):
    require(bench.sign("--no-timestamp"))
    image = bench.file.read_bytes()
    cut = bench.folder / "cut.exe"
    steps = list(range(0, len(image), max(1, len(image) // 60))) + list(range(len(image) - 40, len(image)))
    for length in steps:
        cut.write_bytes(image[:length])
        done = signctl("verify", cut, "--dev", "--timestamp", "optional")
        bench.suite.check(f"a signed file cut to {length} of {len(image)} bytes does not verify",
                          done.returncode in (1, 4, 5), done.out)
    bench.reset()


def permissions(bench):
    bench.file.chmod(0o444)
    bench.refused("a read-only file", bench.sign("--no-timestamp"), 11, "read-only")
    bench.file.chmod(0o644)
    if os.geteuid() != 0:
        prefix = []
    else:
        prefix = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        if shutil.which("setpriv") is None:
            bench.suite.skip("permissions as another user", "setpriv is not installed")
            return
        for path in (bench.suite.folder, bench.dev, *bench.dev.iterdir()):
            path.chmod(0o755)
        if run(*prefix, SIGNCTL, "version").returncode != 0:
            bench.suite.skip("permissions as another user", "that user cannot run this build")
            return
    command = [*prefix, SIGNCTL, "sign", bench.file, *sign_arguments(bench.dev), "--no-timestamp"]
    bench.folder.chmod(0o555)
    bench.refused("a folder that may not be written", run(*command), 11)
    bench.folder.chmod(0o755)
    bench.file.chmod(0o000)
    done = run(*command)
    bench.file.chmod(0o644)
    bench.refused("a file that may not be read", done, 4)


def disk_full(bench):
    mount = bench.suite.folder / "full"
    mount.mkdir()
    size = bench.source.stat().st_size
    if run("mount", "-t", "tmpfs", "-o", f"size={size + 65536}", "tmpfs", mount).returncode != 0:
        bench.suite.skip("disk full", "mounting a small tmpfs is not permitted here")
        return
    try:
        target = mount / "app.exe"
        shutil.copyfile(bench.source, target)
        done = signctl("sign", target, *sign_arguments(bench.dev), "--no-timestamp")
        bench.refused("a full disk", done, 11, "space")
        bench.suite.check("a full disk: the file is what it was", sha256(target) == bench.before)
        bench.suite.check("a full disk: nothing is left behind", not leftovers(mount), leftovers(mount))
    finally:
        run("umount", mount)


def credentials(bench):
    plain = ["--no-timestamp", "--dev"]
    pfx = bench.dev / "locked.pfx"
    secret = "correct horse battery"
    require(run("openssl", "pkcs12", "-in", bench.dev / "dev.pfx", "-passin", "pass:", "-nodes",
                "-out", bench.dev / "all.pem"))
    require(run("openssl", "pkcs12", "-export", "-in", bench.dev / "all.pem", "-passout", f"pass:{secret}", "-out", pfx))
    command = ["sign", bench.file, "--provider", "pfx", "-p", f"file={pfx}", *plain]
    wrong = signctl(*command, "-p", "password=env:WRONG", env={"WRONG": "not the password 4711"})
    bench.refused("a wrong PFX password", wrong, 6, "password")
    bench.suite.check("a wrong PFX password is not repeated", "4711" not in wrong.out, wrong.out)
    bench.refused("an unset password variable", signctl(*command, "-p", "password=env:UNSET"), 6, "UNSET")
    literal = signctl(*command, "-p", f"password={secret}")
    bench.suite.check("a literal password is refused", literal.returncode in (2, 3), literal.out)
    bench.suite.check("a literal password is not repeated", secret not in literal.out, literal.out)
    bench.refused("no PFX file", signctl("sign", bench.file, "--provider", "pfx", "-p", "file=none.pfx", *plain), 4,
                  "none.pfx")
    junk = bench.dev / "junk.pfx"
    junk.write_bytes(b"this is no PKCS #12")
    bench.refused("a PFX that is none", signctl("sign", bench.file, "--provider", "pfx", "-p", f"file={junk}", *plain), 4)


def make_certificate(bench, name, extensions, *dates):
    """A self-signed certificate by openssl: (key, certificate)."""
    folder = bench.suite.folder / name
    folder.mkdir()
    config = folder / "ca.cnf"
    config.write_text(f"""[ca]
default_ca = this
[this]
database = {folder}/index
serial = {folder}/serial
new_certs_dir = {folder}
default_md = sha256
policy = any
x509_extensions = ext
[any]
commonName = supplied
[req]
distinguished_name = name
prompt = no
[name]
CN = {name}
[ext]
{extensions}
""")
    (folder / "index").write_text("")
    (folder / "serial").write_text("01\n")
    key, request, certificate = folder / "key.pem", folder / "req.pem", folder / "cert.pem"
    require(run("openssl", "req", "-new", "-newkey", "rsa:2048", "-nodes", "-config", config, "-keyout", key,
                "-out", request))
    require(run("openssl", "ca", "-batch", "-selfsign", "-config", config, "-in", request, "-keyfile", key,
                "-startdate", dates[0], "-enddate", dates[1], "-notext", "-out", certificate))
    return key, certificate


def certificates(bench):
    now = ("20250101000000Z", "20360101000000Z")
    past = ("20200101000000Z", "20210101000000Z")
    usage = "keyUsage=critical,digitalSignature\n"
    cases = [
        ("expired", usage + "extendedKeyUsage=codeSigning", past, (6,), "expired"),
        ("without-eku", usage, now, (1,), "eku-missing"),
        ("tls-server", usage + "extendedKeyUsage=serverAuth", now, (1,), "eku-wrong"),
        ("wrong-key-usage", "keyUsage=critical,keyEncipherment\nextendedKeyUsage=codeSigning", now, (1,), "key-usage"),
    ]
    for name, extensions, dates, codes, word in cases:
        key, certificate = make_certificate(bench, name, extensions, *dates)
        done = signctl("sign", bench.file, "--provider", "pfx", "-p", f"key={key}", "-p", f"certificate={certificate}",
                       "--no-timestamp", "--dev")
        bench.refused(f"a certificate that is {name}", done, codes[0], word)


class BadServer:
    """A timestamp server that misbehaves in one way."""

    def __init__(self, mode, good):
        self.mode, self.good, self.old = mode, good, None

    def __enter__(self):
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            """Answers by mode."""

            def do_POST(self):  # noqa: N802, the base class decides the name
                """One bad answer."""
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, kind, reply = outer.reply(body)
                if status is None:
                    return
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(reply)))
                self.end_headers()
                self.wfile.write(reply if outer.mode != "cut" else reply[:40])

            def log_message(self, *_):
                """Quiet."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def reply(self, query):
        kind = "application/timestamp-reply"
        if self.mode == "html":
            return 200, "text/html", b"<html><body>Sign in to the hotel network</body></html>"
        if self.mode == "error":
            return 500, "text/plain", b"oops"
        if self.mode == "garbage":
            return 200, kind, b"\x30\x82\xff\xff garbage"
        if self.mode == "hang":
            time.sleep(30)
            return None, None, b""
        if self.mode == "replay":
            self.old = self.old or self.good.answer(query)
            first, self.old = self.old, self.old
            return 200, kind, first
        if self.mode == "flip":
            reply = bytearray(self.good.answer(query))
            reply[-20] ^= 1
            return 200, kind, bytes(reply)
        return 200, kind, self.good.answer(query)

    def __exit__(self, *_):
        self.server.shutdown()


def timestamp_servers(bench, good):
    trust = ["--trust-cert", good.certificate]
    config = bench.folder.parent / "quick.yaml"
    for mode in ("html", "error", "garbage", "flip", "cut", "hang", "replay"):
        with BadServer(mode, good) as server:
            config.write_text(f"""version: 1
signers:
  dev:
    provider: pfx
    file: {bench.dev / 'dev.pfx'}
sign:
  signer: dev
  timestamp: {{ servers: ["{server.url}"] }}
  retry: {{ attempts: 2, initial: 10ms, max: 50ms, deadline: 3s }}
gate:
  trust: [signer]
""")
            if mode == "replay":
                # The first answer is good; the second is the same token for another question.
                require(signctl("sign", bench.file, "-c", config, "--dev", *trust))
                bench.reset()
            done = signctl("sign", bench.file, "-c", config, "--dev", *trust)
            bench.refused(f"a timestamp server in mode {mode}", done, 8, server.url[:-1])
            fallback = signctl("sign", bench.file, "-c", config, "--dev", *trust, "--timestamp-url", server.url,
                               "--timestamp-url", good.url)
            bench.suite.check(f"a second server helps when the first is in mode {mode}", fallback.returncode == 0,
                              fallback.out)
            bench.reset()
    done = signctl("sign", bench.file, "-c", config, "--dev", "--timestamp-url", "http://127.0.0.1:9/")
    bench.refused("a timestamp server that is not there", done, 8, "127.0.0.1:9")


def killed(bench):
    """kill -9 at random moments: the old bytes, or a finished signature."""
    dice = random.Random(7)
    signed = 0
    big = bench.folder / "big.exe"
    original = bench.source.read_bytes() + bytes(8_000_000)
    command = [SIGNCTL, "sign", str(big), *map(str, sign_arguments(bench.dev)), "--no-timestamp"]
    big.write_bytes(original)
    started = time.monotonic()
    require(run(*command))
    whole = time.monotonic() - started
    for round_number in range(ROUNDS):
        big.write_bytes(original)
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(dice.uniform(0, whole * 1.1))
        process.send_signal(signal.SIGKILL)
        process.wait()
        if big.read_bytes() == original:
            continue
        signed += 1
        done = signctl("verify", big, "--dev", "--timestamp", "optional")
        bench.suite.check(f"killed in round {round_number}: the new bytes are signed and passing",
                          done.returncode == 0, done.out)
    print(f"killed {ROUNDS} times within {whole * 1000:.0f} ms: {ROUNDS - signed} old, {signed} signed and passing")
    bench.suite.check("killing left only old or finished files", True)
    for name in leftovers(bench.folder):
        (bench.folder / name).unlink()
    big.unlink()


def killed_report(bench):
    """A run that is killed leaves no older report that speaks for it: here while it waits for a timestamp server."""
    bench.reset()
    report = bench.folder / "report.json"
    report.write_text('{"schema": "signctl/sign/1", "exit_code": 0, "planned": 0, "files": []}')
    with socket.create_server(("127.0.0.1", 0)) as silent:
        process = subprocess.Popen(
            [SIGNCTL, "sign", str(bench.file), *map(str, sign_arguments(bench.dev)), "--report", str(report), "--timestamp-url",
             f"http://127.0.0.1:{silent.getsockname()[1]}/"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        silent.settimeout(30)
        connection = silent.accept()[0]
        process.kill()
        process.wait()
        connection.close()
    told = json.loads(report.read_text())
    bench.suite.check("a killed run: the report says that it has not ended", told["exit_code"] == 130 and told["not_started"] == 1
                      and "not ended" in told["error"]["message"], told)
    bench.suite.check("a killed run: the file is as it was", sha256(bench.file) == bench.before)
    for name in leftovers(bench.folder):
        (bench.folder / name).unlink()
    report.unlink()


def stopped(bench):
    """SIGTERM, as a cancelled job sends it, leaves no temporary file."""
    big = bench.folder / "big.exe"
    original = bench.source.read_bytes() + bytes(60_000_000)
    big.write_bytes(original)
    command = [SIGNCTL, "sign", str(big), *map(str, sign_arguments(bench.dev)), "--no-timestamp"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(0.03)
    process.send_signal(signal.SIGTERM)
    code = process.wait()
    bench.suite.check("SIGTERM ends with 130, or after the file in flight with 0", code in (0, 130, -signal.SIGTERM), code)
    bench.suite.check("SIGTERM leaves no temporary file", not leftovers(bench.folder), leftovers(bench.folder))
    if big.read_bytes() != original:
        done = signctl("verify", big, "--dev", "--timestamp", "optional")
        bench.suite.check("after SIGTERM the file is signed and passing", done.returncode == 0, done.out)
    big.unlink()


def main():
    suite = Suite()
    files = unsigned_files(suite)
    if not files:
        raise Failure("there is no executable to test with")
    bench = Bench(suite, files[0][1])
    inputs(bench)
    signed_truncations(bench)
    permissions(bench)
    disk_full(bench)
    credentials(bench)
    certificates(bench)
    with OpensslTsa(suite.folder / "tsa") as good:
        timestamp_servers(bench, good)
    killed(bench)
    killed_report(bench)
    stopped(bench)
    suite.finish()


if __name__ == "__main__":
    main()
