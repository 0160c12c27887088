# SPDX-License-Identifier: Apache-2.0
"""Cabinets: made by gcab and makecab (jsign's samples), judged and signed by osslsigncode."""
import shutil

from harness import SHARED, require, run, signctl, tool

NAME = "cab"
EXTENSION = "cab"
REMOVE = "identical"
APPEND = True
ALGS = ["sha256", "sha384", "sha512"]


def content(folder):
    """Files to pack: one that compresses, one that does not, one of several blocks."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "text.txt").write_text("the same line again and again\n" * 4000)
    (folder / "noise.bin").write_bytes(bytes((i * i * 31 + (i >> 5)) & 255 for i in range(300_000)))
    (folder / "empty.txt").write_bytes(b"")
    return ["text.txt", "noise.bin", "empty.txt"]


def inputs(suite, folder):
    found = []
    gcab = tool("gcab", suite)
    if gcab:
        names = content(folder / "content")
        for label, flags in [("gcab, MSZIP", ["-cnz"]), ("gcab, stored", ["-cn"])]:
            path = folder / f"{'zip' if 'z' in flags[0] else 'stored'}.cab"
            require(run(gcab, *flags, path, *names, cwd=folder / "content"))
            found.append((label, path))
    for name, what in [("sample1", "makecab, no reserved area"), ("sample3", "makecab, folders reserve 128"),
                       ("sample4", "makecab, header reserves 6144")]:
        path = SHARED / "jsign" / "cab" / f"{name}.cab"
        if path.is_file():
            found.append((what, path))
        else:
            suite.skip(what, f"{path} is not here")
    return found


def reserve_is_plain(path):
    """Whether the reserved area is the one of 20 bytes that osslsigncode insists on."""
    head = path.read_bytes()[:40]
    return head[36:40] == b"\x14\0\0\0"


def judge(suite, path, certificate_pem, tsa_pem):
    peer = shutil.which("osslsigncode")
    if not peer or not reserve_is_plain(path):
        return NotImplemented
    done = run(peer, "verify", "-CAfile", certificate_pem, "-TSA-CAfile", tsa_pem, path)
    good = done.returncode == 0 and "Signature verification: ok" in done.out and "failed" not in done.out.lower()
    return None if good else done.out


def theirs(suite, folder, path, alg, key_pem, cert_pem):
    peer = shutil.which("osslsigncode")
    head = path.read_bytes()[:40]
    if not peer or head[30] & 4:
        return None
    signed = folder / f"theirs-{alg}.cab"
    signed.unlink(missing_ok=True)
    require(run(peer, "sign", "-h", alg, "-key", key_pem, "-certs", cert_pem, "-in", path, "-out", signed))
    return signed


def extra(suite, folder, dev):
    """What is inside stays what it was, as gcab reads it; sets are refused."""
    gcab = tool("gcab", suite)
    sign = ["--provider", "pfx", "-p", f"file={dev / 'dev.pfx'}", "--dev", "--no-timestamp"]
    if gcab:
        names = content(folder / "again")
        cabinet = folder / "again.cab"
        require(run(gcab, "-cnz", cabinet, *names, cwd=folder / "again"))
        done = signctl("sign", cabinet, *sign)
        suite.check("signctl signs a cabinet of gcab's", done.returncode == 0, done.out)
        out = folder / "unpacked"
        out.mkdir(exist_ok=True)
        require(run(gcab, "-x", "-C", out, cabinet))
        for name in names:
            suite.check(f"{name} comes out of the signed cabinet as it went in",
                        (out / name).read_bytes() == (folder / "again" / name).read_bytes())
    part = SHARED / "jsign" / "cab" / "sample2-disk1.cab"
    if part.is_file():
        copy = folder / "part.cab"
        shutil.copyfile(part, copy)
        done = signctl("sign", copy, *sign)
        suite.check("a part of a set is refused with exit code 5", done.returncode == 5, done.out)
        suite.check("and left as it was", copy.read_bytes() == part.read_bytes())
    else:
        suite.skip("a part of a set", f"{part} is not here")
