#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Signs 200 small PE files with 16 at a time through stand-ins for services that take 100 ms to sign.

bench_services.py SIGNCTL SIGNCTL-FAKE PE-FILE     prints a Markdown table; fails where a goal is missed

The ideal is 200 / 16 x 100 ms = 1.25 s, beside what a run with a single file takes for login, chain and
start-up (with 100 ms for a lookup at the address that signs). How many requests the service saw is counted by the service.
"""
import dataclasses
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

FILES, PARALLEL, LATENCY, GOAL, RUNS = 200, 16, 0.100, 1.25, 3


def flags(signctl, backend, fakes):
    """The settings as -p words, and the environment that the secret ones are taken from."""
    settings = {**fakes.personalities[backend.personality], "ca_file": str(fakes.ca_file), **backend.key}
    settings.update({name: str(fakes.folder / file) for name, file in backend.files.items()})
    known = json.loads(subprocess.run([signctl, "providers", "--json"], check=True, stdout=subprocess.PIPE).stdout)
    specs = next(one["settings"] for one in known["providers"] if one["name"] == backend.provider)
    secret = {spec["key"] for spec in specs if spec["kind"] == "secret"}
    words, environment = ["--provider", backend.provider], dict(os.environ)
    for key, value in settings.items():
        if key in secret:
            environment["BENCH_" + key.upper()], value = value, "env:BENCH_" + key.upper()
        words += ["-p", f"{key}={value}"]
    return words, environment


def sign(signctl, words, environment, fakes, files):
    started = time.monotonic()
    subprocess.run([signctl, "sign", *files, *words, "-j", str(PARALLEL), "--no-timestamp", "--trust-cert",
                    fakes.root, "--dev", "-q"], env=environment, check=True)
    return time.monotonic() - started


def measure(signctl, backend, fakes, sample, folder):
    """Median seconds, the ideal, and {(signatures asked for, other requests)} over the runs."""
    words, environment = flags(signctl, backend, fakes)
    folder.mkdir()
    files = [folder / f"{i}.exe" for i in range(FILES + 1)]
    alone, took, counts = [], [], set()
    for _ in range(RUNS):
        for number, path in enumerate(files):  # No two alike: those would share a signature.
            path.write_bytes(sample.read_bytes() + b"%08d" % number)
        fakes.reset()
        alone.append(sign(signctl, words, environment, fakes, files[-1:]))
        fakes.reset()
        fakes.fault(match=backend.slow or backend.sign, times=-1, kind="delay", delay_ms=int(LATENCY * 1000))
        took.append(sign(signctl, words, environment, fakes, files[:-1]))
        asked = fakes.count(backend.sign)
        if asked < FILES:
            raise SystemExit(f"{backend.provider}: {asked} signatures asked for, {FILES} files signed")
        counts.add((asked, len(fakes.log()) - asked))
    # A lookup at the address that signs is held up as well, but not in the run that measures what one file takes.
    lookups = min(asked for asked, _ in counts) - FILES
    return statistics.median(took), (FILES / PARALLEL + lookups) * LATENCY + statistics.median(alone), counts


@dataclasses.dataclass
class Backend:
    """What to serve and ask for. `sign` is part of "METHOD /path" of a signature, and of what looks like one: AWS's
    lookup and SignServer's probe go to the same address."""
    provider: str
    personality: str
    sign: str
    key: dict
    beside: tuple = ()
    files: dict = dataclasses.field(default_factory=dict)  # Settings that are files of the stand-in's.
    slow: str = ""  # What takes the time, where that is not the answer to `sign`.


CHAIN = {"chain": "rsa3072.pem"}
BACKENDS = [
    # The answer comes at once, and the signature 100 ms later: it has to be asked for.
    Backend("trusted-signing", "artifact-signing", "POST /artifact-signing", {}, ("entra",),
            slow="OPERATION /artifact-signing"),
    Backend("azure-key-vault", "key-vault", "POST /key-vault", {"certificate": "rsa3072"}, ("entra",), CHAIN),
    Backend("aws-kms", "aws-kms", "POST /aws-kms", {"key_id": "alias/rsa3072"}, files=CHAIN),
    Backend("google-kms", "google-kms", ":asymmetricSign",
            {"key": "projects/fake/locations/global/keyRings/ring/cryptoKeys/rsa3072/cryptoKeyVersions/1"}, files=CHAIN),
    Backend("vault", "vault", "/sign/", {"key": "rsa3072"}, files=CHAIN),
    Backend("signserver", "signserver", "POST /signserver", {"worker": "rsa3072"}, files=CHAIN),
    Backend("keylocker", "keylocker", "POST /keylocker", {"key": "key-rsa3072"}, files={"client_certificate": "client.p12"}),
    # Without one-time passwords: with them there is one authorization every 30 seconds, whoever asks.
    Backend("esigner", "esigner", "/signatures/signHash", {"credential_id": "free"}),
]


def main():
    signctl, fake, sample = (str(pathlib.Path(p).resolve()) for p in sys.argv[1:4])
    os.environ["SIGNCTL_FAKE_BINARY"] = fake
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "interop"))
    from fake_services import FakeServices
    print("| backend | 200 files at -j 16, 100 ms each | ideal | ratio | goal | signatures asked for | other requests |")
    print("|---|---|---|---|---|---|---|")
    missed = False
    with tempfile.TemporaryDirectory() as work:
        for backend in BACKENDS:
            folder = pathlib.Path(work) / backend.provider
            with FakeServices(folder / "fakes", [*backend.beside, backend.personality]) as fakes:
                took, ideal, counts = measure(signctl, backend, fakes, pathlib.Path(sample), folder / "files")
            asked, others = ("/".join(sorted({str(c[i]) for c in counts})) for i in (0, 1))
            print(f"| {backend.provider} | {took:.2f} s | {ideal:.2f} s | {took / ideal:.2f} | at most {GOAL} | {asked} | {others} |")
            missed |= took / ideal > GOAL
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
