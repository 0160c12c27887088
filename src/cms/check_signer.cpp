// SPDX-License-Identifier: Apache-2.0
#include "cms/signed_data.hpp"
#include "cms/signer_checks.hpp"
#include "crypto/keys.hpp"
#include "crypto/oids.hpp"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

namespace signctl::cms {
namespace {

using Findings = std::vector<Finding>;

void check_authenticode_versions(const SignedData& data,
                                 const SignerInfo& signer,
                                 Findings& findings) {
  if (data.version != 1) {
    findings.push_back(finding(
        "cms-version",
        "the SignedData is version " + std::to_string(data.version) + ", Authenticode has 1"));
  }
  if (signer.version != 1) {
    findings.push_back(finding(
        "cms-version",
        "the SignerInfo is version " + std::to_string(signer.version) + ", Authenticode has 1"));
  }
  if (!signer.by_issuer_and_serial) {
    findings.push_back(finding("signer-certificate",
                               "the signer is named by a subject key identifier, Authenticode "
                               "names it by issuer and serial number"));
  }
  if (data.content_in_octet_string) {
    // RFC 5652, 5.1, knows that form from version 3 on. messageDigest then covers the whole
    // SEQUENCE.
    findings.push_back(
        finding(data.version == 3 ? "cms-octet-string" : "cms-content-type",
                "the content is wrapped in an OCTET STRING, Authenticode stores it directly"));
  } else if (data.content.empty() || data.content[0] != der::kSequence) {
    // messageDigest leaves the tag out, so nothing else would notice.
    findings.push_back(finding("cms-content-type", "the content is not a SEQUENCE"));
  }
}

void check_octet_string(const SignedData& data, Findings& findings) {
  if (!data.content_in_octet_string) {
    findings.push_back(finding("cms-content-type", "the content is not in an OCTET STRING"));
  }
}

/// RFC 5652, 5.1 and 5.3. The SignedData version follows from what else it holds; authorities do
/// not agree on it, so only impossible ones are named.
void check_cms_versions(const SignedData& data, const SignerInfo& signer, Findings& findings) {
  if (data.version == 0 || data.version == 2 || data.version > 5) {
    findings.push_back(
        finding("cms-version",
                "the SignedData is version " + std::to_string(data.version) + ", expected 3"));
  }
  const std::uint64_t wanted = signer.by_issuer_and_serial ? 1 : 3;
  if (signer.version != wanted) {
    findings.push_back(finding("cms-version",
                               "the SignerInfo is version " + std::to_string(signer.version) +
                                   ", expected " + std::to_string(wanted)));
  }
}

void check_digest_algorithms(const SignedData& data,
                             const SignerInfo& signer,
                             Flavour flavour,
                             Findings& findings) {
  if (flavour == Flavour::authenticode && data.digest_oids.size() != 1) {
    findings.push_back(finding("cms-digest-algorithms",
                               "the SignedData lists " + std::to_string(data.digest_oids.size()) +
                                   " digest algorithms, expected one"));
  }
  if (std::find(data.digest_oids.begin(), data.digest_oids.end(), signer.digest_oid) ==
      data.digest_oids.end()) {
    const std::string listed = data.digest_oids.empty() ? "none" : data.digest_oids.front();
    findings.push_back(finding("cms-digest-algorithms",
                               "the signer's digest algorithm " + signer.digest_oid +
                                   " is not the one of the SignedData, " + listed));
  }
  if (!signer.digest_alg) {
    findings.push_back(finding("cms-digest-algorithms",
                               "the digest algorithm " + signer.digest_oid + " is unknown"));
  } else if (!is_signing_digest(*signer.digest_alg)) {
    findings.push_back(finding(
        "weak-digest", "the signature is made with " + digest_label(signer) + ", which is broken"));
  }
}

/// X.501, 8.2.1: a set of attributes holds each type once. Those that single_signed_value() counts
/// are left to it.
void check_attribute_types(const SignerInfo& signer, Findings& findings) {
  std::set<std::string_view> seen{oid::kContentType, oid::kMessageDigest};
  std::set<std::string_view> reported = seen;
  for (const auto& attribute : signer.signed_attributes) {
    if (seen.insert(attribute.oid).second || !reported.insert(attribute.oid).second) {
      continue;
    }
    findings.push_back(finding("cms-attributes",
                               "the signed attribute " + attribute.oid + " occurs " +
                                   std::to_string(signer.find_signed(attribute.oid).size()) +
                                   " times, expected once"));
  }
}

void check_content_type(const SignedData& data,
                        const SignerInfo& signer,
                        Flavour flavour,
                        Findings& findings) {
  if (flavour == Flavour::countersignature && signer.find_signed(oid::kContentType).empty()) {
    return;
  }
  const auto value = single_signed_value(signer, oid::kContentType, der::kOid);
  if (!value) {
    findings.push_back(finding("cms-attributes", value.error().message));
    return;
  }
  const auto type = der::oid_text(value->content);
  if (!type) {
    findings.push_back(finding("cms-attributes", type.error().message));
  } else if (*type != data.content_type) {
    findings.push_back(finding(
        "cms-content-type",
        "the contentType attribute says " + *type + " but the content is " + data.content_type));
  }
}

void check_digest(const SignedData& data, const SignerInfo& signer, Findings& findings) {
  const auto value = single_signed_value(signer, oid::kMessageDigest, der::kOctetString);
  if (!value) {
    findings.push_back(finding("cms-attributes", value.error().message));
    return;
  }
  if (!signer.digest_alg) {
    return;  // Reported with the digest algorithms.
  }
  const auto checked = check_message_digest(signer, value->content, data.hashed_content);
  if (!checked) {
    findings.push_back(finding("message-digest", checked.error().message));
  }
}

void check_signature(const SignedData& data, const SignerInfo& signer, Findings& findings) {
  const auto certificate = find_signer_certificate(data, signer);
  if (!certificate) {
    findings.push_back(finding("signer-certificate", certificate.error().message));
    return;
  }
  const auto algorithm = check_signature_algorithm(signer, *certificate);
  if (!algorithm) {
    findings.push_back(finding("signature", algorithm.error().message));
    return;
  }
  if (!signer.digest_alg) {
    return;  // Reported with the digest algorithms.
  }
  const Bytes digest = signed_digest(signer);
  if (!crypto::verify_digest(*certificate, digest, *signer.digest_alg, signer.signature)) {
    findings.push_back(finding("signature",
                               "the signature over the signed attributes was not made with the key "
                               "of " +
                                   certificate->info().subject));
  }
}

}  // namespace

std::vector<Finding> check_signer(const SignedData& data,
                                  const SignerInfo& signer,
                                  Flavour flavour) {
  Findings findings;
  if (data.signers.size() != 1) {
    findings.push_back(
        finding("cms-signer-count",
                "there are " + std::to_string(data.signers.size()) + " signers, expected one"));
  }
  if (flavour == Flavour::authenticode) {
    check_authenticode_versions(data, signer, findings);
  } else {
    check_cms_versions(data, signer, findings);
  }
  if (flavour == Flavour::cms) {
    check_octet_string(data, findings);
  }
  check_digest_algorithms(data, signer, flavour, findings);
  if (!signer.has_signed_attributes) {
    // A signature straight over the content could be passed off as one over attributes and the
    // other way round, so it is not even tried.
    findings.push_back(finding("cms-attributes", "there are no signed attributes"));
    return findings;
  }
  check_attribute_types(signer, findings);
  check_content_type(data, signer, flavour, findings);
  check_digest(data, signer, findings);
  check_signature(data, signer, findings);
  return findings;
}

}  // namespace signctl::cms
