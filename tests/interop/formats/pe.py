# SPDX-License-Identifier: Apache-2.0
"""PE: Debian's executables, judged by osslsigncode."""
from harness import run, tool, unsigned_files

NAME = "pe"
EXTENSION = "exe"
# What CheckSum was before cannot be known: it is made right.
REMOVE = "valid"
APPEND = True
ALGS = ["sha256", "sha384", "sha512"]


def inputs(suite, folder):
    # EFI images take further table entries instead of nested signatures, which the peer does not read.
    return [(name, path) for name, path in unsigned_files(suite) if "efi" not in name and "dll" not in name]


def judge(suite, path, certificate_pem, tsa_pem):
    peer = tool("osslsigncode", suite)
    if peer is None:
        return NotImplemented
    done = run(peer, "verify", "-CAfile", certificate_pem, "-TSA-CAfile", tsa_pem, path)
    return None if done.returncode == 0 and "Succeeded" in done.out else done.out


def theirs(suite, folder, path, alg, key_pem, cert_pem):
    peer = tool("osslsigncode", suite)
    if peer is None:
        return None
    target = path.with_name("theirs-" + path.name)
    target.unlink(missing_ok=True)
    done = run(peer, "sign", "-h", alg, "-certs", cert_pem, "-key", key_pem, "-in", path, "-out", target)
    return target if done.returncode == 0 else None
