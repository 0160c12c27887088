// SPDX-License-Identifier: Apache-2.0
#include "formats/common/xml_signature.hpp"

#include "core/text.hpp"

namespace signctl::xml {

namespace {

constexpr std::string_view kEncryption = "http://www.w3.org/2001/04/xmlenc#";
constexpr std::string_view kMore = "http://www.w3.org/2001/04/xmldsig-more#";

/// What stands behind the number sign of an identifier in one of the three namespaces.
std::optional<std::string_view> name_in(std::string_view uri) {
  const auto hash = uri.rfind('#');
  if (hash == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view space = uri.substr(0, hash + 1);
  const bool known = space == kDsig || space == kEncryption || space == kMore;
  return known ? std::optional(uri.substr(hash + 1)) : std::nullopt;
}

/// Only as they are spelled there: find_digest_alg() is for people, and takes more.
std::optional<DigestAlg> digest_named(std::string_view name) {
  for (const DigestAlg alg :
       {DigestAlg::md5, DigestAlg::sha1, DigestAlg::sha256, DigestAlg::sha384, DigestAlg::sha512}) {
    if (digest_name(alg) == name) {
      return alg;
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<DigestAlg> digest_of_uri(std::string_view uri) {
  const auto name = name_in(uri);
  return name ? digest_named(*name) : std::nullopt;
}

std::optional<SignatureMethod> signature_method_of_uri(std::string_view uri) {
  const auto name = name_in(uri);
  const auto dash = name ? name->find('-') : std::string_view::npos;
  if (dash == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view key = name->substr(0, dash);
  const auto alg = digest_named(name->substr(dash + 1));
  if (!alg || (key != "rsa" && key != "ecdsa")) {
    return std::nullopt;
  }
  return SignatureMethod{key == "rsa" ? crypto::KeyType::rsa : crypto::KeyType::ec, *alg};
}

std::string digest_uri(DigestAlg alg) {
  // RFC 6931: SHA-256 and SHA-512 are in the namespace of XML Encryption, SHA-384 is not.
  const std::string_view space = alg == DigestAlg::sha384 ? kMore : kEncryption;
  return std::string(space) + std::string(digest_name(alg));
}

std::string signature_method_uri(const SignatureMethod& method) {
  return std::string(kMore) + (method.key == crypto::KeyType::ec ? "ecdsa-" : "rsa-") +
         std::string(digest_name(method.alg));
}

Bytes base64_of(const Element& element) {
  return from_base64(element.text()).value_or(Bytes{});
}

}  // namespace signctl::xml
