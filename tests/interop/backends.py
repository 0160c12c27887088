#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every backend behind a URL, through the signctl program, on real PE files: good days and bad ones.

Backend x kind of key x (sign, wrong credential, throttled, dead, lying). What is signed is verified by
signctl and by osslsigncode; what is refused has the right exit code and leaves the file alone; and no
output, however verbose, holds a secret. A new backend is one more row of BACKENDS.
"""
import base64
import concurrent.futures
import dataclasses
import itertools
import json
import re
import shutil
import socket
import time
import urllib.parse

from fake_services import FakeServices
from harness import Failure, Suite, require, run, sha256, signctl, tool, unsigned_files

CONFIG, INPUT, UNSUPPORTED, AUTH, PROVIDER, NETWORK = 3, 4, 5, 6, 7, 9
# Backends that no server stands in for; their tests are elsewhere.
WITHOUT_SERVICE = {"pfx", "pkcs11"}


@dataclasses.dataclass
class Key:
    """Settings that choose a key, besides those that the stand-in prints. `chain`: the stand-in's file."""
    name: str
    settings: dict = dataclasses.field(default_factory=dict)
    chain: str = ""
    digest: str = "sha256"


@dataclasses.dataclass
class Backend:
    """A row: what to serve, and what is particular about the service."""
    provider: str
    personality: str
    keys: list
    wrong: dict  # Settings with a credential that is refused.
    sign: str  # Part of "METHOD /path" that signing asks.
    beside: tuple = ()  # Personalities that it needs: where logins are made.
    files: dict = dataclasses.field(default_factory=dict)  # Settings that are files of the stand-in's.
    login: str = ""  # Part of "METHOD /path" of the login, where there is one.
    billable: bool = True  # A signature costs, or counts against a quota.
    lies: tuple = ("wrong-signature", "other-key")
    notes_hashes: bool = False  # The service notes down the hashes of the file.
    sign_is_alone: bool = True  # False where looking a key up is the same request to a log.
    throttle: str = ""  # What is throttled in place of `sign`, where each attempt of that takes half a minute.
    batches: bool = False  # Several files may share one request.
    one_digest: tuple = ()  # Keys that sign one digest alone.
    clock_step: int = 0  # Seconds that the service's clock is put forward before each run: for one-time passwords.


# Every way to have signctl say more or less.
LEVELS = [("-q",), (), ("-v",), ("-vv",), ("--json", "-vv"), ("--log-format", "json", "-vv")]
ENTRA_LOGIN = "POST /entra/fake-tenant/oauth2/v2.0/token"


def kinds(setting, value, names):
    """A Key for each of the stand-in's kinds; `value` has {} for the kind."""
    digests = {"p384": "sha384", "p521": "sha512"}
    return [Key(name, {setting: value.format(name)}, name, digests.get(name, "sha256")) for name in names]


CURVES = ("p256", "p384", "p521")
ALL_KINDS = ("rsa2048", "rsa3072", *CURVES)
BACKENDS = [
    Backend("trusted-signing", "artifact-signing", beside=("entra",), login=ENTRA_LOGIN,
            keys=[Key("rsa3072 sha256"), Key("rsa3072 sha384", digest="sha384"),
                  Key("rsa3072 sha512", digest="sha512")],
            wrong={"client_secret": "wrong~client~secret.value"}, sign="POST /artifact-signing", notes_hashes=True,
            lies=("wrong-signature", "other-key", "other-certificate")),
    Backend("azure-key-vault", "key-vault", beside=("entra",), login=ENTRA_LOGIN,
            keys=kinds("certificate", "{}", ALL_KINDS),
            wrong={"client_secret": "wrong~client~secret.value"}, sign="POST /key-vault", one_digest=CURVES),
    Backend("aws-kms", "aws-kms", keys=kinds("key_id", "alias/{}", ALL_KINDS),
            wrong={"secret_access_key": "WrongSecretAccessKey/0123456789+abcdefg"}, sign="POST /aws-kms", one_digest=CURVES,
            sign_is_alone=False),
    Backend("google-kms", "google-kms",
            keys=kinds("key", "projects/fake/locations/global/keyRings/ring/cryptoKeys/{}/cryptoKeyVersions/1",
                       ("rsa2048", "rsa3072", "p256", "p384")),
            wrong={"token": "ya29.wrong-access-token"}, sign=":asymmetricSign", one_digest=ALL_KINDS),
    Backend("vault", "vault", keys=kinds("key", "{}", ALL_KINDS), wrong={"token": "hvs.WrongToken"},
            billable=False, sign="/sign/"),
    Backend("signserver", "signserver", keys=kinds("worker", "{}", ALL_KINDS), wrong={"token": "wrong.bearer.token"},
            billable=False, sign="POST /signserver", sign_is_alone=False,
            lies=("wrong-signature", "other-key", "other-certificate")),
    Backend("keylocker", "keylocker", keys=kinds("key", "key-{}", ALL_KINDS),
            files={"client_certificate": "client.p12"}, wrong={"api_key": "wrong-digicert-api-key"}, sign="POST /keylocker"),
    Backend("esigner", "esigner", keys=kinds("credential_id", "{}", ALL_KINDS),
            wrong={"password": "wrong~esigner~password"}, sign="/signatures/signHash", login="POST /esigner/oauth2/token",
            lies=("wrong-signature", "other-key", "other-certificate"), throttle="/credentials/info", batches=True,
            one_digest=("p256", "p384"),
            clock_step=30),
]


def spellings(secret):
    """A secret as it might appear: plain, and as requests carry it."""
    encoded = base64.b64encode(secret.encode()).decode().rstrip("=")
    return {secret, urllib.parse.quote(secret, safe=""), encoded, json.dumps(secret)[1:-1]}


class Bench:
    """One backend with its service, and a file to sign."""

    def __init__(self, suite, services, backend, sample):
        self.suite = suite
        self.services = services
        self.backend = backend
        self.source = sample
        self.folder = suite.folder / backend.provider
        self.folder.mkdir()
        self.given = {**services.personalities[backend.personality], "ca_file": str(services.ca_file)}
        specs = provider_settings(backend.provider)
        self.secret_keys = {spec["key"] for spec in specs if spec["kind"] == "secret"}
        self.needs_chain = "chain" in {spec["key"] for spec in specs}
        self.ahead = 0  # Of the service's clock, in seconds.

    def settings(self, key, changes=None):
        files = {name: str(self.services.folder / file) for name, file in self.backend.files.items()}
        settings = {**self.given, **files, **key.settings, **(changes or {})}
        if key.chain and self.needs_chain:
            settings["chain"] = str(self.services.folder / f"{key.chain}.pem")
        return settings

    def copies(self, number, folder):
        target = self.folder / folder
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir()
        files = [target / f"app{i}.exe" for i in range(number)]
        for number, file in enumerate(files):
            # No two alike, those would share a signature; the first is the source itself.
            file.write_bytes(self.source.read_bytes() + (b"copy %04d" % number if number else b""))
        return files

    def call(self, verb, settings, *arguments, before=(), after=()):
        """signctl with the settings, secrets as variables, and nothing secret in what it prints. `before` and `after`:
        references that stand beside each secret's, as while it is rotated."""
        words, variables = ["--provider", self.backend.provider], {}
        for name, value in settings.items():
            if name in self.secret_keys:
                variable = "TEST_" + name.upper()
                variables[variable] = str(value)
                for reference in (*before, f"env:{variable}", *after):
                    words += ["-p", f"{name}={reference}"]
                continue
            words += ["-p", f"{name}={value}"]
        done = signctl(verb, *words, *arguments, env=variables)
        given_out = [s for secret in self.services.secrets() for s in spellings(secret) if s in done.out]
        self.suite.check(f"{self.backend.provider}: nothing that a login gave is in any output", not given_out, done.out)
        for name, variable in ((name, "TEST_" + name.upper()) for name in self.secret_keys & settings.keys()):
            told = [s for s in spellings(variables[variable]) if s in done.out]
            self.suite.check(f"{self.backend.provider}: {name} is in no output", not told, done.out)
        self.suite.check(f"{self.backend.provider}: no token is in any output",
                         not re.search(r"eyJ[A-Za-z0-9_-]{10}|Bearer [A-Za-z0-9]|SAD-\w", done.out), done.out)
        return done

    def sign(self, files, key, changes=None, verbosity=("-vv",)):
        if self.backend.clock_step:
            self.ahead += self.backend.clock_step
            self.services.control("clock", offset_s=self.ahead)
        return self.call("sign", self.settings(key, changes), "--no-timestamp", "--dev", "--trust-cert",
                         self.services.root, "--fd", key.digest, "-j", len(files), *verbosity, *files)

    def name(self, what, key):
        return f"{self.backend.provider} {key.name}: {what}"

    def accepted(self, what, key, files, done, peer):
        """`done` has signed the files, as two verifiers see it."""
        name = self.name(what, key)
        self.suite.check(f"{name}: exit code 0", done.returncode == 0, f"{done.returncode}\n{done.out}")
        for file in files:
            ours = signctl("verify", "--trust-cert", self.services.root, "--dev", "--timestamp", "optional", file)
            self.suite.check(f"{name}: signctl verifies it", ours.returncode == 0, ours.out)
            if peer:
                theirs = run(peer, "verify", "-CAfile", self.services.root, file)
                good = theirs.returncode == 0 and "Signature verification: ok" in theirs.out
                self.suite.check(f"{name}: osslsigncode verifies it", good, theirs.out)

    def refused(self, what, key, files, done, code):
        """`done` has failed with `code`, with a message of ours, and left the files alone."""
        name = self.name(what, key)
        self.suite.check(f"{name}: exit code {code}", done.returncode == code, f"{done.returncode}\n{done.out}")
        self.suite.check(f"{name}: is an error in our words", "signctl: error: " in done.out or '"error"' in done.out, done.out)
        for file in files:
            self.suite.check(f"{name}: the file is untouched", sha256(file) == sha256(self.source))
        left = [p.name for p in files[0].parent.iterdir() if p.name.startswith(".signctl-")]
        self.suite.check(f"{name}: nothing is left behind", not left, left)


def provider_settings(name):
    for one in json.loads(require(signctl("providers", "--json")).out)["providers"]:
        if one["name"] == name:
            return one["settings"]
    raise Failure(f"signctl knows no provider {name}")


def good_days(bench, key, peer):
    bench.services.reset()
    files = bench.copies(3, "good")
    plain = [base64.b64encode(bytes.fromhex(sha256(file))).decode() for file in files]
    digests = [require(signctl("digest", "--fd", key.digest, file)).out.split()[1] for file in files]
    bench.accepted("signs", key, files, bench.sign(files, key), peer)
    asked = bench.services.count(bench.backend.sign)
    name = bench.name("", key)
    if bench.backend.sign_is_alone:
        paid = asked == len(files) or (bench.backend.batches and 0 < asked < len(files))
        bench.suite.check(f"{name}a file costs one signature", paid, bench.services.log())
    if bench.backend.notes_hashes:
        told = bench.services.notes()
        bench.suite.check(f"{name}the service is told each file's hash",
                          sorted(n["fileHashList"][0] for n in told) == sorted(plain), told)
        noted = sorted(base64.b64decode(n["authenticodeHashList"][0]).hex() for n in told)
        bench.suite.check(f"{name}the service is told the Authenticode digest",
                          noted == sorted(digests), noted)
    if bench.backend.login:
        bench.suite.check(f"{name}a run logs in once", bench.services.count(bench.backend.login) == 1,
                          bench.services.log())
    release = signctl("verify", "--trust-cert", bench.services.root, "--timestamp", "optional", files[0])
    bench.suite.check(f"{name}a release gate takes no rehearsal's certificate", release.returncode == 1, release.out)


def wrong_credential(bench, key):
    for verbosity in LEVELS:
        bench.services.reset()
        files = bench.copies(1, "wrong")
        done = bench.sign(files, key, bench.backend.wrong, verbosity)
        bench.refused("wrong credential", key, files, done, AUTH)
        bench.suite.check(bench.name("a wrong credential comes with a hint", key), "hint" in done.out, done.out)
        bench.suite.check(bench.name("a wrong credential is tried once", key), len(bench.services.log()) <= 2,
                          bench.services.log())


def throttled(bench, key, peer):
    bench.services.reset()
    files = bench.copies(1, "throttled")
    bench.services.fault(match=bench.backend.throttle or bench.backend.sign, times=2, status=429, headers={"Retry-After": "1"})
    bench.accepted("throttled twice", key, files, bench.sign(files, key), peer)
    refusals = sum(one["status"] == 429 for one in bench.services.log())
    bench.suite.check(bench.name("was throttled twice", key), refusals == 2, bench.services.log())
    bench.services.reset()
    files = bench.copies(1, "throttled")
    # Longer than anybody waits.
    bench.services.fault(match=bench.backend.sign, times=-1, status=429, headers={"Retry-After": "3600"})
    bench.refused("throttled for an hour", key, files, bench.sign(files, key), NETWORK)


def lying(bench, key):
    for lie, verbosity in zip(bench.backend.lies, itertools.cycle(LEVELS)):
        bench.services.reset()
        files = bench.copies(1, "lie")
        bench.services.fault(kind=lie, times=-1)
        bench.refused(lie, key, files, bench.sign(files, key, verbosity=verbosity), PROVIDER)
    bench.services.reset()


def dead(bench, key, port):
    """Where the service was, nobody listens."""
    files = bench.copies(1, "dead")
    gone = {name: value.replace(bench.services.url, f"https://127.0.0.1:{port}")
            for name, value in bench.settings(key).items()}
    bench.refused("dead", key, files, bench.sign(files, key, gone), NETWORK)
    looked = bench.call("doctor", gone, "--no-timestamp", "--dev")
    bench.suite.check(bench.name("doctor's exit code for a dead service is that of sign", key),
                      looked.returncode == NETWORK, looked.out)


def doctor(bench, key):
    """Of the good and of the wrong credential: what it says may be pasted into a ticket."""
    bench.services.reset()
    gate = ("--dev", "--trust-cert", bench.services.root)
    good = bench.call("doctor", bench.settings(key), *gate, "-vv")
    spent = bench.services.count(bench.backend.sign)
    if bench.backend.sign_is_alone:
        bench.suite.check(bench.name("doctor spends nothing", key), spent == 0, bench.services.log())
    # Some credentials are good for one login.
    logins = bench.services.count(bench.backend.login) if bench.backend.login else 1
    bench.suite.check(bench.name("doctor logs in once", key), logins == 1, bench.services.log())
    bench.suite.check(bench.name("doctor has compared the clocks", key), re.search(r"clock (agrees with|is \d+ s .*) the service", good.out), good.out)
    wrong = bench.call("doctor", bench.settings(key, bench.backend.wrong), *gate)
    bench.suite.check(bench.name("doctor tells a good credential from a wrong one", key),
                      wrong.returncode != 0 and wrong.out != good.out, good.out + wrong.out)


def faults_of_settings(bench, key):
    """(what, settings, exit code) of what is wrong before anything is signed."""
    settings = bench.settings(key)
    def at(url):
        return {name: str(value).replace(bench.services.url, url) for name, value in settings.items()}
    # A name longer than names may be: no resolver needs to be asked.
    yield "a host that does not exist", at(f"https://{'a' * 64}.invalid"), CONFIG
    yield "a TLS certificate that nobody trusts", {n: v for n, v in settings.items() if n != "ca_file"}, CONFIG
    yield "a CA file that is not there", {**settings, "ca_file": str(bench.folder / "absent.pem")}, INPUT
    yield "a wrong credential", {**settings, **bench.backend.wrong}, AUTH
    if key.chain and bench.needs_chain:
        yield "a chain that is not there", {**settings, "chain": str(bench.folder / "absent.pem")}, INPUT


def doctor_and_sign_agree(bench, key):
    for what, settings, code in faults_of_settings(bench, key):
        bench.services.reset()
        files = bench.copies(1, "fault")
        begun = time.monotonic()
        signed = bench.call("sign", settings, "--no-timestamp", "--dev", "--fd", key.digest, *files)
        bench.refused(what, key, files, signed, code)
        looked = bench.call("doctor", settings, "--no-timestamp", "--dev")
        bench.suite.check(bench.name(f"doctor's exit code for {what} is that of sign", key),
                          looked.returncode == code, f"{looked.returncode}\n{looked.out}")
        bench.suite.check(bench.name(f"{what} is not waited for", key), time.monotonic() - begun < 20, signed.out)
    bench.services.reset()


def other_digest(bench, key):
    """A digest that the key may not sign: doctor says so, and spends nothing."""
    other = "sha256" if key.digest == "sha512" else "sha512"
    is_fixed = key.name in bench.backend.one_digest
    if bench.backend.clock_step and not is_fixed:
        return  # Each password that is used up takes the service's clock further from ours.
    ahead = bench.ahead
    bench.services.reset()
    looked = bench.call("doctor", bench.settings(key), "--no-timestamp", "--dev", "--trust-cert", bench.services.root,
                        "--fd", other)
    spent = bench.services.count(bench.backend.sign) if bench.backend.sign_is_alone else 0
    bench.suite.check(bench.name(f"doctor spends nothing over {other}", key), spent == 0, bench.services.log())
    signed = bench.sign(bench.copies(1, "other"), dataclasses.replace(key, digest=other))
    bench.suite.check(bench.name(f"doctor's exit code for {other} is that of sign", key),
                      looked.returncode == signed.returncode, f"{looked.returncode}\n{looked.out}{signed.out}")
    bench.suite.check(bench.name(f"{other} is {'not ' if is_fixed else ''}taken", key),
                      signed.returncode == (UNSUPPORTED if is_fixed else 0), signed.out)
    bench.ahead = ahead if is_fixed else bench.ahead


def lost(bench, key):
    """Answers that are none: what is billed is asked for again once at most."""
    if not (bench.backend.sign_is_alone and bench.backend.billable):
        return
    kinds_of_answers = [("cut", NETWORK), ("html", PROVIDER)]
    if not bench.backend.clock_step:  # Where each attempt does not take half a minute.
        kinds_of_answers += [("huge", NETWORK), ("malformed-json", PROVIDER)]
    for kind, code in kinds_of_answers:
        bench.services.reset()
        files = bench.copies(1, "lost")
        bench.services.fault(kind=kind, match=bench.backend.sign, times=-1)
        done = bench.sign(files, key)
        asked = bench.services.count(bench.backend.sign)
        bench.refused(f"{kind} answers to what is billed", key, files, done, code)
        bench.suite.check(bench.name(f"{kind} answers are asked for twice at most", key), 0 < asked <= 2,
                          bench.services.log())
        bench.suite.check(bench.name(f"after {kind} answers it says that something may be counted", key),
                          "counted" in done.out, done.out)
    bench.services.reset()


def rotation(bench, key):
    """Two references for each secret: what doctor says of the other one."""
    bench.services.reset()
    gate = ("--dev", "--trust-cert", bench.services.root)
    secrets = len(bench.secret_keys & bench.settings(key).keys())
    early = bench.call("doctor", bench.settings(key), *gate, before=["env:NOT_SET_YET"])
    bench.suite.check(bench.name("a new secret that is not there yet: the old one is used, and kept", key),
                      early.out.count("do not revoke it") == secrets > 0, early.out)
    late = bench.call("doctor", bench.settings(key), *gate, after=["env:OLD_ONE"])
    # Key Vault tells nobody beforehand who may sign.
    words = "see with --sign-test" if bench.backend.provider == "azure-key-vault" else "may be revoked"
    bench.suite.check(bench.name("a new secret that works: the old one may be revoked", key),
                      late.out.count(words) == secrets, late.out)
    if words != "may be revoked":
        proven = bench.call("doctor", bench.settings(key), *gate, "--sign-test", after=["env:OLD_ONE"])
        bench.suite.check(bench.name("and after a signature: the old one may be revoked", key),
                          proven.out.count("may be revoked") == secrets, proven.out)
    broken = bench.call("doctor", bench.settings(key, bench.backend.wrong), *gate, after=["env:OLD_ONE"])
    bench.suite.check(bench.name("a new secret that is refused: the old one is kept", key),
                      "do not revoke env:OLD_ONE yet" in broken.out and "may be revoked" not in broken.out, broken.out)


def all_of_one(bench, peer):
    for key in bench.backend.keys:
        good_days(bench, key, peer)
        other_digest(bench, key)
    for key in bench.backend.keys[:1]:
        doctor(bench, key)
        doctor_and_sign_agree(bench, key)
        lost(bench, key)
        rotation(bench, key)
    # One key of each family: what goes wrong is not the curve's doing.
    for key in {key.name[0]: key for key in bench.backend.keys}.values():
        wrong_credential(bench, key)
        throttled(bench, key, peer)
        lying(bench, key)
    bench.services.control("clock", offset_s=0)


def main():
    suite = Suite()
    known = {one["name"] for one in json.loads(require(signctl("providers", "--json")).out)["providers"]}
    missing = known - WITHOUT_SERVICE - {backend.provider for backend in BACKENDS}
    suite.check("every backend has a row in backends.py", not missing, missing)
    peer = tool("osslsigncode", suite)
    files = itertools.cycle([path for _, path in unsigned_files(suite)])
    names = sorted({name for backend in BACKENDS for name in (backend.personality, *backend.beside)})
    with FakeServices(suite.folder / "services", names) as services, socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        benches = [Bench(suite, services, backend, next(files)) for backend in BACKENDS]
        # The dead are waited for together, while the living are tried.
        with concurrent.futures.ThreadPoolExecutor() as pool:
            waits = [pool.submit(dead, bench, bench.backend.keys[0], nobody.getsockname()[1]) for bench in benches]
            for bench in benches:
                all_of_one(bench, peer)
            for wait in waits:
                wait.result()
    suite.finish()


if __name__ == "__main__":
    main()
