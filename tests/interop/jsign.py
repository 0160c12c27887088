#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Jsign (8 or later, which can `show`) and signctl judge each other's signatures, above all of the types that no tool of
Debian's verifies: JScript, VBScript, WSF, NuGet. SIGNCTL_JSIGN names its command; it is not in Debian, so elsewhere this
is skipped."""
import os
import shutil
import struct

from harness import SHARED, Suite, certificates_of, dev_certificate, require, run, signctl
from msix_maker import make_package
from nuget_maker import build as build_nuget

SUBJECT = "Jsign"
SCRIPTS = {"a.js": b'WScript.Echo("hello");\r\n', "a.vbs": b'MsgBox "hello"\r\n',
           "a.wsf": b'<job>\r\n<script language="JScript">\r\nWScript.Echo("x");\r\n</script>\r\n</job>\r\n',
           "a.ps1": b'Write-Host "hello"\r\n', "a.psm1": "Write-Host 'gr\u00fcn'\n".encode("utf-16")}
MANIFEST = b"""<?xml version="1.0"?><package xmlns="http://schemas.microsoft.com/packaging/2013/05/nuspec.xsd"><metadata>
<id>a</id><version>1.0.0</version><authors>a</authors><description>a</description></metadata></package>"""


def unsigned_files(folder):
    """One unsigned file of each type, made here or of this machine, and those of the test data."""
    for name, text in SCRIPTS.items():
        (folder / name).write_bytes(text)
    shutil.copy("/usr/share/nsis/Plugins/x86-unicode/System.dll", folder / "a.dll")
    require(run("gcab", "-c", folder / "a.cab", folder / "a.ps1"))
    build_nuget(folder / "a.nupkg", [("a.nuspec", MANIFEST), ("lib/a.txt", b"text")])
    make_package(folder / "a.msix", "sha256", f"CN={SUBJECT} (signctl rehearsal)", [("a.txt", [b"text"], False)])
    for name in ("wineyes.exe", "minimal.msi", "hello-world.ps1xml"):
        if (SHARED / "jsign" / name).is_file():
            shutil.copy(SHARED / "jsign" / name, folder / name)
            (folder / name).chmod(0o644)
    return sorted(path.name for path in folder.iterdir())


def broken_by_jsign(dev, path):
    """What Jsign got wrong, depending on the libraries that it runs with; None for nothing."""
    if path.suffix == ".msix":
        judged = run("osslsigncode", "verify", "-CAfile", dev / "dev.pem", path)
        if "digest failure" in judged.out:
            return "osslsigncode too finds another messageDigest in it"
    if path.suffix == ".msi":
        header = path.read_bytes()[:0x30]
        claimed, = struct.unpack_from("<I", header, 0x28)
        if claimed != 1:
            return f"it counts {claimed} directory sectors, as old Apache POI does; there is one"
    return None


def theirs_by_ours(suite, jsign, dev, inputs, names):
    for name in names:
        target = suite.folder / name
        shutil.copy(inputs / name, target)
        made = run(jsign, "--keystore", dev / "jsign.p12", "--storepass", "test", "--storetype", "PKCS12", "--quiet", target)
        suite.check(f"Jsign signs {name}", made.returncode == 0, made.out)
        if (why := broken_by_jsign(dev, target)) is not None:
            suite.skip(f"signctl verifies what Jsign did to {name}", why)
            continue
        judged = signctl("verify", target, "--dev", "--trust-cert", dev / "dev.pem", "--timestamp", "optional")
        suite.check(f"signctl verifies what Jsign did to {name}", judged.returncode == 0, judged.out)


def ours_by_theirs(suite, jsign, dev, inputs, names):
    for name in names:
        target = suite.folder / name
        shutil.copy(inputs / name, target)
        made = signctl("sign", target, "--provider", "pfx", "-p", f"file={dev / 'dev.pfx'}", "--dev", "--no-timestamp")
        suite.check(f"signctl signs {name}", made.returncode == 0, made.out)
        shown = run(jsign, "show", target)
        suite.check(f"Jsign computes the same digest of {name}", "(matches)" in shown.out and SUBJECT in shown.out, shown.out)
        data = bytearray(target.read_bytes())
        at = data.find(b"hello")
        if at >= 0 and name in SCRIPTS:
            data[at] ^= 1
            target.write_bytes(data)
            suite.check(f"Jsign sees that {name} was changed", "(matches)" not in run(jsign, "show", target).out)


def main():
    suite = Suite()
    jsign = os.environ.get("SIGNCTL_JSIGN")
    if not jsign:
        suite.skip("Jsign", "SIGNCTL_JSIGN does not name its command; Debian has no package of it")
        return suite.finish()
    dev = dev_certificate(suite.folder / "dev", "rsa3072", SUBJECT)
    require(run("openssl", "pkcs12", "-in", dev / "dev.pfx", "-passin", "pass:", "-nodes", "-out", dev / "all.pem"))
    certificates_of(dev / "all.pem", dev / "certificates.pem")
    require(run("openssl", "pkcs12", "-export", "-in", dev / "all.pem", "-passout", "pass:test", "-out", dev / "jsign.p12"))
    inputs = suite.folder / "inputs"
    inputs.mkdir()
    names = unsigned_files(inputs)
    theirs_by_ours(suite, jsign, dev, inputs, names)
    ours_by_theirs(suite, jsign, dev, inputs, names)
    suite.finish()


if __name__ == "__main__":
    main()
