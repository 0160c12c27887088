#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Times signctl against osslsigncode side by side in one run, then 200 files through stand-ins for signing
# services, then a token against bare C_Sign calls; and writes docs/performance.md.
#
#   bench.sh [--quick] [--no-write]
#
# OSSLSIGNCODE=PATH measures another build of it; OPENSSL, hyperfine and GNU time come from packages.
# Nothing is timestamped, so no network is involved; signctl's times include its verification gate.
# The side-by-side runs are made twice: in memory (SIGNCTL_BENCH_MEMORY, /dev/shm), where the tools alone count, and
# on disk (SIGNCTL_BENCH_DIR, build/bench), where signctl waits for its fsync and the peer has none.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

rounds=10 runs=5 write=1
# shellcheck disable=SC2046  # commands are built as words on purpose
for argument in "$@"; do
  case $argument in
    --quick) rounds=3 runs=3 ;;
    --no-write) write=0 ;;
    *) echo "usage: bench.sh [--quick] [--no-write]" >&2; exit 2 ;;
  esac
done

install_packages "${build_packages[@]}" "${test_packages[@]}" "${demo_packages[@]}" "${bench_packages[@]}"
build "$test_build" "${test_options[@]}" -- signctl_cli signctl-fake signctl_bench_pkcs11
signctl="$test_build/src/signctl"
peer=${OSSLSIGNCODE:-$(command -v osslsigncode)}

work=${SIGNCTL_BENCH_DIR:-$root/build/bench}
rm -rf "$work"; mkdir -p "$work"; cd "$work"
memory=$(mktemp -d -p "${SIGNCTL_BENCH_MEMORY:-/dev/shm}" signctl-bench.XXXXXX)
trap 'rm -rf "$memory"' EXIT

say "making inputs"
# 40 KB: a real DLL from NSIS, with an overlay up to the size.
cp /usr/share/nsis/Plugins/x86-unicode/System.dll small.exe
truncate -s 40960 small.exe
"$signctl" dev-cert --key rsa3072 --subject Bench -o . >/dev/null
openssl pkcs12 -in dev.pfx -passin pass: -nodes -nocerts -out key.pem 2>/dev/null
efi=/usr/lib/systemd/boot/efi/systemd-bootx64.efi
# An overlay is part of the digest, so a padded file costs what a large program costs.
python3 - "$efi" <<'PY'
import random, sys
image = open(sys.argv[1], "rb").read()
noise = random.Random(1)
with open("large.exe", "wb") as out:
    out.write(image)
    left = 97_400_000 - len(image)
    while left > 0:
        block = noise.randbytes(min(left, 1 << 20))
        out.write(block)
        left -= len(block)
PY
cp "$efi" huge.exe; truncate -s 3G huge.exe
cp small.exe large.exe dev.pem key.pem "$memory"

sign_ours() { echo "$signctl sign $1 -o $2 --provider pfx -p key=key.pem -p certificate=dev.pem --no-timestamp --dev -q"; }
sign_peer() { echo "$peer sign -certs dev.pem -key key.pem -in $1 -out $2"; }

# Both sides in turns, so that what else the machine does meets both alike.
compare() { # NAME OURS PEER FILE-TO-REMOVE-BEFORE-EACH-RUN
  local round side command
  for round in $(seq "$rounds"); do
    for side in ours peer; do
      command=$2; [ "$side" = peer ] && command=$3
      hyperfine --shell=none --warmup 1 --runs "$runs" --prepare "rm -f $4" --export-json "$1-$side.$round.json" \
        "$command" >/dev/null 2>"$1-$side.err" || { cat "$1-$side.err" >&2; echo "failed: $command" >&2; exit 1; }
    done
  done
}
peak_of() { /usr/bin/time -f %M "$@" 2>&1 >/dev/null | tail -1; }

# In the current folder, which has the inputs.
side_by_side() {
  local size
  for size in small large; do
    say "signing and verifying $size.exe ($(stat -c %s $size.exe) bytes), $1"
    compare "sign-$size" "$(sign_ours $size.exe out.exe)" "$(sign_peer $size.exe out.exe)" out.exe
    $(sign_ours $size.exe out-ours.exe)
    $(sign_peer $size.exe out-peer.exe) >/dev/null
    compare "verify-$size" "$signctl verify out-ours.exe --dev --timestamp optional -q" \
      "$peer verify -CAfile dev.pem out-peer.exe" nothing
    rm -f out.exe out-ours.exe out-peer.exe
    peak_of $(sign_ours $size.exe out-ours.exe) >"sign-$size-ours.rss"
    peak_of $(sign_peer $size.exe out-peer.exe) >"sign-$size-peer.rss"
    peak_of "$signctl" verify out-ours.exe --dev --timestamp optional -q >"verify-$size-ours.rss"
    peak_of "$peer" verify -CAfile dev.pem out-peer.exe >"verify-$size-peer.rss"
    rm -f out-ours.exe out-peer.exe
  done
}

(cd "$memory" && side_by_side "in memory")
side_by_side "on disk"

say "a sparse file of 3 GB"
/usr/bin/time -f '%e %M' $(sign_ours huge.exe out-huge.exe) 2>huge.txt
/usr/bin/time -f '%e %M' "$signctl" verify out-huge.exe --dev --timestamp optional -q 2>huge-verify.txt
rm -f out-huge.exe huge.exe
cp huge.txt huge-verify.txt "$memory"

say "start-up"
(cd "$memory" && compare start "$signctl version" "$peer --version" nothing)

missed=()
name=$("$peer" --version 2>/dev/null | head -1 | sed 's/, using://')
python3 "$root/scripts/bench_table.py" "$memory" "$name" >table.md || missed+=(table)
cat table.md
python3 "$root/scripts/bench_table.py" --disk "$work" >disk.md
cat disk.md

say "200 files through services that take 100 ms"
"$root/scripts/bench_services.py" "$signctl" "$test_build/tests/signctl-fake" small.exe >services.md || missed+=(services)
cat services.md

say "batches"
TMPDIR=$memory "$root/scripts/bench_batch.py" "$signctl" "$test_build/tests/signctl-fake" small.exe $([ "$rounds" = 10 ] || echo --quick) >batch.md || missed+=(batch)
cat batch.md

say "packages of 500 MB"
{ head -2 disk.md
  for kind in msi msix; do
    SIGNCTL_BENCH_DIR=$memory ROUNDS=$([ "$rounds" = 10 ] && echo 5 || echo 1) "$root/scripts/bench_$kind.sh" "$signctl" ||
      missed+=("$kind")
    rm -rf "${memory:?}/$kind"
  done
} >packages.md
cat packages.md

say "a token"
"$root/scripts/bench_pkcs11.sh" >pkcs11.md || missed+=(pkcs11)
cat pkcs11.md

if [ "$write" = 1 ]; then
  for part in table disk packages services batch pkcs11; do
    python3 "$root/scripts/bench_table.py" --into "$root/docs/performance.md" "$part" "$part.md"
  done
  python3 "$root/scripts/bench_plot.py" table.md packages.md batch.md --into "$root/docs/performance"
  say "written into docs/performance.md"
fi
[ "${#missed[@]}" = 0 ] || { echo "goals missed: ${missed[*]}" >&2; exit 1; }
