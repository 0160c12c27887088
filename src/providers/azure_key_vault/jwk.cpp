// SPDX-License-Identifier: Apache-2.0
#include "crypto/der.hpp"
#include "providers/azure_key_vault/key.hpp"

#include <array>

namespace signctl::providers::azure_key_vault {
namespace {

constexpr std::string_view kRsaEncryption = "1.2.840.113549.1.1.1";
constexpr std::string_view kEcPublicKey = "1.2.840.10045.2.1";
constexpr std::uint8_t kBitString = 0x03;
constexpr std::uint8_t kUncompressed = 0x04;  // SEC 1, 2.3.3

struct CurveRow {
  std::string_view name;
  std::string_view oid;
  std::size_t size;
};
constexpr std::array kCurves{CurveRow{"P-256", "1.2.840.10045.3.1.7", 32},
                             CurveRow{"P-384", "1.3.132.0.34", 48},
                             CurveRow{"P-521", "1.3.132.0.35", 66}};

Bytes bit_string(ByteView content) {
  const std::array<std::uint8_t, 1> no_unused_bits{0};
  return der::tlv(kBitString, {no_unused_bits, content});
}

std::optional<Bytes> rsa_spki(const Json& jwk) {
  const auto modulus = from_any_base64(text_at(jwk, {"n"}));
  const auto exponent = from_any_base64(text_at(jwk, {"e"}));
  if (!modulus || !exponent || modulus->empty() || exponent->empty()) {
    return std::nullopt;
  }
  const Bytes key =
      der::sequence({der::unsigned_integer(*modulus), der::unsigned_integer(*exponent)});
  return der::sequence({der::algorithm_with_null(kRsaEncryption), bit_string(key)});
}

std::optional<Bytes> ec_spki(const Json& jwk) {
  const std::string name = text_at(jwk, {"crv"});
  for (const CurveRow& curve : kCurves) {
    if (curve.name != name) {
      continue;
    }
    Bytes point{kUncompressed};
    for (const char* axis : {"x", "y"}) {
      const auto coordinate = from_any_base64(text_at(jwk, {axis}));
      if (!coordinate || coordinate->empty() || coordinate->size() > curve.size) {
        return std::nullopt;
      }
      point.resize(point.size() + curve.size - coordinate->size());
      point.insert(point.end(), coordinate->begin(), coordinate->end());
    }
    return der::sequence(
        {der::sequence({der::oid(kEcPublicKey), der::oid(curve.oid)}), bit_string(point)});
  }
  return std::nullopt;
}

}  // namespace

std::optional<Bytes> spki_from_jwk(const Json& jwk) {
  const std::string type = text_at(jwk, {"kty"});
  if (type == "RSA" || type == "RSA-HSM") {
    return rsa_spki(jwk);
  }
  return type == "EC" || type == "EC-HSM" ? ec_spki(jwk) : std::nullopt;
}

}  // namespace signctl::providers::azure_key_vault
