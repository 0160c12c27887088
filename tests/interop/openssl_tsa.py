# SPDX-License-Identifier: Apache-2.0
"""A timestamp server on loopback whose answers are made by `openssl ts`: somebody else's RFC 3161."""
import http.server
import pathlib
import threading

from harness import require, run

CONFIG = """
[tsa]
default_tsa = this
[this]
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha1, sha256, sha384, sha512
accuracy = secs:1
ordering = no
tsa_name = yes
ess_cert_id_chain = no
ess_cert_id_alg = sha256
[req]
distinguished_name = name
prompt = no
x509_extensions = ext
[name]
CN = openssl timestamp authority of a test
[ext]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
"""


class OpensslTsa:
    """`with OpensslTsa(folder) as tsa:` serves at tsa.url; tsa.certificate is its self-signed certificate."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True)
        self.config = self.folder / "openssl.cnf"
        self.config.write_text(CONFIG.format(folder=self.folder))
        (self.folder / "serial").write_text("01\n")
        self.certificate = self.folder / "tsa.pem"
        require(run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-config", self.config,
                    "-keyout", self.folder / "tsa.key", "-out", self.certificate))
        self.requests = 0

    def answer(self, query):
        """The DER TimeStampResp for a DER TimeStampReq."""
        self.requests += 1
        (self.folder / "query.tsq").write_bytes(query)
        require(run("openssl", "ts", "-reply", "-config", self.config, "-queryfile", self.folder / "query.tsq",
                    "-out", self.folder / "reply.tsr"))
        return (self.folder / "reply.tsr").read_bytes()

    def __enter__(self):
        authority = self

        class Handler(http.server.BaseHTTPRequestHandler):
            """One POST, one token."""

            def do_POST(self):  # noqa: N802, the base class decides the name
                """Answers a time-stamp query."""
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers["Content-Type"] != "application/timestamp-query":
                    self.send_error(415)
                    return
                reply = authority.answer(body)
                self.send_response(200)
                self.send_header("Content-Type", "application/timestamp-reply")
                self.send_header("Content-Length", str(len(reply)))
                self.end_headers()
                self.wfile.write(reply)

            def log_message(self, *_):
                """Quiet."""

        self.server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
