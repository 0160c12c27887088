# SPDX-License-Identifier: Apache-2.0
"""Scripts against osslsigncode, which knows the PowerShell family. Of script hosts' files it gets the digest wrong
(it signs .js as PowerShell), so there the documented structure is all there is: see tests/unit/formats/script."""
import pathlib
import shutil

from harness import SHARED, osslsigncode_for, run, signctl, sign_arguments

NAME = "script"
EXTENSION = "ps1"
REMOVE = "identical"
APPEND = True
ALGS = ["sha256", "sha384", "sha512"]

POWERSHELL = ["ps1", "psm1", "psd1", "ps1xml", "psc1", "cdxml", "mof"]
TEXTS = {
    "CR LF": "'one'\r\n'two'  \t\r\n\r\n".encode(),
    "LF": b"'one'\n'two'  \n\n",
    "no line break at the end": b"'one'\r\n'two'   ",
    "UTF-8 with byte order mark": "\ufeff'caf\u00e9 \u20ac \U0001f600'\r\n".encode(),
    "UTF-16LE": "\ufeff'caf\u00e9 \u20ac \U0001f600'\r\n".encode("utf-16-le"),
}


def inputs(suite, folder):
    made = []
    for extension in POWERSHELL:
        for label, text in TEXTS.items():
            path = folder / f"{extension}-{label.replace(' ', '-')}.{extension}"
            path.write_bytes(text)
            made.append((f"{extension}, {label}", path))
    for name in ["hello-world.ps1", "hello-world.ps1xml"]:
        source = SHARED / "jsign" / name
        if source.is_file():
            made.append((f"Jsign's {name}", pathlib.Path(shutil.copyfile(source, folder / name))))
        else:
            suite.skip(name, f"{source} is not here")
    return made


def peer_of(suite):
    return osslsigncode_for("scripts", (2, 8), suite)


def judge(suite, path, certificate_pem, tsa_pem):
    peer = peer_of(suite)
    if pathlib.Path(path).suffix[1:] not in POWERSHELL or peer is None:
        return NotImplemented
    done = run(peer, "verify", "-CAfile", certificate_pem, "-TSA-CAfile", tsa_pem, path)
    good = done.returncode == 0 and "Succeeded" in done.out
    return None if good else done.out


def theirs(suite, folder, path, alg, key_pem, cert_pem):
    peer = peer_of(suite)
    if peer is None:
        return None
    signed = folder / f"theirs-{alg}{pathlib.Path(path).suffix}"
    signed.unlink(missing_ok=True)
    done = run(peer, "sign", "-h", alg, "-key", key_pem, "-certs", cert_pem, "-in", path, "-out", signed)
    return signed if done.returncode == 0 else None


def extra(suite, folder, dev):
    """Windows Script Host: no independent verifier, but every byte must come back."""
    for extension, text in {"vbs": b"x = 1\r\n", "js": b"var x;\r\n", "wsf": b"<job>\r\n</job>\r\n"}.items():
        path = folder / f"host.{extension}"
        for encoding in ["ascii", "utf-16-le", "utf-16-be"]:
            plain = text if encoding == "ascii" else "\ufeff".encode(encoding) + text.decode().encode(encoding)
            path.write_bytes(plain)
            done = signctl("sign", path, "--no-timestamp", *sign_arguments(dev))
            suite.check(f"{extension}, {encoding}: signed", done.returncode == 0, done.out)
            done = signctl("verify", "--dev", "--timestamp", "optional", path)
            suite.check(f"{extension}, {encoding}: verified", done.returncode == 0, done.out)
            done = signctl("remove", path)
            suite.check(f"{extension}, {encoding}: given back", path.read_bytes() == plain, done.out)
