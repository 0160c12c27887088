#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a session spares a packager that calls signctl once per file, as Markdown.

bench_session.py SIGNCTL SIGNCTL-FAKE FILE [RUNS]: RUNS calls of `signtool sign`, one after the other, to a service whose
every answer takes 100 ms, without and with a session.
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "interop"))


def main():
    signctl, fake, sample = map(os.path.abspath, sys.argv[1:4])
    runs = int(sys.argv[4]) if len(sys.argv) > 4 else 30
    os.environ["SIGNCTL_FAKE_BINARY"] = fake
    from fake_services import FakeServices  # pylint: disable=import-outside-toplevel
    folder = pathlib.Path(tempfile.mkdtemp(prefix="signctl-bench-session-"))
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(folder)}

    def call(*arguments):
        subprocess.run([signctl, *map(str, arguments)], cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)

    try:
        with FakeServices(folder / "services", ["artifact-signing", "entra"]) as services:
            settings = {**services.personalities["artifact-signing"], "ca_file": str(services.ca_file)}
            environment["BENCH_SECRET"] = settings.pop("client_secret")
            lines = "\n".join(f"    {key}: {json.dumps(str(value))}" for key, value in settings.items())
            (folder / "signctl.yaml").write_text(
                "version: 1\nsigners:\n  release:\n    provider: trusted-signing\n    client_secret: env:BENCH_SECRET\n" + lines
                + "\nsign: { signer: release, timestamp: { servers: ['dev:dev-tsa.pem'] } }\njournal: \"off\"\n"
                f"gate: {{ timestamp: optional, trust: ['file:{services.root}'] }}\n")
            call("dev-cert")
            files = [folder / f"app{i}.exe" for i in range(2 * runs)]
            for i, path in enumerate(files):
                path.write_bytes(pathlib.Path(sample).read_bytes() + b"%08d" % i)
            services.fault(match="/", times=-1, kind="delay", delay_ms=100)

            def timed(batch):
                started = time.monotonic()
                for path in batch:
                    call("signtool", "sign", "/fd", "sha256", "--dev", path)
                return (time.monotonic() - started) / len(batch)

            without = timed(files[:runs])
            call("session", "start", "--dev")
            with_session = timed(files[runs:])
            call("session", "stop")
            print("| one call a file, answers take 100 ms | a call |\n|---|---:|\n"
                  f"| without a session | {without * 1000:.0f} ms |\n| with one | {with_session * 1000:.0f} ms ({with_session / without:.2f}x) |")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
