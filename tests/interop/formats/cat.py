# SPDX-License-Identifier: Apache-2.0
"""Catalogs: jsign's sample, judged by openssl (the CMS) and osslsigncode, and used to judge its file."""
import shutil

from harness import SHARED, require, run, signctl

NAME = "cat"
EXTENSION = "cat"
REMOVE = "identical"
APPEND = True
ALGS = ["sha256", "sha384", "sha512"]
SAMPLE = SHARED / "jsign" / "cat" / "wineyes.cat"
MEMBER = SHARED / "jsign" / "wineyes.exe"


def inputs(suite, folder):
    if SAMPLE.is_file():
        return [("makecat, version 2", SAMPLE)]
    suite.skip("a catalog by MakeCat", f"{SAMPLE} is not here")
    return []


def judge(suite, path, certificate_pem, tsa_pem):
    peer = shutil.which("osslsigncode")
    if not peer:
        return NotImplemented
    done = run(peer, "verify", "-CAfile", certificate_pem, "-TSA-CAfile", tsa_pem, path)
    good = done.returncode == 0 and "Signature verification: ok" in done.out
    return None if good else done.out


def theirs(suite, folder, path, alg, key_pem, cert_pem):
    peer = shutil.which("osslsigncode")
    if not peer:
        return None
    signed = folder / f"theirs-{alg}.cat"
    signed.unlink(missing_ok=True)
    require(run(peer, "sign", "-h", alg, "-key", key_pem, "-certs", cert_pem, "-in", path, "-out", signed))
    return signed


def extra(suite, folder, dev):
    """verify --catalog with a catalog that another tool made and a file that it lists."""
    if not (SAMPLE.is_file() and MEMBER.is_file()):
        suite.skip("verify --catalog", "the sample is not here")
        return
    catalog = folder / "wineyes.cat"
    shutil.copyfile(SAMPLE, catalog)
    member = folder / "wineyes.exe"
    shutil.copyfile(MEMBER, member)
    unsigned = signctl("verify", "--dev", "--timestamp", "optional", "--catalog", catalog, member)
    suite.check("an unsigned catalog vouches for nothing", unsigned.returncode == 1, unsigned.out)
    require(signctl("sign", catalog, "--provider", "pfx", "-p", f"file={dev / 'dev.pfx'}", "--dev", "--no-timestamp"))
    listed = signctl("verify", "--dev", "--timestamp", "optional", "--catalog", catalog, member)
    suite.check("a file that the catalog lists passes", listed.returncode == 0, listed.out)
    changed = bytearray(member.read_bytes())
    changed[5000] ^= 1
    member.write_bytes(changed)
    other = signctl("verify", "--dev", "--timestamp", "optional", "--catalog", catalog, member)
    suite.check("a changed one does not", other.returncode == 1 and "catalog-no-member" in other.out, other.out)
    peer = shutil.which("osslsigncode")
    if peer:
        theirs_says = run(peer, "verify", "-catalog", catalog, "-CAfile", dev / "dev.pem", MEMBER)
        suite.check("osslsigncode finds the file in the catalog too", theirs_says.returncode == 0, theirs_says.out)
    else:
        suite.skip("osslsigncode with a catalog", "osslsigncode is not installed")
