#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sources the bash completion and asks it; checks the syntax of the others where their shell is there.

Usage: completion_test.py BINARY
"""
import os
import shutil
import subprocess
import sys
import tempfile

# words typed so far, the last one being completed -> candidates that must and must not be offered
CASES = [
    (["si"], {"sign"}, {"verify"}),
    (["sign", "--timestamp-"], {"--timestamp-url", "--timestamp-digest"}, {"--json"}),
    (["sign", "--fd", ""], {"sha256", "sha384", "sha512"}, {"sha1", "app.exe"}),
    (["sign", "--if-signed", "sk"], {"skip-valid"}, {"fail"}),
    (["sign", "--provider", "p"], {"pfx", "pkcs11"}, {"vault"}),
    (["sign", "-c", "sig"], {"signctl.yaml"}, {"app.exe"}),
    (["sign", "with"], {"with blank.exe"}, {"app.exe"}),
    (["config", ""], {"show", "schema"}, {"list"}),
    (["config", "show", "--c"], {"--config", "--color"}, {"--timestamp-url"}),
    (["completion", "z"], {"zsh"}, {"bash"}),
    (["--json", "ver"], {"verify", "version"}, {"sign"}),
    (["dev-cert", "--key", "p"], {"p256", "p384", "p521"}, {"rsa2048"}),
]
ASK = """
source completion.bash
COMP_WORDS=(signctl "$@")
COMP_CWORD=$#
_signctl 2>/dev/null
printf '%s\\n' "${COMPREPLY[@]}"
"""


def script_of(binary, shell):
    return subprocess.run([binary, "completion", shell], capture_output=True, check=True).stdout


def main():
    binary = os.path.abspath(sys.argv[1])
    if shutil.which("bash") is None:
        print("SKIPPED: completion (no bash)")
        return 0
    failures = []
    with tempfile.TemporaryDirectory() as folder:
        for name in ("app.exe", "with blank.exe", "signctl.yaml"):
            open(os.path.join(folder, name), "w").close()
        with open(os.path.join(folder, "completion.bash"), "wb") as file:
            file.write(script_of(binary, "bash"))
        for words, wanted, unwanted in CASES:
            answer = subprocess.run(["bash", "--norc", "-c", ASK, "ask", *words], cwd=folder,
                                    capture_output=True, check=True, text=True).stdout.splitlines()
            if not wanted <= set(answer) or unwanted & set(answer):
                failures.append(f"signctl {' '.join(words)}: {answer}")
        for shell, check in (("bash", ["bash", "-n"]), ("zsh", ["zsh", "-n"]), ("fish", ["fish", "-n"])):
            if shutil.which(shell) is None:
                print(f"SKIPPED: syntax of the {shell} completion (no {shell})")
                continue
            path = os.path.join(folder, "script")
            with open(path, "wb") as file:
                file.write(script_of(binary, shell))
            result = subprocess.run([*check, path], capture_output=True, check=False, text=True)
            if result.returncode != 0:
                failures.append(f"{shell}: {result.stderr}")
    print("\n".join(failures) or f"{len(CASES)} completions agree")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
