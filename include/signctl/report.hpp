// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/bytes.hpp>
#include <signctl/digest_alg.hpp>
#include <signctl/finding.hpp>
#include <signctl/format.hpp>
#include <signctl/world.hpp>

#include <optional>
#include <string>
#include <vector>

namespace signctl {

/// A certificate as shown to people. Texts are RFC 2253-like, UTF-8, control characters escaped.
struct CertificateInfo {
  std::string subject;
  std::string issuer;
  std::string serial_hex;
  std::string sha1_hex;
  std::string sha256_hex;
  TimePoint not_before{};
  TimePoint not_after{};
  std::string key;                  ///< "RSA 3072", "EC P-256"
  std::string signature_algorithm;  ///< "sha256WithRSAEncryption"
  std::optional<std::vector<std::string>>
      extended_key_usage;  ///< Dotted OIDs; absent if no extension.
  std::vector<std::pair<std::string, std::string>>
      subject_attributes;  ///< ("CN", "Contoso Ltd") in order.
  bool self_signed{false};
  bool rehearsal{false};  ///< Carries signctl's rehearsal marker.
};

/// The certificates from a signer up to where trust ended, leaf first.
struct ChainInfo {
  std::vector<CertificateInfo> certificates;
  bool trusted{false};
  std::string anchor_source;  ///< Empty if not trusted.
};

/// Kind of timestamp that a signature carries.
enum class TimestampKind { rfc3161, authenticode };

struct TimestampInfo {
  TimestampKind kind{TimestampKind::rfc3161};
  bool valid{false};  ///< Every check passed; only then `time` means anything.
  TimePoint time{};
  std::string digest;  ///< Imprint algorithm: "sha256".
  std::string policy;  ///< Dotted OID; empty for the legacy kind.
  std::string serial_hex;
  std::optional<std::chrono::milliseconds> accuracy;
  std::string signer_digest;  ///< Digest algorithm of the token's signature.
  ChainInfo chain;
};

/// An attribute of a signature, for `inspect`.
struct AttributeInfo {
  std::string oid;
  std::string name;   ///< "messageDigest"; empty if unknown.
  std::string value;  ///< For people; hex if not decoded.
  Bytes der;          ///< The complete Attribute SEQUENCE.
};

/// One signature over the file.
struct SignatureInfo {
  std::string label;     ///< "signature 1", "signature 1.1" for the first one nested in it.
  std::string location;  ///< Where it is stored.
  int depth{0};          ///< 0 top level, 1 nested.
  DigestAlg digest_alg{DigestAlg::sha256};
  std::string digest_hex;           ///< As stored in SpcIndirectData.
  std::string computed_digest_hex;  ///< Of the file; empty if it could not be computed.
  std::string signature_algorithm;  ///< "RSA 3072 with sha256"
  std::string description;
  std::string url;
  bool page_hashes{false};
  std::optional<TimestampInfo> timestamp;
  ChainInfo chain;
  std::vector<CertificateInfo> certificates;  ///< Everything embedded, in stored order.
  std::vector<AttributeInfo> signed_attributes;
  std::vector<AttributeInfo> unsigned_attributes;
  Bytes cms;  ///< DER ContentInfo of this signature.
};

/// Everything verification found out about one file: facts, no opinion.
struct Report {
  std::string path;    ///< UTF-8, as the user named it.
  std::string format;  ///< "pe"
  std::uint64_t size_bytes{};
  TimePoint judged_at{};
  std::vector<FileFact> facts;
  std::vector<HashedRange> hashed_ranges;
  std::vector<SignatureInfo> signatures;
  std::vector<Finding> findings;
  /// Whether a file of this type has to be signed where it lies: archives cannot be, and a cabinet
  /// in an installer need not.
  bool needs_signature{true};
  bool looked_inside{false};  ///< Whether what is inside is known to the outermost report.
  /// The files inside this one that are of a known type, however deep, in stored order; empty in
  /// the reports on these. Theirs is the path within this file: "app.cab/setup.exe".
  std::vector<Report> members{};
};

}  // namespace signctl
