#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What signctl signs, osslsigncode and openssl accept: keys x digests x files x options."""
import re
import shutil
import struct

from harness import (Suite, certificates_of, dev_certificate, require, run, sha256, sign_arguments, signctl, tool,
                     unsigned_files)
from openssl_tsa import OpensslTsa

KEYS = ["rsa2048", "rsa3072", "rsa4096", "p256", "p384", "p521"]
DIGESTS = ["sha256", "sha384", "sha512"]


def verify_with_peer(peer, dev, path):
    return run(peer, "verify", "-CAfile", dev / "dev.pem", "-TSA-CAfile", dev / "tsa-cert.pem", path)


def good(done, signatures=1):
    verified = re.findall(r"^Signature verification: ok", done.out, re.M)
    return (done.returncode == 0 and "Succeeded" in done.out and len(verified) == signatures
            and "invalid PE checksum" not in done.out)


def keys_and_digests(suite, peer, files):
    for key in KEYS:
        dev = dev_certificate(suite.folder / key, key)
        for digest in DIGESTS:
            for name, path in files:
                copy = suite.folder / "copy.exe"
                shutil.copyfile(path, copy)
                signed = signctl("sign", copy, *sign_arguments(dev), "--fd", digest, "--no-timestamp")
                suite.check(f"signctl signs {name} with {key} and {digest}", signed.returncode == 0, signed.out)
                checked = verify_with_peer(peer, dev, copy)
                suite.check(f"osslsigncode accepts {name}, {key}, {digest}", good(checked), checked.out)


def options(suite, peer, files):
    dev = dev_certificate(suite.folder / "options", "rsa3072")
    stamp = ["--timestamp-url", f"dev:{dev / 'dev-tsa.pem'}"]
    variants = {
        "timestamp": stamp,
        "timestamp with sha512 imprint": stamp + ["--td", "sha512"],
        "description and URL": stamp + ["--d", "Größe und Ωmega", "--du", "https://contoso.example/a?b=c"],
    }
    for name, path in files:
        for what, flags in variants.items():
            copy = suite.folder / "copy.exe"
            shutil.copyfile(path, copy)
            signed = signctl("sign", copy, *sign_arguments(dev), *flags)
            suite.check(f"signctl signs {name} with {what}", signed.returncode == 0, signed.out)
            checked = verify_with_peer(peer, dev, copy)
            suite.check(f"osslsigncode accepts {name} with {what}", good(checked), checked.out)
            suite.check(f"osslsigncode sees the timestamp of {name} with {what}",
                        "Timestamp Server Signature verification: ok" in checked.out, checked.out)


def page_hashes(suite, peer, files):
    dev = dev_certificate(suite.folder / "pages")
    made = 0
    for name, path in files:
        copy = suite.folder / "copy.exe"
        shutil.copyfile(path, copy)
        before = sha256(copy)
        signed = signctl("sign", copy, *sign_arguments(dev), "--page-hashes", "--no-timestamp")
        if signed.returncode == 5:
            suite.check(f"refusing page hashes leaves {name} untouched", sha256(copy) == before)
            continue
        suite.check(f"signctl signs {name} with page hashes", signed.returncode == 0, signed.out)
        checked = verify_with_peer(peer, dev, copy)
        suite.check(f"osslsigncode accepts the page hashes of {name}",
                    good(checked) and "Page hash" in checked.out and "MISMATCH" not in checked.out, checked.out)
        made += 1
    suite.check("some file allows page hashes", made > 0)


def nested_and_removed(suite, peer, files):
    dev = dev_certificate(suite.folder / "nested")
    stamp = ["--timestamp-url", f"dev:{dev / 'dev-tsa.pem'}"]
    for name, path in files:
        copy = suite.folder / "copy.exe"
        shutil.copyfile(path, copy)
        require(signctl("sign", copy, *sign_arguments(dev), *stamp))
        appended = signctl("sign", copy, *sign_arguments(dev), *stamp, "--fd", "sha512", "--if-signed", "append")
        suite.check(f"signctl appends a signature to {name}", appended.returncode == 0, appended.out)
        if "efi" in name:
            suite.skip(f"osslsigncode on two certificate table entries of {name}", "it reads tables with one entry only")
        else:
            checked = verify_with_peer(peer, dev, copy)
            suite.check(f"osslsigncode accepts both signatures of {name}", good(checked, 2), checked.out)
        ours = signctl("verify", copy, "--dev")
        suite.check(f"signctl verifies both signatures of {name}", ours.returncode == 0, ours.out)
        removed = signctl("remove", copy)
        suite.check(f"signctl removes the signatures of {name}", removed.returncode == 0, removed.out)
        reference = suite.folder / "reference.exe"
        reference.unlink(missing_ok=True)
        shutil.copyfile(path, reference)
        require(signctl("sign", reference, *sign_arguments(dev), "--no-timestamp"))
        by_peer = suite.folder / "removed-by-peer.exe"
        by_peer.unlink(missing_ok=True)
        require(run(peer, "remove-signature", "-in", reference, "-out", by_peer))
        suite.check(f"{name} without signatures is what osslsigncode's removal gives",
                    sha256(copy) == sha256(by_peer))


def gap_after_headers(suite, peer, files):
    """Old linkers leave bytes between the headers and the first section. Firmware does not hash them."""
    dev = dev_certificate(suite.folder / "gap")
    for name, path in files:
        copy = suite.folder / "gap.exe"
        image, gap = with_gap(path.read_bytes())
        copy.write_bytes(image)
        signed = signctl("sign", copy, *sign_arguments(dev), "--no-timestamp")
        if "efi" in name:
            suite.check(f"signctl refuses {name} with a gap", signed.returncode == 4 and copy.read_bytes() == image,
                        signed.out)
            continue
        suite.check(f"signctl signs {name} with a gap", signed.returncode == 0, signed.out)
        ours = signctl("verify", copy, "--dev", "--timestamp", "optional")
        suite.check(f"signctl accepts {name} with a gap, and tells of it",
                    ours.returncode == 0 and "pe-section-gap" in ours.out, ours.out)
        checked = verify_with_peer(peer, dev, copy)
        suite.check(f"osslsigncode accepts {name} with a gap", good(checked), checked.out)
        changed = bytearray(copy.read_bytes())
        changed[gap] ^= 1
        copy.write_bytes(changed)
        ours = signctl("verify", copy, "--dev")
        suite.check(f"a changed byte in the gap of {name} is seen", ours.returncode == 1, ours.out)


def with_gap(image):
    """The image with 512 more bytes behind its headers, and where they begin."""
    image = bytearray(image)
    header, = struct.unpack_from("<I", image, 0x3C)
    count, = struct.unpack_from("<H", image, header + 6)
    optional, = struct.unpack_from("<H", image, header + 20)
    gap, = struct.unpack_from("<I", image, header + 24 + 60)
    for row in range(count):
        at = header + 24 + optional + 40 * row + 20
        offset, = struct.unpack_from("<I", image, at)
        if offset:
            struct.pack_into("<I", image, at, offset + 512)
    image[gap:gap] = bytes(512)
    return bytes(image), gap


def timestamp_server_of_openssl(suite, peer, files):
    """signctl as a client of somebody else's server, over HTTP; the token judged by a third party."""
    dev = dev_certificate(suite.folder / "http")
    with OpensslTsa(suite.folder / "tsa") as tsa:
        for name, path in files:
            copy = suite.folder / "copy.exe"
            shutil.copyfile(path, copy)
            trust = ["--trust-cert", tsa.certificate]
            signed = signctl("sign", copy, *sign_arguments(dev), *trust, "--timestamp-url", tsa.url)
            suite.check(f"signctl signs {name} with a token of openssl's", signed.returncode == 0, signed.out)
            checked = run(peer, "verify", "-CAfile", dev / "dev.pem", "-TSA-CAfile", tsa.certificate, copy)
            suite.check(f"osslsigncode accepts {name} with a token of openssl's",
                        good(checked) and "Timestamp Server Signature verification: ok" in checked.out, checked.out)
            again = signctl("timestamp", copy, "--dev", *trust, "--timestamp-url", tsa.url, "--td", "sha384")
            suite.check(f"signctl replaces the timestamp of {name}", again.returncode == 0, again.out)
            checked = run(peer, "verify", "-CAfile", dev / "dev.pem", "-TSA-CAfile", tsa.certificate, copy)
            suite.check(f"osslsigncode accepts {name} with the replaced timestamp", good(checked), checked.out)
        suite.check("every signature asked the server once", tsa.requests == 2 * len(files), tsa.requests)


def openssl_agrees(suite, files):
    openssl = tool("openssl", suite)
    if openssl is None:
        return
    dev = dev_certificate(suite.folder / "openssl", "rsa2048")
    name, path = files[0]
    copy = suite.folder / "copy.exe"
    shutil.copyfile(path, copy)
    require(signctl("sign", copy, *sign_arguments(dev), "--timestamp-url", f"dev:{dev / 'dev-tsa.pem'}"))
    p7 = suite.folder / "signature.p7"
    require(signctl("extract", copy, "-o", p7))
    blob = p7.read_bytes()
    # SpcIndirectDataContent follows its content type; the digest covers its content octets.
    marker = bytes.fromhex("060a2b060104018237020104a0")
    at = blob.index(marker) + len(marker)
    suite.check("the content is wrapped in [0] with a short length", blob[at] < 0x80)
    sequence = blob[at + 1:at + 1 + blob[at]]
    suite.check("SpcIndirectDataContent is a SEQUENCE without an OCTET STRING around it", sequence[0] == 0x30)
    content = suite.folder / "content.bin"
    content.write_bytes(sequence[2:])
    checked = run(openssl, "smime", "-verify", "-inform", "DER", "-in", p7, "-content", content, "-binary",
                  "-CAfile", certificates_of(dev / "dev.pem", suite.folder / "ca.pem"), "-purpose", "any",
                  "-out", "/dev/null")
    suite.check(f"openssl smime verifies the signature of {name}", checked.returncode == 0, checked.out)
    listed = run(openssl, "asn1parse", "-inform", "DER", "-in", p7).out
    suite.check("there is no signing time among the signed attributes",
                "signingTime" not in listed.split("1.3.6.1.4.1.311.3.3.1")[0], listed)


def main():
    suite = Suite()
    files = unsigned_files(suite)
    peer = tool("osslsigncode", suite)
    if peer and files:
        keys_and_digests(suite, peer, files[:2])
        options(suite, peer, files)
        page_hashes(suite, peer, files)
        nested_and_removed(suite, peer, files)
        gap_after_headers(suite, peer, files)
        timestamp_server_of_openssl(suite, peer, files[:3])
    if files:
        openssl_agrees(suite, files)
    suite.finish()


if __name__ == "__main__":
    main()
