// SPDX-License-Identifier: Apache-2.0
#include "crypto/path_rules.hpp"

#include "crypto/oids.hpp"

#include <utility>

namespace signctl::crypto {

namespace {

constexpr int kMinRsaBits = 2048;
// Shorter ones can be factored; Windows refuses them, too.
constexpr int kMinRsaBitsEver = 1024;

Finding finding(std::string id, const Certificate& certificate, std::string message) {
  return {std::move(id), Severity::error, subject_of(certificate), std::move(message)};
}

void check_key(const Certificate& certificate, std::vector<Finding>& findings) {
  const KeyFacts& key = certificate.key();
  switch (key.type) {
    case KeyType::rsa:
      if (key.bits < kMinRsaBits) {
        findings.push_back(finding(
            key.bits < kMinRsaBitsEver ? "forbidden-key" : "weak-key",
            certificate,
            "the RSA key has " + std::to_string(key.bits) + " bits; at least 2048 are needed"));
      }
      return;
    case KeyType::ec:
      if (!key.named_curve) {
        // CVE-2020-0601: a generator of one's own choice fits any public key.
        findings.push_back(finding("explicit-curve",
                                   certificate,
                                   "the EC key has explicit parameters instead of a named curve"));
      }
      if (key.curve != "P-256" && key.curve != "P-384" && key.curve != "P-521") {
        findings.push_back(finding("forbidden-key",
                                   certificate,
                                   "the EC key is on " +
                                       (key.curve.empty() ? "an unknown curve" : key.curve) +
                                       "; P-256, P-384 and P-521 are accepted"));
      }
      return;
    case KeyType::other:
      findings.push_back(finding("forbidden-key",
                                 certificate,
                                 "the key is neither RSA nor EC, cannot be read, or has an RSA "
                                 "exponent that nobody uses"));
      return;
  }
}

void check_digest(const Certificate& certificate, std::vector<Finding>& findings) {
  const auto alg = certificate.signature_digest();
  if (!alg || !is_signing_digest(*alg)) {
    findings.push_back(finding(
        alg == DigestAlg::sha1 ? "weak-certificate-digest" : "forbidden-digest",
        certificate,
        "the certificate is signed with " +
            (alg ? std::string(digest_name(*alg)) : certificate.info().signature_algorithm) +
            ", not with SHA-2"));
  }
}

std::string_view wanted_purpose(TrustPurpose purpose) {
  return purpose == TrustPurpose::code_signing ? oid::kCodeSigning : oid::kTimeStamping;
}

std::string list_of(const std::vector<std::string>& purposes) {
  std::string text;
  for (const std::string& one : purposes) {
    const std::string_view name = oid::name(one);
    text += (text.empty() ? "" : ", ") + (name.empty() ? one : std::string(name));
  }
  return text.empty() ? "nothing" : text;
}

/// RFC 5280, 4.2.1.12, for the leaf; and as Windows does, CAs that name purposes hand on only
/// those.
void check_purpose(const Certificate& certificate,
                   bool is_leaf,
                   TrustPurpose purpose,
                   std::vector<Finding>& findings) {
  const auto& purposes = certificate.extended_key_usage();
  const std::string wanted(wanted_purpose(purpose));
  const std::string name(oid::name(wanted));
  if (!purposes) {
    if (is_leaf) {
      findings.push_back(
          finding("eku-missing",
                  certificate,
                  "the certificate has no extended key usage; " + name + " is needed"));
    }
    return;
  }
  if (certificate.has_eku(wanted) || (!is_leaf && certificate.has_eku(oid::kAnyExtendedKeyUsage))) {
    return;
  }
  findings.push_back(finding("eku-wrong",
                             certificate,
                             "the certificate is for " + list_of(*purposes) + ", not for " + name));
}

void check_usage(const Certificate& certificate, bool is_leaf, std::vector<Finding>& findings) {
  const auto usage = certificate.key_usage();
  if (!usage) {
    return;
  }
  if (is_leaf && !usage->digital_signature) {
    findings.push_back(
        finding("key-usage", certificate, "the key usage does not include digitalSignature"));
  }
  if (!is_leaf && !usage->key_cert_sign) {
    findings.push_back(
        finding("key-usage", certificate, "the key usage of this CA does not include keyCertSign"));
  }
}

}  // namespace

std::string subject_of(const Certificate& certificate) {
  return "certificate " + certificate.info().subject;
}

std::vector<Finding> check_path(const std::vector<Certificate>& path, TrustPurpose purpose) {
  std::vector<Finding> findings;
  for (std::size_t i = 0; i < path.size(); ++i) {
    const bool is_leaf = i == 0;
    const bool is_root = i + 1 == path.size() && path[i].self_issued();
    check_key(path[i], findings);
    // Nobody relies on a root's signature of itself.
    if (!is_root) {
      check_digest(path[i], findings);
    }
    check_purpose(path[i], is_leaf, purpose, findings);
    check_usage(path[i], is_leaf, findings);
    // OpenSSL lets a CA without basicConstraints pass if its key usage says keyCertSign.
    if (!is_leaf && !is_root && !path[i].is_ca()) {
      findings.push_back(finding(
          "basic-constraints", path[i], "the certificate has issued another one but is no CA"));
    }
  }
  return findings;
}

}  // namespace signctl::crypto
