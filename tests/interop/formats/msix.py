# SPDX-License-Identifier: Apache-2.0
"""App packages and bundles: made here as makeappx does; judged and signed by osslsigncode."""
import json
import pathlib
import shutil
import subprocess

from harness import (SHARED, dev_certificate, osslsigncode_for, require, run, sign_arguments, signctl,
                     unsigned_files)
from msix_maker import make_bundle, make_package

NAME = "msix"
EXTENSION = "msix"
REMOVE = "valid"      # [Content_Types].xml has been packed anew and moved to the end: see docs/formats/msix.md
APPEND = False        # Windows knows one signature of a package
ALGS = ["sha512", "sha256", "sha384"]
PUBLISHER = "CN=Interop (signctl rehearsal)"    # what dev-cert makes of the subject "Interop"


def payload():
    text = b"the same line again and again\n" * 9000
    noise = bytes((i * i * 31 + (i >> 5)) & 255 for i in range(200_000))
    return [("app/hello world.txt", text, False), ("noise.bin", noise, False), ("stored.png", noise[:70_000], True),
            ("empty.txt", b"", False)]


def for_alg(path, alg):
    """The block map dictates the digest: the same package with another."""
    made = pathlib.Path(str(path).replace("sha512", alg))
    return made if made.is_file() else path


def inputs(suite, folder):
    for alg in ALGS:
        make_package(folder / f"plain-{alg}.msix", alg, PUBLISHER, payload())
    found = [("a package", folder / "plain-sha512.msix"),
             ("a package with ZIP64 records and descriptors",
              make_package(folder / "wide.msix", "sha512", PUBLISHER, payload(), wide=True)),
             ("a bundle", make_bundle(folder / "made.msixbundle", "sha512", PUBLISHER,
                                      [("app x64.msix", (folder / "plain-sha512.msix").read_bytes())]))]
    return found


def peer_of(suite):
    return osslsigncode_for("app packages", (2, 6), suite)


def judge(suite, path, certificate_pem, tsa_pem):
    peer = peer_of(suite)
    if not peer:
        return NotImplemented
    done = run(peer, "verify", "-CAfile", certificate_pem, "-TSA-CAfile", tsa_pem, path)
    good = done.returncode == 0 and "Signature verification: ok" in done.out and "failed" not in done.out.lower()
    return None if good else done.out


def theirs(suite, folder, path, alg, key_pem, cert_pem):
    peer = peer_of(suite)
    if not peer:
        return None
    signed = folder / f"theirs-{alg}{path.suffix}"
    signed.unlink(missing_ok=True)
    require(run(peer, "sign", "-h", alg, "-key", key_pem, "-certs", cert_pem, "-in", path, "-out", signed))
    return signed


def contents(path):
    """What an independent reader finds inside, the parts of signing apart."""
    names = run("unzip", "-Z1", path).out.splitlines()
    return {name: subprocess.run(["unzip", "-p", str(path), name.replace("[", "\\[")], stdout=subprocess.PIPE,
                                 check=True).stdout
            for name in names if name not in ("AppxSignature.p7x", "[Content_Types].xml")}


def check_publisher(suite, folder):
    """Another publisher than the certificate's subject costs no signature, and the right one is named."""
    path = make_package(folder / "other.msix", "sha256", "CN=Somebody Else, C=US", payload())
    before = path.read_bytes()
    dev = dev_certificate(folder / "quoted", subject='Contoso, "Ltd"')
    done = signctl("sign", path, *sign_arguments(dev), "--no-timestamp")
    suite.check("another publisher is refused with exit code 4", done.returncode == 4, done.out)
    suite.check("with the string for the manifest",
                'Publisher="CN=&quot;Contoso, &quot;&quot;Ltd&quot;&quot; (signctl rehearsal)&quot;"' in done.out, done.out)
    suite.check("and the package is left alone", path.read_bytes() == before)
    path = make_package(folder / "right.msix", "sha256", 'CN="Contoso, ""Ltd"" (signctl rehearsal)"', payload())
    done = signctl("sign", path, *sign_arguments(dev), "--no-timestamp")
    suite.check("a publisher in quotes is understood", done.returncode == 0, done.out)


def check_deep(suite, folder, dev):
    """`sign --deep`: programs in packages in a bundle, each block map and the bundle's offsets made anew."""
    programs = unsigned_files(suite)
    if not programs:
        return
    program = programs[-1][1].read_bytes()
    inner = make_package(folder / "inner.msix", "sha256", PUBLISHER, [("app.exe", program, False)] + payload())
    bundle = make_bundle(folder / "deep.msixbundle", "sha256", PUBLISHER, [("a.msix", inner.read_bytes()),
                                                                          ("b.msix", inner.read_bytes())])
    done = signctl("sign", inner, *sign_arguments(dev), "--no-timestamp")
    suite.check("a package is signed over unsigned contents", done.returncode == 0, done.out)
    done = signctl("verify", inner, "--dev", "--timestamp", "optional", "--deep")
    suite.check("verify --deep names the unsigned program in it", done.returncode == 1 and "app.exe" in done.out, done.out)
    for path in (make_package(folder / "outer.msix", "sha256", PUBLISHER, [("app.exe", program, False)] + payload()),
                 bundle):
        before = contents(path)
        done = signctl("sign", path, *sign_arguments(dev), "--no-timestamp", "--deep")
        suite.check(f"sign --deep signs what is in {path.name}", done.returncode == 0, done.out)
        done = signctl("verify", path, "--dev", "--timestamp", "optional", "--deep")
        suite.check(f"then verify --deep accepts {path.name}", done.returncode == 0, done.out)
        said = judge(suite, path, dev / "dev.pem", dev / "tsa-cert.pem")
        suite.check(f"and osslsigncode accepts {path.name}", said is None or said is NotImplemented, said)
        after = contents(path)
        changed = sorted(name for name in before if before[name] != after.get(name))
        wanted = {"outer.msix": ["AppxBlockMap.xml", "app.exe"],
                  "deep.msixbundle": ["AppxBlockMap.xml", "AppxMetadata/AppxBundleManifest.xml", "a.msix", "b.msix"]}
        suite.check(f"in {path.name} only that changed", changed == sorted(wanted[path.name]), changed)


def extra(suite, folder, dev):
    sign = [*sign_arguments(dev), "--no-timestamp"]
    plain = make_package(folder / "again.msix", "sha256", PUBLISHER, payload())
    before = contents(plain)
    require(signctl("sign", plain, *sign))
    suite.check("every file comes out of the signed package as it went in", contents(plain) == before)
    shown = json.loads(require(signctl("inspect", plain, "--json")).out)
    suite.check("inspect shows the publisher", PUBLISHER in json.dumps(shown, ensure_ascii=False), shown)
    done = signctl("sign", make_package(folder / "p.msix", "sha256", PUBLISHER, payload()), *sign, "--fd", "sha512")
    suite.check("another digest than the block map's is refused with exit code 5", done.returncode == 5, done.out)
    for name, data in [("x.eappx", b"EXPH" + bytes(200)), ("x.emsix", plain.read_bytes()), ("x.dat", b"EXBH" + bytes(99))]:
        (folder / name).write_bytes(data)
        done = signctl("sign", folder / name, *sign)
        suite.check(f"an encrypted package ({name}) is refused with exit code 5",
                    done.returncode == 5 and "encrypted" in done.out, done.out)
    renamed = folder / "package.dat"
    shutil.copyfile(make_package(folder / "q.msix", "sha256", PUBLISHER, payload()), renamed)
    done = signctl("sign", renamed, *sign)
    suite.check("a package is known by its content", done.returncode == 0, done.out)
    check_publisher(suite, folder)
    check_deep(suite, folder, dev)
    real = SHARED / "jsign" / "minimal-signed-by-signtool.msix"
    if not real.is_file():
        suite.skip("a package that signtool signed", f"{real} is not here")
        return
    done = signctl("verify", real, "--dev", "--json")
    suite.check("the digests of a package that signtool signed are right",
                "digest-mismatch" not in done.out and '"msix-' not in done.out, done.out)
