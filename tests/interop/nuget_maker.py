# SPDX-License-Identifier: Apache-2.0
"""NuGet packages, their package hash, and signatures on them, made without signctl: DER octet by octet, the key by
openssl. Rules: NuGet's "Package Signatures Technical Details" and what its client checks."""
import base64
import datetime
import hashlib
import struct
import zipfile

from harness import require, run

SIGNATURE = ".signature.p7s"
HASH_OIDS = {"sha256": "2.16.840.1.101.3.4.2.1", "sha384": "2.16.840.1.101.3.4.2.2", "sha512": "2.16.840.1.101.3.4.2.3"}
DATA, SIGNED_DATA = "1.2.840.113549.1.7.1", "1.2.840.113549.1.7.2"
CONTENT_TYPE, MESSAGE_DIGEST, SIGNING_TIME = "1.2.840.113549.1.9.3", "1.2.840.113549.1.9.4", "1.2.840.113549.1.9.5"
COUNTERSIGNATURE = "1.2.840.113549.1.9.6"
COMMITMENT, ORIGIN, RECEIPT = "1.2.840.113549.1.9.16.2.16", "1.2.840.113549.1.9.16.6.1", "1.2.840.113549.1.9.16.6.2"
SIGNING_CERTIFICATE_V2, TOKEN = "1.2.840.113549.1.9.16.2.47", "1.2.840.113549.1.9.16.2.14"
SERVICE_INDEX, OWNERS = "1.3.6.1.4.1.311.84.2.1.1.1", "1.3.6.1.4.1.311.84.2.1.1.2"
RSA_ENCRYPTION = "1.2.840.113549.1.1.1"

TYPES = '<?xml version="1.0" encoding="utf-8"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">' \
        '<Default Extension="nuspec" ContentType="application/octet"/></Types>'
NUSPEC = '<?xml version="1.0"?><package xmlns="http://schemas.microsoft.com/packaging/2013/05/nuspec.xsd"><metadata>' \
         '<id>Interop.Package</id><version>1.2.3-rc.1</version><authors>Interop</authors><description>d</description>' \
         '</metadata></package>'


def build(path, parts, method=zipfile.ZIP_DEFLATED, piped=False, wide=False):
    """A package; `piped` as if written to a pipe, with data descriptors; `wide` with ZIP64 fields."""
    with open(path, "wb") as file:
        if piped:
            file.seekable = lambda: False
        with zipfile.ZipFile(file, "w", method) as package:
            for name, data in [("_rels/.rels", "<Relationships/>"), ("Interop.Package.nuspec", NUSPEC), *parts,
                               ("[Content_Types].xml", TYPES)]:
                with package.open(name, "w", force_zip64=wide) as out:
                    out.write(data.encode() if isinstance(data, str) else data)
    return path


# --- DER ---

def der(tag, *parts):
    content = b"".join(parts)
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def oid(dotted):
    arcs = [int(one) for one in dotted.split(".")]
    content = b""
    for arc in [arcs[0] * 40 + arcs[1], *arcs[2:]]:
        octets = [arc & 0x7F]
        while arc > 0x7F:
            arc >>= 7
            octets.insert(0, 0x80 | (arc & 0x7F))
        content += bytes(octets)
    return der(0x06, content)


def elements(data):
    """(tag, content, complete) of each element in `data`."""
    at, found = 0, []
    while at < len(data):
        size, head = data[at + 1], 2
        if size & 0x80:
            head = 2 + (size & 0x7F)
            size = int.from_bytes(data[at + 2:at + head], "big")
        found.append((data[at], data[at + head:at + head + size], data[at:at + head + size]))
        at += head + size
    return found


def attribute(kind, *values):
    return der(0x30, oid(kind), der(0x31, *values))


def algorithm(dotted):
    return der(0x30, oid(dotted), b"\x05\0")


# --- the package ---

def package_hash(path, alg):
    """By NuGet's rule: the archive without the signature's record and header, what points past them put right."""
    data = path.read_bytes()
    end = data.rindex(b"PK\5\6")
    count, total, size, offset = struct.unpack_from("<HHII", data, end + 8)
    headers, at = [], offset
    for _ in range(total):
        name, extra, comment = struct.unpack_from("<HHH", data, at + 28)
        whole = data[at:at + 46 + name + extra + comment]
        headers.append((whole[46:46 + name], struct.unpack_from("<I", whole, 42)[0], whole))
        at += len(whole)
    starts = sorted(one[1] for one in headers)
    signature = next((one for one in headers if one[0] == SIGNATURE.encode()), None)
    if signature is None:
        return hashlib.new(alg, data).digest()
    begin = signature[1]
    until = min([one for one in starts if one > begin], default=offset)
    gone = until - begin
    digest = hashlib.new(alg, data[:begin] + data[until:offset])
    for name, start, whole in headers:
        if name != signature[0]:
            digest.update(whole[:42] + struct.pack("<I", start - gone if start > begin else start) + whole[46:])
    digest.update(data[at:end + 8])
    digest.update(struct.pack("<HHII", count - 1, total - 1, size - len(signature[2]), offset - gone))
    digest.update(data[end + 20:])
    return digest.digest()


def signed_text(digest, alg):
    return f"Version:1\n\n{HASH_OIDS[alg]}-Hash:{base64.b64encode(digest).decode()}\n\n".encode()


# --- signatures ---

class Signer:
    """A key and its certificate, and what openssl makes with them."""

    def __init__(self, folder, key_pem, certificate_pem):
        self.folder, self.key = folder, key_pem
        self.certificate = base64.b64decode("".join(
            certificate_pem.read_text().split("-----BEGIN CERTIFICATE-----")[1].split("-----END")[0].split()))
        body = [one for one in elements(elements(elements(self.certificate)[0][1])[0][1]) if one[0] != 0xA0]
        self.serial, self.issuer = body[0][2], body[2][2]

    def sign(self, data, alg):
        digest, value = self.folder / "to-be-signed", self.folder / "value"
        digest.write_bytes(hashlib.new(alg, data).digest())
        require(run("openssl", "pkeyutl", "-sign", "-inkey", self.key, "-pkeyopt", f"digest:{alg}", "-in", digest,
                    "-out", value))
        return value.read_bytes()

    def info(self, content, alg, commitment, more=(), content_type=True):
        """A SignerInfo over `content`."""
        ess = der(0x30, algorithm(HASH_OIDS[alg]), der(0x04, hashlib.new(alg, self.certificate).digest()),
                  der(0x30, der(0x30, der(0xA4, self.issuer)), self.serial))
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%y%m%d%H%M%SZ").encode()
        attributes = [attribute(MESSAGE_DIGEST, der(0x04, hashlib.new(alg, content).digest())),
                      attribute(SIGNING_TIME, der(0x17, now)),
                      attribute(COMMITMENT, der(0x30, oid(commitment))),
                      attribute(SIGNING_CERTIFICATE_V2, der(0x30, der(0x30, ess))), *more]
        if content_type:
            attributes.append(attribute(CONTENT_TYPE, oid(DATA)))
        body = b"".join(sorted(attributes))
        value = self.sign(der(0x31, body), alg)
        return value, lambda *unsigned: der(
            0x30, der(0x02, b"\1"), der(0x30, self.issuer, self.serial), algorithm(HASH_OIDS[alg]), der(0xA0, body),
            algorithm(RSA_ENCRYPTION), der(0x04, value), *([der(0xA1, *unsigned)] if unsigned else []))


def repository_attributes(url="https://api.example.test/v3/index.json", owners=("alice", "bob")):
    return [attribute(SERVICE_INDEX, der(0x16, url.encode())),
            attribute(OWNERS, der(0x30, *(der(0x0C, one.encode()) for one in owners)))]


def signed_data(content, alg, certificates, info):
    return der(0x30, oid(SIGNED_DATA), der(0xA0, der(
        0x30, der(0x02, b"\1"), der(0x31, algorithm(HASH_OIDS[alg])),
        der(0x30, oid(DATA), der(0xA0, der(0x04, content))),
        der(0xA0, *sorted(set(certificates))), der(0x31, info))))


def put_signature(path, target, cms):
    """The package with `cms` as NuGet's client stores it: behind the other files, not packed."""
    target.write_bytes(path.read_bytes())
    with zipfile.ZipFile(target, "a") as package:
        entry = zipfile.ZipInfo(SIGNATURE, (2024, 5, 17, 12, 0, 0))
        entry.create_system = 0
        entry.create_version = 20
        entry.external_attr = 0
        package.writestr(entry, cms)
        entry.external_attr = 0
    return target
