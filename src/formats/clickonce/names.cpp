// SPDX-License-Identifier: Apache-2.0
#include "formats/clickonce/names.hpp"

#include "core/text.hpp"
#include "crypto/digest.hpp"
#include "crypto/public_numbers.hpp"

#include <algorithm>

namespace signctl::clickonce {

namespace {

void put_u32(Bytes& out, std::uint32_t value) {
  for (int shift = 0; shift < 32; shift += 8) {
    out.push_back(static_cast<std::uint8_t>(value >> static_cast<unsigned>(shift)));
  }
}

std::string quoted(const std::string& value) {
  const bool plain = value.find_first_of(",+=\"\n<>#;") == std::string::npos && !value.empty() &&
                     value.front() != ' ' && value.back() != ' ';
  if (plain) {
    return value;
  }
  std::string out = "\"";
  for (const char c : value) {
    out += c == '"' ? "\"\"" : std::string(1, c);
  }
  return out + "\"";
}

std::string type_text(const std::string& type) {
  if (type == "ST") {
    return "S";
  }
  return type == "emailAddress" ? "E" : type;
}

}  // namespace

std::string subject_text(const crypto::Certificate& certificate) {
  const auto& parts = certificate.info().subject_attributes;
  std::string text;
  for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
    text += (text.empty() ? "" : ", ") + type_text(part->first) + "=" + quoted(part->second);
  }
  return text;
}

Result<std::string> public_key_token(const crypto::Certificate& certificate) {
  constexpr std::uint32_t kCalgRsaSign = 0x2400;
  constexpr std::uint32_t kCalgSha1 = 0x8004;
  constexpr std::uint32_t kRsa1 = 0x31415352;      // "RSA1"
  constexpr std::uint32_t kPublicBlob = 0x000206;  // PUBLICKEYBLOB, version 2
  constexpr std::uint32_t kBlobHeader = 20;
  SIGNCTL_TRY(const auto key, crypto::rsa_public_numbers(certificate), "");
  const auto size = static_cast<std::uint32_t>(key.modulus.size());
  std::uint32_t exponent = 0;
  for (const std::uint8_t byte : key.exponent) {
    exponent = (exponent << 8U) | byte;
  }
  Bytes blob;
  for (const std::uint32_t field : {kCalgRsaSign,
                                    kCalgSha1,
                                    kBlobHeader + size,
                                    kPublicBlob,
                                    kCalgRsaSign,
                                    kRsa1,
                                    size * 8,
                                    exponent}) {
    put_u32(blob, field);
  }
  blob.insert(blob.end(), key.modulus.rbegin(), key.modulus.rend());
  Bytes digest = crypto::hash(DigestAlg::sha1, blob);
  std::reverse(digest.begin(), digest.end());
  return to_hex(ByteView(digest).first(8));
}

std::string issuer_key_hash(const crypto::Certificate& leaf, const crypto::Certificate* issuer) {
  if (issuer != nullptr) {
    return to_hex(crypto::public_key_hash(*issuer));
  }
  return to_hex(leaf.self_issued() ? crypto::public_key_hash(leaf)
                                   : crypto::authority_key_id(leaf));
}

std::string reversed_hex(ByteView digest) {
  const Bytes reversed(digest.rbegin(), digest.rend());
  return to_hex(reversed);
}

}  // namespace signctl::clickonce
