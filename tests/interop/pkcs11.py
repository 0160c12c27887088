#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Signing real PE files with keys in PKCS#11 modules: SoftHSM2, a TPM behind swtpm, opencryptoki's software
token, SoftHSM2 at the other end of p11-kit's remoting, and the mock module for what real ones never do.
What signctl signs, signctl and osslsigncode verify; no PIN shows in any output."""
import os
import pathlib
import shutil
import signal
import subprocess
import time

from harness import SIGNCTL, Failure, Suite, require, run, signctl, tool, unsigned_files

LIBRARIES = "/usr/lib/x86_64-linux-gnu"
SOFTHSM = "/usr/lib/softhsm/libsofthsm2.so"
TPM2 = f"{LIBRARIES}/pkcs11/libtpm2_pkcs11.so"
OPENCRYPTOKI = f"{LIBRARIES}/pkcs11/libopencryptoki.so"
REMOTE = f"{LIBRARIES}/pkcs11/p11-kit-client.so"
OPENCRYPTOKI_LABEL = "signctl-test"

PIN = "right-pin-271828"
WRONG_PIN = "wrong-pin-314159"
SHORT_PIN = "27182818"  # opencryptoki takes no more than eight characters
SECRETS = [PIN, WRONG_PIN, SHORT_PIN]


class Authority:
    """A root and an intermediate made with openssl; issues certificates for keys that cannot leave."""

    def __init__(self, folder):
        folder.mkdir()
        self.folder = folder
        self.root, self.intermediate = folder / "root.pem", folder / "intermediate.pem"
        ca = "basicConstraints=critical,CA:true\nkeyUsage=critical,keyCertSign\n"
        self.request("root", "Interop root")
        require(run("openssl", "x509", "-req", "-in", folder / "root.csr", "-signkey", folder / "root.key",
                    "-days", "100", "-extfile", self.file("ca.ext", ca), "-out", self.root))
        self.request("intermediate", "Interop intermediate")
        require(run("openssl", "x509", "-req", "-in", folder / "intermediate.csr", "-CA", self.root, "-CAkey",
                    folder / "root.key", "-CAcreateserial", "-days", "100", "-extfile", folder / "ca.ext",
                    "-out", self.intermediate))

    def file(self, name, text):
        (self.folder / name).write_text(text)
        return self.folder / name

    def request(self, name, subject):
        require(run("openssl", "req", "-newkey", "rsa:2048", "-nodes", "-keyout", self.folder / f"{name}.key",
                    "-subj", f"/CN={subject}", "-out", self.folder / f"{name}.csr"))

    def issue(self, public_key, name):
        """A code signing certificate (DER) for a public key (PEM)."""
        extensions = self.file("leaf.ext", "basicConstraints=CA:false\nkeyUsage=critical,digitalSignature\n"
                                           "extendedKeyUsage=codeSigning\n")
        pem, der = self.folder / f"{name}.pem", self.folder / f"{name}.der"
        require(run("openssl", "x509", "-req", "-in", self.folder / "intermediate.csr", "-CA", self.intermediate,
                    "-CAkey", self.folder / "intermediate.key", "-CAcreateserial", "-days", "60", "-force_pubkey",
                    public_key, "-extfile", extensions, "-subj", f"/CN=Interop {name}", "-out", pem))
        require(run("openssl", "x509", "-in", pem, "-outform", "der", "-out", der))
        return der


class Module:
    """A module with a token: where it is, how to reach it, and its keys by label."""

    def __init__(self, name, path, token, pin, env):
        self.name, self.path, self.token, self.pin, self.env = name, path, token, pin, env
        self.keys = []

    def tool(self, *arguments):
        return require(run("pkcs11-tool", "--module", self.path, *arguments, env=self.env))

    def with_token(self, *arguments):
        return self.tool("--token-label", self.token, "--login", "--pin", self.pin, *arguments)


class Bench:
    """Runs signctl with one module's token, and looks for PINs in all that it says."""

    def __init__(self, suite, authority, files):
        self.suite, self.authority, self.files = suite, authority, files

    def ours(self, module, *arguments, pin=None):
        env = {**module.env, "TOKEN_PIN": module.pin if pin is None else pin}
        done = signctl(*arguments, env=env)
        for secret in SECRETS:
            self.suite.check(f"{module.name}: no PIN in what signctl {arguments[0]} says",
                             secret not in done.out, done.out)
        return done

    def settings(self, module, key=None, **more):
        pairs = {"module": module.path, "token": module.token, "pin": "env:TOKEN_PIN",
                 "chain": self.authority.intermediate, **more}
        if key:
            pairs["key"] = key
        return ["--provider", "pkcs11"] + [word for k, v in pairs.items() for word in ("-p", f"{k}={v}")]

    def copies(self, name, count=None):
        """Fresh files to sign, in a folder of their own, no two alike: those would share a signature."""
        folder = self.suite.folder / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        found = []
        for index in range(count or len(self.files)):
            _, path = self.files[index % len(self.files)]
            found.append(folder / f"{index}{path.suffix or '.exe'}")
            shutil.copyfile(path, found[-1])
            with found[-1].open("ab") as file:
                file.write(b"copy %04d" % index)
        return found

    def sign(self, module, files, *more, pin=None, **settings):
        return self.ours(module, "sign", *files, *self.settings(module, **settings), "--no-timestamp", "-v",
                         "--trust-cert", self.authority.root, *more, pin=pin)


def signs_and_verifies(bench, module, peer):
    """Each key signs every file; both verifiers agree."""
    for key in module.keys:
        files = bench.copies("signed")
        done = bench.sign(module, files, "-j", "4", key=key)
        bench.suite.check(f"{module.name}: {key} signs {len(files)} files", done.returncode == 0, done.out)
        for file in files:
            checked = signctl("verify", file, "--timestamp", "optional", "--trust-cert", bench.authority.root)
            bench.suite.check(f"{module.name}: signctl verifies {key} on {file.name}", checked.returncode == 0,
                              checked.out)
            if peer:
                checked = run(peer, "verify", "-CAfile", bench.authority.root, "-in", file)
                bench.suite.check(f"{module.name}: osslsigncode verifies {key} on {file.name}",
                                  checked.returncode == 0 and "Succeeded" in checked.out, checked.out)


def refuses_and_diagnoses(bench, module):
    files = bench.copies("refused", 3)
    before = [file.read_bytes() for file in files]
    done = bench.sign(module, files, "-j", "3", key=module.keys[0], pin=WRONG_PIN[:len(module.pin)])
    bench.suite.check(f"{module.name}: a wrong PIN is exit code 6", done.returncode == 6, done.out)
    bench.suite.check(f"{module.name}: nothing is signed then", before == [f.read_bytes() for f in files])
    done = bench.ours(module, "doctor", *bench.settings(module, key=module.keys[0]), "--offline", "--no-timestamp", "--trust-cert", bench.authority.root)
    for words in ("the token has accepted the login", "signs with key", "is ready to sign"):
        bench.suite.check(f"{module.name}: doctor says \"{words}\"", words in done.out, done.out)


# SoftHSM2

def softhsm(suite, authority):
    if not pathlib.Path(SOFTHSM).exists():
        suite.skip("SoftHSM2", "softhsm2 is not installed")
        return None
    folder = suite.folder / "softhsm"
    (folder / "tokens").mkdir(parents=True)
    config = folder / "softhsm2.conf"
    config.write_text(f"directories.tokendir = {folder}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n")
    module = Module("SoftHSM2", SOFTHSM, "interop", PIN, {"SOFTHSM2_CONF": str(config)})
    require(run("softhsm2-util", "--init-token", "--free", "--label", "interop", "--pin", PIN, "--so-pin", "12345678",
                env=module.env))
    kinds = [("rsa2048", ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"]),
             ("rsa3072", ["RSA", "-pkeyopt", "rsa_keygen_bits:3072"]),
             ("p256", ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"]),
             ("p384", ["EC", "-pkeyopt", "ec_paramgen_curve:P-384"])]
    for number, (label, how) in enumerate(kinds, 1):
        key, public = folder / f"{label}.pem", folder / f"{label}.pub"
        require(run("openssl", "genpkey", "-algorithm", *how, "-out", key))
        require(run("openssl", "pkey", "-in", key, "-pubout", "-out", public))
        named = ["--label", label, "--id", f"0{number}"]
        require(run("softhsm2-util", "--token", "interop", "--import", key, *named, "--pin", PIN, env=module.env))
        module.with_token("--write-object", authority.issue(public, label), "--type", "cert", *named)
        module.keys.append(label)
    return module


def limited_to_pss(bench, module):
    """A key that may sign by RSA-PSS only is of no use to Authenticode: sign and doctor say so beforehand."""
    suite, folder = bench.suite, bench.suite.folder / "softhsm"
    public, plain = folder / "pss.der", folder / "pss.pub"
    named = ["--label", "pss", "--id", "0a"]
    module.with_token("--keypairgen", "--key-type", "rsa:2048", *named, "--allowed-mechanisms", "RSA-PKCS-PSS")
    module.with_token("--read-object", "--type", "pubkey", *named, "-o", public)
    require(run("openssl", "pkey", "-pubin", "-inform", "der", "-in", public, "-out", plain))
    module.with_token("--write-object", bench.authority.issue(plain, "pss"), "--type", "cert", *named)
    files = bench.copies("pss", 1)
    before = files[0].read_bytes()
    signed = bench.sign(module, files, key="pss")
    looked = bench.ours(module, "doctor", *bench.settings(module, key="pss"), "--no-timestamp", "--trust-cert",
                        bench.authority.root)
    for verb, done in (("sign", signed), ("doctor", looked)):
        suite.check(f"{verb}: a key for RSA-PSS alone is refused with 5", done.returncode == 5, done.out)
        suite.check(f"{verb}: it says what the key allows", "CKM_RSA_PKCS_PSS and not with CKM_RSA_PKCS" in done.out, done.out)
    suite.check("a key for RSA-PSS alone leaves the file as it was", files[0].read_bytes() == before)


def selects(bench, module):
    """URI, thumbprint, automatic module; and the pin in a file that the URI names."""
    suite, files = bench.suite, bench.copies("selected", 1)
    pin_file = suite.folder / "pin"
    pin_file.write_text(PIN + "\n")
    uri = f"pkcs11:token=interop;object=p256;type=private?module-path={SOFTHSM}&pin-source=file:{pin_file}"
    common = ["--no-timestamp", "-v", "--trust-cert", bench.authority.root, "-p",
              f"chain={bench.authority.intermediate}"]
    done = bench.ours(module, "sign", *files, "--provider", "pkcs11", "-p", f"uri={uri}", *common)
    suite.check("a URI alone selects module, token, key and PIN", done.returncode == 0, done.out)
    files = bench.copies("selected", 1)
    done = bench.ours(module, "sign", *files, "--provider", "pkcs11", "-p", "module=auto", "-p", "token=interop",
                      "-p", "pin=env:TOKEN_PIN", "-p", "certificate=Interop rsa2048", *common)
    suite.check("module: auto finds the token, and a common name the key", done.returncode == 0, done.out)
    done = bench.sign(module, files)
    suite.check("several keys are an error that lists them", done.returncode == 3 and "p384" in done.out, done.out)


# TPM2 over swtpm

def tpm(suite, authority):
    if not pathlib.Path(TPM2).exists() or not tool("swtpm", suite):
        suite.skip("TPM2", "libtpm2-pkcs11-1 or swtpm is not installed")
        return None
    folder = suite.folder / "tpm"
    (folder / "store").mkdir(parents=True)
    require(run("swtpm", "socket", "--tpm2", "--tpmstate", f"dir={folder}", "--daemon", "--server",
                f"type=unixio,path={folder}/sock", "--ctrl", f"type=unixio,path={folder}/sock.ctrl", "--flags",
                "not-need-init,startup-clear", "--pid", f"file={folder}/pid"))
    env = {"TPM2_PKCS11_TCTI": f"swtpm:path={folder}/sock", "TPM2_PKCS11_STORE": f"{folder}/store",
           "TPM2_PKCS11_LOG_LEVEL": "0"}
    module = Module("TPM2 (swtpm)", TPM2, "interop-tpm", PIN, env)
    module.tool("--init-token", "--label", "interop-tpm", "--so-pin", "so-" + PIN, "--slot-index", "0")
    module.tool("--token-label", "interop-tpm", "--init-pin", "--login", "--login-type", "so", "--so-pin",
                "so-" + PIN, "--pin", PIN)
    for number, (label, kind) in enumerate([("rsa2048", "rsa:2048"), ("p256", "EC:prime256v1")], 1):
        named = ["--label", label, "--id", f"0{number}"]
        module.with_token("--keypairgen", "--key-type", kind, *named)
        der, pem = folder / f"{label}.der", folder / f"{label}.pub"
        module.tool("--token-label", "interop-tpm", "--read-object", "--type", "pubkey", "--id", f"0{number}", "-o", der)
        require(run("openssl", "pkey", "-pubin", "-inform", "der", "-in", der, "-out", pem))
        module.with_token("--write-object", authority.issue(pem, f"tpm-{label}"), "--type", "cert", *named)
        module.keys.append(label)
    return module


def tpm_outlives_killed_runs(bench, module):
    """A TPM has three session slots and nobody who clears up after the dead: the worker has to, whatever becomes of
    signctl. More runs than slots are killed, each while it signs: so many files that no machine is done with them, and
    some time after the worker appeared, however long that takes."""
    environment = {**os.environ, **module.env, "TOKEN_PIN": module.pin}
    caught = 0
    for delay in (0.02, 0.05, 0.1, 0.15, 0.2):
        process = subprocess.Popen([SIGNCTL, "sign", *map(str, bench.copies("killed", 300)),
                                    *map(str, bench.settings(module, key="rsa2048")), "--no-timestamp", "--trust-cert",
                                    str(bench.authority.root), "-j", "2"], env=environment, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while not workers_of(process.pid) and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.005)
        time.sleep(delay)
        workers = workers_of(process.pid)
        caught += len(workers)
        process.kill()
        process.wait()
        deadline = time.monotonic() + 10
        while any(pathlib.Path(f"/proc/{pid}").exists() for pid in workers) and time.monotonic() < deadline:
            time.sleep(0.05)
    bench.suite.check(f"{module.name}: runs were killed in the middle", caught >= 3, caught)
    done = bench.ours(module, "doctor", *bench.settings(module, key="rsa2048"), "--offline", "--no-timestamp", "--trust-cert", bench.authority.root)
    bench.suite.check(f"{module.name}: runs that were killed leave no session behind", done.returncode == 0, done.out)


def stop_tpm(suite):
    pid = suite.folder / "tpm" / "pid"
    if pid.exists():
        os.kill(int(pid.read_text()), signal.SIGTERM)


# opencryptoki

SLOT_DAEMON = pathlib.Path("/run/pkcsslotd.pid")
started_here = []


def start_opencryptoki():
    """Its daemon, unless it runs; and the folders that systemd makes at boot, where there is no systemd."""
    rules = pathlib.Path("/usr/lib/tmpfiles.d/opencryptoki.conf")
    for line in rules.read_text().splitlines() if rules.exists() else []:
        if line.startswith("d "):
            os.makedirs(line.split()[1], mode=0o770, exist_ok=True)
    if run("pkcsconf", "-i").returncode != 0:
        run("/usr/sbin/pkcsslotd")
        time.sleep(0.5)
        pid = SLOT_DAEMON.read_text().strip() if SLOT_DAEMON.exists() else "none"
        command = pathlib.Path(f"/proc/{pid}/comm")
        if command.exists() and command.read_text().strip() == "pkcsslotd":
            started_here.append(int(pid))


def stop_opencryptoki():
    for pid in started_here:
        os.kill(pid, signal.SIGTERM)


def opencryptoki(suite, authority):
    """Uses the machine's software token, which is one for all: only if it is empty, or ours from before."""
    if not pathlib.Path(OPENCRYPTOKI).exists():
        suite.skip("opencryptoki", "opencryptoki is not installed")
        return None
    if os.geteuid() != 0:
        suite.skip("opencryptoki", "its daemon and token need root")
        return None
    start_opencryptoki()
    module = Module("opencryptoki", OPENCRYPTOKI, OPENCRYPTOKI_LABEL, SHORT_PIN, {})
    listed = run("pkcs11-tool", "--module", OPENCRYPTOKI, "--list-slots")
    if listed.returncode != 0 or "Slot 0" not in listed.out:
        suite.skip("opencryptoki", "its daemon pkcsslotd does not start here: " + listed.out.strip()[-200:])
        return None
    if OPENCRYPTOKI_LABEL not in listed.out and "uninitialized" not in listed.out:
        suite.skip("opencryptoki", "its token is in use by somebody")
        return None
    default_so_pin, first_pin = "87654321", "11223344"
    module.tool("--init-token", "--label", OPENCRYPTOKI_LABEL, "--so-pin", default_so_pin, "--slot-index", "0")
    module.tool("--token-label", OPENCRYPTOKI_LABEL, "--init-pin", "--login", "--login-type", "so", "--so-pin",
                default_so_pin, "--pin", first_pin)
    # Until the user has set one of his own, the token may say that the PIN is to be changed.
    module.tool("--token-label", OPENCRYPTOKI_LABEL, "--login", "--pin", first_pin, "--change-pin", "--new-pin",
                SHORT_PIN)
    folder = suite.folder / "opencryptoki"
    folder.mkdir()
    key, public, der = folder / "key.pem", folder / "key.pub", folder / "key.der"
    require(run("openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", key))
    require(run("openssl", "pkey", "-in", key, "-pubout", "-out", public))
    require(run("openssl", "rsa", "-in", key, "-outform", "der", "-out", der))
    named = ["--label", "rsa2048", "--id", "01"]
    module.with_token("--write-object", der, "--type", "privkey", *named)
    module.with_token("--write-object", authority.issue(public, "ock"), "--type", "cert", *named)
    module.keys = ["rsa2048"]
    return module


# p11-kit remoting: a module in another process behind a socket, as a network HSM is.

class Remote:
    """p11-kit's server for SoftHSM2's token."""

    def __init__(self, suite, softhsm_module):
        self.socket = suite.folder / "p11-kit.sock"
        self.environment = {"PATH": os.environ["PATH"], **softhsm_module.env}
        self.process = None
        self.module = Module("p11-kit remote", REMOTE, "interop", PIN,
                             {"P11_KIT_SERVER_ADDRESS": f"unix:path={self.socket}"})
        self.module.keys = ["rsa3072", "p256"]

    def start(self):
        self.socket.unlink(missing_ok=True)
        self.process = subprocess.Popen(
            ["p11-kit", "server", "-f", "-n", str(self.socket), "--provider", SOFTHSM, "pkcs11:token=interop"],
            env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        for _ in range(100):
            if self.socket.exists():
                return True
            time.sleep(0.05)
        self.stop()
        return False

    def stop(self):
        """It and the process that it makes for each client: the line is cut."""
        if self.process:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None


def remote(suite, softhsm_module):
    if not tool("p11-kit", suite) or not softhsm_module or not pathlib.Path(REMOTE).exists():
        suite.skip("p11-kit remoting", "p11-kit, p11-kit-modules or softhsm2 is not installed")
        return None
    server = Remote(suite, softhsm_module)
    if not server.start():
        suite.skip("p11-kit remoting", "its server does not start here")
        return None
    return server


def remote_comes_back(bench, server):
    """The line is cut while signctl signs; what was signed stays, and it goes on once the line is back."""
    module, files = server.module, bench.copies("files", 60)
    before = [file.read_bytes() for file in files]
    process = subprocess.Popen([SIGNCTL, "sign", *map(str, files), *map(str, bench.settings(module, key="rsa3072")),
                                "--no-timestamp", "-v", "--trust-cert", str(bench.authority.root)],
                               env={"PATH": os.environ["PATH"], "TOKEN_PIN": PIN, **module.env},
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    deadline = time.monotonic() + 20
    while files[4].read_bytes() == before[4] and time.monotonic() < deadline:
        time.sleep(0.005)
    server.stop()
    cut_early = files[-1].read_bytes() == before[-1]
    time.sleep(1)
    server.start()
    out = process.communicate(timeout=120)[0].decode("utf-8", "replace")
    bench.suite.check("signing goes on after the line to a remote HSM was cut",
                      cut_early and process.returncode == 0 and "60 signed" in out, out)
    bench.suite.check("no PIN in what signctl says of it", not any(secret in out for secret in SECRETS), out)


def remote_is_gone(bench, module):
    done = bench.sign(module, bench.copies("gone", 1), key=module.keys[0])
    bench.suite.check("a remote HSM that is gone is an error with a reason",
                      done.returncode in (7, 9) and "signctl: error:" in done.out, done.out)


# The mock module

class Mock:
    """The mock module with its folder; see tests/mock_pkcs11/module.cpp."""

    def __init__(self, suite, authority, path):
        self.folder = suite.folder / "mock"
        self.folder.mkdir()
        key, public = self.folder / "key.pem", self.folder / "key.pub"
        require(run("openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", key))
        require(run("openssl", "pkey", "-in", key, "-pubout", "-out", public))
        der = authority.issue(public, "mock")
        self.certificate = der.with_suffix(".pem")
        self.module = Module("mock", path, "mock", PIN, {"SIGNCTL_MOCK_P11": str(self.folder)})

    def behave(self, **behaviour):
        for name in ("calls", "tries", "errors", "signatures"):
            (self.folder / name).unlink(missing_ok=True)
        pairs = {"label": "mock", "serial": "MOCK", "pin": PIN, "key": self.folder / "key.pem",
                 "certificate": self.certificate, **behaviour}
        (self.folder / "config").write_text("".join(f"{k}={v}\n" for k, v in pairs.items()))

    def calls(self, name):
        log = self.folder / "calls"
        return log.read_text().splitlines().count(name) if log.exists() else 0

    def tries(self):
        """PIN tries left; -1 as long as no PIN was checked."""
        file = self.folder / "tries"
        return int(file.read_text()) if file.exists() else -1


def pin_is_safe(bench, mock):
    suite = bench.suite
    mock.behave(tries=5)
    files = bench.copies("files", 12)
    done = bench.sign(mock.module, files, "-j", "8", "--keep-going", pin=WRONG_PIN)
    suite.check("a wrong PIN is exit code 6", done.returncode == 6, done.out)
    suite.check("-j 8 and twelve files send a wrong PIN once", mock.calls("C_Login") == 1 and mock.tries() == 4,
                f"{mock.calls('C_Login')} logins, {mock.tries()} tries left")
    done = bench.ours(mock.module, "doctor", *bench.settings(mock.module), "--offline", pin=WRONG_PIN)
    suite.check("doctor sends it once as well", mock.tries() == 3 and done.returncode == 6, done.out)
    mock.behave(tries=5)
    (mock.folder / "tries").write_text("1")
    for pin in (PIN, WRONG_PIN):
        done = bench.sign(mock.module, files, "-j", "8", pin=pin)
        suite.check("nothing is sent when one try is left", done.returncode == 6 and mock.tries() == 1 and
                    "only one PIN try is left" in done.out, done.out)
    done = bench.sign(mock.module, files[:1], allow_final_pin_try="yes")
    suite.check("unless that is allowed", done.returncode == 0 and mock.tries() == 5, done.out)
    (mock.folder / "tries").write_text("0")
    done = bench.sign(mock.module, files[1:2])
    suite.check("a locked token is named as such", done.returncode == 6 and "is locked" in done.out, done.out)


def doctor_logs_in_once(bench, mock):
    """Several signers of a config use one token, with the same PIN or not."""
    suite = bench.suite
    config = mock.folder / "signctl.yaml"

    def doctor(*pins):
        signers = "".join(f"  signer{i}:\n    provider: pkcs11\n    module: {mock.module.path}\n    token: mock\n"
                          f"    chain: {bench.authority.intermediate}\n    pin: env:{pin}\n"
                          for i, pin in enumerate(pins))
        config.write_text(f"version: 1\nsigners:\n{signers}sign:\n  signer: [signer0]\n")
        mock.behave(tries=5)
        done = signctl("doctor", "-c", config, "--offline", "--no-timestamp", "--trust-cert", bench.authority.root,
                       "--sign-test", env={**mock.module.env, "RIGHT_PIN": PIN, "WRONG_PIN": WRONG_PIN,
                                           "OTHER_PIN": WRONG_PIN[::-1]})
        suite.check("no PIN in what doctor says", not [s for s in SECRETS if s in done.out], done.out)
        return done

    done = doctor("RIGHT_PIN")
    suite.check("doctor with a signature logs in once", done.returncode == 0 and mock.calls("C_Login") == 1, done.out)
    done = doctor("RIGHT_PIN", "RIGHT_PIN", "RIGHT_PIN")
    suite.check("three signers on one token log in once between them",
                done.returncode == 0 and mock.calls("C_Login") == 1 and done.out.count("is ready to sign") == 3, done.out)
    done = doctor("RIGHT_PIN", "WRONG_PIN")
    suite.check("beside a PIN that was accepted no other is sent",
                done.returncode == 6 and mock.calls("C_Login") == 1 and mock.tries() == 5, done.out)
    done = doctor("WRONG_PIN", "OTHER_PIN", "RIGHT_PIN")
    suite.check("after a refused PIN nothing more is sent to the token",
                done.returncode == 6 and mock.calls("C_Login") == 1 and mock.tries() == 4, done.out)


def a_busy_token_is_not_a_wrong_pin(bench, mock):
    suite = bench.suite
    mock.behave(tries=5, error="C_OpenSession:0xb1:99")
    file = bench.copies("busy", 1)
    for done in (bench.sign(mock.module, file),
                 bench.ours(mock.module, "doctor", *bench.settings(mock.module), "--offline", "--no-timestamp")):
        suite.check("a token without a free session is exit code 9, with a hint and no PIN sent",
                    done.returncode == 9 and "no session left" in done.out and mock.calls("C_Login") == 0, done.out)


def processes_do_not_lock_it_together(bench, mock):
    """Eight signctl at a time, all with a wrong PIN, and a token that locks after three."""
    mock.behave(tries=3)
    file = bench.copies("files", 1)[0]
    environment = {"PATH": os.environ["PATH"], **mock.module.env, "TOKEN_PIN": WRONG_PIN}
    running = [subprocess.Popen([SIGNCTL, "sign", str(file), *map(str, bench.settings(mock.module)), "--no-timestamp"],
                                env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) for _ in range(8)]
    outputs = [process.communicate(timeout=60)[0].decode("utf-8", "replace") for process in running]
    bench.suite.check("several signctl with a wrong PIN leave the last try alone",
                      mock.tries() == 1 and {process.returncode for process in running} == {6}, "\n".join(outputs))


def pin_stays_secret(bench, mock):
    """Even with a driver that prints it, and with every failure that there is."""
    failures = [dict(babble=1), dict(babble=1, crash="C_Sign"), dict(babble=1, error="C_Login:0x5:9"),
                dict(babble=1, error="C_Sign:0x30:99"), dict(babble=1, error="C_SignInit:0x70:9"),
                dict(babble=1, wrong_signature=1), dict(babble=1, always_authenticate=1)]
    for behaviour in failures:
        mock.behave(**behaviour)
        bench.sign(mock.module, bench.copies("files", 2))
        bench.sign(mock.module, bench.copies("files", 2), pin=WRONG_PIN)
    mock.behave()
    for uri in (f"pkcs11:token=mock?pin-value={PIN}", f"pkcs11:token=mock;pin-value={PIN}?pin-value={PIN}"):
        done = bench.ours(mock.module, "sign", *bench.copies("files", 1), "--provider", "pkcs11", "-p", f"uri={uri}",
                          "--no-timestamp", "-v")
        bench.suite.check("a PIN inside a URI is refused", done.returncode == 3, done.out)


def drivers_may_die(bench, mock):
    suite = bench.suite
    mock.behave(hang="C_Sign")
    files = bench.copies("files", 4)
    before = [file.read_bytes() for file in files]
    begun = time.monotonic()
    done = bench.sign(mock.module, files, "-j", "4", timeout="3s")
    suite.check("a driver that hangs is cut off by the deadline", done.returncode == 9 and
                time.monotonic() - begun < 45, f"{time.monotonic() - begun:.1f} s\n{done.out}")
    suite.check("and not tried again once it hung anew", "attempt 2" not in done.out and
                mock.calls("C_Initialize") == 2, done.out)
    mock.behave(hang="C_Sign", always_authenticate=1)
    done = bench.sign(mock.module, files, "-j", "1", "--keep-going", timeout="3s")
    suite.check("a driver that hangs with the PIN is exit code 9, for every file", done.returncode == 9 and
                done.out.count("whether the PIN was counted is unknown") == len(files) and
                "correct the PIN" not in done.out, done.out)
    suite.check("and the PIN is not sent again", mock.calls("C_Login") + mock.calls("C_Login context") == 2, done.out)
    mock.behave(crash="C_Sign")
    done = bench.sign(mock.module, files, "-j", "4")
    suite.check("a driver that crashes is an error", done.returncode == 7 and "crashed" in done.out, done.out)
    mock.behave(wrong_signature=1)
    done = bench.sign(mock.module, files, "-j", "4")
    suite.check("a driver that lies is exit code 7", done.returncode == 7 and "does not match certificate" in done.out,
                done.out)
    suite.check("none of them leaves a file behind", before == [f.read_bytes() for f in files] and
                sorted(files[0].parent.iterdir()) == sorted(files))
    mock.behave(remove_after=2, back_after=1)
    done = bench.sign(mock.module, files, "-j", "2")
    suite.check("a token that is taken out and put back goes on", done.returncode == 0 and
                mock.calls("C_Login") == 2, done.out)
    mock.behave(always_authenticate=1)
    done = bench.sign(mock.module, bench.copies("files", 6), "-j", "6")
    suite.check("a key that always asks is asked for each signature", done.returncode == 0 and
                mock.calls("C_Login context") == 6 and mock.calls("C_Login") == 1, done.out)


def leaves_no_worker(bench, mock):
    """However signctl ends, the worker ends too."""
    mock.behave(hang="C_Sign")
    environment = {**os.environ, **mock.module.env, "TOKEN_PIN": PIN}
    process = subprocess.Popen([SIGNCTL, "sign", *map(str, bench.copies("files", 1)),
                                *map(str, bench.settings(mock.module)), "--no-timestamp", "--trust-cert",
                                str(bench.authority.root)], env=environment,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 10
    while not (mock.folder / "calls").exists() or mock.calls("C_Sign") == 0:
        if time.monotonic() > deadline:
            break
        time.sleep(0.05)
    children = workers_of(process.pid)
    process.kill()
    process.wait()
    while any(pathlib.Path(f"/proc/{pid}").exists() for pid in children) and time.monotonic() < deadline + 10:
        time.sleep(0.1)
    bench.suite.check("the worker ends when signctl is killed, even while the driver hangs",
                      children and not any(pathlib.Path(f"/proc/{pid}").exists() for pid in children), children)


def workers_of(parent):
    found = []
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(stat.read_text().rsplit(")", 1)[1].split()[1]) == parent:
                found.append(int(stat.parent.name))
        except (OSError, IndexError):
            pass
    return found


def real_modules(bench, peer):
    suite, authority = bench.suite, bench.authority
    first = softhsm(suite, authority)
    if first:
        signs_and_verifies(bench, first, peer)
        selects(bench, first)
        server = remote(suite, first)
        if server:
            try:
                signs_and_verifies(bench, server.module, peer)
                remote_comes_back(bench, server)
                refuses_and_diagnoses(bench, server.module)
            finally:
                server.stop()
            remote_is_gone(bench, server.module)
        refuses_and_diagnoses(bench, first)
        limited_to_pss(bench, first)
    for make in (tpm, opencryptoki):
        module = make(suite, authority)
        if module:
            signs_and_verifies(bench, module, peer)
            refuses_and_diagnoses(bench, module)
        if module and make is tpm:
            tpm_outlives_killed_runs(bench, module)


def main():
    suite = Suite()
    try:
        authority = Authority(suite.folder / "ca")
        files = unsigned_files(suite)[:4]
        bench = Bench(suite, authority, files)
        if tool("pkcs11-tool", suite):
            real_modules(bench, tool("osslsigncode", suite))
        mock = Mock(suite, authority, os.environ["SIGNCTL_MOCK_PKCS11"])
        pin_is_safe(bench, mock)
        doctor_logs_in_once(bench, mock)
        a_busy_token_is_not_a_wrong_pin(bench, mock)
        processes_do_not_lock_it_together(bench, mock)
        pin_stays_secret(bench, mock)
        drivers_may_die(bench, mock)
        leaves_no_worker(bench, mock)
    except Failure as failure:
        suite.check("preparing", False, failure)
    finally:
        stop_tpm(suite)
        stop_opencryptoki()
    suite.finish()


if __name__ == "__main__":
    main()
