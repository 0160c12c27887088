#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The main job, from nothing: builds signctl, makes a development certificate, signs a real Windows
# executable, verifies it, and shows a tampered copy being refused.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

install_packages "${build_packages[@]}" "${demo_packages[@]}"
dir="$root/build/release" options=(-DCMAKE_BUILD_TYPE=Release -DSIGNCTL_TESTS=OFF)
# Who has run the tests has it built already.
[ -f "$test_build/build.ninja" ] && dir=$test_build options=("${test_options[@]}")
build "$dir" "${options[@]}" -- signctl_cli
signctl="$dir/src/signctl"

work="$root/build/demo"
rm -rf "$work" && mkdir -p "$work" && cd "$work"
cp /usr/lib/systemd/boot/efi/systemd-bootx64.efi app.efi
chmod u+w app.efi

run() { printf '\n$ signctl %s\n' "$*"; "$signctl" "$@"; }

say "a real, unsigned Windows executable: systemd's boot loader from Debian ($(stat -c %s app.efi) bytes)"
printf '\n$ signctl verify app.efi\n'
set +e; "$signctl" verify app.efi; code=$?; set -e
[ $code -eq 1 ] || { echo "expected exit code 1 for an unsigned file, got $code" >&2; exit 1; }
echo "(exit code $code: nothing is signed yet)"

say "a development certificate and a local timestamp authority"
run dev-cert --subject "Contoso Studio" -o .

say "sign, timestamp, and gate"
run sign app.efi --provider pfx -p file=dev.pfx --timestamp-url dev:dev-tsa.pem --dev \
  --description "Contoso Studio" --url https://contoso.example/

say "verify"
run verify app.efi --dev

say "a tampered copy: one byte changed in the middle"
cp app.efi tampered.efi
middle=$(($(stat -c %s tampered.efi) / 2))
old=$(od -An -tu1 -j "$middle" -N1 tampered.efi | tr -d ' ')
printf "\\x$(printf %02x $(((old + 1) % 256)))" | dd of=tampered.efi bs=1 seek="$middle" conv=notrunc status=none
printf '\n$ signctl verify tampered.efi --dev\n'
set +e; "$signctl" verify tampered.efi --dev; code=$?; set -e
[ $code -eq 1 ] || { echo "expected exit code 1 for a tampered file, got $code" >&2; exit 1; }
echo "(exit code $code: do not ship)"

say "and without --dev the rehearsal signature passes no gate"
printf '\n$ signctl verify app.efi\n'
set +e; "$signctl" verify app.efi; code=$?; set -e
[ $code -eq 1 ] || { echo "expected exit code 1 without --dev, got $code" >&2; exit 1; }
echo "(exit code $code)"

say "done: everything is in ${work#"$root"/}"
