// SPDX-License-Identifier: Apache-2.0
#include "crypto/ecdsa_value.hpp"

#include "crypto/der.hpp"

namespace signctl::crypto {

namespace {

constexpr int kBitsPerByte = 8;

/// Appends the INTEGER with leading zeros up to `size` octets.
Result<void> append_number(der::Parser& parser, std::size_t size, Bytes& raw) {
  SIGNCTL_TRY(const der::Tlv number, parser.expect(der::kInteger, "an ECDSA signature"), "");
  ByteView digits = number.content;
  while (!digits.empty() && digits.front() == 0) {
    digits = digits.subspan(1);
  }
  if (digits.size() > size) {
    return Error{ErrorKind::input, "an ECDSA signature is too large for the key's curve"};
  }
  raw.insert(raw.end(), size - digits.size(), 0);
  raw.insert(raw.end(), digits.begin(), digits.end());
  return ok();
}

}  // namespace

Result<Bytes> ecdsa_raw_from_der(ByteView der, const KeyFacts& key) {
  const auto size = static_cast<std::size_t>((key.bits + kBitsPerByte - 1) / kBitsPerByte);
  SIGNCTL_TRY(const der::Tlv whole, der::parse_whole(der, der::kSequence, "ECDSA signature"), "");
  der::Parser parser(whole.content);
  Bytes raw;
  SIGNCTL_CHECK(append_number(parser, size, raw), "");
  SIGNCTL_CHECK(append_number(parser, size, raw), "");
  SIGNCTL_CHECK(parser.end("ECDSA signature"), "");
  return raw;
}

Bytes ecdsa_der_from_raw(ByteView raw) {
  if (raw.empty() || raw.size() % 2 != 0) {
    return {};
  }
  const std::size_t half = raw.size() / 2;
  return der::sequence(
      {der::unsigned_integer(raw.first(half)), der::unsigned_integer(raw.subspan(half))});
}

}  // namespace signctl::crypto
