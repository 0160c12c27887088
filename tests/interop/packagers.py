#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Packagers that call a signer once per file: NSIS for real, and many calls of signtool's kind at the same time."""
import concurrent.futures
import os
import pathlib
import re
import shutil

from harness import Suite, certificates_of, dev_certificate, require, run, sha256, signctl, tool

SIGNCTL = os.environ["SIGNCTL_BINARY"]
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


def script_of_page(suite):
    """The NSIS lines of the page, so that what is documented is what is tried."""
    blocks = re.findall(r"^```nsis\n(.*?)^```", PAGE.read_text(), re.M | re.S)
    suite.check("the page has an NSIS example", len(blocks) == 1, blocks)
    return blocks[0] if blocks else ""


def compile_installer(folder, hooks):
    (folder / "tool.exe").write_bytes(STUB.read_bytes())
    (folder / "setup.nsi").write_text(
        'Unicode true\nName "Try"\nOutFile "setup.exe"\nInstallDir "$PROGRAMFILES\\Try"\n' + hooks
        + 'Section\nSetOutPath "$INSTDIR"\nFile tool.exe\nWriteUninstaller "$INSTDIR\\uninstall.exe"\nSectionEnd\n'
        + 'Section Uninstall\nDelete "$INSTDIR\\tool.exe"\nSectionEnd\n')
    environment = {"PATH": f"{folder}:{os.environ['PATH']}"}
    (folder / "signctl").unlink(missing_ok=True)
    (folder / "signctl").symlink_to(SIGNCTL)
    return run("makensis", "-V2", "setup.nsi", cwd=folder, env=environment)


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
    hooks = script_of_page(suite)
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
    at_the_same_time(suite)
    by_file_and_secret(suite)
    suite.finish()


if __name__ == "__main__":
    main()
