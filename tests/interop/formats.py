#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The matrix format x verb x algorithm: every verb of signctl on real files of every format, each result
judged by signctl's gate and by an independent tool where there is one.

One plug-in a format in formats/NAME.py; formats/README.md says what it holds. The table of results stands
in docs/formats.md between two marks: this test compares it with what it has just seen, and with
SIGNCTL_WRITE_DOCS=1 writes it.
"""
import importlib.util
import json
import os
import pathlib
import shutil
import sys

from harness import SOURCE, Failure, Suite, dev_certificate, require, run, sha256, sign_arguments, signctl

HERE = pathlib.Path(__file__).resolve().parent
PAGE = SOURCE / "docs" / "formats.md"
BEGIN, END = "<!-- matrix: begin -->", "<!-- matrix: end -->"
# A sanitized program starts ten times as slowly; what it may find, it finds with the first files.
QUICK = any(name.endswith("SAN_OPTIONS") for name in os.environ)
VERBS = ["sign", "verify", "append", "timestamp", "inspect", "remove", "detached", "extract", "tamper", "peer"]
TITLES = {"detached": "digest, attach", "tamper": "refuses a changed byte", "peer": "verifies a peer's"}


def plugins():
    for path in sorted((HERE / "formats").glob("*.py")):
        spec = importlib.util.spec_from_file_location("format_" + path.stem, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield module


class Bench:
    """One format's files, keys and results."""

    def __init__(self, suite, plugin):
        self.suite = suite
        self.plugin = plugin
        self.folder = suite.folder / plugin.NAME
        self.folder.mkdir()
        self.subject = getattr(plugin, "SUBJECT", "Interop")
        self.dev = dev_certificate(self.folder / "dev", subject=self.subject)
        self.key = self.folder / "key.pem"
        require(run("openssl", "pkcs12", "-in", self.dev / "dev.pfx", "-passin", "pass:", "-nodes", "-nocerts",
                    "-out", self.key))
        self.stamp = ["--timestamp-url", f"dev:{self.dev / 'dev-tsa.pem'}"]
        self.results = {}   # (verb, alg) -> list of (holds, judged by somebody else)
        self.step = 0

    def note(self, verb, alg, what, done, holds, independent=False):
        self.results.setdefault((verb, alg), []).append((bool(holds), independent))
        self.suite.check(f"{self.plugin.NAME}, {verb}, {alg}: {what}", holds, getattr(done, "out", done))

    def copy(self, path):
        """A writable copy of its own, with the extension that scripts are known by."""
        self.step += 1
        folder = self.folder / str(self.step)
        folder.mkdir()
        target = folder / pathlib.Path(path).name
        shutil.copyfile(path, target)
        return target

    def sign(self, path, alg, *more):
        return signctl("sign", path, *sign_arguments(self.dev), "--fd", alg, *more)

    def accepted(self, verb, alg, label, path):
        """By our gate, and by somebody else's if there is one."""
        ours = signctl("verify", path, "--dev")
        self.note(verb, alg, f"the gate accepts {label}", ours, ours.returncode == 0)
        said = self.plugin.judge(self.suite, path, self.dev / "dev.pem", self.dev / "tsa-cert.pem")
        if said is not NotImplemented:
            self.note(verb, alg, f"an independent verifier accepts {label}", said, said is None, independent=True)


def try_sign(bench, label, path, alg):
    signed = bench.copy(path)
    done = bench.sign(signed, alg, *bench.stamp, "--d", "Größe", "--du", "https://contoso.example/")
    bench.note("sign", alg, f"signs {label}", done, done.returncode == 0)
    bench.accepted("sign", alg, label, signed)
    again = signctl("verify", signed)
    bench.note("verify", alg, f"no release gate accepts a rehearsal of {label}", again, again.returncode == 1)
    shown = signctl("inspect", signed, "--json")
    facts = json.loads(shown.out) if shown.returncode == 0 else {}
    text = json.dumps(facts)
    bench.note("inspect", alg, f"shows the digest algorithm of {label}", shown, f'"{alg}"' in text)
    return signed


def try_append(bench, label, signed, alg):
    twice = bench.copy(signed)
    before = sha256(twice)
    done = bench.sign(twice, alg, *bench.stamp, "--if-signed", "append")
    if not bench.plugin.APPEND:
        bench.note("append", alg, f"refuses a second signature on {label}", done,
                   done.returncode == 5 and sha256(twice) == before)
        return
    bench.note("append", alg, f"appends to {label}", done, done.returncode == 0)
    bench.accepted("append", alg, label, twice)


def try_timestamp(bench, label, path, alg):
    late = bench.copy(path)
    require(bench.sign(late, alg, "--no-timestamp"))
    bare = signctl("verify", late, "--dev")
    bench.note("timestamp", alg, f"the gate asks for a timestamp on {label}", bare, bare.returncode == 1)
    done = signctl("timestamp", late, "--dev", *bench.stamp)
    bench.note("timestamp", alg, f"timestamps {label}", done, done.returncode == 0)
    bench.accepted("timestamp", alg, label, late)


def try_remove(bench, label, path, signed, alg):
    bare = bench.copy(signed)
    done = signctl("remove", bare)
    bench.note("remove", alg, f"takes the signature off {label}", done, done.returncode == 0)
    unsigned = signctl("verify", bare, "--dev", "--json")
    bench.note("remove", alg, f"{label} is unsigned then", unsigned,
               unsigned.returncode == 1 and '"unsigned"' in unsigned.out)
    if bench.plugin.REMOVE == "identical":
        bench.note("remove", alg, f"{label} is byte for byte what it was", "", sha256(bare) == sha256(path))
    anew = bench.sign(bare, alg, *bench.stamp)
    bench.note("remove", alg, f"{label} can be signed again", anew, anew.returncode == 0)


def try_detached(bench, label, path, alg):
    """A key that signctl never sees signs what `digest` prints; `attach` puts it in."""
    if not getattr(bench.plugin, "DETACHED", True):
        return
    target, tbs, raw = bench.copy(path), bench.folder / "tbs", bench.folder / "raw"
    for old in (tbs, raw):
        old.unlink(missing_ok=True)
    done = signctl("digest", "--to-be-signed", "--fd", alg, "--format", "raw", "-o", tbs, target)
    bench.note("detached", alg, f"prints what to sign of {label}", done, done.returncode == 0)
    if done.returncode != 0:
        return
    require(run("openssl", "pkeyutl", "-sign", "-inkey", bench.key, "-pkeyopt", f"digest:{alg}",
                "-in", tbs, "-out", raw))
    done = signctl("attach", target, raw, "--chain", bench.dev / "dev.pem", "--fd", alg, "--dev", *bench.stamp)
    bench.note("detached", alg, f"attaches to {label} what openssl signed", done, done.returncode == 0)
    bench.accepted("detached", alg, label, target)


def try_extract(bench, label, path, signed, alg):
    if not getattr(bench.plugin, "EXTRACT", True):
        return
    out, target = bench.folder / "extracted.p7", bench.copy(path)
    out.unlink(missing_ok=True)
    done = signctl("extract", signed, "-o", out)
    bench.note("extract", alg, f"extracts from {label}", done, done.returncode == 0)
    done = signctl("attach", target, out, "--dev", "--no-timestamp")
    bench.note("extract", alg, f"puts it into an unsigned copy of {label}", done, done.returncode == 0)
    bench.note("extract", alg, f"{label} is then the signed file again", done, sha256(target) == sha256(signed))


def try_tamper(bench, label, signed, alg):
    size = pathlib.Path(signed).stat().st_size
    covered = getattr(bench.plugin, "covered", lambda path: size // 2)(signed)
    bad = bench.copy(signed)
    data = bytearray(bad.read_bytes())
    data[covered] ^= 0x01
    bad.write_bytes(data)
    done = signctl("verify", bad, "--dev")
    bench.note("tamper", alg, f"{label} with a changed byte is refused", done, done.returncode in (1, 4))


def try_peer(bench, path, label, alg):
    key, certificate = bench.key, bench.dev / "dev.pem"
    signed = bench.plugin.theirs(bench.suite, bench.folder, bench.copy(path), alg, key, certificate)
    if signed is None:
        return
    done = signctl("verify", signed, "--dev", "--timestamp", "optional")
    bench.note("peer", alg, f"accepts {label} signed by another tool", done, done.returncode == 0, independent=True)


def run_format(suite, plugin):
    bench = Bench(suite, plugin)
    inputs = plugin.inputs(suite, bench.folder)
    for number, (label, path) in enumerate(inputs[:2] if QUICK else inputs):
        # The first file goes through every algorithm, the others through the usual one.
        given = path
        for alg in plugin.ALGS if number == 0 and not QUICK else plugin.ALGS[:1]:
            path = getattr(plugin, "for_alg", lambda one, _: one)(given, alg)
            signed = try_sign(bench, label, path, alg)
            try_append(bench, label, signed, alg)
            try_timestamp(bench, label, path, alg)
            try_remove(bench, label, path, signed, alg)
            try_detached(bench, label, path, alg)
            try_extract(bench, label, path, signed, alg)
            try_tamper(bench, label, signed, alg)
            try_peer(bench, path, label, alg)
    if hasattr(plugin, "extra"):
        plugin.extra(suite, bench.folder, bench.dev)
    return bench


def cell(bench, verb):
    """What the table says of a verb: the algorithms tried with it, and whether another tool judged."""
    algs = [alg for alg in bench.plugin.ALGS if (verb, alg) in bench.results]
    if not algs:
        return "-"
    seen = [one for alg in algs for one in bench.results[(verb, alg)]]
    if not all(holds for holds, _ in seen):
        return "**fails**"
    if verb == "append" and not bench.plugin.APPEND:
        return "refused"
    word = "yes" if len(algs) == len(bench.plugin.ALGS) else ", ".join(algs)
    if verb == "remove" and bench.plugin.REMOVE == "identical":
        word = "original bytes"
    judged = verb != "peer" and any(independent for _, independent in seen)
    return word + (" ✓" if judged else "")


def table(benches):
    lines = ["| format | digests | " + " | ".join(TITLES.get(verb, verb) for verb in VERBS) + " |",
             "|---|---|" + "---|" * len(VERBS)]
    for bench in benches:
        digests = " ".join(alg.removeprefix("sha") for alg in bench.plugin.ALGS)
        lines.append(f"| {bench.plugin.NAME} | {digests} | " + " | ".join(cell(bench, verb) for verb in VERBS) + " |")
    return "\n".join(lines)


def compare_with_page(suite, wanted):
    text = PAGE.read_text()
    begin, end = text.index(BEGIN) + len(BEGIN), text.index(END)
    if os.environ.get("SIGNCTL_WRITE_DOCS") == "1":
        PAGE.write_text(text[:begin] + "\n" + wanted + "\n" + text[end:])
        return
    if QUICK:
        suite.skip("docs/formats.md and most files and digests", "this is a sanitized build")
        return
    if suite.skipped:
        suite.skip("docs/formats.md", "its table needs everything that was skipped above")
        return
    suite.check("docs/formats.md has the table of this run", text[begin:end].strip() == wanted.strip(), wanted)


def main():
    suite = Suite()
    wanted = sys.argv[1:]
    listed = {one["name"]: one for one in json.loads(require(signctl("formats", "--json")).out)["formats"]}
    benches = []
    found = set()
    for plugin in plugins():
        found.add(plugin.NAME)
        if not wanted or plugin.NAME in wanted:
            try:
                benches.append(run_format(suite, plugin))
            except Failure as failure:
                suite.check(f"{plugin.NAME} can be tried", False, failure)
    if not wanted:
        signs = {name for name, one in listed.items() if one["capabilities"]["sign"]}
        suite.check("every format that can be signed is in the matrix", signs <= found, sorted(signs - found))
    rows = table(benches)
    print(rows)
    if not wanted:
        compare_with_page(suite, rows)
    suite.finish()


if __name__ == "__main__":
    main()
