// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/certificate.hpp"
#include "formats/common/xml.hpp"

#include <signctl/bytes.hpp>
#include <signctl/digest_alg.hpp>

#include <optional>
#include <string>
#include <string_view>

/// Names of XML-DSig (W3C, XML Signature Syntax and Processing 1.1) and RFC 6931.
namespace signctl::xml {

inline constexpr std::string_view kDsig = "http://www.w3.org/2000/09/xmldsig#";
inline constexpr std::string_view kInclusiveUri = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315";
inline constexpr std::string_view kExclusiveUri = "http://www.w3.org/2001/10/xml-exc-c14n#";
inline constexpr std::string_view kEnvelopedUri =
    "http://www.w3.org/2000/09/xmldsig#enveloped-signature";

/// A SignatureMethod: PKCS #1 v1.5 for RSA.
struct SignatureMethod {
  crypto::KeyType key{crypto::KeyType::rsa};
  DigestAlg alg{DigestAlg::sha256};
};

/// The hash that a DigestMethod names, by W3C's identifiers or by Windows' own, which put SHA-2
/// into the namespace of XML-DSig.
[[nodiscard]] std::optional<DigestAlg> digest_of_uri(std::string_view uri);

/// The same for a SignatureMethod. HMAC is none: its key is no certificate's.
[[nodiscard]] std::optional<SignatureMethod> signature_method_of_uri(std::string_view uri);

/// W3C's identifiers. `alg` is one that signctl signs with.
[[nodiscard]] std::string digest_uri(DigestAlg alg);
[[nodiscard]] std::string signature_method_uri(const SignatureMethod& method);

/// Base64 text of an element, white space left out; empty when it is no base64.
[[nodiscard]] Bytes base64_of(const Element& element);

/// How many bytes of `document`, whose text is `raw`, no signature covers: comments and processing
/// instructions, blanks where markup does not need them, and in `signature` text beside elements
/// and blanks in the text of elements.
Result<std::size_t> uncovered_bytes(const Document& document,
                                    ByteView raw,
                                    const Element& signature);

}  // namespace signctl::xml
