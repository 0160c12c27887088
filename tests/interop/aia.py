#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A signer that brings its leaf alone: the issuers are fetched from where the certificates say (AIA caIssuers).

The certificates are made by openssl and served by Python's HTTP server, which counts what is asked and can lie. What
was signed is verified by signctl and by osslsigncode, both of which know the root alone.
"""
import http.server
import shutil
import threading

from harness import Suite, require, run, sha256, signctl, tool, unsigned_files

OK, GATE = 0, 1


class Publisher:
    """Serves pages from a dictionary: path to (status, headers, body)."""

    def __init__(self):
        self.pages, self.asked = {}, []
        publisher = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                publisher.asked.append(self.path)
                status, headers, body = publisher.pages.get(self.path, (404, {}, b""))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                try:
                    self.wfile.write(body)
                except OSError:
                    pass  # It had read enough.

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def make_certificate(folder, name, issuer, extensions):
    """NAME.key, NAME.pem and NAME.der below `issuer`, or self-signed."""
    require(run("openssl", "req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-subj", f"/CN=Aia {name}",
                "-out", f"{name}.csr", cwd=folder))
    (folder / f"{name}.ext").write_text("\n".join(extensions) + "\n")
    above = ["-signkey", f"{name}.key"] if issuer is None else ["-CA", f"{issuer}.pem", "-CAkey", f"{issuer}.key", "-CAcreateserial"]
    require(run("openssl", "x509", "-req", "-in", f"{name}.csr", *above, "-days", "30", "-extfile", f"{name}.ext",
                "-out", f"{name}.pem", cwd=folder))
    require(run("openssl", "x509", "-in", f"{name}.pem", "-outform", "der", "-out", f"{name}.der", cwd=folder))


def make_ladder(folder, url):
    ca = ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign", "subjectKeyIdentifier=hash"]
    at = "authorityInfoAccess=caIssuers;URI:" + url
    leaf = ["basicConstraints=critical,CA:FALSE", "keyUsage=critical,digitalSignature", "extendedKeyUsage=codeSigning"]
    make_certificate(folder, "root", None, ca)
    make_certificate(folder, "upper", "root", [*ca, f"{at}/root.cer"])
    make_certificate(folder, "lower", "upper", [*ca, f"{at}/upper.p7c"])
    make_certificate(folder, "leaf", "lower", [*leaf, f"{at}/lower.cer"])
    make_certificate(folder, "other", "root", ca)
    require(run("openssl", "crl2pkcs7", "-nocrl", "-certfile", "upper.pem", "-certfile", "root.pem", "-outform", "der",
                "-out", "upper.p7c", cwd=folder))


class Bench:
    def __init__(self, suite, sample):
        self.suite, self.sample = suite, sample
        self.folder = suite.folder
        self.publisher = Publisher()
        make_ladder(self.folder, self.publisher.url)
        (self.folder / "off.yaml").write_text("version: 1\nsign: { complete-chain: false }\n")

    def publish(self, **changes):
        read = lambda name: (self.folder / name).read_bytes()
        self.publisher.asked.clear()
        self.publisher.pages = {
            "/lower.cer": (200, {"Content-Type": "application/pkix-cert"}, read("lower.der")),
            "/upper.p7c": (200, {"Content-Type": "application/pkcs7-mime"}, read("upper.p7c")),
            "/root.cer": (200, {"Content-Type": "application/pkix-cert"}, read("root.der")),
        }
        self.publisher.pages.update({f"/{name}.cer": page for name, page in changes.items()})

    def sign(self, *arguments, number=1):
        files = [self.folder / f"app{i}.exe" for i in range(number)]
        for file in files:
            shutil.copyfile(self.sample, file)
        done = signctl("sign", "--provider", "pfx", "-p", f"key={self.folder / 'leaf.key'}", "-p",
                       f"certificate={self.folder / 'leaf.pem'}", "--no-timestamp", "--trust-cert", self.folder / "root.pem",
                       *arguments, *files)
        return files, done


def completes(bench, peer):
    bench.publish()
    files, done = bench.sign("-j", "4", number=6)
    bench.suite.check("a leaf alone is signed with its chain", done.returncode == OK, done.out)
    bench.suite.check("each issuer is fetched once for all files", sorted(bench.publisher.asked) ==
                      ["/lower.cer", "/root.cer", "/upper.p7c"], bench.publisher.asked)
    for file in files[:1]:
        verified = signctl("verify", "--timestamp", "optional", "--trust-cert", bench.folder / "root.pem", file)
        bench.suite.check("it verifies with the root alone", verified.returncode == OK, verified.out)
        if peer:
            theirs = run(peer, "verify", "-CAfile", bench.folder / "root.pem", file)
            bench.suite.check("osslsigncode verifies it with the root alone", theirs.returncode == 0, theirs.out)


def brings_its_own(bench):
    bench.publish()
    (bench.folder / "issuers.pem").write_text((bench.folder / "lower.pem").read_text() + (bench.folder / "upper.pem").read_text())
    _, done = bench.sign("-p", f"chain={bench.folder / 'issuers.pem'}")
    bench.suite.check("issuers that are at hand suffice", done.returncode == OK, done.out)
    bench.suite.check("then nothing is fetched", not bench.publisher.asked, bench.publisher.asked)


def switched_off(bench):
    bench.publish()
    files, done = bench.sign("-c", bench.folder / "off.yaml")
    bench.suite.check("without completing, the gate misses the chain", done.returncode == GATE, done.out)
    bench.suite.check("complete-chain: false asks nobody", not bench.publisher.asked, bench.publisher.asked)
    bench.suite.check("the file is untouched", sha256(files[0]) == sha256(bench.sample))


def lied_to(bench):
    other = (bench.folder / "other.der").read_bytes()
    lies = {
        "another CA's certificate": (200, {}, other),
        "a redirect": (302, {"Location": bench.publisher.url + "/root.cer"}, b""),
        "a web page": (200, {"Content-Type": "text/html"}, b"<html>Accept our cookies</html>"),
        "a huge answer": (200, {}, b"0" * (8 << 20)),
        "an error": (503, {}, b""),
    }
    for what, page in lies.items():
        bench.publish(lower=page)
        files, done = bench.sign()
        bench.suite.check(f"{what}: the gate misses the chain", done.returncode == GATE, done.out)
        bench.suite.check(f"{what}: a warning says so", "could not be fetched" in done.out, done.out)
        bench.suite.check(f"{what}: the file is untouched", sha256(files[0]) == sha256(bench.sample))


def main():
    suite = Suite()
    bench = Bench(suite, unsigned_files(suite)[0][1])
    completes(bench, tool("osslsigncode", suite))
    brings_its_own(bench)
    switched_off(bench)
    lied_to(bench)
    suite.finish()


if __name__ == "__main__":
    main()
