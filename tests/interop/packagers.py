#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Packagers that call a signer once per file: the examples of docs/packagers.md, and many calls of signtool's kind.

NSIS, electron-builder and @electron/windows-sign are run for real; of packagers that need Windows the command of the example
is run as they would fill it in. All files are then judged by osslsigncode as well.
"""
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import xml.etree.ElementTree

from harness import SAMPLES, Suite, certificates_of, dev_certificate, node_modules, require, run, sha256, signctl, tool

SIGNCTL = os.environ["SIGNCTL_BINARY"]
HERE = pathlib.Path(__file__).parent / "packagers"
PROGRAM = SAMPLES / "rcedit-unsigned.exe"
STUB = pathlib.Path("/usr/share/nsis/Plugins/x86-unicode/System.dll")
PAGE = pathlib.Path(os.environ["SIGNCTL_SOURCE_DIR"]) / "docs" / "packagers.md"
CONFIG = """version: 1
signers:
  local: {provider: pfx, file: dev.pfx}
sign: {signer: local, timestamp: {servers: ["dev:dev-tsa.pem"]}}
gate: {trust: [signer]}
"""


def project(suite, name):
    folder = dev_certificate(suite.folder / name)
    certificates_of(folder / "dev.pem", folder / "cert.pem")
    (folder / "signctl.yaml").write_text(CONFIG)
    return folder


def examples(heading, kind):
    """The blocks of a chapter of the page, so that what is documented is what is tried. Empty `kind`: those of no language."""
    chapter = re.search(rf"^## {re.escape(heading)}.*?(?=^## |\Z)", PAGE.read_text(), re.M | re.S).group()
    return [text for language, text in re.findall(r"^```(\w*)\n(.*?)^```", chapter, re.M | re.S) if language == kind]


def on_path(folder):
    """The environment in which `signctl` is ours."""
    (folder / "signctl").unlink(missing_ok=True)
    (folder / "signctl").symlink_to(SIGNCTL)
    return {"PATH": f"{folder}:{os.environ['PATH']}"}


def compile_installer(folder, hooks):
    (folder / "tool.exe").write_bytes(STUB.read_bytes())
    (folder / "setup.nsi").write_text(
        'Unicode true\nName "Try"\nOutFile "setup.exe"\nInstallDir "$PROGRAMFILES\\Try"\n' + hooks
        + 'Section\nSetOutPath "$INSTDIR"\nFile tool.exe\nWriteUninstaller "$INSTDIR\\uninstall.exe"\nSectionEnd\n'
        + 'Section Uninstall\nDelete "$INSTDIR\\tool.exe"\nSectionEnd\n')
    return run("makensis", "-V2", "setup.nsi", cwd=folder, env=on_path(folder))


def passes(suite, what, folder, image):
    done = signctl("signtool", "verify", "/pa", "/all", image, cwd=folder)
    suite.check(f"{what} passes the gate", done.returncode == 0, done.out)
    if tool("osslsigncode", suite):
        done = run("osslsigncode", "verify", "-CAfile", "cert.pem", "-TSA-CAfile", "tsa-cert.pem", "-in", image, cwd=folder)
        suite.check(f"{what} verifies in osslsigncode", done.returncode == 0, done.out)


def nsis(suite):
    if not tool("makensis", suite):
        return
    folder = project(suite, "nsis")
    hooks = examples("NSIS", "nsis")[0]
    # The uninstaller is inside the installer; a second hook keeps a copy of what was signed.
    done = compile_installer(folder, hooks + "!uninstfinalize 'cp \"%1\" kept.exe' = 0\n")
    suite.check("makensis is content with what its hooks did", done.returncode == 0, done.out)
    passes(suite, "the installer", folder, "setup.exe")
    passes(suite, "the uninstaller in it", folder, "kept.exe")
    suite.check("the uninstaller is not the installer", sha256(folder / "setup.exe") != sha256(folder / "kept.exe"))
    image = (folder / "setup.exe").read_bytes()
    (folder / "setup.exe").write_bytes(image[:-9000] + bytes([image[-9000] ^ 1]) + image[-8999:])
    suite.check("a changed installer does not", signctl("signtool", "verify", "/pa", "setup.exe", cwd=folder).returncode == 1)

    (folder / "setup.exe").unlink()
    (folder / "signctl.yaml").write_text(CONFIG.replace("dev.pfx", "absent.pfx"))
    done = compile_installer(folder, hooks)
    suite.check("a signer that fails fails makensis", done.returncode != 0 and "absent.pfx" in done.out, done.out)


def node(modules, script, *arguments, cwd, env=None):
    return run("node", HERE / script, *arguments, cwd=cwd,
               env={"NODE_PATH": str(modules), "HOME": str(cwd), **on_path(cwd), **(env or {})})


def electron_builder(suite):
    """Its command line is a thin face of this library, which reads package.json, edits the program and has it signed."""
    modules = node_modules("electron-builder", suite)
    if not modules:
        return
    folder = project(suite, "electron")
    settings = json.loads(examples("electron-builder", "json")[0])["build"]
    settings |= {"appId": "example.try", "electronVersion": "30.0.0", "electronDist": "electron", "npmRebuild": False, "asar": False}
    (folder / "package.json").write_text(json.dumps({
        "name": "try", "version": "1.2.3", "description": "Try", "author": "Try <try@example.com>", "main": "index.js",
        "build": settings}))
    (folder / "index.js").write_text("")
    (folder / "sign.js").write_text(examples("electron-builder", "js")[0])
    (folder / "electron").mkdir()
    for name in ("electron.exe", "helper.exe"):
        shutil.copyfile(PROGRAM, folder / "electron" / name)
    done = node(modules, "electron_builder.js", cwd=folder)
    suite.check("electron-builder is content with what its hook did", done.returncode == 0, done.out)
    for name in ("try.exe", "helper.exe"):
        passes(suite, f"electron-builder's {name}", folder, f"dist/win-unpacked/{name}")
    company = "Try".encode("utf-16-le")
    suite.check("electron-builder had written into the program before", company in (folder / "dist/win-unpacked/try.exe").read_bytes()
                and company not in (folder / "dist/win-unpacked/helper.exe").read_bytes())
    shutil.rmtree(folder / "dist")
    (folder / "signctl.yaml").write_text(CONFIG.replace("dev.pfx", "absent.pfx"))
    done = node(modules, "electron_builder.js", cwd=folder)
    suite.check("a signer that fails fails electron-builder", done.returncode != 0 and "absent.pfx" in done.out, done.out)


def windows_sign(suite):
    modules = node_modules("@electron/windows-sign", suite)
    if not modules:
        return
    folder = project(suite, "forge")
    (folder / "forge.config.js").write_text(examples("Electron Forge", "js")[0])
    (folder / "signtool").symlink_to(SIGNCTL)
    (folder / "out" / "resources").mkdir(parents=True)
    shutil.copyfile(PROGRAM, folder / "out" / "app.exe")
    shutil.copyfile(STUB, folder / "out" / "resources" / "module.dll")
    stamped = {"WINDOWS_TIMESTAMP_SERVER": "dev:dev-tsa.pem"}
    done = node(modules, "windows_sign.js", "forge.config.js", "out", cwd=folder, env=stamped)
    suite.check("@electron/windows-sign is content with its signtool", done.returncode == 0, done.out)
    for name in ("out/app.exe", "out/resources/module.dll"):
        passes(suite, f"@electron/windows-sign's {name}", folder, name)
    (folder / "signctl.yaml").write_text(CONFIG.replace("dev.pfx", "absent.pfx"))
    done = node(modules, "windows_sign.js", "forge.config.js", "out", cwd=folder, env=stamped)
    suite.check("a signer that fails fails @electron/windows-sign", done.returncode != 0 and "absent.pfx" in done.out, done.out)


def installer(folder, name):
    """An unsigned .msi, by wixl from WiX' own language."""
    (folder / "setup.wxs").write_text("""<?xml version="1.0" encoding="utf-8"?>
<Wix xmlns="http://schemas.microsoft.com/wix/2006/wi">
  <Product Id="*" Name="Try" Language="1033" Version="1.2.3" Manufacturer="Try" UpgradeCode="11111111-2222-3333-4444-555555555555">
    <Package InstallerVersion="200" Compressed="yes" />
    <Media Id="1" Cabinet="try.cab" EmbedCab="yes" />
    <Directory Id="TARGETDIR" Name="SourceDir"><Directory Id="ProgramFilesFolder"><Directory Id="INSTALLDIR" Name="Try">
      <Component Id="Tool" Guid="11111111-2222-3333-4444-666666666666"><File Id="Tool" Source="tool.exe" KeyPath="yes" /></Component>
    </Directory></Directory></Directory>
    <Feature Id="All" Level="1"><ComponentRef Id="Tool" /></Feature>
  </Product>
</Wix>
""")
    require(run("wixl", "-o", name, "setup.wxs", cwd=folder))


def filled_in(suite):
    """The commands of the examples, as the packagers would call them."""
    folder = project(suite, "filled")
    environment = on_path(folder)
    (folder / "tool.exe").write_bytes(STUB.read_bytes())

    def call(what, command, image):
        done = run("sh", "-c", command, cwd=folder, env=environment)
        suite.check(f"{what}: the example's command signs", done.returncode == 0, done.out)
        passes(suite, f"{what}: what it signed", folder, image)

    def fresh(name):
        shutil.copyfile(STUB, folder / name)
        return name

    command = re.search(r'"/Ssignctl=(.*?)"', examples("Inno Setup", "")[0]).group(1)
    call("Inno Setup", command.replace("$q", '"').replace("$f", f'"{fresh("inno.exe")}"'), "inno.exe")
    done = signctl("inspect", "inno.exe", cwd=folder)
    suite.check("Inno Setup: with the description", "My App" in done.out, done.out)
    command = re.search(r'--signTemplate "(.*?)"', examples("Velopack", "")[0]).group(1)
    call("Velopack", command.replace("{{file}}", f'"{fresh("velopack.exe")}"'), "velopack.exe")
    tauri = json.loads(examples("Tauri", "json")[0])
    command = tauri["bundle"]["windows"]["signCommand"]
    call("Tauri", " ".join([command["cmd"], *command["args"]]).replace("%1", fresh("tauri.exe")), "tauri.exe")
    modules = node_modules("Tauri's schema", suite)
    if modules:
        (folder / "tauri.conf.json").write_text(json.dumps({"identifier": "example.try", **tauri}))
        done = node(modules, "validate.js", "tauri-config", "tauri.conf.json", cwd=folder)
        suite.check("Tauri's schema takes the example", done.returncode == 0, done.out)
        (folder / "tauri.conf.json").write_text(json.dumps({"identifier": "example.try", **tauri}).replace("cmd", "command"))
        suite.check("and not any other", node(modules, "validate.js", "tauri-config", "tauri.conf.json", cwd=folder).returncode == 1)

    targets = xml.etree.ElementTree.fromstring(f"<Project>{examples('WiX', 'xml')[0]}</Project>").findall("Target")
    suite.check("WiX: each of its targets has a command", [one.get("Name") for one in targets]
                == ["SignMsi", "SignBundleEngine", "SignBundle"], targets)
    if tool("wixl", suite):
        for target in targets:
            name = f"{target.get('Name')}.{'msi' if target.get('Name') == 'SignMsi' else 'exe'}"
            installer(folder, name) if name.endswith(".msi") else fresh(name)
            call(f"WiX {target.get('Name')}", target.find("Exec").get("Command").replace(f"@({target.get('Name')})", name), name)


def named_signtool(suite):
    """A link or copy called signtool is signtool."""
    folder = project(suite, "named")
    shutil.copyfile(STUB, folder / "app.exe")
    for what, make, name in (("a link", os.symlink, "signtool"), ("a copy", shutil.copy, "SignTool.exe")):
        make(SIGNCTL, folder / name)
        done = run(folder / name, "sign", "/fd", "sha256", "app.exe", cwd=folder)
        suite.check(f"{what} called {name} takes signtool's options", done.returncode == 0, done.out)
        done = run(folder / name, "verify", "/pa", "absent.exe", cwd=folder)
        suite.check(f"{what} called {name} ends with signtool's exit codes", done.returncode == 1, done.out)
    passes(suite, "what they signed", folder, "app.exe")


def at_the_same_time(suite):
    folder = project(suite, "parallel")
    files = [folder / f"file{i}.exe" for i in range(16)]
    for i, path in enumerate(files):
        path.write_bytes(STUB.read_bytes() + bytes([i]) * 64)
    shared = folder / "shared.exe"
    shared.write_bytes(STUB.read_bytes())

    def call(path):
        return signctl("signtool", "sign", "/fd", "sha256", path, cwd=folder)

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        done = list(pool.map(call, files))
        suite.check("16 calls at the same time succeed", all(one.returncode == 0 for one in done), [one.out for one in done])
        same = list(pool.map(call, [shared] * 8))
    for path in files:
        suite.check(f"{path.name} is signed", signctl("verify", path, cwd=folder).returncode == 0)
    # Each replaces the file whole, or sees that another did; none may leave it half done.
    suite.check("of 8 on one file some succeed", any(one.returncode == 0 for one in same), [one.out for one in same])
    suite.check("those that lost say so", all(one.returncode == 0 or (one.returncode == 1 and "shared.exe" in one.out)
                                              for one in same), [one.out for one in same])
    suite.check("and the file is signed", signctl("verify", shared, cwd=folder).returncode == 0)
    left = [path.name for path in folder.iterdir() if path.name.startswith(".signctl-") and path.suffix == ".tmp"]
    suite.check("nothing is left behind", not left, left)


def by_file_and_secret(suite):
    """signtool's /f and /p, the password by reference."""
    folder = suite.folder / "pfx"
    folder.mkdir()
    require(signctl("dev-cert", "-o", folder, "--password", "env:PW", env={"PW": "correct horse"}))
    shutil.copyfile(STUB, folder / "app.exe")
    arguments = ["signtool", "sign", "/f", "dev.pfx", "/fd", "sha256", "/tr", "dev:dev-tsa.pem", "/td", "sha256", "--dev", "app.exe"]
    done = signctl(*arguments, "/p", "env:PW", cwd=folder, env={"PW": "correct horse"})
    suite.check("/f with /p env:NAME signs", done.returncode == 0, done.out)
    done = signctl(*arguments, "/p", "env:PW", cwd=folder, env={"PW": "battery staple"})
    suite.check("a wrong password is exit code 1", done.returncode == 1 and "battery" not in done.out, done.out)


def main():
    suite = Suite()
    nsis(suite)
    electron_builder(suite)
    windows_sign(suite)
    filled_in(suite)
    named_signtool(suite)
    at_the_same_time(suite)
    by_file_and_secret(suite)
    suite.finish()


if __name__ == "__main__":
    main()
