#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Writes cmake/function-order.txt: the functions that everyday commands run, in the order of their first call. The
# linker lays them side by side (docs/adr/0014-linker-order.md). To be run again when a much used path has changed; names
# that no longer exist do no harm, and functions that are missing only lie elsewhere.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

install_packages "${build_packages[@]}" "${test_packages[@]}" valgrind
build "$test_build" "${test_options[@]}" -- signctl_cli
signctl="$test_build/src/signctl"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

"$signctl" dev-cert --key rsa3072 --subject Order -o . >/dev/null
openssl pkcs12 -in dev.pfx -passin pass: -nodes -nocerts -out key.pem 2>/dev/null
cp /usr/share/nsis/Plugins/x86-unicode/System.dll small.exe
head -c 6000000 /dev/urandom | cat small.exe - >large.exe
printf 'Write-Host "hello"\r\n' >script.ps1
signer=(--provider pfx -p key=key.pem -p certificate=dev.pem --dev)
cat >signctl.yaml <<'YAML'
version: 1
signers:
  main: { provider: pfx, file: dev.pfx }
sign:
  signer: main
  timestamp: { servers: ["dev:"] }
steps:
  - name: programs
    files: ["batch/*.exe"]
gate:
  trust: [signer]
YAML
mkdir batch
for number in 1 2 3; do { cat small.exe; echo "$number"; } >"batch/$number.exe"; done

watched() {
  say "signctl $*"
  valgrind --tool=callgrind --demangle=no --callgrind-out-file="$work/calls.$((++count))" --quiet "$signctl" "$@" \
    >/dev/null 2>watched.err || { cat watched.err >&2; exit 1; }
}
count=0
watched sign small.exe -o small-signed.exe "${signer[@]}" --no-timestamp
watched verify small-signed.exe --dev --timestamp optional
watched sign large.exe -o large-signed.exe "${signer[@]}" --no-timestamp
watched verify large-signed.exe --dev --timestamp optional
watched sign
watched verify batch --dev
watched sign script.ps1 "${signer[@]}" --no-timestamp
watched verify script.ps1 --dev --timestamp optional

python3 - "$signctl" "$root/cmake/function-order.txt" "$work" "$count" <<'PY'
import re, sys
program, target, work, count = sys.argv[1:]
order = {}
for number in range(1, int(count) + 1):
    objects, functions, inside = {}, {}, False
    for line in open(f"{work}/calls.{number}", errors="replace"):
        found = re.match(r"(c?)(ob|fn)=\((\d+)\)(?: (.*))?$", line.rstrip("\n"))
        if not found:
            continue
        called, kind, key, name = found.groups()
        names = objects if kind == "ob" else functions
        if name:
            names[key] = name
        if kind == "ob" and not called:
            inside = names[key].endswith("/signctl")
        elif kind == "fn" and not called and inside:
            order.setdefault(re.sub(r"'\d+$", "", names[key]))
with open(target, "w") as out:
    out.write("".join(f"{name}\n" for name in order if re.fullmatch(r"[\w.$]+", name)))
print(f"{len(order)} functions")
PY
