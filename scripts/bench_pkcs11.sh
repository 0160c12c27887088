#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Times signing with SoftHSM2 through signctl's provider (worker process, checks of each signature)
# against bare C_Sign calls on the same token, both with four sessions in four threads. Prints a
# Markdown table, and fails below 0.9.
#
#   bench_pkcs11.sh [--quick]
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

seconds=2
case ${1:-} in
  --quick) seconds=0.5 ;;
  "") ;;
  *) echo "usage: bench_pkcs11.sh [--quick]" >&2; exit 2 ;;
esac

install_packages "${build_packages[@]}" "${test_packages[@]}" >&2
build "$test_build" "${test_options[@]}" -- signctl_cli signctl_bench_pkcs11 >&2
signctl="$test_build/src/signctl"
bench="$test_build/tests/mock_pkcs11/signctl-bench-pkcs11"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir tokens
export SOFTHSM2_CONF="$work/softhsm2.conf" TOKEN_PIN=123456
printf 'directories.tokendir = %s/tokens\nobjectstore.backend = file\nlog.level = ERROR\n' "$work" >softhsm2.conf
module=/usr/lib/softhsm/libsofthsm2.so
softhsm2-util --init-token --free --label bench --pin "$TOKEN_PIN" --so-pin 12345678 >/dev/null

echo "| key | signctl, signatures a second | bare C_Sign | ratio | goal |"
echo "|---|---|---|---|---|"
worst=0
for bits in 2048 3072 4096; do
  openssl req -x509 -newkey "rsa:$bits" -nodes -keyout key.pem -subj "/CN=Bench $bits" -days 2 \
    -addext extendedKeyUsage=codeSigning -outform der -out cert.der 2>/dev/null
  openssl pkcs8 -topk8 -nocrypt -in key.pem -out key.p8
  softhsm2-util --token bench --import key.p8 --label "rsa$bits" --id "$bits" --pin "$TOKEN_PIN" >/dev/null
  pkcs11-tool --module "$module" --token-label bench --login --pin "$TOKEN_PIN" --write-object cert.der --type cert \
    --label "rsa$bits" --id "$bits" >/dev/null 2>&1
  read -r ours raw ratio < <("$bench" "$signctl" "$module" bench "rsa$bits" 4 "$seconds")
  echo "| RSA $bits | $ours | $raw | $ratio | at least 0.90 |"
  awk -v r="$ratio" 'BEGIN { exit r < 0.9 }' || worst=1
done
exit "$worst"
