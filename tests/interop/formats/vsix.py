# SPDX-License-Identifier: Apache-2.0
"""VSIX: the XML signature by xmlsec1, the parts that it lists by Python's zipfile and hashlib; and packages whose
signature xmlsec1 made."""
import base64
import hashlib
import pathlib
import re
import shutil
import tempfile
import urllib.parse
import xml.etree.ElementTree as ET
import zipfile

from harness import dev_certificate, require, run, sha256, sign_arguments, signctl, tool, unsigned_files

NAME = "vsix"
EXTENSION = "vsix"
REMOVE = "valid"    # what changes is packed anew, and not as its maker packed it
APPEND = False
DETACHED = False    # the time is part of what is signed
EXTRACT = False
ALGS = ["sha256", "sha384", "sha512"]

DSIG = "{http://www.w3.org/2000/09/xmldsig#}"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/"
HASHES = {"http://www.w3.org/2001/04/xmlenc#sha256": "sha256", "http://www.w3.org/2001/04/xmldsig-more#sha384": "sha384",
          "http://www.w3.org/2001/04/xmlenc#sha512": "sha512"}
OWN = "package/services/digital-signature/"

TYPES = f"""<?xml version="1.0" encoding="utf-8"?><Types xmlns="{PACKAGE}content-types">
  <Default Extension="vsixmanifest" ContentType="text/xml" /><Default Extension="dll" ContentType="application/octet-stream" />
  <Default Extension="json" ContentType="application/json" /><Override PartName="/plain" ContentType="text/plain" />
</Types>"""
MANIFEST = """<?xml version="1.0" encoding="utf-8"?>
<PackageManifest Version="2.0.0" xmlns="http://schemas.microsoft.com/developer/vsx-schema/2011">
  <Metadata><Identity Id="Interop" Version="1.0" Language="en-US" Publisher="Interop" /><DisplayName>I</DisplayName></Metadata>
  <Installation><InstallationTarget Id="Microsoft.VisualStudio.Pro" Version="[15.0,18.0)" /></Installation>
</PackageManifest>
"""


def build(path, parts, types=TYPES, method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", method) as package:
        for name, data in [("extension.vsixmanifest", MANIFEST), *parts, ("[Content_Types].xml", types)]:
            package.writestr(name, data)
    return path


def related(*relationships):
    rows = "".join(f'<Relationship Id="{name}" Type="{kind}" Target="{target}"/>' for name, kind, target in relationships)
    return f'<?xml version="1.0" encoding="utf-8"?>\n<Relationships xmlns="{PACKAGE}relationships">{rows}</Relationships>'


def inputs(suite, folder):
    program = unsigned_files(suite)
    parts = [("plain", "text"), ("catalog.json", "{}"), ("Gr\u00f6\u00dfe %41/a b.json", "[]")]
    files = [("packed extension", build(folder / "packed.vsix", parts)),
             ("stored extension with relationships", build(
                 folder / "stored.vsix",
                 [*parts, ("_rels/.rels", related(("R1", "http://example.org/kind", "/plain")))],
                 TYPES.replace("<Override", f'<Default Extension="rels" ContentType="{RELS}"/><Override'),
                 zipfile.ZIP_STORED))]
    if program:
        data = program[0][1].read_bytes()
        files.append(("extension with a program", build(folder / "program.vsix", [("tool.dll", data)])))
    return files


RELS = "application/vnd.openxmlformats-package.relationships+xml"


def signature_part(package):
    names = [one for one in package.namelist() if one.endswith(".psdsxs")]
    assert len(names) == 1, names
    return names[0]


def type_of(package, name):
    root = ET.fromstring(package.read("[Content_Types].xml"))
    for one in root:
        if one.get("PartName", "").lower() == "/" + name.lower():
            return one.get("ContentType")
    kinds = {one.get("Extension").lower(): one.get("ContentType") for one in root if one.get("Extension")}
    return kinds.get(name.rsplit(".", 1)[-1].lower())


def check_parts(package, root):
    """Every reference is right, and nothing but the signature part is left out."""
    left = {name for name in package.namelist() if not name.endswith("/")} - {"[Content_Types].xml", signature_part(package)}
    for one in root.find(f"{DSIG}Object[@Id='idPackageObject']/{DSIG}Manifest"):
        uri, kind = one.get("URI").split("?ContentType=")
        name = next((name for name in left if urllib.parse.unquote(name) == urllib.parse.unquote(uri[1:])), None)
        if name is None:
            return f"{uri} is not there"
        left.discard(name)
        alg = HASHES[one.find(f"{DSIG}DigestMethod").get("Algorithm")]
        digest = base64.b64encode(hashlib.new(alg, package.read(name)).digest()).decode()
        if digest != one.find(f"{DSIG}DigestValue").text or kind != type_of(package, name):
            return f"{uri}: {digest}, {type_of(package, name)}"
    return f"not covered: {left}" if left else None


def check_structure(package, root):
    """Field by field, as VSIXSignTool makes it."""
    def related_to(name, kind):
        found = [one.get("Target") for one in ET.fromstring(package.read(name))
                 if one.get("Type") == PACKAGE + "relationships/digital-signature/" + kind]
        return found[0] if len(found) == 1 else None
    part = signature_part(package)
    facts = {
        "origin": related_to("_rels/.rels", "origin") == "/" + OWN + "origin.psdor" and package.read(OWN + "origin.psdor") == b"",
        "signature": related_to(OWN + "_rels/origin.psdor.rels", "signature") == "/" + part,
        "types": type_of(package, part) == "application/vnd.openxmlformats-package.digital-signature-xmlsignature+xml"
                 and type_of(package, OWN + "origin.psdor") == "application/vnd.openxmlformats-package.digital-signature-origin",
        "order": [one.tag for one in root][:4] == [DSIG + one for one in ("SignedInfo", "SignatureValue", "KeyInfo", "Object")],
        "white space": package.read(part).count(b"\n") == 0,
        "time": re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d\+00:00", root.findtext(
            f".//{{{PACKAGE}digital-signature}}SignatureTime/{{{PACKAGE}digital-signature}}Value") or ""),
        "property": root.find(f".//{DSIG}SignatureProperty").attrib == {"Id": "idSignatureTime", "Target": ""},
    }
    wrong = [name for name, holds in facts.items() if not holds]
    return f"not as it should be: {wrong}" if wrong else None


def judge(suite, path, certificate_pem, tsa_pem):
    with zipfile.ZipFile(path) as package, tempfile.TemporaryDirectory() as folder:
        if package.testzip() is not None:
            return "zipfile finds a bad CRC"
        xml = package.read(signature_part(package))
        root = ET.fromstring(xml)
        reason = check_parts(package, root) or check_structure(package, root)
        if reason or shutil.which("xmlsec1") is None:
            return reason
        signature = pathlib.Path(folder) / "signature.xml"
        signature.write_bytes(xml)
        done = run("xmlsec1", "--verify", "--ignore-manifests", "--pubkey-cert-pem", certificate_pem, "--id-attr:Id", "Object", signature)
        if done.returncode != 0:
            return done.out
        token = root.findtext(f".//{{{PACKAGE}digital-signature}}EncodedTime")
        return check_token(folder, root, token, tsa_pem) if token else None


def check_token(folder, root, token, tsa_pem):
    """By openssl: the token is over the decoded signature value."""
    data, reply = pathlib.Path(folder) / "value", pathlib.Path(folder) / "token"
    data.write_bytes(base64.b64decode(root.findtext(f"{DSIG}SignatureValue")))
    reply.write_bytes(base64.b64decode(token))
    done = run("openssl", "ts", "-verify", "-token_in", "-in", reply, "-data", data, "-CAfile", tsa_pem)
    return None if done.returncode == 0 else done.out


def quoted(name):
    """A ZIP entry's name in a URI: what is percent-encoded in it stays so."""
    return urllib.parse.quote(name, safe="/%")


def template(parts, alg, certificate, transforms=""):
    """A signature over `parts`, (name, content type, bytes) each, for xmlsec1 to fill in. The prefix and the blanks are
    not as we make them."""
    digest_uri = {value: key for key, value in HASHES.items()}[alg]
    more = "http://www.w3.org/2001/04/xmldsig-more#"
    c14n = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
    rows = "\n".join(
        f'<ds:Reference URI="/{quoted(name)}?ContentType={kind}">{extra}<ds:DigestMethod Algorithm="{digest_uri}"/>'
        f"<ds:DigestValue>{base64.b64encode(hashlib.new(alg, data).digest()).decode()}</ds:DigestValue></ds:Reference>"
        for name, kind, data, extra in parts)
    return f"""<?xml version="1.0" encoding="utf-8"?>
<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#" Id="packageSignature">
<ds:SignedInfo><ds:CanonicalizationMethod Algorithm="{c14n}"/><ds:SignatureMethod Algorithm="{more}rsa-{alg}"/>
<ds:Reference Type="http://www.w3.org/2000/09/xmldsig#Object" URI="#idPackageObject"><ds:Transforms>
<ds:Transform Algorithm="{c14n}"/></ds:Transforms><ds:DigestMethod Algorithm="{digest_uri}"/><ds:DigestValue/></ds:Reference>
</ds:SignedInfo><ds:SignatureValue/><ds:KeyInfo>{certificate}</ds:KeyInfo>
<ds:Object Id="idPackageObject" xmlns:unused="urn:unused"><ds:Manifest>{rows}</ds:Manifest>
<ds:SignatureProperties><ds:SignatureProperty Id="idSignatureTime" Target="#packageSignature">
<mdssi:SignatureTime xmlns:mdssi="{PACKAGE}digital-signature"><mdssi:Format>YYYY</mdssi:Format><mdssi:Value>2026</mdssi:Value>
</mdssi:SignatureTime></ds:SignatureProperty></ds:SignatureProperties></ds:Object></ds:Signature>"""


def peer(path, target, folder, alg, key_pem, cert_pem, embedded=True):
    """`path` signed by xmlsec1, the way System.IO.Packaging does it: relationships by the relationships transform, the
    origin's own not covered; the certificate inside, or as a part."""
    with zipfile.ZipFile(path) as package:
        contents = {name: package.read(name) for name in package.namelist()}
        kinds = {name: type_of(package, name) for name in contents}
    types = contents.pop("[Content_Types].xml").decode()
    relationships = contents.pop("_rels/.rels", None)
    covered = [(name, kinds[name], data, "") for name, data in contents.items()]
    rows = [] if relationships is None else [
        (one.get("Id"), one.get("Type"), one.get("Target")) for one in ET.fromstring(relationships)]
    if rows:
        selected = "".join(f'<mdssi:RelationshipReference xmlns:mdssi="{PACKAGE}digital-signature" SourceId="{one[0]}"/>'
                           for one in rows)
        extra = (f'<ds:Transforms><ds:Transform Algorithm="{PACKAGE}RelationshipTransform">{selected}</ds:Transform>'
                 '<ds:Transform Algorithm="http://www.w3.org/TR/2001/REC-xml-c14n-20010315"/></ds:Transforms>')
        plain = (f'<Relationships xmlns="{PACKAGE}relationships">' + "".join(
            f'<Relationship Id="{name}" Target="{to}" TargetMode="Internal" Type="{kind}"></Relationship>'
            for name, kind, to in sorted(rows)) + "</Relationships>").encode()
        covered.append(("_rels/.rels", RELS, plain, extra))
    der = base64.b64encode(require(run("openssl", "x509", "-in", cert_pem, "-outform", "der")).stdout).decode()
    certificate = f"<ds:X509Data><ds:X509Certificate>{der}</ds:X509Certificate></ds:X509Data>" if embedded else ""
    source, made = folder / "template.xml", folder / "made.xml"
    source.write_text(template(covered, alg, certificate), encoding="utf-8")
    require(run("xmlsec1", "--sign", "--ignore-manifests", "--privkey-pem", key_pem, "--id-attr:Id", "Object", "--output", made, source))
    kind = PACKAGE + "relationships/digital-signature/"
    extra = [("_rels/.rels", related(*rows, ("rId9", kind + "origin", OWN + "origin.psdor"))), (OWN + "origin.psdor", ""),
             (OWN + "_rels/origin.psdor.rels", related(("rId1", kind + "signature", "xml-signature/peer.psdsxs"))),
             (OWN + "xml-signature/peer.psdsxs", made.read_bytes())]
    if not embedded:
        extra += [(OWN + "xml-signature/_rels/peer.psdsxs.rels", related(("rId1", kind + "certificate", "../certificate/c.cer"))),
                  (OWN + "certificate/c.cer", base64.b64decode(der))]
    own = "application/vnd.openxmlformats-package.digital-signature-"
    for extension, value in [("rels", RELS), ("psdor", own + "origin"), ("psdsxs", own + "xmlsignature+xml"),
                             ("cer", own + "certificate")]:
        if f'Extension="{extension}"' not in types:
            types = types.replace("</Types>", f'<Default Extension="{extension}" ContentType="{value}"/></Types>')
    contents.pop("extension.vsixmanifest")
    return build(target, [*contents.items(), *extra], types)


def theirs(suite, folder, path, alg, key_pem, cert_pem):
    if tool("xmlsec1", suite) is None:
        return None
    return peer(path, path.with_name("peer.vsix"), folder, alg, key_pem, cert_pem)


def covered(path):
    """A byte in the middle of the packed manifest of the extension."""
    with zipfile.ZipFile(path) as package:
        entry = package.getinfo("extension.vsixmanifest")
        return entry.header_offset + 30 + len(entry.filename) + entry.compress_size // 2


def rebuilt(path, target, change):
    """The package with other bytes in some parts, made by somebody who has no key: {name: bytes or None}."""
    with zipfile.ZipFile(path) as package, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as out:
        names = list(package.namelist())
        for name in names:
            data = change[name] if name in change else package.read(name)
            if data is not None:
                out.writestr(name, data)
        for name, data in change.items():
            if name not in names:
                out.writestr(name, data)
    return target


def try_attacks(suite, folder, dev):
    stamp = ["--timestamp-url", f"dev:{dev / 'dev-tsa.pem'}"]
    path = build(folder / "victim.vsix", [("tool.dll", "MZ"), ("plain", "text")])
    require(signctl("sign", path, *sign_arguments(dev), *stamp))
    with zipfile.ZipFile(path) as package:
        part = signature_part(package)
        xml = package.read(part).decode()
        types = package.read("[Content_Types].xml").decode()
        root = package.read("_rels/.rels").decode()
    object_text = xml[xml.index("<Object Id="):xml.index("</Object>") + 9]
    dtd = '<!DOCTYPE Signature [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    outside = f'<!DOCTYPE Signature SYSTEM "file://{folder}/plain.dtd">'
    attacks = [
        ("a part added", {"evil.dll": "MZ"}, "vsix-unsigned-part"),
        ("a part added among the signature's own", {OWN + "evil.dll": "MZ"}, "vsix-unsigned-part"),
        ("a part changed", {"plain": "other"}, "digest-mismatch"),
        ("a part taken out", {"plain": None}, "vsix-part-missing"),
        ("another content type", {"[Content_Types].xml": types.replace("text/plain", "text/html")}, "vsix-content-type"),
        ("a relationship added", {"_rels/.rels": root.replace(
            "</Relationships>", '<Relationship Id="x" Type="urn:x" Target="/plain"/></Relationships>')}, "digest-mismatch"),
        ("the list of parts changed", {part: xml.replace("/plain?", "/plane?")}, "digest-mismatch"),
        ("a second Object of the same Id", {part: xml.replace("</Signature>", object_text + "</Signature>")}, "vsix-structure"),
        ("another Object", {part: xml.replace("</Signature>", object_text.replace("idPackage", "idOther") + "</Signature>")},
         "vsix-structure"),
        ("the signed Object moved away", {part: xml.replace(object_text, f"<Object><x>{object_text}</x></Object>")},
         "vsix-structure"),
        ("two signatures in one", {part: xml.replace("</KeyInfo>", xml.split("?>")[1] + "</KeyInfo>")}, "vsix-structure"),
        ("another canonicalization", {part: xml.replace("REC-xml-c14n-20010315", "REC-xml-c14n-20010315#WithComments", 1)},
         "vsix-algorithm"),
        ("XSLT", {part: xml.replace("<Transform Algorithm=\"http://www.w3.org/TR/2001/REC-xml-c14n-20010315\"",
                                    "<Transform Algorithm=\"http://www.w3.org/TR/1999/REC-xslt-19991116\"")}, "vsix-transform"),
        ("HMAC", {part: xml.replace("xmldsig-more#rsa-sha256", "xmldsig-more#hmac-sha256")}, "vsix-algorithm"),
        ("entities", {part: xml.replace("?>", "?>" + dtd, 1)}, "document type declaration"),
        ("an external DTD", {part: xml.replace("?>", "?>" + outside, 1)}, "document type declaration"),
        ("a deep document", {part: xml.replace("</KeyInfo>", "<a>" * 5000 + "</a>" * 5000 + "</KeyInfo>")}, "XML"),
        ("no signature behind the origin", {part: "<Signature/>"}, "vsix-structure"),
        ("the timestamp of another", {part: re.sub("<SignatureValue>....", "<SignatureValue>AAAA", xml)}, "signature"),
    ]
    for number, (what, change, wanted) in enumerate(attacks):
        bad = rebuilt(path, folder / f"attack{number}.vsix", change)
        done = signctl("verify", bad, "--dev", "--json")
        suite.check(f"vsix: {what} is refused", done.returncode in (1, 4) and wanted in done.out,
                    f"exit code {done.returncode}\n{done.out}")
    same = rebuilt(path, folder / "same.vsix", {})
    done = signctl("verify", same, "--dev")
    suite.check("vsix: the same parts packed otherwise pass", done.returncode == 0, done.out)


def try_peers(suite, folder, dev):
    if tool("xmlsec1", suite) is None:
        return
    key = folder / "peer-key.pem"
    require(run("openssl", "pkcs12", "-in", dev / "dev.pfx", "-passin", "pass:", "-nodes", "-nocerts", "-out", key))
    path = build(folder / "related.vsix", [("plain", "text"), ("_rels/.rels", related(
        ("R2", "http://example.org/kind", "/plain"), ("R1", "http://example.org/other", "/plain")))],
        TYPES.replace("<Override", f'<Default Extension="rels" ContentType="{RELS}"/><Override'))
    work = folder / "peers"
    work.mkdir()
    for embedded in (True, False):
        signed = peer(path, folder / f"related-{embedded}.vsix", work, "sha256", key, dev / "dev.pem", embedded)
        done = signctl("verify", signed, "--dev", "--timestamp", "optional")
        suite.check(f"vsix: a peer's relationships transform, certificate {'inside' if embedded else 'as a part'}",
                    done.returncode == 0, done.out)
        with zipfile.ZipFile(signed) as package:
            text = package.read("_rels/.rels").decode()
        for what, new, wanted in [("changed", text.replace('Id="R1" Type="http://example.org/other"',
                                                           'Id="R1" Type="http://example.org/another"'), "digest-mismatch"),
                                  ("added", text.replace("</Relationships>", '<Relationship Id="x" Type="urn:x" Target="/plain"/>'
                                                         "</Relationships>"), "vsix-unsigned-relationship")]:
            bad = rebuilt(signed, folder / "bad.vsix", {"_rels/.rels": new})
            done = signctl("verify", bad, "--dev", "--timestamp", "optional", "--json")
            suite.check(f"vsix: a relationship {what} beside the transform is refused",
                        done.returncode == 1 and wanted in done.out, done.out)
        late = folder / f"late-{embedded}.vsix"
        shutil.copyfile(signed, late)
        require(signctl("timestamp", late, "--dev", "--timestamp-url", f"dev:{dev / 'dev-tsa.pem'}"))
        done = signctl("verify", late, "--dev")
        suite.check("vsix: a timestamp on a peer's signature", done.returncode == 0, done.out)
    bare = folder / "bare.vsix"
    shutil.copyfile(signed, bare)
    require(signctl("remove", bare))
    with zipfile.ZipFile(bare) as package, zipfile.ZipFile(path) as before:
        suite.check("vsix: a peer's signature comes off with all that came with it",
                    sorted(package.namelist()) == sorted(before.namelist()) and
                    [(one.get("Id"), one.get("Target")) for one in ET.fromstring(package.read("_rels/.rels"))] ==
                    [(one.get("Id"), one.get("Target")) for one in ET.fromstring(before.read("_rels/.rels"))],
                    package.namelist())


def try_others(suite, folder, dev):
    stamp = ["--timestamp-url", f"dev:{dev / 'dev-tsa.pem'}"]
    ec = dev_certificate(folder / "ec", key="p384")
    path = build(folder / "ec.vsix", [("plain", "text")])
    done = signctl("sign", path, *sign_arguments(ec), "--timestamp-url", f"dev:{ec / 'dev-tsa.pem'}", "--fd", "sha384")
    suite.check("vsix: signing with an EC key", done.returncode == 0, done.out)
    said = judge(suite, path, ec / "dev.pem", ec / "tsa-cert.pem")
    suite.check("vsix: xmlsec1 accepts the EC signature", said is None, said)
    # A file that nothing gives a content type is no part: no signature would cover it.
    path = build(folder / "untyped.vsix", [("readme", "text")])
    old = sha256(path)
    done = signctl("sign", path, *sign_arguments(dev), *stamp)
    suite.check("vsix: a file without a content type is not signed over",
                done.returncode == 4 and "content type" in done.out and sha256(path) == old, done.out)
    path = build(folder / "named.vsix", [("plain", "text")])
    renamed = path.with_name("named.dat")
    path.rename(renamed)
    require(signctl("sign", renamed, *sign_arguments(dev), *stamp))
    done = signctl("verify", renamed, "--dev")
    suite.check("vsix: known by its contents", done.returncode == 0, done.out)
    archive = folder / "archive.vsix"
    with zipfile.ZipFile(archive, "w") as out:
        out.writestr("a.txt", "a")
    done = signctl("sign", archive, *sign_arguments(dev), *stamp)
    suite.check("vsix: an archive that is only called so is refused", done.returncode == 4, done.out)


def try_deep(suite, folder, dev):
    stamp = ["--timestamp-url", f"dev:{dev / 'dev-tsa.pem'}"]
    programs = unsigned_files(suite)
    if not programs:
        return
    data = programs[0][1].read_bytes()
    path = build(folder / "deep.vsix", [("bin/tool.dll", data), ("plain", "text")])
    plan = signctl("plan", path, *sign_arguments(dev), *stamp)
    suite.check("vsix: the plan warns of what is not signed inside", "tool.dll, which is not signed" in plan.out, plan.out)
    shallow = folder / "shallow.vsix"
    shutil.copyfile(path, shallow)
    require(signctl("sign", shallow, *sign_arguments(dev), *stamp))
    done = signctl("verify", shallow, "--deep", "--dev", "--json")
    suite.check("vsix: verify --deep names what is not signed", done.returncode == 1 and "bin/tool.dll" in done.out, done.out)
    done = signctl("sign", path, "--deep", *sign_arguments(dev), *stamp)
    suite.check("vsix: sign --deep", done.returncode == 0, done.out)
    done = signctl("verify", path, "--deep", "--dev")
    suite.check("vsix: what sign --deep made passes verify --deep", done.returncode == 0, done.out)
    said = judge(suite, path, dev / "dev.pem", dev / "tsa-cert.pem")
    suite.check("vsix: an independent verifier accepts what sign --deep made", said is None, said)


def extra(suite, folder, dev):
    try_attacks(suite, folder, dev)
    try_peers(suite, folder, dev)
    try_others(suite, folder, dev)
    try_deep(suite, folder, dev)
