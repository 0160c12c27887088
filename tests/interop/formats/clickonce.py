# SPDX-License-Identifier: Apache-2.0
"""ClickOnce: canonical form by Python's own canonicalizer, signature values by openssl; and files that xmlsec1 signed."""
import base64
import hashlib
import pathlib
import re
import tempfile
import xml.etree.ElementTree as ET

from harness import require, run, sha256, sign_arguments, signctl, tool

NAME = "clickonce"
EXTENSION = "application"
REMOVE = "valid"
APPEND = False
DETACHED = False   # two values, over the signer's certificate among others
EXTRACT = False
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


APPLICATION = """<?xml version="1.0" encoding="utf-8"?>
<asmv1:assembly manifestVersion="1.0" xmlns="urn:schemas-microsoft-com:asm.v2"
  xmlns:asmv1="urn:schemas-microsoft-com:asm.v1" xmlns:dsig="http://www.w3.org/2000/09/xmldsig#">
  <asmv1:assemblyIdentity name="Sample.exe" version="1.0.0.0" publicKeyToken="0000000000000000"
    language="neutral" processorArchitecture="msil" type="win32" />
  <application />
  <dependency><dependentAssembly dependencyType="install" codebase="Sample.exe" size="SIZE">
    <assemblyIdentity name="Sample" version="1.0.0.0" language="neutral" processorArchitecture="msil" />
    <hash><dsig:Transforms><dsig:Transform Algorithm="urn:schemas-microsoft-com:HashTransforms.Identity" />
      </dsig:Transforms><dsig:DigestMethod Algorithm="http://www.w3.org/2000/09/xmldsig#sha256" />
      <dsig:DigestValue>DIGEST</dsig:DigestValue></hash></dependentAssembly></dependency>
</asmv1:assembly>
"""


def application(folder, program):
    """An application manifest that names `program`, the bytes of a file that is written beside it."""
    folder = pathlib.Path(folder)
    folder.mkdir(exist_ok=True)
    (folder / "Sample.exe").write_bytes(program)
    path = folder / "Sample.exe.manifest"
    digest = base64.b64encode(hashlib.sha256(program).digest()).decode()
    path.write_text(APPLICATION.replace("SIZE", str(len(program))).replace("DIGEST", digest))
    return path


def inputs(suite, folder):
    path = pathlib.Path(folder) / "sample.application"
    path.write_text(SAMPLE, encoding="utf-8")
    return [("deployment manifest", path), ("application manifest", application(folder / "app", b"a program"))]


def covered(path):
    """A letter of the version; changed, the document is still XML."""
    return pathlib.Path(path).read_bytes().index(b'version="1.0.0.0"') + 9


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


def blank(template):
    """A signature as a template for xmlsec1, with the algorithm names that it knows."""
    template = re.sub(r"<(DigestValue|SignatureValue)>[^<]*</", r"<\1></", template)
    template = re.sub(r"<KeyValue>.*?</KeyValue>", "<KeyValue/>", template)
    return (template.replace("2000/09/xmldsig#rsa-sha256", "2001/04/xmldsig-more#rsa-sha256")
            .replace("2000/09/xmldsig#sha256", "2001/04/xmlenc#sha256"))


def by_xmlsec1(folder, template, key_pem, cert_pem):
    source, target = folder / "template.xml", folder / "made.xml"
    source.write_text(template, encoding="utf-8")
    require(run("xmlsec1", "--sign", "--privkey-pem", f"{key_pem},{cert_pem}", "--output", target, source))
    return target.read_text(encoding="utf-8").split("?>\n", 1)[1].strip()


def theirs(suite, folder, path, alg, key_pem, cert_pem):
    """The shape is ours, every digest and signature value is made by xmlsec1: first the license, which is a document
    of its own, then the manifest around it."""
    if tool("xmlsec1", suite) is None:
        return None
    require(signctl("sign", path, *sign_arguments(pathlib.Path(cert_pem).parent), "--no-timestamp"))
    text = pathlib.Path(path).read_text(encoding="utf-8")
    license_text = slice_of(text, "<r:license", "</r:license>")
    made = by_xmlsec1(folder, blank(license_text), key_pem, cert_pem)
    start = text.index('<Signature Id="StrongNameSignature"')
    head, outer = text[:start], text[start:]
    before, after = blank(outer).split(blank(license_text))
    whole = by_xmlsec1(folder, head + before + made + after, key_pem, cert_pem)
    path.write_text(whole, encoding="utf-8")
    suite.check("clickonce: xmlsec1 accepts what it signed", run(
        "xmlsec1", "--verify", "--pubkey-cert-pem", cert_pem, path).returncode == 0)
    return path


def refused(suite, what, done, code, *files):
    """`files`: pairs of a path and the hash that it must still have."""
    holds = done.returncode == code and all(sha256(path) == wanted for path, wanted in files)
    suite.check(f"clickonce: {what}", holds, f"exit code {done.returncode}, not {code}?\n{done.out}")


def fresh(folder, name, text=SAMPLE):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def try_refusals(suite, folder, dev):
    path = fresh(folder, "refused.application")
    same = (path, sha256(path))
    out, junk = folder / "out", folder / "junk"
    junk.write_bytes(b"x" * 256)
    stamp = ["--timestamp-url", f"dev:{dev / 'dev-tsa.pem'}"]
    refused(suite, "digest", signctl("digest", path, "-o", out), 5, same)
    refused(suite, "attach", signctl("attach", path, junk, "--chain", dev / "dev.pem", "--dev", *stamp), 5, same)
    for alg in ("sha384", "sha512"):
        refused(suite, f"signing with {alg}", signctl("sign", path, *sign_arguments(dev), "--fd", alg, *stamp), 5, same)
    ec = folder / "ec"
    ec.mkdir()
    require(signctl("dev-cert", "-o", ec, "--key", "p256", "--subject", "Interop"))
    refused(suite, "signing with an EC key", signctl("sign", path, *sign_arguments(ec), *stamp), 5, same)
    other = fresh(folder, "other.xml", "<?xml version=\"1.0\"?><note/>")
    refused(suite, "XML of another kind", signctl("sign", other, *sign_arguments(dev), *stamp), 5)


def try_changes(suite, folder, dev):
    """Every part that a signature covers, changed by itself."""
    path = fresh(folder, "changed.application")
    stamp = ["--timestamp-url", f"dev:{dev / 'dev-tsa.pem'}"]
    require(signctl("sign", path, *sign_arguments(dev), *stamp, "--d", "Sample", "--du", "https://contoso.example/"))
    refused(suite, "extract", signctl("extract", path, "-o", folder / "out"), 5)
    text = path.read_text(encoding="utf-8")
    token = re.search(r"<(as:)?Timestamp[^>]*>", text)
    changes = [
        ("the manifest", 'install="true"', 'install="false"'),
        ("a comment's neighbour", "<!-- a comment -->\n", "<!-- a comment --> "),
        ("the description", 'Description="Sample"', 'Description="Simple"'),
        ("the address", 'Url="https://contoso', 'Url="https://cantoso'),
        ("the publisher", "<publisherIdentity", "<PublisherIdentity"),
        ("the timestamp", text[token.end():token.end() + 400], text[token.end():token.end() + 399]),
        ("an element beside the signatures", "</Signature></r:issuer>", "<x/></Signature></r:issuer>"),
    ]
    for what, old, new in changes:
        suite.check(f"clickonce: {what} is there", old in text, text)
        bad = fresh(folder, "bad.application", text.replace(old, new, 1))
        done = signctl("verify", bad, "--dev")
        suite.check(f"clickonce: {what}, changed, is refused", done.returncode == 1 or
                    (what == "the publisher" and done.returncode == 4), done.out)
    # What no signature covers, on purpose: comments.
    done = signctl("verify", fresh(folder, "good.application", text.replace("a comment", "a remark")), "--dev")
    suite.check("clickonce: a comment may change", done.returncode == 0, done.out)


def try_files(suite, folder, dev):
    path = application(folder / "files", b"a program")
    stamp = ["--timestamp-url", f"dev:{dev / 'dev-tsa.pem'}"]
    require(signctl("sign", path, *sign_arguments(dev), *stamp))
    require(signctl("verify", path, "--dev"))
    (path.parent / "Sample.exe").write_bytes(b"another one")
    done = signctl("verify", path, "--dev", "--json")
    suite.check("clickonce: a changed file beside the manifest is refused",
                done.returncode == 1 and "clickonce-file-changed" in done.out, done.out)
    # Known by what it says, whatever it is called.
    renamed = fresh(folder, "renamed.txt")
    require(signctl("sign", renamed, *sign_arguments(dev), *stamp))
    require(signctl("verify", renamed, "--dev"))


def deployment(folder, manifest):
    """A deployment manifest beside the application manifest that it names."""
    path = fresh(folder, "Sample.application", APPLICATION)
    data = manifest.read_bytes()
    text = (APPLICATION.replace("SIZE", str(len(data)))
            .replace("DIGEST", base64.b64encode(hashlib.sha256(data).digest()).decode())
            .replace('codebase="Sample.exe"', f'codebase="{manifest.parent.name}\\{manifest.name}"')
            .replace("<application />", '<deployment install="true" />'))
    path.write_text(text)
    return path


def try_order(suite, folder, dev):
    """Programs, then the manifest of the application, then the one of the deployment."""
    stamp = ["--timestamp-url", f"dev:{dev / 'dev-tsa.pem'}"]
    place = folder / "order"
    place.mkdir()
    program = pathlib.Path("/usr/share/nsis/Stubs/zlib-x86-unicode")
    if not program.exists():
        suite.skip("clickonce: order of a deployment", f"{program} is not here")
        return
    manifest = application(place / "app", program.read_bytes())
    plan = signctl("plan", manifest, *sign_arguments(dev), "--no-timestamp")
    suite.check("clickonce: the plan warns of a program that is not signed",
                "Sample.exe, which is not signed" in plan.out, plan.out)
    top = deployment(place, manifest)
    plan = signctl("plan", top, *sign_arguments(dev), "--no-timestamp")
    suite.check("clickonce: the plan warns of an application manifest that is not signed",
                "Sample.exe.manifest, which is not signed" in plan.out, plan.out)
    # As it should be done.
    require(signctl("sign", manifest.parent / "Sample.exe", *sign_arguments(dev), *stamp))
    manifest = application(place / "app", (manifest.parent / "Sample.exe").read_bytes())
    require(signctl("sign", manifest, *sign_arguments(dev), *stamp))
    top = deployment(place, manifest)
    require(signctl("sign", top, *sign_arguments(dev), *stamp))
    done = signctl("verify", top, "--deep", "--dev")
    suite.check("clickonce: a deployment in order passes to its last file", done.returncode == 0, done.out)
    # The manifest signed once more behind the deployment's back.
    require(signctl("sign", manifest, *sign_arguments(dev), *stamp, "--if-signed", "replace", "--d", "again"))
    done = signctl("verify", top, "--dev", "--json")
    suite.check("clickonce: a stale hash of the application manifest is found",
                done.returncode == 1 and "clickonce-file-changed" in done.out, done.out)
    old = sha256(top)
    done = signctl("sign", top, *sign_arguments(dev), *stamp, "--if-signed", "replace")
    suite.check("clickonce: a stale deployment is not signed", done.returncode == 4 and sha256(top) == old, done.out)
    # Manifests of programs have the same root and are none of ours.
    native = fresh(folder, "native.exe.manifest", '<?xml version="1.0"?><assembly xmlns="urn:schemas-microsoft-com:asm.v1"'
                   ' manifestVersion="1.0"><trustInfo xmlns="urn:schemas-microsoft-com:asm.v2"/></assembly>')
    refused(suite, "a program's own manifest", signctl("sign", native, *sign_arguments(dev), *stamp), 5)


def extra(suite, folder, dev):
    try_refusals(suite, folder, dev)
    try_changes(suite, folder, dev)
    try_files(suite, folder, dev)
    try_order(suite, folder, dev)
