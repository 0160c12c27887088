#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What osslsigncode signs, signctl verifies: every combination of its flags for PE files. And what
signctl must refuse, it refuses."""
import itertools
import pathlib
import shutil

from harness import (SAMPLES, SHARED, Suite, certificates_of, dev_certificate, require, run, signctl, tool,
                     unsigned_files)
from openssl_tsa import OpensslTsa


class Peer:
    """osslsigncode with a key pair and a timestamp server."""

    def __init__(self, suite, path, tsa):
        self.path = path
        self.tsa = tsa
        self.dev = dev_certificate(suite.folder / "peer", "rsa2048")
        self.key = self.dev / "key.pem"
        require(run("openssl", "pkcs12", "-in", self.dev / "dev.pfx", "-passin", "pass:", "-nodes", "-nocerts",
                    "-out", self.key))

    def sign(self, source, target, *flags):
        target.unlink(missing_ok=True)
        return run(self.path, "sign", "-certs", self.dev / "dev.pem", "-key", self.key, *flags,
                   "-in", source, "-out", target)

    def stamp_flags(self):
        return ["-ts", self.tsa.url]


def flag_matrix(peer):
    """Names and flags of every combination that PE files take."""
    choices = [
        [("sha256", ["-h", "sha256"]), ("sha384", ["-h", "sha384"]), ("sha512", ["-h", "sha512"])],
        [("", []), ("page hashes", ["-ph"])],
        [("", []), ("description", ["-n", "Some name", "-i", "https://contoso.example/"])],
        [("", []), ("commercial", ["-comm"])],
        [("", []), ("java permissions", ["-jp", "low"])],
        [("", []), ("timestamp", peer.stamp_flags())],
        [("", []), ("time", ["-time", "1790000000"])],
    ]
    for combination in itertools.product(*choices):
        yield ", ".join(n for n, _ in combination if n), [f for _, flags in combination for f in flags]


def every_combination(suite, peer, files):
    target = suite.folder / "signed.exe"
    crashed = set()
    for what, flags in flag_matrix(peer):
        for name, path in files:
            made = peer.sign(path, target, *flags)
            if made.returncode < 0:
                crashed.add(name + (" with page hashes" if "page hashes" in what else ""))
                continue
            if made.returncode != 0:
                suite.check(f"osslsigncode signs {name} with {what}", False, made.out)
                continue
            rule = "required" if "timestamp" in what else "optional"
            checked = signctl("verify", target, "--dev", "--timestamp", rule, "--trust-cert", peer.tsa.certificate)
            suite.check(f"signctl verifies {name} signed with {what}", checked.returncode == 0, checked.out)
    for name in sorted(crashed):
        suite.skip(f"osslsigncode on {name}", "it crashes on this file")


def nested(suite, peer, files):
    first, second = suite.folder / "first.exe", suite.folder / "second.exe"
    for name, path in files:
        require(peer.sign(path, first, *peer.stamp_flags()))
        require(peer.sign(first, second, "-nest", "-h", "sha384", *peer.stamp_flags()))
        checked = signctl("verify", second, "--dev", "--trust-cert", peer.tsa.certificate)
        suite.check(f"signctl verifies a nested signature on {name}", checked.returncode == 0, checked.out)


def refused(suite, peer, files):
    target, changed = suite.folder / "signed.exe", suite.folder / "changed.exe"
    name, path = files[0]
    require(peer.sign(path, target, "-h", "sha1"))
    strict = signctl("verify", target, "--dev", "--timestamp", "optional")
    suite.check("a SHA-1 signature is refused", strict.returncode == 1 and "weak-digest" in strict.out, strict.out)
    require(peer.sign(path, target))
    strict = signctl("verify", target, "--dev")
    suite.check("a signature without a timestamp is refused by default",
                strict.returncode == 1 and "timestamp-missing" in strict.out, strict.out)
    strict = signctl("verify", target, "--timestamp", "optional")
    suite.check("a self-signed signature is refused without --dev", strict.returncode == 1, strict.out)
    require(peer.sign(path, target, "-addUnauthenticatedBlob"))
    stuffed = signctl("verify", target, "--dev", "--timestamp", "optional")
    suite.check("an unauthenticated blob is reported", "unsigned-attribute-unknown" in stuffed.out, stuffed.out)
    image = bytearray(target.read_bytes())
    image[len(image) // 3] ^= 1
    changed.write_bytes(image)
    flipped = signctl("verify", changed, "--dev", "--timestamp", "optional")
    suite.check("a changed byte is refused", flipped.returncode == 1 and "digest-mismatch" in flipped.out, flipped.out)
    changed.write_bytes(target.read_bytes() + b"\0" * 8)
    appended = signctl("verify", changed, "--dev", "--timestamp", "optional")
    suite.check("bytes after the signature are refused", appended.returncode in (1, 4), appended.out)


def real_files(suite):
    roots = SHARED / "code-signing-roots.pem"
    node = SAMPLES / "node.exe"
    if not roots.is_file():
        suite.skip("really signed files against Microsoft's roots", f"{roots} is not here")
        return
    if node.is_file():
        checked = signctl("verify", node, "--trust-cert", roots)
        suite.check("node.exe verifies", checked.returncode == 0, checked.out)
        suite.check("node.exe names its signer", "OpenJS Foundation" in checked.out, checked.out)
        untrusted = signctl("verify", node, env={"SSL_CERT_FILE": str(roots.parent / "none.pem")})
        suite.check("node.exe without its root is not trusted", untrusted.returncode != 0, untrusted.out)
        pinned = signctl("verify", node, "--trust-cert", roots, "--expect-subject", "CN=Somebody Else")
        suite.check("another publisher is refused", pinned.returncode == 1 and "identity-mismatch" in pinned.out,
                    pinned.out)
    else:
        suite.skip("node.exe", "npm did not deliver it")
    old = SAMPLES / "signtool-2010.exe"
    if old.is_file():
        strict = signctl("verify", old, "--trust-cert", roots)
        suite.check("signtool of 2010 (SHA-1) is refused by default",
                    strict.returncode == 1 and "weak-digest" in strict.out, strict.out)
        compat = signctl("verify", old, "--trust-cert", roots, "--compat", "windows")
        suite.check("signtool of 2010 has a good digest and counter-signature",
                    "digest-mismatch" not in compat.out and "message-digest" not in compat.out, compat.out)
    else:
        suite.skip("signtool-2010.exe", "npm did not deliver it")


def shim(suite):
    folder = pathlib.Path("/usr/lib/shim")
    signed = [p for p in (folder / "shimx64.efi.signed", folder / "fbx64.efi.signed", folder / "mmx64.efi.signed")
              if p.is_file()]
    if not signed:
        suite.skip("shim-signed", "Debian's shim-signed is not installed")
        return
    for path in signed:
        p7 = suite.folder / "shim.p7"
        require(signctl("extract", path, "-o", p7))
        pem = suite.folder / "shim.pem"
        require(run("openssl", "pkcs7", "-inform", "DER", "-in", p7, "-print_certs", "-out", pem))
        anchors = certificates_of(pem, suite.folder / "anchors.pem")
        checked = signctl("verify", path, "--trust-cert", anchors, "--timestamp", "optional", "--compat", "windows")
        ids = ["digest-mismatch", "message-digest", "cms-malformed"]
        suite.check(f"{path.name}: the digest and the structure are good",
                    not any(i in checked.out for i in ids), checked.out)
        changed = suite.folder / "changed.efi"
        image = bytearray(path.read_bytes())
        for offset in (0x80, len(image) // 4, len(image) // 2):
            image[offset] ^= 0x10
            changed.write_bytes(image)
            flipped = signctl("verify", changed, "--trust-cert", anchors, "--timestamp", "optional",
                              "--compat", "windows")
            suite.check(f"{path.name}: a flip at {offset} is refused", flipped.returncode != 0, flipped.out)
            image[offset] ^= 0x10


def spc_content(signature):
    """The SpcIndirectDataContent inside a DER ContentInfo, complete."""
    oid = bytes.fromhex("060a2b060104018237020104")
    at = signature.index(oid) + len(oid)
    tag, length = signature[at], signature[at + 1]
    if tag != 0xA0 or length >= 0x80:
        raise ValueError("the content is not where it was expected")
    return signature[at + 2:at + 2 + length]


def wrapped_content(suite, files):
    """openssl cms writes SignedData of version 3 with the content in an OCTET STRING: Windows reads it too."""
    name, path = next(f for f in files if "efi" in f[0])
    dev = dev_certificate(suite.folder / "wrapped", "rsa2048")
    both, content, cms = dev / "both.pem", dev / "content.der", dev / "v3.p7s"
    signed, target = dev / "signed.efi", dev / "wrapped.efi"
    require(run("openssl", "pkcs12", "-in", dev / "dev.pfx", "-passin", "pass:", "-nodes", "-out", both))
    require(signctl("sign", path, "-o", signed, "--provider", "pfx", "-p", f"file={dev / 'dev.pfx'}", "--no-timestamp",
                    "--dev"))
    require(signctl("extract", signed, "-o", cms))
    content.write_bytes(spc_content(cms.read_bytes()))
    require(run("openssl", "cms", "-sign", "-binary", "-nodetach", "-econtent_type", "1.3.6.1.4.1.311.2.1.4", "-in", content,
                "-signer", both, "-md", "sha256", "-outform", "DER", "-out", cms))
    gate = ["--trust-cert", dev / "dev.pem", "--dev"]
    strict = signctl("attach", path, cms, "-o", target, "--no-timestamp", *gate)
    suite.check(f"{name}: content in an OCTET STRING is refused by the strict gate",
                strict.returncode == 1 and "cms-octet-string" in strict.out and not target.exists(), strict.out)
    require(signctl("attach", path, cms, "-o", target, "--no-timestamp", *gate, "--compat", "windows"))
    verify = ["verify", target, *gate, "--timestamp", "optional", "--compat", "windows"]
    tolerated = signctl(*verify)
    suite.check(f"{name}: content in an OCTET STRING passes with --compat windows",
                tolerated.returncode == 0 and "cms-octet-string" in tolerated.out, tolerated.out)
    image = bytearray(target.read_bytes())
    image[len(image) // 2] ^= 1
    target.write_bytes(image)
    flipped = signctl(*verify)
    suite.check(f"{name}: a flip under content in an OCTET STRING is refused",
                flipped.returncode == 1 and "digest-mismatch" in flipped.out, flipped.out)


def main():
    suite = Suite()
    files = unsigned_files(suite)
    path = tool("osslsigncode", suite)
    if path and files:
        with OpensslTsa(suite.folder / "tsa") as tsa:
            peer = Peer(suite, path, tsa)
            every_combination(suite, peer, files[:2])
            nested(suite, peer, [f for f in files if "efi" not in f[0]])
            refused(suite, peer, files)
    if files:
        wrapped_content(suite, files)
    real_files(suite)
    shim(suite)
    suite.finish()


if __name__ == "__main__":
    main()
