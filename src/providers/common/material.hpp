// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/certificate.hpp"
#include "crypto/keys.hpp"

#include <signctl/bytes.hpp>
#include <signctl/digest_alg.hpp>
#include <signctl/provider.hpp>
#include <signctl/result.hpp>
#include <signctl/world.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

// Certificates, client certificates and signatures as services hand them over.
namespace signctl::providers {

/// A chain as sessions return it: leaf first, without a self-signed root.
struct Chain {
  crypto::Certificate leaf;
  std::vector<Bytes> der;  ///< The leaf's is the first.
};

/// Picks the leaf out of an unordered pool, as the certificate that is not a CA and that no other
/// was issued by, and orders the rest above it.
///
/// @errors `provider` when there is none, or more than one that are not copies.
Result<Chain> chain_of(const std::vector<crypto::Certificate>& pool);

/// chain_of() for the certificates of setting `chain` (a PEM, DER or PKCS#7 file) and those in
/// `from_service`, whose leaf wins.
///
/// @errors `config` when neither has any; `input` for the file.
Result<Chain> chain_with_file(const ProviderSettings& settings,
                              const std::vector<crypto::Certificate>& from_service);

/// Whether a SubjectPublicKeyInfo (DER) is that of the certificate.
[[nodiscard]] bool is_key_of(ByteView spki, const crypto::Certificate& certificate);

/// A signature as a service gave it, as SignedDigest wants it: RSA unchanged; ECDSA as DER
/// Ecdsa-Sig-Value, made from raw r||s when that is what verifies.
///
/// @errors `provider` when it verifies in no form: "returned signature does not match certificate
///         ...; nothing was written".
Result<Bytes> checked_signature(const crypto::Certificate& leaf,
                                ByteView digest,
                                DigestAlg alg,
                                ByteView signature);

/// Raw r||s (both of the curve's size) as DER Ecdsa-Sig-Value (RFC 3279, 2.2.3).
Result<Bytes> ecdsa_to_der(ByteView raw);

/// What services name their signature algorithms by.
enum class KeyFamily { rsa, p256, p384, p521 };
/// @errors `unsupported` for any other key.
Result<KeyFamily> key_family(const crypto::Certificate& leaf);

/// The client certificate of settings `client_certificate` (a PKCS#12 file, or base64 of one in
/// `base64`) and `client_certificate_password`; null when neither is given.
///
/// @errors `auth` for a wrong password, naming the file; `input` for a file that cannot be read.
struct ClientFile {
  std::shared_ptr<const ClientIdentity> identity;
  std::vector<crypto::Certificate> chain;  ///< Leaf first; for expiry warnings.
};
Result<ClientFile> load_client_identity(const ProviderSettings& settings, std::string_view base64);

/// Findings on a certificate's life, for `diagnose`: expired is an error, fewer than 30 days left a
/// warning, else info with the date. `what` is "signing certificate" or "client certificate".
[[nodiscard]] std::vector<Finding> expiry_findings(std::string_view what,
                                                   const crypto::Certificate& certificate,
                                                   TimePoint now);

/// What the gate will refuse about the key and the purpose of a certificate that signs.
[[nodiscard]] std::vector<Finding> path_findings(const crypto::Certificate& certificate);

/// Both for the certificate that signs.
[[nodiscard]] std::vector<Finding> signing_certificate_findings(
    const crypto::Certificate& certificate, TimePoint now);

/// When a token that is a JWT ends (its exp; RFC 7519, 4.1.4), for `diagnose`; nothing for other
/// tokens. A warning below 30 days only if it was made to live longer: those of an hour are made
/// for each run. The token is not verified: it is ours, and only looked at.
[[nodiscard]] std::vector<Finding> token_findings(std::string_view what,
                                                  std::string_view token,
                                                  TimePoint now);

/// What is said when nothing that is at hand has issued the leaf: where signing will fetch it from
/// (AIA), or that verifiers may not find it. Nothing when the chain has an issuer.
[[nodiscard]] std::vector<Finding> issuer_findings(std::string_view id, const Chain& chain);

/// An `auth` or other error as a finding of `diagnose`, hint included.
[[nodiscard]] Finding to_finding(std::string_view id, std::string_view subject, const Error& error);

/// The service's clock against ours: a warning beyond 60 s, an error beyond 5 minutes, else info.
[[nodiscard]] Finding clock_finding(std::string_view service, TimePoint server, TimePoint ours);

}  // namespace signctl::providers
