# SPDX-License-Identifier: Apache-2.0
"""ClickOnce: canonical form by Python's own canonicalizer, signature values by openssl."""
import base64
import hashlib
import pathlib
import re
import tempfile
import xml.etree.ElementTree as ET

from harness import run

NAME = "clickonce"
EXTENSION = "application"
REMOVE = "valid"
APPEND = False
ALGS = ["sha256"]

SAMPLE = """<?xml version="1.0" encoding="utf-8"?>
<asmv1:assembly xsi:schemaLocation="urn:schemas-microsoft-com:asm.v1 assembly.adaptive.xsd" manifestVersion="1.0"
  xmlns:asmv1="urn:schemas-microsoft-com:asm.v1" xmlns="urn:schemas-microsoft-com:asm.v2"
  xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <asmv1:assemblyIdentity name="Sample.application" version="1.0.0.0" publicKeyToken="0000000000000000"
    language="neutral" processorArchitecture="msil"/>
  <description asmv1:publisher="Caf\u00e9 &amp; Co" asmv1:product='Say "hello"'/>
  <!-- a comment -->
  <deployment install="true"/>
</asmv1:assembly>
"""


def inputs(suite, folder):
    path = pathlib.Path(folder) / "sample.application"
    path.write_text(SAMPLE, encoding="utf-8")
    return [("deployment manifest", path)]


def source_canonical(text):
    return ET.canonicalize(text, rewrite_prefixes=False).encode()


def slice_of(text, begin, end):
    start = text.index(begin)
    return text[start:text.index(end, start) + len(end)]


def check(signed_info_text, covered, value, public_key):
    digest = slice_of(signed_info_text, "<DigestValue>", "</DigestValue>")[13:-14]
    found = base64.b64encode(hashlib.sha256(covered).digest()).decode()
    if found != digest:
        return f"digest is {found}, stated {digest}"
    with tempfile.TemporaryDirectory() as folder:
        data, signature = pathlib.Path(folder) / "data", pathlib.Path(folder) / "signature"
        data.write_bytes(source_canonical(signed_info_text))
        signature.write_bytes(base64.b64decode(value))
        done = run("openssl", "dgst", "-sha256", "-verify", public_key, "-signature", signature, data)
        return None if done.returncode == 0 else done.out


def judge(suite, path, certificate_pem, tsa_pem):
    text = pathlib.Path(path).read_text(encoding="utf-8")
    # A timestamp added later has the document written anew, with the attributes in another order.
    start = re.search(r'<Signature [^>]*Id="StrongNameSignature"', text).start()
    outer = text[start:text.rindex("</Signature>") + 12]
    license_text = slice_of(outer, "<r:license", "</r:license>")
    start = re.search(r'<Signature [^>]*Id="AuthenticodeSignature"', license_text).start()
    inner = license_text[start:license_text.rindex("</Signature>") + 12]
    with tempfile.TemporaryDirectory() as folder:
        key = pathlib.Path(folder) / "key.pem"
        done = run("openssl", "x509", "-in", certificate_pem, "-noout", "-pubkey")
        key.write_text(done.out)
        for signature, document in ((outer, text), (inner, license_text)):
            info = slice_of(signature, "<SignedInfo", "</SignedInfo>")
            values = signature[signature.index("<SignatureValue>") + 16:signature.index("</SignatureValue>")]
            reason = check(info, source_canonical(document.replace(signature, "")), values, key)
            if reason:
                return reason
    return None


def theirs(suite, folder, path, alg, key_pem, cert_pem):
    return None
