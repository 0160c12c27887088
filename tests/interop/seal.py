#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""seal: what holds hashes and sizes of signed files, brought up to date. sha256sum, hashlib and Python's own readers judge.

Lists are made by coreutils. What electron-builder, Squirrel and Velopack write and read is tried in seal_makers.py; the
manifests and appcasts here are written by hand, after many real ones.
"""
import base64
import hashlib
import json
import os
import pathlib
import re
import shutil
import xml.etree.ElementTree as ElementTree
import zipfile

from harness import Suite, dev_certificate, require, run, sha256, signctl, tool

QUICK = any(name.endswith("SAN_OPTIONS") for name in os.environ)
STUB = pathlib.Path("/usr/share/nsis/Plugins/x86-unicode/System.dll")
NAMES = ("setup.exe", "My App.exe", "tool.exe")
CONFIG = """version: 1
signers:
  local: {provider: pfx, file: dev.pfx}
sign: {signer: local, timestamp: {servers: ["dev:dev-tsa.pem"]}}
gate: {trust: [signer]}
"""


def digest(path, algorithm, encoding="hex"):
    value = hashlib.new(algorithm, pathlib.Path(path).read_bytes())
    return base64.b64encode(value.digest()).decode() if encoding == "base64" else value.hexdigest()


def electron_yml(folder):
    def one(name, indent):
        path = folder / name
        return (f"{indent}sha512: {digest(path, 'sha512', 'base64')}\n{indent}size: {path.stat().st_size}\n")
    return ("version: 1.2.3\nfiles:\n"
            "  - url: setup.exe\n" + one("setup.exe", "    ") + "    blockMapSize: 1234\n"
            "  - url: My%20App.exe\n" + one("My App.exe", "    ")
            + f"path: setup.exe\nsha512: {digest(folder / 'setup.exe', 'sha512', 'base64')}\n"
            "releaseDate: '2026-01-02T03:04:05.678Z'   # kept\n")


def releases(folder, ending="\r\n"):
    package = folder / "App-1.2.3-full.nupkg"
    return (f"\ufeff{digest(package, 'sha1').upper()} App-1.2.3-full.nupkg {package.stat().st_size}{ending}"
            f"{digest(folder / 'tool.exe', 'sha1').upper()} https://contoso.example/dl/tool.exe?v=1 {(folder / 'tool.exe').stat().st_size} # 50%{ending}")


def velopack(folder):
    package = folder / "App-1.2.3-full.nupkg"
    return json.dumps({"Assets": [{"PackageId": "App", "Version": "1.2.3", "Type": "Full", "FileName": package.name,
                                   "SHA1": digest(package, "sha1").upper(), "SHA256": digest(package, "sha256").upper(),
                                   "Size": package.stat().st_size}]})


def winget(folder):
    return ("# yaml-language-server: $schema=https://aka.ms/winget-manifest.installer.1.6.0.schema.json\n\n"
            "PackageIdentifier: Contoso.App\nPackageVersion: 1.2.3\nInstallers:\n- Architecture: x64\n"
            "  InstallerUrl: https://contoso.example/releases/download/v1.2.3/setup.exe\n"
            f"  InstallerSha256: {digest(folder / 'setup.exe', 'sha256').upper()}\n- Architecture: arm64\n"
            f"  InstallerUrl: https://contoso.example/My%20App.exe\n  InstallerSha256: {digest(folder / 'My App.exe', 'sha256').upper()}\n"
            "ManifestType: installer\nManifestVersion: 1.6.0\n")


def scoop(folder):
    return ('{\n\t"version": "1.2.3",\n\t"architecture": {\n\t\t"64bit": {\n\t\t\t"url": "https://contoso.example/setup.exe#/dl.7z",\n'
            f'\t\t\t"hash": "{digest(folder / "setup.exe", "sha256")}"\n\t\t}},\n\t\t"32bit": {{\n'
            '\t\t\t"url": ["https://contoso.example/tool.exe", "https://contoso.example/My%20App.exe"],\n'
            f'\t\t\t"hash": ["sha512:{digest(folder / "tool.exe", "sha512")}", "{digest(folder / "My App.exe", "sha256")}"]\n'
            '\t\t}\n\t},\n\t"autoupdate": {"url": "https://contoso.example/$version.exe", "hash": {"url": "$url.sha256"}}\n}\n')


def appcast(folder, signed=False):
    signature = ' sparkle:edSignature="7cLALFUHSwvEJWSkV8aMreoBe4fhRa4FncC5NoThKxwThL6FDR7hTiPJh1fo2uagnPogisnQsgFgq6mGkt2RBw=="' if signed else ""
    return ('<?xml version="1.0" encoding="utf-8"?>\n<rss version="2.0" xmlns:sparkle="http://www.andymatuschak.org/xml-namespaces/sparkle">\n'
            '<channel><!-- <enclosure url="old.exe" length="1"/> --><item><title>1.2.3</title>\n'
            f'<enclosure url="https://contoso.example/setup.exe" sparkle:version="1.2.3"{signature}\n  length=\'{(folder / "setup.exe").stat().st_size}\' '
            'type="application/octet-stream" />\n</item></channel></rss>\n')


class Release:
    """Files, everything that names them, then signed: all of it stale."""

    def __init__(self, suite, name, sign=True):
        self.suite = suite
        self.folder = dev_certificate(suite.folder / name, key="p256")
        self.dist = self.folder / "dist"
        self.dist.mkdir()
        (self.folder / "signctl.yaml").write_text(CONFIG)
        for i, one in enumerate(NAMES):
            (self.dist / one).write_bytes(STUB.read_bytes() + bytes([i]) * 1000)
        with zipfile.ZipFile(self.dist / "App-1.2.3-full.nupkg", "w") as package:
            package.write(self.dist / "tool.exe", "lib/tool.exe")
        (self.dist / "setup.exe.blockmap").write_bytes(b"not a real one")
        d = self.dist
        (d / "latest.yml").write_text(electron_yml(d))
        (d / "RELEASES").write_bytes(releases(d).encode())
        (d / "releases.win.json").write_text(velopack(d))
        (d / "Contoso.App.installer.yaml").write_text(winget(d))
        (d / "app.json").write_text(scoop(d))
        (d / "appcast.xml").write_text(appcast(d))
        names = [*NAMES, "App-1.2.3-full.nupkg", "latest.yml", "RELEASES"]
        for command, target, more in (("sha256sum", "SHA256SUMS", []), ("sha512sum", "sha512sums.txt", ["-b"]),
                                      ("sha1sum", "SHA1SUMS", ["--tag"]), ("md5sum", "checksums.txt", [])):
            (d / target).write_bytes(require(run(command, *more, *names, cwd=d)).stdout)
        (d / "setup.exe.sha256").write_text(digest(d / "setup.exe", "sha256") + "\n")
        (d / "tool.exe.sha512").write_bytes(require(run("sha512sum", "tool.exe", cwd=d)).stdout)
        self.before = {path.name: path.read_bytes() for path in d.iterdir()}
        if sign:
            require(signctl("sign", "--manifest", "dist/manifest.json", *(f"dist/{one}" for one in NAMES), cwd=self.folder))
            with zipfile.ZipFile(d / "App-1.2.3-full.nupkg", "w") as package:
                package.write(d / "tool.exe", "lib/tool.exe")

    def seal(self, *arguments):
        return signctl("seal", *arguments, cwd=self.folder)

    def bytes(self):
        return {path.name: path.read_bytes() for path in self.dist.iterdir()}


def all_of_them(suite):
    release = Release(suite, "all")
    d = release.dist
    stale = release.bytes()
    done = release.seal("--check", "dist")
    suite.check("--check finds what is stale", done.returncode == 1 and done.out.count("STALE") >= 12, done.out)
    suite.check("and changes nothing", release.bytes() == stale)
    done = release.seal("dist")
    suite.check("seal succeeds", done.returncode == 0, done.out)
    suite.check("signed files are left alone", all(release.bytes()[one] == stale[one] for one in NAMES))
    suite.check("the stale block map is gone", not (d / "setup.exe.blockmap").exists() and "blockMapSize" not in (d / "latest.yml").read_text())

    for command, target in (("sha256sum", "SHA256SUMS"), ("sha512sum", "sha512sums.txt"), ("sha1sum", "SHA1SUMS"), ("md5sum", "checksums.txt"),
                            ("sha512sum", "tool.exe.sha512")):
        if tool(command, suite):
            done = run(command, "--strict", "-c", target, cwd=d)
            suite.check(f"{command} -c agrees with {target}", done.returncode == 0, done.out)
    suite.check("a lone hash is the file's", (d / "setup.exe.sha256").read_text() == sha256(d / "setup.exe") + "\n")
    suite.check("latest.yml is as electron-builder would write it",
                (d / "latest.yml").read_text() == electron_yml(d).replace("    blockMapSize: 1234\n", ""), (d / "latest.yml").read_text())
    suite.check("RELEASES keeps its BOM and line ends", (d / "RELEASES").read_bytes() == releases(d).encode(), (d / "RELEASES").read_bytes())
    suite.check("Velopack's feed", (d / "releases.win.json").read_text() == velopack(d))
    suite.check("winget's manifest", (d / "Contoso.App.installer.yaml").read_text() == winget(d))
    suite.check("Scoop's manifest, tabs and all", (d / "app.json").read_text() == scoop(d), (d / "app.json").read_text())
    suite.check("the appcast", (d / "appcast.xml").read_text() == appcast(d), (d / "appcast.xml").read_text())
    ElementTree.parse(d / "appcast.xml")
    json.loads((d / "app.json").read_text())

    sealed = release.bytes()
    for arguments in (["dist"], ["--check", "dist"]):
        done = release.seal(*arguments)
        suite.check(f"once more, {arguments}: all is right", done.returncode == 0 and "sealed" not in done.out and release.bytes() == sealed, done.out)
    document = json.loads(release.seal("--json", "dist").stdout)
    suite.check("--json says so", document["right"] and not document["changed"] and len(document["files"]) == 12, document)


def with_manifest(suite):
    release = Release(suite, "manifest")
    done = release.seal("--manifest", "dist/manifest.json", "dist")
    suite.check("seal --manifest succeeds", done.returncode == 0, done.out)
    names = sorted(path.name for path in release.dist.iterdir() if path.name not in ("manifest.json", "App-1.2.3-full.nupkg"))
    verify = ["verify", "--manifest", "dist/manifest.json", *(f"dist/{one}" for one in names)]
    done = signctl(*verify, cwd=release.folder)
    suite.check("the manifest proves signed and sealed files", done.returncode == 0, done.out)
    text = (release.dist / "latest.yml").read_bytes()
    (release.dist / "latest.yml").write_bytes(text.replace(b"1.2.3", b"1.2.4"))
    done = signctl(*verify, cwd=release.folder)
    suite.check("a sealed file that was touched is found", done.returncode == 1 and "manifest-changed" in done.out and "latest.yml" in done.out, done.out)
    (release.dist / "latest.yml").write_bytes(text)
    sums = (release.dist / "SHA256SUMS").read_bytes()
    (release.dist / "SHA256SUMS").write_bytes(sums + b"0" * 64 + b"  manifest.json\n")
    before = release.bytes()
    done = release.seal("--manifest", "dist/manifest.json", "dist")
    suite.check("a list with the hash of the manifest is refused", done.returncode == 4 and "holds a hash of the manifest" in done.out
                and release.bytes() == before, done.out)
    (release.dist / "SHA256SUMS").write_bytes(sums)
    with open(release.dist / "tool.exe", "ab") as out:
        out.write(b"more")
    before = release.bytes()
    done = release.seal("--manifest", "dist/manifest.json", "dist")
    suite.check("nothing is sealed when a signed file was touched", done.returncode == 1 and "manifest-changed" in done.out
                and release.bytes() == before, done.out)


def left_behind(suite):
    """Texts of no known type that hold a hash of a file as it was: they are told, and nothing is changed."""
    release = Release(suite, "left", sign=False)
    d = release.dist
    old = {kind: digest(d / "setup.exe", kind) for kind in ("sha256", "sha512")}
    base64_old = digest(d / "setup.exe", "sha512", "base64")
    require(signctl("sign", "--manifest", "dist/manifest.json", "--audit", "dist/audit.jsonl", "--report", "dist/report.json",
                    *(f"dist/{one}" for one in NAMES), cwd=release.folder))
    before = release.bytes()
    # Known of by the manifest, which is not asked without being named, and by latest.yml.
    for what, text, more in (("hex", f"setup.exe: SHA256={old['sha256'].upper()};", ("--manifest", "dist/manifest.json")),
                             ("hex in a path", f"https://x.example/{old['sha256']}/setup.exe", ()),
                             ("base64", f'{{"integrity": "sha512-{base64_old}"}}', ()),
                             ("another hash than the lists'", f"| setup.exe | {old['sha512']} |", ("--manifest", "dist/manifest.json"))):
        (d / "notes.md").write_text(text)
        for check in ((), ("--check",)):
            done = release.seal(*check, *more, "dist")
            suite.check(f"{what}: is told", done.returncode == 1 and "notes.md holds a hash of" in done.out and "as it was" in done.out, done.out)
        (d / "notes.md").unlink()
        suite.check(f"{what}: nothing is changed", release.bytes() == before)
    (d / "notes.md").write_text(f"{old['sha256']}")
    done = release.seal("--manifest", "dist/manifest.json", "dist", "!notes.md")
    suite.check("what is left out is not looked at, nor are records of signing", done.returncode == 0, done.out)
    done = release.seal("--manifest", "dist/manifest.json", "dist")
    suite.check("once all lists are right the manifest still knows", done.returncode == 1 and "notes.md holds" in done.out, done.out)


def left_behind_forms(suite):
    """However an old hash is written in a text of no known type, it is found."""
    release = Release(suite, "left-forms")
    d, manifest = release.dist, ("--manifest", "dist/manifest.json")
    old = {kind: hashlib.new(kind, release.before["setup.exe"]) for kind in ("sha1", "sha256", "sha512")}
    sha1, sha256_old, sha512 = (base64.b64encode(old[kind].digest()).decode() for kind in ("sha1", "sha256", "sha512"))
    hexadecimal = old["sha256"].hexdigest()
    table = f"\r\nAlgorithm  Hash  Path\r\n---------  ----  ----\r\nSHA256     {hexadecimal.upper()}  C:\\\u00fc\\setup.exe\r\n"
    url_safe = sha512.replace("+", "-").replace("/", "_")
    forms = {
        "UTF-16 of PowerShell 5": f"Release{table}".encode("utf-16-le"), "big-endian UTF-16": f"Release{table}".encode("utf-16-be"),
        "base64 after =": f"sha512={sha512}", "base64 in a query": f"https://x.example/?h={sha512}&v=1", "base64 in a path": f"/h/{sha512}/x",
        "base64 without padding": f"sha512-{sha512.rstrip('=')} ", "base64 with letters for URLs": url_safe.rstrip("="),
        "base64 that runs on": f"x{sha512}", "SHA-256 in base64": f"sha256={sha256_old}", "SHA-1 in base64": sha1,
        "SHA-512 that a table cuts off": f"SHA512  {old['sha512'].hexdigest().upper()[:70]}...",
        "hex broken over lines": "Hash : " + "\r\n       ".join(hexadecimal[i:i + 24] for i in range(0, 64, 24)),
        "base64 broken over lines": "\n  ".join(sha512[i:i + 16] for i in range(0, 88, 16)),
        "hex as BitConverter writes it": "-".join(hexadecimal.upper()[i:i + 2] for i in range(0, 64, 2)),
        "hex as certutil wrote it": " ".join(hexadecimal[i:i + 2] for i in range(0, 64, 2)), "hex after a percent sign": f"%3D{hexadecimal}",
    }
    boms = {"UTF-16 of PowerShell 5": b"\xff\xfe", "big-endian UTF-16": b"\xfe\xff"}
    before = release.bytes()
    for what, text in forms.items():
        (d / "notes.txt").write_bytes(boms.get(what, b"") + (text.encode() if isinstance(text, str) else text))
        done = release.seal("dist")
        suite.check(f"{what}: known by the lists", done.returncode == 1 and "notes.txt holds a hash of" in done.out, done.out)
    lines = f"\r\n\r\nAlgorithm : SHA256\r\nHash      : {hexadecimal.upper()}\r\nPath      : C:\\rel\\setup.exe\r\n\r\n"
    for what, text in (("table", table), ("list", lines)):
        for name in ("notes.txt", "hashes.txt", "SHA256SUMS.txt"):
            (d / name).write_text(text)
            done = release.seal("dist")
            suite.check(f"Get-FileHash as a {what} in {name}: refused, and told what to do", done.returncode == 4 and name in done.out
                        and "is the output of Get-FileHash" in done.out and "ForEach-Object" in done.out, done.out)
            (d / name).unlink()
    (d / "notes.txt").write_text(base64.b64encode(old["sha256"].digest()[::-1]).decode())
    suite.check("another hash is none of them", release.seal("--check", "dist").returncode == 1 and "notes.txt" not in release.seal("--check", "dist").out)
    (d / "notes.txt").unlink()
    suite.check("nothing was changed", release.bytes() == before)

    (d / "latest.yml").write_bytes(release.before["latest.yml"] + f"releaseNotes: SHA-256 {hexadecimal}\n".encode())
    done = release.seal("dist")
    suite.check("a sealed file's own notes are searched", done.returncode == 1 and "latest.yml holds, beside the values" in done.out, done.out)
    (d / "latest.yml").write_bytes(release.before["latest.yml"])
    shutil.copytree(d, release.folder / "kept")
    (release.folder / "kept" / "old.exe").write_bytes(release.before["setup.exe"])
    with open(release.folder / "kept" / "SHA256SUMS", "a") as out:
        out.write(f"{hexadecimal}  old.exe\n")
    done = release.seal("kept")
    suite.check("but not its values: a file may still have that hash", done.returncode == 0, done.out)

    (d / "dev.list").write_text("dist\n")
    (d / "README").write_text(hexadecimal)
    done = release.seal("@dist/dev.list")
    suite.check("the folders of an @list are searched", done.returncode == 1 and "README holds a hash of" in done.out, done.out)
    (d / "dev.list").unlink()
    (d / "README").write_text(hexadecimal + "\n" + "." * (16 << 20))
    done = release.seal("--check", "dist")
    suite.check("a text that is too large is named", "README is larger than 16 MiB and is not searched" in done.out, done.out)
    (d / "README").unlink()
    done = release.seal(*manifest, "dist")
    suite.check("all lists are sealed", done.returncode == 0, done.out)
    for what in ("SHA-256 in base64", "base64 in a query", "base64 without padding", "UTF-16 of PowerShell 5"):
        text = forms[what]
        (d / "README").write_bytes(boms.get(what, b"") + (text.encode() if isinstance(text, str) else text))
        done = release.seal(*manifest, "dist")
        suite.check(f"{what}: known by the manifest", done.returncode == 1 and "README holds a hash of" in done.out, done.out)
    for path in d.iterdir():
        if path.name not in (*NAMES, "README", "manifest.json"):
            path.unlink()
    done = release.seal(*manifest, "dist")
    suite.check("a folder without lists: the stale text is named", done.returncode == 1 and "README holds a hash of" in done.out, done.out)


def lists_in_utf16(suite):
    """Checksum lists that PowerShell 5 wrote are refused in words, not passed over."""
    release = Release(suite, "utf16", sign=False)
    folder = release.folder / "lists"
    folder.mkdir()
    shutil.copy(release.dist / "setup.exe", folder)
    for name in ("SHA256SUMS", "by-any-name", "setup.exe.sha256"):
        text = b"\xff\xfe" + f"{'1' * 64}  setup.exe\r\n".encode("utf-16-le")
        (folder / name).write_bytes(text)
        done = release.seal("lists")
        suite.check(f"{name} in UTF-16 is refused", done.returncode == 4 and "is in UTF-16" in done.out and (folder / name).read_bytes() == text, done.out)
        (folder / name).unlink()


def placeholders(suite):
    """A value of one digit is no hash that a file had."""
    release = Release(suite, "placeholders", sign=False)
    folder = release.folder / "lists"
    folder.mkdir()
    shutil.copy(release.dist / "setup.exe", folder)
    (folder / "notes.md").write_text(f"{'0' * 64}\n{'A' * 86}==\n")
    (folder / "SHA256SUMS").write_text("0" * 64 + "  setup.exe\n")
    (folder / "latest.yml").write_text(f"path: setup.exe\nsha512: {'A' * 86}==\n")
    (folder / "notes.tex").write_text("\\documentclass\n")
    done = release.seal("lists")
    suite.check("placeholders are no old hashes, and a text that begins with a backslash is no list",
                done.returncode == 0, done.out)
    (folder / "notes.md").write_text("1" + "0" * 63)
    (folder / "SHA256SUMS").write_text("1" + "0" * 63 + "  setup.exe\n")
    done = release.seal("lists")
    suite.check("other values are", done.returncode == 1 and "notes.md holds" in done.out, done.out)


def refusals(suite):
    release = Release(suite, "refusals")
    d = release.dist
    counter = iter(range(1000))

    def refused(what, words, name, text, code=4, more=(), beside=()):
        folder = release.folder / f"case{next(counter)}"
        folder.mkdir()
        for one in ("setup.exe", *beside):
            shutil.copy(d / one, folder)
        (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        before = {path.name: path.read_bytes() for path in folder.iterdir()}
        done = release.seal(*more, folder / name)
        suite.check(f"{what}: exit code {code}", done.returncode == code and words in done.out, (done.returncode, done.out))
        suite.check(f"{what}: nothing is changed", {path.name: path.read_bytes() for path in folder.iterdir()} == before)
        return folder

    zeros = "0" * 64
    refused("a file that is not there", "not there", "SHA256SUMS", f"{zeros}  setup.exe\n{zeros}  gone.exe\n")
    refused("a way out of the folder", "leads out", "SHA256SUMS", f"{zeros}  ../setup.exe\n")
    refused("an absolute path", "leads out", "SHA256SUMS", f"{zeros}  {d / 'setup.exe'}\n")
    refused("a line that is none", "line 2", "SHA256SUMS", f"{zeros}  setup.exe\nhello\n")
    refused("BLAKE2 by its tag", "no checksum that is known", "checksums.txt", f"BLAKE2b (setup.exe) = {zeros}{zeros}\n")
    refused("BLAKE2 by its list's name", "not made here", "B2SUMS", f"{zeros}{zeros}  setup.exe\n")
    refused("BLAKE3 by its name", "not made here", "setup.exe.b3", f"{zeros}  setup.exe\n")
    refused("itself", "of itself", "SHA256SUMS", f"{zeros}  SHA256SUMS\n")
    refused("what is no dependent file", "docs/seal.md", "notes.txt", "hello\n")
    refused("broken YAML", "latest.yml", "latest.yml", "files: [\nsha512: x\npath: y\n")
    refused("YAML that names nothing", "no url", "latest.yml", "files:\n  - sha512: x\n")
    refused("a value in several lines", "not changed in place", "latest.yml", "path: setup.exe\nsha512: >-\n  abc\n  def\n")
    refused("as many urls as hashes", "2 urls and 1 hashes", "app.json",
            '{"version":"1","url":["a/setup.exe","b/setup.exe"],"hash":["' + zeros + '"]}')
    refused("a hash of another kind", "none of Scoop's", "app.json", '{"version":"1","url":"setup.exe","hash":"sha1:' + zeros + '"}')
    refused("broken XML", "appcast.xml", "appcast.xml", "<rss><enclosure url='setup.exe' length='1'></rss>")
    refused("entity expansion", "appcast.xml", "appcast.xml",
            '<!DOCTYPE r [<!ENTITY a "b">]><rss><enclosure url="setup.exe" length="1"/></rss>')
    refused("a RELEASES line without a size", "line 1", "RELEASES", "0" * 40 + " setup.exe\n")
    refused("a package without a signature part", "AppxSignature", "w.yaml",
            f"PackageIdentifier: A\nInstallers:\n- InstallerUrl: https://x.example/App-1.2.3-full.nupkg\n  InstallerSha256: {zeros}\n  SignatureSha256: {zeros}\n",
            beside=("App-1.2.3-full.nupkg",), code=4)
    refused("an appcast's own signature", "edSignature", "appcast.xml", appcast(d, signed=True).replace("length='", "length='9"), code=1)
    signed_feed = appcast(d).replace("length='", "length='9") + "<!-- sparkle-signatures:\nedSignature: RkVFRA==\nlength: 1\n-->\n"
    refused("a feed that is signed itself", "the signature in it", "appcast.xml", signed_feed, code=1)
    folder = release.folder / "detached"
    folder.mkdir()
    shutil.copy(d / "setup.exe", folder)
    (folder / "SHA256SUMS").write_text(f"{zeros}  setup.exe\n")
    (folder / "SHA256SUMS.asc").write_text("-----BEGIN PGP SIGNATURE-----\n")
    done = release.seal("detached")
    suite.check("a detached signature that becomes stale is refused", done.returncode == 1 and "SHA256SUMS.asc" in done.out, done.out)
    done = release.seal("--stale-signatures", "detached")
    suite.check("unless it is to be made anew", done.returncode == 0 and "SHA256SUMS.asc" in done.out
                and (folder / "SHA256SUMS").read_text() == f"{sha256(d / 'setup.exe')}  setup.exe\n", done.out)

    folder = release.folder / "missing"
    folder.mkdir()
    shutil.copy(d / "setup.exe", folder)
    (folder / "SHA256SUMS").write_text(f"{zeros}  gone.exe\n{zeros}  setup.exe\n")
    done = release.seal("--allow-missing", "missing")
    suite.check("--allow-missing leaves what is not there", done.returncode == 0 and (folder / "SHA256SUMS").read_text()
                == f"{zeros}  gone.exe\n{sha256(d / 'setup.exe')}  setup.exe\n", done.out)

    folder = release.folder / "apart"
    folder.mkdir()
    (folder / "w.installer.yaml").write_text(winget(d))
    done = release.seal("--files", "dist", "apart/w.installer.yaml")
    suite.check("--files names where the files are", done.returncode == 0 and "right" in done.out, done.out)
    shutil.copy(d / "tool.exe", folder / "setup.exe")
    done = release.seal("--files", "dist", "apart/w.installer.yaml")
    suite.check("a file in two places is refused", done.returncode == 4 and "and there are" in done.out, done.out)

    folder = release.folder / "half"
    folder.mkdir()
    shutil.copy(d / "setup.exe", folder)
    lists = {name: "0" * length + "  setup.exe\n" for name, length in (("A.sha256", 64), ("SHA1SUMS", 40), ("Z.sha512", 128))}
    for name, text in lists.items():
        (folder / name).write_text(text)
    (folder / "Z.sha512").chmod(0o444)
    done = release.seal("half")
    suite.check("a list that cannot be written leaves all as they are", done.returncode == 11 and "Z.sha512" in done.out
                and all((folder / name).read_text() == text for name, text in lists.items())
                and not list(folder.glob(".signctl-*")), done.out)
    (release.folder / "empty").mkdir()
    done = release.seal("empty")
    suite.check("an empty folder is told for what it is", done.returncode == 4 and "checksums or update data" in done.out, done.out)

    folder = release.folder / "cycle"
    folder.mkdir()
    (folder / "SHA256SUMS").write_text(f"{zeros}  SHA1SUMS\n")
    (folder / "SHA1SUMS").write_text("0" * 40 + "  SHA256SUMS\n")
    done = release.seal("cycle")
    suite.check("lists of each other are refused", done.returncode == 4 and "each other" in done.out, done.out)
    done = release.seal("--check", "refusals-nothing")
    suite.check("a folder that is not there", done.returncode == 4, done.out)


def odd_texts(suite):
    """Names and texts that are legal and rare."""
    release = Release(suite, "odd", sign=False)
    folder = release.folder / "odd"
    (folder / "sub").mkdir(parents=True)
    names = ["ü näme.exe", "back\\slash.exe", "new\nline.exe", "sub/deep.exe", "paren (1).exe"]
    for i, name in enumerate(names):
        (folder / name).write_bytes(STUB.read_bytes() + bytes([i]) * 10)
    (folder / "SHA256SUMS").write_bytes(require(run("sha256sum", *names, cwd=folder)).stdout)
    (folder / "sha1sums").write_bytes(require(run("sha1sum", "--tag", *names, cwd=folder)).stdout)
    for name in names:
        with open(folder / name, "ab") as out:
            out.write(b"signed")
    done = release.seal("odd")
    suite.check("odd names are found", done.returncode == 0, done.out)
    suite.check("and right for sha256sum", run("sha256sum", "--strict", "-c", "SHA256SUMS", cwd=folder).returncode == 0)
    suite.check("and with --tag", run("sha1sum", "--strict", "-c", "sha1sums", cwd=folder).returncode == 0)
    model = (folder / "SHA256SUMS").read_bytes()
    for what, text in (("no line end", model[:-1]), ("CRLF", model.replace(b"\n", b"\r\n")), ("BOM", b"\xef\xbb\xbf" + model),
                       ("comments", b"# made by hand\n\n" + model), ("upper case", re.sub(rb"^(\\?)([0-9a-f]{64})", lambda m: m[1] + m[2].upper(), model, flags=re.M))):
        (folder / "SHA256SUMS").write_bytes(text)
        with open(folder / names[0], "ab") as out:
            out.write(b"!")
        old = re.search(rb"[0-9A-Fa-f]{64}(?=  \xc3)", text)[0]
        new = sha256(folder / names[0]).encode()
        new = new.upper() if what == "upper case" else new
        require(release.seal("odd/SHA256SUMS"))
        suite.check(f"{what}: only the hash is changed", (folder / "SHA256SUMS").read_bytes() == text.replace(old, new), what)
        model = (folder / "SHA256SUMS").read_bytes() if what == "no line end" else model.replace(re.search(rb"[0-9a-f]{64}(?=  \xc3)", model)[0], sha256(folder / names[0]).encode())
        if what == "no line end":
            model += b"\n"


def other_order(suite):
    """Keys in another order than electron-builder's, and mappings on one line."""
    release = Release(suite, "order", sign=False)
    folder = release.folder / "order"
    folder.mkdir()
    shutil.copy(release.dist / "setup.exe", folder)
    text = "files: [{size: 1, sha512: \"x\", url: setup.exe}]\nsha512: 'y'\npath: setup.exe\nsize: 2\n"
    (folder / "latest.yml").write_text(text)
    done = release.seal("order")
    size, right = (folder / "setup.exe").stat().st_size, digest(folder / "setup.exe", "sha512", "base64")
    suite.check("keys in any order", done.returncode == 0 and (folder / "latest.yml").read_text()
                == text.replace("size: 1", f"size: {size}").replace('"x"', f'"{right}"').replace("'y'", f"'{right}'").replace("size: 2", f"size: {size}"),
                (done.out, (folder / "latest.yml").read_text()))
    text = "files:\n  - { url: setup.exe,\n      sha512: x, blockMapSize: 3 }\n"
    (folder / "latest.yml").write_text(text)
    done = release.seal("order")
    suite.check("a block map size among others is refused", done.returncode == 4 and (folder / "latest.yml").read_text() == text, done.out)


def of_one_name(suite):
    """URLs that end in the same name: the folders in them tell which file is meant, or nothing does."""
    release = Release(suite, "names", sign=False)
    model, zeros = release.dist / "setup.exe", "0" * 64

    def folder_with(name, files):
        folder = release.folder / name
        for i, one in enumerate(files):
            (folder / one).parent.mkdir(parents=True, exist_ok=True)
            (folder / one).write_bytes(model.read_bytes() + bytes([i + 1]) * (i + 1))
        return folder

    scoop_text = ('{"version":"1","architecture":{"64bit":{"url":"https://contoso.example/dl/w64/app.exe","hash":"%s"},'
                  '"32bit":{"url":"https://contoso.example/dl/w32/app.exe#/dl.exe","hash":"%s"}}}')
    folder = folder_with("apart-by-folder", ["w64/app.exe", "w32/app.exe"])
    (folder / "app.json").write_text(scoop_text % (zeros, zeros))
    done = release.seal("apart-by-folder")
    suite.check("each architecture's file by its folder", done.returncode == 0 and (folder / "app.json").read_text()
                == scoop_text % (sha256(folder / "w64/app.exe"), sha256(folder / "w32/app.exe")), done.out)
    (folder / "w32" / "app.exe").unlink()
    done = release.seal("--allow-missing", "apart-by-folder")
    suite.check("one of them that is not there stays", done.returncode == 0 and "stays" in done.out, done.out)

    folder = folder_with("one-file", ["app.exe"])
    winget_text = (f"PackageIdentifier: A.B\nInstallers:\n- InstallerUrl: https://contoso.example/x64/app.exe\n  InstallerSha256: {zeros}\n"
                   f"- InstallerUrl: https://contoso.example/arm64/app.exe\n  InstallerSha256: {zeros}\n")
    for name, text in (("app.json", scoop_text % (zeros, zeros)), ("a.installer.yaml", winget_text)):
        (folder / name).write_text(text)
        for more in ([], ["--allow-missing"]):
            done = release.seal(*more, "one-file")
            suite.check(f"{name} {more}: one file for two URLs is refused", done.returncode == 4 and "nothing tells which" in done.out
                        and (folder / name).read_text() == text, done.out)
        (folder / name).unlink()
    text = winget_text.replace("arm64/", "x64/")
    (folder / "a.installer.yaml").write_text(text)
    done = release.seal("one-file")
    suite.check("one URL twice is one file", done.returncode == 0 and (folder / "a.installer.yaml").read_text()
                == text.replace(zeros, sha256(folder / "app.exe")), done.out)

    folder = folder_with("same-ends", ["x64/app.exe"])
    (folder / "app.json").write_text(scoop_text.replace("/w64/", "/2.0/x64/").replace("/w32/", "/1.0/x64/") % (zeros, zeros))
    done = release.seal("same-ends")
    suite.check("a folder that both URLs have tells nothing", done.returncode == 4 and "not there" in done.out, done.out)

    feed = ('<rss version="2.0" xmlns:sparkle="http://www.andymatuschak.org/xml-namespaces/sparkle"><channel>'
            '<item><enclosure url="https://contoso.example/2.0/setup.exe" sparkle:version="2.0" length="%s"/></item>'
            '<item><enclosure url="https://contoso.example/1.0/setup.exe" sparkle:version="1.0" length="77"/></item></channel></rss>')
    folder = folder_with("old-item", ["setup.exe"])
    (folder / "appcast.xml").write_text(feed % "1")
    done = release.seal("--allow-missing", "old-item")
    suite.check("an older item's file of the same name is not taken for the newer", done.returncode == 4 and "nothing tells which" in done.out
                and (folder / "appcast.xml").read_text() == feed % "1", done.out)
    (folder / "2.0").mkdir()
    (folder / "setup.exe").rename(folder / "2.0" / "setup.exe")
    done = release.seal("old-item")
    suite.check("the older one is not there", done.returncode == 4 and "not there" in done.out, done.out)
    done = release.seal("--allow-missing", "old-item")
    suite.check("its length stays, the newer's is right", done.returncode == 0 and (folder / "appcast.xml").read_text()
                == feed % (folder / "2.0" / "setup.exe").stat().st_size, done.out)


def links(suite):
    """A link is followed within the folders that were named, and not out of them."""
    release = Release(suite, "links", sign=False)
    outside, folder, zeros = release.folder / "outside", release.folder / "linked", "0" * 64
    outside.mkdir()
    folder.mkdir()
    shutil.copy(release.dist / "setup.exe", outside / "real.exe")
    (folder / "setup.exe").symlink_to(outside / "real.exe")
    (folder / "SHA256SUMS").write_text(f"{zeros}  setup.exe\n")
    done = release.seal("linked")
    suite.check("a link out of the folder is refused", done.returncode == 4 and "a link to" in done.out
                and (folder / "SHA256SUMS").read_text() == f"{zeros}  setup.exe\n", done.out)
    done = release.seal("--files", "outside", "linked")
    suite.check("unless its folder is named", done.returncode == 0 and sha256(outside / "real.exe") in (folder / "SHA256SUMS").read_text(), done.out)
    (folder / "setup.exe").unlink()
    shutil.copy(outside / "real.exe", folder / "real.exe")
    (folder / "setup.exe").symlink_to("real.exe")
    suite.check("a link within the folder is followed", release.seal("linked").returncode == 0)
    (folder / "sub").symlink_to(outside)
    (folder / "SHA256SUMS").write_text(f"{zeros}  sub/real.exe\n")
    done = release.seal("linked")
    suite.check("a folder that is a link out is refused", done.returncode == 4 and "a link to" in done.out, done.out)
    (folder / "sub").unlink()
    (outside / "list").write_text(f"{zeros}  setup.exe\n")
    (folder / "SHA256SUMS").unlink()
    (folder / "SHA256SUMS").symlink_to(outside / "list")
    done = release.seal("linked")
    suite.check("a list that is a link is about what is beside the link, and written where it leads", done.returncode == 0
                and (folder / "SHA256SUMS").is_symlink() and (outside / "list").read_text() == f"{sha256(folder / 'setup.exe')}  setup.exe\n", done.out)
    (folder / "SHA256SUMS").unlink()
    (release.folder / "other-name").symlink_to(folder)
    (folder / "SHA256SUMS").write_text(f"{zeros}  setup.exe\n")
    done = release.seal("other-name")
    suite.check("the folder itself may be reached by a link", done.returncode == 0, done.out)


def whose_hash(suite):
    """Hashes of one length: what their list does not say, a file that did not change does."""
    release = Release(suite, "whose", sign=False)
    folder = release.folder / "whose"
    folder.mkdir()
    shutil.copy(release.dist / "setup.exe", folder)
    (folder / "readme.txt").write_text("the same as ever\n")

    def written_by(command, *more):
        done = require(run(command, *more, "setup.exe", "readme.txt", cwd=folder))
        with open(folder / "setup.exe", "ab") as out:
            out.write(b"signed")
        return done.stdout

    for name, command, more in (("checksums.txt", "b2sum", ()), ("app_1.2_checksums.txt", "b2sum", ())):
        text = written_by(command, *more)
        (folder / name).write_bytes(text)
        done = release.seal("whose")
        suite.check(f"{name} of {command} is known by the file that did not change", done.returncode == 4 and "BLAKE2b" in done.out
                    and (folder / name).read_bytes() == text, done.out)
        (folder / name).unlink()
    for algorithm, what in (("sha3_256", "SHA3-256"), ("blake2s", "BLAKE2s"), ("sha3_512", "SHA3-512")):
        (folder / "checksums.txt").write_text(f"{digest(folder / 'setup.exe', algorithm)}  setup.exe\n{digest(folder / 'readme.txt', algorithm)}  readme.txt\n")
        done = release.seal("whose")
        suite.check(f"{what} is known", done.returncode == 4 and what in done.out, done.out)
    (folder / "checksums.txt").write_bytes(written_by("sha512sum"))
    done = release.seal("whose")
    suite.check("so is SHA-512", done.returncode == 0 and "BLAKE2b" not in done.out
                and run("sha512sum", "--strict", "-c", "checksums.txt", cwd=folder).returncode == 0, done.out)
    (folder / "checksums.txt").write_text("0" * 128 + "  setup.exe\n")
    done = release.seal("whose")
    suite.check("when nothing tells, it is said", done.returncode == 0 and "BLAKE2b has as many digits" in done.out, done.out)
    (folder / "checksums.txt").unlink()
    (folder / "SHA512SUMS").write_text("0" * 128 + "  setup.exe\n")
    done = release.seal("whose")
    suite.check("a list with a telling name is not doubted", done.returncode == 0 and "BLAKE2b" not in done.out, done.out)


def names_of_lists(suite):
    """What tools call their lists, and what is none."""
    release = Release(suite, "lists", sign=False)
    folder = release.folder / "lists"
    folder.mkdir()
    shutil.copy(release.dist / "setup.exe", folder)
    right, line = sha256(folder / "setup.exe"), "0" * 64 + "  setup.exe\n"
    for name in ("SHA256SUMS", "sha256sums.txt", "SHA256SUM", "sha256.sum", "SHASUMS256.txt", "checksums.txt", "checksum.txt", "checksums_sha256.txt",
                 "app_1.2_checksums.txt", "app-1.2-SHA256SUMS", "checksums.sha256", "sha256-checksums.txt", "sha256.txt", "SHA256", "hashes.txt",
                 "setup.exe.sha256", "setup.exe.sha256.txt", "setup.exe.SHA256SUM"):
        (folder / name).write_text(line)
        done = release.seal("lists")
        suite.check(f"{name} is a list", done.returncode == 0 and (folder / name).read_text() == f"{right}  setup.exe\n", done.out)
        (folder / name).unlink()
    (folder / "setup.exe.sha256.txt").write_text("0" * 64 + "\n")
    done = release.seal("lists")
    suite.check("a lone hash in a .sha256.txt", done.returncode == 0 and (folder / "setup.exe.sha256.txt").read_text() == right + "\n", done.out)
    (folder / "setup.exe.sha256.txt").unlink()
    (folder / "SHA256SUMS").write_text(line)
    for name, text in (("hashes.txt", "what hashes are\n"), ("sha512.txt", "see SHA512SUMS\n"), ("summary.txt", f"Files:\n{'1' * 64}  setup.exe\n"),
                       ("sum.txt", "1" * 64 + "\n")):
        (folder / name).write_text(text)
    done = release.seal("lists")
    suite.check("other texts are left alone", done.returncode == 0 and all(name not in done.out for name in ("hashes", "sha512.txt", "summary", "sum.txt")), done.out)
    for name in ("shasum.txt", "SHA-256SUMS", "SHA512-and-SHA256.txt", "digests", "summary.txt"):
        (folder / name).write_text("# by any name\n\n" + line)
        done = release.seal("lists")
        suite.check(f"{name}: nothing but checksums is a list", done.returncode == 0 and right in (folder / name).read_text(), done.out)
        (folder / name).unlink()
    (folder / "digests").write_text("0" * 56 + "  setup.exe\n")
    done = release.seal("lists")
    suite.check("a list of hashes of another length is refused", done.returncode == 4 and "no checksum that is known" in done.out, done.out)
    (folder / "digests").unlink()
    for name in ("B2SUMS", "SHA3-256SUMS", "checksums-blake3.txt", "b3sums.txt"):
        (folder / name).write_text(line)
        done = release.seal("lists")
        suite.check(f"{name} is refused", done.returncode == 4 and "not made here" in done.out, done.out)
        (folder / name).unlink()


def signed_lists(suite):
    """A list with a signature in the same file: it is kept, or told."""
    release = Release(suite, "signed-lists", sign=False)
    folder = release.folder / "signed"
    folder.mkdir()
    shutil.copy(release.dist / "setup.exe", folder)
    right = sha256(folder / "setup.exe")
    pgp = ("-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n{0}  setup.exe\n"
           "-----BEGIN PGP SIGNATURE-----\n\niQIzBAEBCgAdFiEE\n=abcd\n-----END PGP SIGNATURE-----\n")
    signify = "untrusted comment: verify with app.pub\nRWQabc=\nSHA256 (setup.exe) = {0}\n"
    for name, model in (("SHA256SUMS", pgp), ("SHASUMS256.txt.asc", pgp), ("list", pgp.replace("\n", "\r\n")), ("SHA256.sig", signify)):
        path = folder / name
        path.write_bytes(model.format(right).encode())
        done = release.seal("signed")
        suite.check(f"{name}: what is right stays", done.returncode == 0 and f"right   signed/{name} (checksums, 1 value)" in done.out, done.out)
        stale = model.format("0" * 64).encode()
        path.write_bytes(stale)
        done = release.seal("signed")
        suite.check(f"{name}: what is stale is refused", done.returncode == 1 and "the signature in it is over the text as it was" in done.out
                    and path.read_bytes() == stale, done.out)
        done = release.seal("--stale-signatures", "signed")
        suite.check(f"{name}: unless that is wanted", done.returncode == 0 and path.read_bytes() == model.format(right).encode(), done.out)
        path.unlink()


def shapes(suite):
    """Shapes of real manifests, feeds and update files that are rarer than those above."""
    release = Release(suite, "shapes", sign=False)
    d, zeros = release.dist, "0" * 64
    counter = iter(range(1000))

    def sealed(what, name, text, expected, more=()):
        folder = release.folder / f"shape{next(counter)}"
        folder.mkdir()
        for one in NAMES:
            shutil.copy(d / one, folder)
        (folder / name).write_bytes(text.encode())
        done = release.seal(*more, folder)
        suite.check(what, done.returncode == 0 and (folder / name).read_bytes() == expected.encode(), (done.out, (folder / name).read_bytes()))

    size, right = (d / "setup.exe").stat().st_size, sha256(d / "setup.exe")
    text = (f"PackageIdentifier: A.B\r\nInstallers:\r\n- Architecture: x64\r\n  InstallerUrl: https://contoso.example/setup.exe\r\n"
            f"  InstallerSha256: {zeros}\r\n  SignatureSha256: null\r\n  InstallationMetadata:\r\n    Files:\r\n"
            f"    - RelativeFilePath: bin\\tool.exe\r\n      FileSha256: {'1' * 64}\r\n    - RelativeFilePath: notes.txt\r\n"
            "ManifestType: installer\r\nManifestVersion: 1.10.0\r\n")
    sealed("winget's hash of an installed file", "a.installer.yaml", text, text.replace(zeros, right).replace("1" * 64, sha256(d / "tool.exe")))
    text = '{"version":"1","url":"https://contoso.example/fwlink/?LinkId=7#/setup.exe","hash":"' + zeros + '"}'
    sealed("Scoop's name of a URL without one", "app.json", text, text.replace(zeros, right))
    text = '{"version":"1","url":"https://contoso.example/dl/setup.exe","hash":"sha256:' + zeros + '","autoupdate":{"hash":{"url":"$url.sha256"}}}'
    sealed("Scoop's prefix for SHA-256", "app.json", text, text.replace(zeros, right))
    text = ('<rss xmlns:sparkle="s"><channel><item><enclosure length="1" url="https://contoso.example/setup.exe?a=1&amp;b=2" sparkle:os="windows"/>'
            '</item><item><enclosure url="https://contoso.example/tool.exe" sparkle:length="2"></enclosure></item></channel></rss>')
    sealed("an appcast's URL with an entity, and an old length", "appcast.xml", text,
           text.replace('length="1"', f'length="{size}"').replace('length="2"', f'length="{(d / "tool.exe").stat().st_size}"'))
    sha1 = digest(d / "My App.exe", "sha1")
    sealed("RELEASES with tabs and a comment at once", "RELEASES", f"# old\n{'0' * 40}\tMy App.exe   12# 50%\n\n",
           f"# old\n{sha1}\tMy App.exe   {(d / 'My App.exe').stat().st_size}# 50%\n\n")
    sha512 = digest(d / "My App.exe", "sha512", "base64")
    sealed("a name with dashes for the blanks", "latest.yml", "files:\n  - url: My-App.exe\n    sha512: x\npath: My-App.exe\nsha512: x\n",
           f"files:\n  - url: My-App.exe\n    sha512: {sha512}\npath: My-App.exe\nsha512: {sha512}\n")
    flow = "files: [{{url: My App.exe, sha512: {0}, size: {1}}}]\npath: My App.exe\nsha512: '{0}'\n"
    sealed("flow style", "latest.yml", flow.format("x", 1), flow.format(sha512, (d / "My App.exe").stat().st_size))
    flow = '{{"files": [{{"url": "My App.exe", "sha512": "{0}"}}], "path": "My App.exe", "sha512": "{0}"}}'
    sealed("JSON, which is YAML", "latest.yml", flow.format("x"), flow.format(sha512))
    sealed("a web installer's packages", "latest.yml", "path: setup.exe\nsha512: x\npackages:\n  x64:\n    path: My App.exe\n    sha512: y\n    size: 1\n    blockMapSize: 2\n",
           f"path: setup.exe\nsha512: {digest(d / 'setup.exe', 'sha512', 'base64')}\npackages:\n  x64:\n    path: My App.exe\n    sha512: {sha512}\n"
           f"    size: {(d / 'My App.exe').stat().st_size}\n")
    sealed("a feed with an empty SHA-256", "releases.win.json", '{"Assets":[{"FileName":"setup.exe","SHA1":"0","SHA256":"","Size":1},{"FileName":"tool.exe","SHA1":"0","SHA256":null,"Size":1}]}',
           f'{{"Assets":[{{"FileName":"setup.exe","SHA1":"{digest(d / "setup.exe", "sha1")}","SHA256":"","Size":{size}}},'
           f'{{"FileName":"tool.exe","SHA1":"{digest(d / "tool.exe", "sha1")}","SHA256":null,"Size":{(d / "tool.exe").stat().st_size}}}]}}')


def truncated(suite):
    """Every cut of every sample: refused or sealed, never broken."""
    release = Release(suite, "cuts", sign=False)
    folder = release.folder / "cuts"
    folder.mkdir()
    for one in (*NAMES, "App-1.2.3-full.nupkg", "RELEASES"):
        shutil.copy(release.dist / one, folder)
    tried = 0
    for name in ("latest.yml", "RELEASES", "releases.win.json", "Contoso.App.installer.yaml", "app.json", "appcast.xml", "SHA1SUMS"):
        text = release.before[name]
        for end in range(1, len(text), max(1, len(text) // (10 if QUICK else 40))):
            (folder / name).write_bytes(text[:end])
            done = release.seal("--check", "--allow-missing", folder / name)
            tried += 1
            suite.check(f"{name} cut after {end} bytes", done.returncode in (0, 1, 4) and "internal" not in done.out, (done.returncode, done.out))
        (folder / name).unlink()
    suite.check("there were cuts", tried > (60 if QUICK else 200), tried)


def main():
    suite = Suite()
    all_of_them(suite)
    with_manifest(suite)
    left_behind(suite)
    left_behind_forms(suite)
    lists_in_utf16(suite)
    placeholders(suite)
    refusals(suite)
    odd_texts(suite)
    other_order(suite)
    of_one_name(suite)
    links(suite)
    whose_hash(suite)
    names_of_lists(suite)
    signed_lists(suite)
    shapes(suite)
    truncated(suite)
    suite.finish()


if __name__ == "__main__":
    main()
