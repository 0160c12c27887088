// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/bytes.hpp>
#include <signctl/digest_alg.hpp>
#include <signctl/report.hpp>
#include <signctl/result.hpp>
#include <signctl/world.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct x509_st;  // OpenSSL's X509

namespace signctl::crypto {

enum class KeyType { rsa, ec, other };

/// What there is to know about a public key.
struct KeyFacts {
  KeyType type{KeyType::other};
  int bits{};              ///< RSA modulus or EC field size.
  std::string curve;       ///< "P-256", "P-384", "P-521" or OpenSSL's name; empty if not EC.
  bool named_curve{true};  ///< false for explicit parameters (CVE-2020-0601).
};

/// keyUsage bits (RFC 5280, 4.2.1.3) that matter here.
struct KeyUsage {
  bool digital_signature{false};
  bool key_cert_sign{false};
  bool crl_sign{false};
};

/// An X.509 certificate: immutable, cheap to copy, parsed once.
class Certificate {
 public:
  /// @errors `input` when `der` is not exactly one certificate.
  static Result<Certificate> parse(ByteView der);

  [[nodiscard]] const Bytes& der() const;
  [[nodiscard]] ByteView subject_der() const;  ///< DER Name
  [[nodiscard]] ByteView issuer_der() const;   ///< DER Name
  [[nodiscard]] ByteView serial_der() const;  ///< DER INTEGER, complete TLV, as in the certificate.
  [[nodiscard]] const CertificateInfo& info() const;
  [[nodiscard]] const KeyFacts& key() const;
  [[nodiscard]] TimePoint not_before() const;
  [[nodiscard]] TimePoint not_after() const;
  [[nodiscard]] std::optional<KeyUsage> key_usage() const;
  [[nodiscard]] const std::optional<std::vector<std::string>>& extended_key_usage() const;
  [[nodiscard]] bool extended_key_usage_critical() const;
  [[nodiscard]] bool has_eku(std::string_view dotted) const;
  [[nodiscard]] bool is_ca() const;        ///< basicConstraints cA=TRUE
  [[nodiscard]] bool self_issued() const;  ///< subject equals issuer, byte for byte
  [[nodiscard]] bool is_rehearsal() const;
  /// Hash algorithm of the certificate's own signature; empty for schemes without one we know.
  [[nodiscard]] std::optional<DigestAlg> signature_digest() const;
  /// Name and URIs for the next certificate up (AIA caIssuers), http(s) only.
  [[nodiscard]] bool signed_by(
      const Certificate& issuer) const;  ///< Only the signature, no policy.

  [[nodiscard]] x509_st* x509() const;  ///< Borrowed; for crypto, cms and trust.

  friend bool operator==(const Certificate& a, const Certificate& b) { return a.der() == b.der(); }

 private:
  struct Parsed;
  class Cache;
  static Result<std::shared_ptr<const Parsed>> decode(ByteView der, const Bytes& sha256);
  explicit Certificate(std::shared_ptr<const Parsed> parsed);
  std::shared_ptr<const Parsed> parsed_;
};

/// Every CERTIFICATE block of a PEM text, or the single certificate of a DER buffer, or the
/// certificates of a PKCS#7 bundle in either form; in file order.
Result<std::vector<Certificate>> read_certificates(ByteView pem_or_der);

/// `certificates` as PEM text.
[[nodiscard]] std::string to_pem(const std::vector<Certificate>& certificates);

/// `pool` from `leaf` upwards by issuer and signature, with all that may stand above one of them;
/// self-signed roots left out unless the leaf is one, certificates that do not belong dropped.
[[nodiscard]] std::vector<Certificate> order_chain(const Certificate& leaf,
                                                   const std::vector<Certificate>& pool);

}  // namespace signctl::crypto
