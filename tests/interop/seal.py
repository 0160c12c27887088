#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""seal: what holds hashes and sizes of signed files, brought up to date. sha256sum, hashlib and Python's own readers judge.

Lists are made by coreutils; the others follow the documentation of the tools that write them, which are not in Debian.
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
    refusals(suite)
    odd_texts(suite)
    other_order(suite)
    truncated(suite)
    suite.finish()


if __name__ == "__main__":
    main()
