# SPDX-License-Identifier: Apache-2.0
"""Windows Installer files: inputs from wixl, judged by osslsigncode, read by msitools."""
import random
import shutil

from harness import SHARED, require, run, sha256, sign_arguments, signctl, tool

NAME = "msi"
EXTENSION = "msi"
REMOVE = "identical"
APPEND = True
ALGS = ["sha256", "sha384", "sha512"]

SOURCE = """<?xml version="1.0" encoding="utf-8"?>
<Wix xmlns="http://schemas.microsoft.com/wix/2006/wi">
  <Product Id="*" UpgradeCode="12345678-1234-1234-1234-111111111111" Name="Example" Version="0.0.1"
           Manufacturer="Example" Language="1033">
    <Package InstallerVersion="200" Compressed="yes" Comments="interoperability"/>
    <Media Id="1" Cabinet="product.cab" EmbedCab="yes"/>
    <Directory Id="TARGETDIR" Name="SourceDir"><Directory Id="ProgramFilesFolder">
      <Directory Id="INSTALLDIR" Name="Example">
        <Component Id="C1" Guid="12345678-1234-1234-1234-222222222222"><File Id="F1" Source="payload.bin"/></Component>
      </Directory></Directory></Directory>
    <Feature Id="D" Level="1"><ComponentRef Id="C1"/></Feature>
  </Product>
</Wix>
"""
# The last does not fit the header's list of FAT sectors, and the one before only until it is signed.
SIZES = [0, 3_000, 100_000, 7_050_000, 9_000_000]


def inputs(suite, folder):
    found = []
    if tool("wixl", suite):
        (folder / "a.wxs").write_text(SOURCE)
        for size in SIZES:
            (folder / "payload.bin").write_bytes(random.Random(size).randbytes(size))
            path = folder / f"wixl-{size}.msi"
            require(run("wixl", "-o", path, "a.wxs", cwd=folder))
            found.append((f"wixl, {size} bytes inside", path))
    path = SHARED / "jsign" / "minimal.msi"
    if path.is_file():
        found.append(("minimal.msi (sectors of 4096)", path))
    else:
        suite.skip("minimal.msi", f"{path} is not here")
    return found


def judge(suite, path, certificate_pem, tsa_pem):
    if not shutil.which("osslsigncode"):
        return NotImplemented
    done = run("osslsigncode", "verify", "-CAfile", certificate_pem, "-TSA-CAfile", tsa_pem or certificate_pem, path)
    if done.returncode != 0:
        return done.out
    if shutil.which("msiinfo"):
        listed = run("msiinfo", "streams", path)
        if listed.returncode != 0 or "DigitalSignature" not in listed.out:
            return f"msiinfo cannot read it: {listed.out}"
    return None


def covered(path):
    """A byte of a stream: the middle of a file may be a sector that nothing uses."""
    return path.read_bytes().index(b"ProductCode")


def theirs(suite, folder, path, alg, key_pem, cert_pem):
    if not shutil.which("osslsigncode"):
        return None
    output = folder / f"theirs-{alg}-{path.name}"
    output.unlink(missing_ok=True)
    require(run("osslsigncode", "sign", "-add-msi-dse", "-h", alg, "-certs", cert_pem, "-key", key_pem,
                "-in", path, "-out", output))
    return output


def extra(suite, folder, dev):
    """A table read by msitools before and after; original bytes after removal."""
    if not shutil.which("wixl") or not shutil.which("msiinfo"):
        return
    for label, path in inputs(suite, folder):
        signed = folder / "extra.msi"
        require(signctl("sign", path, "-o", signed, *sign_arguments(dev, "--no-timestamp")))
        signed.chmod(0o644)  # As read-only as the input, otherwise.
        before, after = (run("msiinfo", "export", p, "File") for p in (path, signed))
        suite.check(f"{label}: msitools read the same table", before.out == after.out, after.out)
        require(signctl("remove", signed))
        suite.check(f"{label}: removing gives the original bytes", sha256(signed) == sha256(path))
