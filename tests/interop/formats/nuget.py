# SPDX-License-Identifier: Apache-2.0
"""NuGet: the signature by openssl cms -cades, the package hash by Python from NuGet's rule, and packages that were signed
without signctl, by authors and repositories."""
import json
import pathlib
import shutil
import tempfile
import zipfile

from harness import SHARED, dev_certificate, require, run, sha256, sign_arguments, signctl, unsigned_files
from nuget_maker import (CONTENT_TYPE, COMMITMENT, COUNTERSIGNATURE, DATA, HASH_OIDS, MESSAGE_DIGEST, ORIGIN, RECEIPT,
                         SERVICE_INDEX, SIGNATURE, SIGNING_CERTIFICATE_V2, SIGNING_TIME, TOKEN, Signer, attribute, build, der,
                         elements, oid, package_hash, put_signature, repository_attributes, signed_data, signed_text)
from openssl_tsa import OpensslTsa

NAME = "nuget"
EXTENSION = "nupkg"
REMOVE = "identical"
APPEND = False      # one primary signature
DETACHED = False    # certificate and time are part of what is signed
ALGS = ["sha256", "sha384", "sha512"]


def inputs(suite, folder):
    text = "the same line again and again\n" * 4000
    found = [("a package", build(folder / "packed.nupkg", [("lib/net8.0/a.txt", text), ("tools/Größe.txt", "x")])),
             ("symbols, stored, with data descriptors",
              build(folder / "piped.snupkg", [("lib/net8.0/a.pdb", text)], zipfile.ZIP_STORED, piped=True))]
    sample = SHARED / "jsign" / "nuget" / "minimal.1.0.0.nupkg"
    if sample.is_file():
        found.append(("jsign's sample", sample))
    else:
        suite.skip("jsign's NuGet package", f"{sample} is not here")
    return found


def signer_info(cms):
    """(signed attributes, unsigned attributes, signature value) of the one SignerInfo: {oid: content of the SET}."""
    body = elements(elements(elements(cms)[0][1])[1][1])[0][1]
    parts = elements(elements(elements(body)[-1][1])[0][1])
    def attributes(tag):
        found = next((one[1] for one in parts if one[0] == tag), b"")
        return {elements(one[1])[0][2]: elements(one[1])[1][1] for one in elements(found)}
    return attributes(0xA0), attributes(0xA1), next(one[1] for one in parts if one[0] == 0x04)


def check_entry(package):
    entry = package.infolist()[-1]
    facts = {"name": entry.filename == SIGNATURE, "flags": entry.flag_bits == 0, "stored": entry.compress_type == 0,
             "extra": entry.extra == b"", "comment": entry.comment == b"", "attributes": entry.external_attr == 0,
             "once": package.namelist().count(SIGNATURE) == 1}
    wrong = [name for name, holds in facts.items() if not holds]
    return f"the entry is not as it should be: {wrong}" if wrong else None


def check_attributes(cms, alg):
    signed, unsigned, _ = signer_info(cms)
    wanted = {oid(one) for one in (CONTENT_TYPE, MESSAGE_DIGEST, SIGNING_TIME, COMMITMENT, SIGNING_CERTIFICATE_V2)}
    if set(signed) != wanted or set(unsigned) - {oid(TOKEN)}:
        return f"attributes {[one.hex() for one in (*signed, *unsigned)]}"
    if signed[oid(COMMITMENT)] != der(0x30, oid(ORIGIN)) or signed[oid(CONTENT_TYPE)] != oid(DATA):
        return "the commitment is not proof of origin, or the content not id-data"
    ess = elements(elements(elements(elements(signed[oid(SIGNING_CERTIFICATE_V2)])[0][1])[0][1])[0][1])
    named = [one[0] for one in ess] == [0x30, 0x04, 0x30] and elements(ess[0][1])[0][2] == oid(HASH_OIDS[alg])
    return None if named else "the ESSCertIDv2 is not algorithm, hash, issuer and serial number"


def judge(suite, path, certificate_pem, tsa_pem):
    with zipfile.ZipFile(path) as package:
        if package.testzip() is not None:
            return "zipfile finds a bad CRC"
        wrong = check_entry(package)
        cms = package.read(SIGNATURE)
    if wrong:
        return wrong
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "cms").write_bytes(cms)
        done = run("openssl", "cms", "-verify", "-cades", "-inform", "DER", "-in", folder / "cms", "-CAfile", certificate_pem,
                   "-purpose", "any", "-binary", "-out", folder / "text")
        if done.returncode != 0 or "CAdES Verification successful" not in done.out:
            return done.out
        text = (folder / "text").read_bytes()
        alg = next((one for one, dotted in HASH_OIDS.items() if f"\n{dotted}-Hash:".encode() in text), None)
        if alg is None or text != signed_text(package_hash(path, alg), alg):
            return f"the text is not that of the package hash: {text}"
        wrong = check_attributes(cms, alg)
        _, unsigned, value = signer_info(cms)
        if wrong or oid(TOKEN) not in unsigned:
            return wrong
        (folder / "token").write_bytes(unsigned[oid(TOKEN)])
        (folder / "value").write_bytes(value)
        done = run("openssl", "ts", "-verify", "-token_in", "-in", folder / "token", "-data", folder / "value",
                   "-CAfile", tsa_pem)
        return None if done.returncode == 0 and "OK" in done.out else done.out


def theirs(suite, folder, path, alg, key_pem, cert_pem):
    text = signed_text(package_hash(path, alg), alg)
    signer = Signer(folder, key_pem, cert_pem)
    _, info = signer.info(text, alg, ORIGIN)
    return put_signature(path, path.with_name("theirs.nupkg"), signed_data(text, alg, [signer.certificate], info()))


def covered(path):
    with zipfile.ZipFile(path) as package:
        entry = next(one for one in package.infolist() if one.filename.endswith(".nuspec"))
        return entry.header_offset + 30 + len(entry.filename) + entry.compress_size // 2


def plain_package(folder, name):
    return build(folder / name, [("lib/net8.0/a.txt", "text")])


def try_repositories(suite, folder, dev):
    """A repository's signature alone, and beside the author's; each with one lie."""
    key = folder / "peer-key.pem"
    require(run("openssl", "pkcs12", "-in", dev / "dev.pfx", "-passin", "pass:", "-nodes", "-nocerts", "-out", key))
    author = Signer(folder, key, dev / "dev.pem")
    other = dev_certificate(folder / "repository", subject="Repository")
    other_key = folder / "repository-key.pem"
    require(run("openssl", "pkcs12", "-in", other / "dev.pfx", "-passin", "pass:", "-nodes", "-nocerts", "-out", other_key))
    repository = Signer(folder, other_key, other / "dev.pem")
    plain = plain_package(folder, "received.nupkg")
    text = signed_text(package_hash(plain, "sha256"), "sha256")

    def alone(attributes):
        _, info = repository.info(text, "sha256", RECEIPT, attributes)
        return signed_data(text, "sha256", [repository.certificate], info())

    def beside(attributes, over=None, token=None):
        value, info = author.info(text, "sha256", ORIGIN)
        own, counter = repository.info(over or value, "sha256", RECEIPT, attributes, content_type=False)
        stamp = [attribute(TOKEN, token(own))] if token else []
        return signed_data(text, "sha256", [author.certificate, repository.certificate],
                           info(attribute(COUNTERSIGNATURE, counter(*stamp))))

    def verdict(cms):
        return signctl("verify", put_signature(plain, folder / "received-signed.nupkg", cms), "--dev", "--timestamp",
                       "optional", "--json")

    for what, cms in [("a repository's signature", alone(repository_attributes())),
                      ("a repository's beside the author's", beside(repository_attributes()))]:
        done = verdict(cms)
        suite.check(f"nuget: {what} is accepted", done.returncode == 0, done.out)
        shown = signctl("inspect", folder / "received-signed.nupkg")
        suite.check(f"nuget: inspect shows {what}", "https://api.example.test/v3/index.json, owners alice, bob" in shown.out,
                    shown.out)
    lies = [("without a service index", [], "nuget-repository"),
            ("with a service index over http", repository_attributes("http://api.example.test/"), "nuget-repository"),
            ("with an empty list of owners", repository_attributes(owners=()), "nuget-repository"),
            ("with two service indexes", [attribute(SERVICE_INDEX, der(0x16, b"https://a.test/"), der(0x16, b"https://b.test/"))],
             "nuget-repository")]
    for what, attributes, wanted in lies:
        for place, make in (("alone", alone), ("beside", beside)):
            done = verdict(make(attributes))
            suite.check(f"nuget: a repository's signature {place} {what} is refused",
                        done.returncode == 1 and wanted in done.out, done.out)
    done = verdict(beside(repository_attributes(), over=b"another value"))
    suite.check("nuget: a counter-signature over another value is refused",
                done.returncode == 1 and "message-digest" in done.out, done.out)
    try_stamped(suite, folder, dev, plain, lambda token: beside(repository_attributes(), token=token))


def try_stamped(suite, folder, dev, plain, beside):
    """A repository's signature with a timestamp by openssl, and the author's stamped anew."""
    tsa = OpensslTsa(folder / "tsa")

    def token(value):
        (folder / "stamped").write_bytes(value)
        require(run("openssl", "ts", "-query", "-data", folder / "stamped", "-sha256", "-cert", "-out", folder / "query"))
        return elements(elements(tsa.answer((folder / "query").read_bytes()))[0][1])[1][2]

    late = put_signature(plain, folder / "late.nupkg", beside(token))
    trust = ["--dev", "--trust-cert", tsa.certificate]
    done = signctl("timestamp", late, *trust, "--timestamp-url", f"dev:{dev / 'dev-tsa.pem'}")
    suite.check("nuget: a timestamp joins an author's signature with a repository's beside it", done.returncode == 0, done.out)
    done = signctl("verify", late, *trust, "--json")
    suite.check("nuget: both are there then, and stamped",
                done.returncode == 0 and '"signature 1.1"' in done.out and "timestamp-missing" not in done.out, done.out)
    for who, code in (("Interop", 0), ("Repository", 1)):
        config = folder / f"{who}.yaml"
        config.write_text(f"version: 1\ngate:\n  identity:\n    subject: {{ CN: {who} (signctl rehearsal) }}\n")
        done = signctl("verify", late, *trust, "-c", config)
        suite.check(f"nuget: a gate that asks for {who} is {'open' if code == 0 else 'shut'}", done.returncode == code, done.out)
    require(signctl("remove", late))
    suite.check("nuget: removal takes both off and gives the original bytes back", sha256(late) == sha256(plain))


def try_attacks(suite, folder, dev):
    path = plain_package(folder, "victim.nupkg")
    require(signctl("sign", path, *sign_arguments(dev), "--no-timestamp"))
    data = path.read_bytes()
    with zipfile.ZipFile(path) as package:
        cms = package.read(SIGNATURE)

    def rebuilt(change, name=SIGNATURE, method=zipfile.ZIP_STORED):
        bad = folder / "attacked.nupkg"
        with zipfile.ZipFile(path) as package, zipfile.ZipFile(bad, "w", zipfile.ZIP_DEFLATED) as out:
            for one in package.namelist():
                if one != SIGNATURE:
                    out.writestr(one, change.get(one, package.read(one)))
            for one in set(change) - set(package.namelist()):
                out.writestr(one, change[one])
            out.writestr(name, cms, method)
        return bad

    added = folder / "added.nupkg"
    shutil.copyfile(path, added)
    with zipfile.ZipFile(added, "a") as package:
        package.writestr("lib/net8.0/evil.txt", "evil")
    attacks = [("a file behind the signature", added, "digest-mismatch"),
               ("a file in the middle", rebuilt({"evil.txt": "evil"}), "digest-mismatch")]
    for what, bad, wanted in attacks:
        done = signctl("verify", bad, "--dev", "--timestamp", "optional", "--json")
        suite.check(f"nuget: {what} is refused", done.returncode == 1 and wanted in done.out, done.out)
    for what, bad, wanted in [("a changed file", lambda: rebuilt({"lib/net8.0/a.txt": "evil"}), "digest-mismatch"),
                              ("a packed signature", lambda: rebuilt({}, method=zipfile.ZIP_DEFLATED), "nuget-signature-entry"),
                              ("a signature of another spelling", lambda: rebuilt({}, name=".Signature.P7S"), "unsigned")]:
        done = signctl("verify", bad(), "--dev", "--timestamp", "optional", "--json")
        suite.check(f"nuget: {what} is refused", done.returncode == 1 and wanted in done.out, done.out)
    broken = folder / "broken.nupkg"
    for at in range(0, len(data), max(1, len(data) // 60)):
        changed = bytearray(data)
        changed[at] ^= 0x20
        broken.write_bytes(changed)
        done = signctl("verify", broken, "--dev", "--timestamp", "optional")
        passed = done.returncode == 0
        # Times and versions in the headers of the signature's own entry are covered by nobody, NuGet's client included.
        own = data.rindex(SIGNATURE.encode())
        record = data.index(SIGNATURE.encode())
        harmless = record - 30 <= at < record or own - 46 <= at < own
        suite.check(f"nuget: a changed byte at {at} of {len(data)} is noticed", not passed or harmless, done.out)


def try_refusals(suite, folder, dev):
    sign = [*sign_arguments(dev), "--no-timestamp"]
    wide = build(folder / "wide.nupkg", [("a.txt", "text")], wide=True)
    before = sha256(wide)
    done = signctl("sign", wide, *sign)
    suite.check("nuget: a ZIP64 package is refused with exit code 5",
                done.returncode == 5 and "ZIP64" in done.out and sha256(wide) == before, done.out)
    ec = dev_certificate(folder / "ec", key="p256")
    path = plain_package(folder, "ec.nupkg")
    before = sha256(path)
    done = signctl("sign", path, *sign_arguments(ec), "--no-timestamp")
    suite.check("nuget: an EC key is refused before it is used",
                done.returncode == 4 and "RSA" in done.out and sha256(path) == before, done.out)
    done = signctl("digest", path)
    suite.check("nuget: digest prints the package hash", done.returncode == 0 and sha256(path) in done.out, done.out)
    done = signctl("digest", "--to-be-signed", path)
    suite.check("nuget: but nothing for a key elsewhere to sign", done.returncode == 5, done.out)
    raw = folder / "raw"
    raw.write_bytes(bytes(256))
    done = signctl("attach", path, raw, "--chain", dev / "dev.pem", "--dev", "--no-timestamp")
    suite.check("nuget: nor is a bare value attached", done.returncode == 5 and sha256(path) == before, done.out)
    other = build(folder / "other.nupkg", [("b.txt", "other")])
    require(signctl("sign", other, *sign))
    require(signctl("extract", other, "-o", folder / "other.p7s"))
    done = signctl("attach", path, folder / "other.p7s", "--dev", "--no-timestamp")
    suite.check("nuget: the signature of another package is not attached",
                done.returncode == 4 and sha256(path) == before, done.out)
    renamed = folder / "package.dat"
    shutil.copyfile(path, renamed)
    done = signctl("sign", renamed, *sign)
    suite.check("nuget: known by its contents", done.returncode == 0, done.out)
    done = signctl("sign", renamed, *sign, "--if-signed", "replace", "--fd", "sha512")
    suite.check("nuget: a signature is replaced", done.returncode == 0, done.out)
    said = judge(suite, renamed, dev / "dev.pem", dev / "tsa-cert.pem")
    suite.check("nuget: openssl accepts the new one", said is None, said)


def try_deep(suite, folder, dev):
    programs = unsigned_files(suite)
    if not programs:
        return
    data = programs[0][1].read_bytes()
    path = build(folder / "deep.nupkg", [("tools/tool.exe", data), ("plain.txt", "text")])
    sign = [*sign_arguments(dev), "--no-timestamp"]
    require(signctl("sign", path, *sign))
    done = signctl("verify", path, "--deep", "--dev", "--timestamp", "optional", "--json")
    suite.check("nuget: verify --deep names what is not signed", done.returncode == 1 and "tools/tool.exe" in done.out, done.out)
    before = sha256(path)
    done = signctl("sign", path, "--deep", *sign, "--if-signed", "append")
    suite.check("nuget: what is inside a signed package is not changed beneath its signature",
                done.returncode != 0 and sha256(path) == before, done.out)
    done = signctl("sign", path, "--deep", *sign, "--if-signed", "replace")
    suite.check("nuget: sign --deep drops the old signature and signs both", done.returncode == 0, done.out)
    done = signctl("verify", path, "--deep", "--dev", "--timestamp", "optional")
    suite.check("nuget: and that passes verify --deep", done.returncode == 0, done.out)
    said = judge(suite, path, dev / "dev.pem", dev / "tsa-cert.pem")
    suite.check("nuget: and openssl accepts it", said is None, said)
    with zipfile.ZipFile(path) as package:
        suite.check("nuget: the other files are what they were", package.read("plain.txt") == b"text" and
                    package.read("tools/tool.exe") != data)
    loose = build(folder / "loose.nupkg", [("tools/tool.exe", data)])
    plan = signctl("plan", loose, *sign)
    suite.check("nuget: the plan warns of what is not signed inside", "tool.exe, which is not signed" in plan.out, plan.out)


def extra(suite, folder, dev):
    shown = json.loads(require(signctl("inspect", plain_package(folder, "facts.nupkg"), "--json")).out)
    suite.check("nuget: inspect shows id and version",
                "Interop.Package" in json.dumps(shown) and "1.2.3-rc.1" in json.dumps(shown), shown)
    try_repositories(suite, folder, dev)
    try_attacks(suite, folder, dev)
    try_refusals(suite, folder, dev)
    try_deep(suite, folder, dev)
