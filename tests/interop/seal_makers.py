#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""seal on files that the packagers' own tools wrote, judged by the updaters that read them: electron-builder and electron-updater,
Squirrel.Windows, and Velopack's update library. They come from npm (scripts/fetch-samples.sh); Squirrel runs by mono.
"""
import hashlib
import json
import os
import pathlib
import re
import shutil
import struct
import zipfile

from harness import SAMPLES, Suite, dev_certificate, require, run, signctl, tool

MAKERS = pathlib.Path(__file__).parent / "makers"
MODULES = SAMPLES / "makers" / "node_modules"
STUB = pathlib.Path("/usr/share/nsis/Plugins/x86-unicode/System.dll")
CONFIG = """version: 1
signers:
  local: {provider: pfx, file: dev.pfx}
sign: {signer: local, timestamp: {servers: ["dev:dev-tsa.pem"]}}
gate: {trust: [signer]}
"""
CONTENT_TYPES = ('<?xml version="1.0" encoding="utf-8"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
                 '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml" />'
                 '<Default Extension="nuspec" ContentType="application/octet" /><Default Extension="exe" ContentType="application/octet" />'
                 '<Default Extension="txt" ContentType="application/octet" /></Types>')
RELATIONS = ('<?xml version="1.0" encoding="utf-8"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
             '<Relationship Type="http://schemas.microsoft.com/packaging/2010/07/manifest" Target="/Contoso.nuspec" Id="R1" /></Relationships>')


def node(script, *arguments, stdin=None):
    return run("node", MAKERS / script, *arguments, stdin=stdin, env={"NODE_PATH": str(MODULES)})


def nuspec(version, more=""):
    return ('<?xml version="1.0"?><package xmlns="http://schemas.microsoft.com/packaging/2010/07/nuspec.xsd"><metadata><id>Contoso</id>'
            f"<version>{version}</version><title>Contoso</title><authors>Contoso</authors><owners>Contoso</owners>"
            f"<requireLicenseAcceptance>false</requireLicenseAcceptance><description>An app</description>{more}</metadata></package>")


def package(path, version, program):
    """An app packed for Squirrel and Velopack, as nuget pack lays it out."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", CONTENT_TYPES)
        archive.writestr("_rels/.rels", RELATIONS)
        archive.writestr("Contoso.nuspec", nuspec(version))
        archive.writestr("lib/net45/notes.txt", f"version {version}\n" * 500)
        archive.write(program, "lib/net45/tool.exe")


class Project:
    def __init__(self, suite, name):
        self.folder = dev_certificate(suite.folder / name)
        (self.folder / "signctl.yaml").write_text(CONFIG)
        self.dist = self.folder / "dist"
        self.dist.mkdir()

    def sign(self, *names):
        require(signctl("sign", *(self.dist / name for name in names), cwd=self.folder))

    def seal(self, *arguments):
        return signctl("seal", *arguments, "dist", cwd=self.folder)


# --- electron-builder

def build(folder, artifacts, version="1.2.3", **more):
    """Update files of what is in `folder`, and block maps, by electron-builder."""
    wish = {"folder": str(folder), "version": version, "artifacts": artifacts, **more}
    require(node("electron_builder.js", stdin=json.dumps(wish).encode()))


def without_date(text):
    return re.sub(r"releaseDate: .*", "releaseDate: then", text)


def updated(project, channel):
    """What electron-updater makes of the folder."""
    cache = project.folder / "cache"
    shutil.rmtree(cache, ignore_errors=True)
    cache.mkdir()
    done = node("electron_updater.js", project.dist, cache, channel)
    return done, json.loads(done.out.strip().splitlines()[-1])


def electron_case(suite, what, artifacts, updates=("latest.yml",), channel="latest", embedded=(), **more):
    """One shape of update file: refused by the updater when its files were signed, accepted once sealed."""
    project = Project(suite, "electron-" + re.sub(r"\W+", "-", what))
    programs = [one["file"] for one in artifacts if one["file"].endswith(".exe")]
    for i, name in enumerate(programs):
        (project.dist / name).write_bytes(STUB.read_bytes() + bytes([i + 1]) * 40_000)
    for name in embedded:
        (project.dist / name).write_bytes(hashlib.shake_256(name.encode()).digest(120_000))
    build(project.dist, artifacts, **more)
    maps = [one for one in programs if (project.dist / (one + ".blockmap")).exists()]
    written = {name: (project.dist / name).read_text() for name in updates}
    suite.check(f"{what}: electron-builder wrote {', '.join(updates)}", all("sha512" in text for text in written.values()), written)
    done = project.seal("--check")
    suite.check(f"{what}: all is right before signing", done.returncode == 0, done.out)

    if programs:
        project.sign(*programs)
    for name in embedded:
        with open(project.dist / name, "r+b") as file:
            file.write(b"other")
    if channel:
        done, outcome = updated(project, channel)
        suite.check(f"{what}: electron-updater refuses it as it is", done.returncode == 1 and outcome.get("error") == "ERR_CHECKSUM_MISMATCH", done.out)
    done = project.seal("--check")
    suite.check(f"{what}: --check says so", done.returncode == 1 and "STALE" in done.out, done.out)
    done = project.seal()
    suite.check(f"{what}: seal succeeds", done.returncode == 0, done.out)
    suite.check(f"{what}: no block map of the unsigned file is left", not list(project.dist.glob("*.blockmap")), list(project.dist.iterdir()))
    if channel:
        done, outcome = updated(project, channel)
        suite.check(f"{what}: electron-updater takes it", done.returncode == 0 and outcome.get("files"), done.out)

    # What electron-builder would have written of the files as they are now. Where it puts the block map into them it
    # changes them once more, so that there only the lines that stay can be compared.
    again = project.folder / "again"
    again.mkdir()
    for name in [*programs, *embedded]:
        shutil.copy(project.dist / name, again)
    if not embedded:
        build(again, artifacts, **more)
        for name in updates:
            suite.check(f"{what}: {name} is as electron-builder would write it",
                        without_date((project.dist / name).read_text()) == without_date((again / name).read_text()),
                        (project.dist / name).read_text())
    else:
        for name in updates:
            old, new = written[name].splitlines(), (project.dist / name).read_text().splitlines()
            old = [line for line in old if "blockMapSize" not in line]
            suite.check(f"{what}: only values and block maps changed in {name}", len(old) == len(new) and all(
                a == b or (a.split(":")[0] == b.split(":")[0] and a.split(":")[0].strip() in ("sha512", "size")) for a, b in zip(old, new)), new)
    done = project.seal("--check")
    suite.check(f"{what}: and then all is right", done.returncode == 0, done.out)
    return project, maps


def electron(suite):
    if not tool("node", suite):
        return
    if not (MODULES / "app-builder-lib").is_dir():
        suite.skip("electron-builder", f"its packages are not in {MODULES}")
        return
    # The default name of an installer has blanks.
    name = "App Setup 1.2.3.exe"
    _, maps = electron_case(suite, "an installer", [{"file": name, "arch": "x64"}])
    suite.check("electron-builder made a block map beside it", maps == [name], maps)
    electron_case(suite, "for electron-updater 1", [{"file": name}], config={"electronUpdaterCompatibility": ">=1.0.0"})
    notes = {"releaseName": "N", "releaseNotes": "a: b\n# c\nsha512: none\n\n  path: x\n", "releaseDate": "2026-01-02"}
    electron_case(suite, "two architectures, three channels",
                  [{"file": "App-x64.exe", "arch": "x64"}, {"file": "App-arm64.exe", "arch": "arm64"}],
                  updates=("latest.yml", "beta.yml", "alpha.yml"), channel="beta",
                  config={"generateUpdatesFilesForAllChannels": True, "releaseInfo": notes},
                  publish=[{"provider": "generic", "url": "http://127.0.0.1/", "channel": "latest"}])
    # GitHub's update file names the asset as it is called there; on the disk it has blanks.
    electron_case(suite, "published on GitHub", [{"file": name, "arch": "x64", "safeName": "App-Setup-1.2.3.exe"}], channel=None,
                  publish=[{"provider": "github", "owner": "contoso", "repo": "app"}])
    electron_case(suite, "a web installer", [{"file": "App Web Setup.exe", "packages": {"x64": "app-x64.nsis.7z", "ia32": "app-ia32.nsis.7z"}}],
                  embedded=("app-x64.nsis.7z", "app-ia32.nsis.7z"))
    electron_case(suite, "an AppImage", [{"file": "App.AppImage", "arch": "x64", "embedded": True}], updates=("latest-linux.yml",),
                  embedded=("App.AppImage",), channel=None, platform="LINUX")


def listed_block_map(suite):
    """A list that names a block map which has to go."""
    if not (MODULES / "app-builder-lib").is_dir() or shutil.which("node") is None:
        return
    project = Project(suite, "listed")
    (project.dist / "App.exe").write_bytes(STUB.read_bytes())
    build(project.dist, [{"file": "App.exe", "arch": "x64"}])
    (project.dist / "SHA256SUMS").write_bytes(require(run("sha256sum", "App.exe", "App.exe.blockmap", "latest.yml", cwd=project.dist)).stdout)
    project.sign("App.exe")
    before = {path.name: path.read_bytes() for path in project.dist.iterdir()}
    done = project.seal()
    suite.check("a list of a block map that has to go is refused", done.returncode == 4 and "App.exe.blockmap" in done.out, done.out)
    suite.check("and nothing is changed", {path.name: path.read_bytes() for path in project.dist.iterdir()} == before)
    # electron-builder makes it anew: then there is nothing to take away.
    build(project.dist, [{"file": "App.exe", "arch": "x64"}])
    done = project.seal()
    suite.check("one that was made anew is sealed in the list", done.returncode == 0 and (project.dist / "App.exe.blockmap").exists()
                and run("sha256sum", "--strict", "-c", "SHA256SUMS", cwd=project.dist).returncode == 0, done.out)


# --- Squirrel.Windows

class Squirrel:
    """Its maker of releases and its update manager, by mono."""

    def __init__(self, suite):
        self.folder = suite.folder / "squirrel-tools"
        self.folder.mkdir()
        self.vendor = MODULES / "electron-winstaller" / "vendor"
        self.environment = {"HOME": str(self.folder / "home"), "PATH": f"{MAKERS}:{os.environ['PATH']}"}
        (self.folder / "home").mkdir()
        self.judge = self.folder / "squirrel_update.exe"
        require(run("mcs", "-r:System.Core.dll", f"-out:{self.judge}", MAKERS / "squirrel_update.cs", env=self.environment))

    def releasify(self, nupkg, folder):
        require(run("mono", self.vendor / "Squirrel-Mono.exe", "--releasify", nupkg, "-r", folder, "--no-msi", cwd=self.folder, env=self.environment))

    def update(self, folder, installed):
        """What an app that has `installed` makes of the folder."""
        root = self.folder / "root"
        shutil.rmtree(root, ignore_errors=True)
        packages = root / "Contoso" / "packages"
        packages.mkdir(parents=True)
        shutil.copy(installed, packages)
        sha1 = hashlib.sha1(installed.read_bytes()).hexdigest().upper()
        (packages / "RELEASES").write_text(f"{sha1} {installed.name} {installed.stat().st_size}")
        return run("mono", self.judge, self.vendor / "Squirrel-Mono.exe", folder, root, "Contoso", cwd=self.folder, env=self.environment)


def squirrel(suite):
    if not tool("mono", suite) or not tool("mcs", suite):
        return
    if not (MODULES / "electron-winstaller").is_dir():
        suite.skip("Squirrel.Windows", f"its packages are not in {MODULES}")
        return
    tools = Squirrel(suite)
    project = Project(suite, "squirrel")
    for version in ("1.0.0", "2.0.0"):
        program = project.folder / "tool.exe"
        program.write_bytes(STUB.read_bytes() + version.encode() * 100)
        package(project.folder / f"Contoso.{version}.nupkg", version, program)
        tools.releasify(project.folder / f"Contoso.{version}.nupkg", project.dist)
    # What it leaves besides: the packages that were named, and a Setup.exe without its contents.
    for path in [*project.dist.glob("Contoso.*"), *project.dist.glob("Setup*")]:
        path.unlink()
    names = [f"Contoso-{one}.nupkg" for one in ("1.0.0-full", "2.0.0-delta", "2.0.0-full")]
    written = (project.dist / "RELEASES").read_bytes()
    suite.check("Squirrel wrote RELEASES of three packages, one of them a delta", [line.split()[1] for line in written.decode("utf-8-sig").splitlines()] == names, written)
    installed = project.folder / names[0]
    shutil.copy(project.dist / names[0], installed)
    done = tools.update(project.dist, installed)
    suite.check("its updater takes the release as it was made", done.returncode == 0 and "downloaded" in done.out, done.out)
    done = project.seal("--check")
    suite.check("and seal finds it right", done.returncode == 0, done.out)

    project.sign(*names)
    done = tools.update(project.dist, installed)
    suite.check("once the packages are signed it refuses", done.returncode == 1 and "Checksummed file size" in done.out, done.out)
    done = project.seal()
    suite.check("seal succeeds", done.returncode == 0, done.out)
    now = (project.dist / "RELEASES").read_bytes()
    suite.check("BOM, line ends and names stay", now.startswith(b"\xef\xbb\xbf") and re.sub(rb"[0-9A-F]{40}|\d+$", b"", now, flags=re.M)
                == re.sub(rb"[0-9A-F]{40}|\d+$", b"", written, flags=re.M) and now != written, now)
    done = tools.update(project.dist, installed)
    suite.check("sealed, its updater takes it", done.returncode == 0 and "downloaded" in done.out and "2.0.0" in done.out, done.out)

    # The same length, other bytes: only the hash tells.
    delta = project.dist / names[1]
    delta.write_bytes(delta.read_bytes()[:-1] + b"\x01")
    done = tools.update(project.dist, installed)
    suite.check("its updater does compare hashes", done.returncode == 1 and "doesn't match" in done.out, done.out)


# --- Velopack

def elf_hash(name):
    value = 0
    for octet in name:
        value = (value << 4) + octet
        value = (value ^ ((value & 0xF0000000) >> 24)) & 0x0FFFFFFF
    return value


def velopack_module(suite):
    """Velopack's package with its library for Linux, made to load on a glibc older than the one it was built for.

    All that it wants of glibc 2.39 are two functions that it can do without, bound weakly; but the need of that version is
    not marked as weak. The copy's is (VER_FLG_WEAK, "Symbol Versioning" of the LSB).
    """
    module = suite.folder / "velopack"
    (module / "lib" / "native").mkdir(parents=True)
    origin = MODULES / "velopack"
    shutil.copy(origin / "package.json", module)
    for script in (origin / "lib").glob("*.js"):
        shutil.copy(script, module / "lib")
    library = "velopack_nodeffi_linux_x64_gnu.node"
    image = bytearray((origin / "lib" / "native" / library).read_bytes())
    need = struct.pack("<IH", elf_hash(b"GLIBC_2.39"), 0)
    suite.check("the library needs glibc 2.39 once", image.count(need) == 1, image.count(need))
    image[image.find(need) + 4] = 2
    (module / "lib" / "native" / library).write_bytes(image)
    return module


def velopack(suite):
    if not tool("node", suite):
        return
    if not (MODULES / "velopack").is_dir() or os.uname().machine != "x86_64":
        suite.skip("Velopack", f"its package is not in {MODULES}, or this is not x86_64")
        return
    module = velopack_module(suite)
    project = Project(suite, "velopack")
    app = project.folder / "app"

    def update():
        shutil.rmtree(app, ignore_errors=True)
        (app / "packages").mkdir(parents=True)
        (app / "UpdateNix").write_text("")
        (app / "sq.version").write_text(nuspec("1.0.0", "<channel>win</channel><mainExe>tool</mainExe><os>linux</os><rid>linux</rid>"))
        done = node("velopack.js", module, project.dist, app, "win")
        return done, json.loads(done.out.strip().splitlines()[-1])

    name = "Contoso-2.0.0-full.nupkg"
    program = project.folder / "tool.exe"
    program.write_bytes(STUB.read_bytes())
    package(project.dist / name, "2.0.0", program)
    image = (project.dist / name).read_bytes()
    feed = {"Assets": [{"PackageId": "Contoso", "Version": "2.0.0", "Type": "Full", "FileName": name, "SHA1": hashlib.sha1(image).hexdigest().upper(),
                        "SHA256": hashlib.sha256(image).hexdigest().upper(), "Size": len(image), "NotesMarkdown": "# SHA1: none", "NotesHTML": ""}]}
    (project.dist / "releases.win.json").write_text(json.dumps(feed))
    done, outcome = update()
    suite.check("Velopack takes the release as it was made", done.returncode == 0 and outcome.get("files") == [name], done.out)
    project.sign(name)
    done, outcome = update()
    suite.check("once the package is signed it refuses", done.returncode == 1 and "Size did not match" in outcome.get("error", ""), done.out)
    done = project.seal()
    suite.check("seal succeeds", done.returncode == 0, done.out)
    done, outcome = update()
    image = (project.dist / name).read_bytes()
    suite.check("sealed, Velopack takes it", done.returncode == 0 and outcome.get("files") == [name]
                and outcome["offered"]["SHA256"] == hashlib.sha256(image).hexdigest().upper(), done.out)
    # Feeds from before there was a SHA-256.
    text = re.sub(r'"SHA256": "\w+"', '"SHA256": ""', (project.dist / "releases.win.json").read_text())
    (project.dist / "releases.win.json").write_text(re.sub(r'"SHA1": "\w+"', f'"SHA1": "{"0" * 40}"', text))
    done, outcome = update()
    suite.check("Velopack does compare hashes", done.returncode == 1 and "Checksum did not match" in outcome.get("error", ""), done.out)
    sealed = project.seal()
    done, outcome = update()
    suite.check("a feed without SHA-256 is sealed too", sealed.returncode == 0 and done.returncode == 0 and outcome["offered"]["SHA256"] == "", sealed.out + done.out)


def main():
    suite = Suite()
    electron(suite)
    listed_block_map(suite)
    squirrel(suite)
    velopack(suite)
    suite.finish()


if __name__ == "__main__":
    main()
