// SPDX-License-Identifier: Apache-2.0
#include "verify/signature_check.hpp"

#include "cms/cades.hpp"
#include "core/text.hpp"
#include "crypto/oids.hpp"
#include "trust/chain.hpp"
#include "verify/describe.hpp"
#include "verify/signer_trust.hpp"
#include "verify/stuffing.hpp"
#include "verify/timestamp_check.hpp"

#include <algorithm>
#include <utility>

namespace signctl::verify {

namespace {

using crypto::Certificate;

// CA/Browser Forum code signing requirements: RSA keys of 3072 bits from this day on.
constexpr TimePoint kRsa3072Since = std::chrono::sys_days(
    std::chrono::year_month_day(std::chrono::year(2021), std::chrono::June, std::chrono::day(1)));
constexpr int kRsaBitsSince = 3072;

/// The working state of one signature's check.
struct Check {
  const Unit& unit;
  const Options& options;
  SignatureInfo& info;
  std::vector<Finding>& findings;

  void add(std::string id, Severity severity, std::string message) const {
    findings.push_back({std::move(id), severity, unit.label, std::move(message)});
  }
};

void check_digest(const Check& check, Signable& file, ByteView computed) {
  const SigningContent& content = *check.unit.content;
  const auto& signer_alg = check.unit.data->signers.front().digest_alg;
  check.info.computed_digest_hex = to_hex(computed);
  if (signer_alg != content.alg) {
    check.add("cms-digest-algorithms",
              Severity::error,
              "the content carries a " + std::string(digest_name(content.alg)) +
                  " digest, the signer another algorithm");
  }
  if (!is_signing_digest(content.alg)) {
    check.add(content.alg == DigestAlg::sha1 ? "weak-digest" : "forbidden-digest",
              Severity::error,
              "the file's digest is made with " + std::string(digest_name(content.alg)));
  }
  if (to_hex(computed) != to_hex(content.file_digest)) {
    check.add("digest-mismatch",
              Severity::error,
              "the file has been changed: signed was " + std::string(digest_name(content.alg)) +
                  " " + to_hex(content.file_digest) + ", the file has " + to_hex(computed));
  }
  auto extra = file.check_content(check.unit.data->content);
  if (!extra) {
    check.add("content-malformed", Severity::error, extra.error().message);
    return;
  }
  for (Finding& finding : *extra) {
    finding.subject = check.unit.label;
    check.findings.push_back(std::move(finding));
  }
}

/// What the file itself says about who may sign it.
void check_fits_file(const Check& check, Signable& file, const Certificate& leaf) {
  auto findings = file.check_certificate(leaf.der());
  if (!findings) {
    check.add("content-malformed", Severity::error, findings.error().message);
    return;
  }
  for (Finding& finding : *findings) {
    finding.subject = check.unit.label;
    check.findings.push_back(std::move(finding));
  }
}

void check_time(const Check& check, const Certificate& leaf) {
  const auto& timestamp = check.info.timestamp;
  if (!timestamp || !timestamp->valid) {
    return;
  }
  const auto slack = std::chrono::ceil<std::chrono::seconds>(
      timestamp->accuracy.value_or(std::chrono::milliseconds(0)));
  if (timestamp->time - slack < leaf.not_before() || timestamp->time + slack > leaf.not_after()) {
    check.add("timestamp-outside-validity",
              Severity::error,
              "the timestamp of " + to_iso8601(timestamp->time) +
                  " is not within the certificate's validity, " + to_iso8601(leaf.not_before()) +
                  " to " + to_iso8601(leaf.not_after()));
  }
}

trust::Chain chain_at(const Check& check, const Certificate& leaf, TimePoint now) {
  const auto& pool = check.unit.data->certificates;
  const auto& timestamp = check.info.timestamp;
  const bool stamped = timestamp && timestamp->valid;
  trust::ChainRequest request{
      leaf, pool, stamped ? timestamp->time : now, {}, TrustPurpose::code_signing};
  if (leaf.has_eku(oid::kLifetimeSigning)) {
    request.leaf_at = now;
  }
  const auto store =
      check.options.trust_signer ? with_signer(check.options.store, leaf) : check.options.store;
  return trust::build_chain(request, *store);
}

void add_chain_findings(const Check& check,
                        const trust::Chain& chain,
                        Judgement judgement,
                        const std::vector<Finding>& known) {
  for (Finding finding : chain.findings) {
    const bool is_new = std::none_of(known.begin(), known.end(), [&](const Finding& one) {
      return one.id == finding.id && one.subject == finding.subject;
    });
    if (is_new) {
      finding.subject = check.unit.label + ", " + finding.subject;
      finding.judgement = judgement;
      check.findings.push_back(std::move(finding));
    }
  }
}

void note_leaf(const Check& check, const Certificate& leaf, const trust::Chain& chain) {
  const crypto::KeyFacts& key = leaf.key();
  if (key.type == crypto::KeyType::ec) {
    check.add("ecdsa-leaf",
              Severity::info,
              "signed with ECDSA, which some Windows policies and all kernel-mode loaders ignore");
  }
  if (key.type == crypto::KeyType::rsa && key.bits >= 2048 && key.bits < kRsaBitsSince &&
      leaf.not_before() >= kRsa3072Since && !leaf.is_rehearsal()) {
    check.add("rsa-below-3072",
              Severity::warning,
              "the RSA key has " + std::to_string(key.bits) +
                  " bits; certificates issued since June 2021 are to have 3072");
  }
  if (chain.anchor && chain.anchor->tls_list) {
    check.add("anchor-from-tls-list",
              Severity::warning,
              "trust comes from " + chain.anchor->source +
                  ", a list made for TLS servers, not for code signing");
  }
}

/// Counter-signers, too, keep their certificates in the set of the signature that they stand
/// beside.
std::vector<Certificate> chains_of_countersigners(const cms::SignedData& data) {
  std::vector<Certificate> used;
  for (const Bytes& value : unsigned_values(data.signers.front(), oid::kCounterSignature)) {
    const auto counter = cms::parse_signer_info(value);
    const auto leaf = counter ? cms::find_signer_certificate(data, *counter)
                              : Result<Certificate>(counter.error());
    if (leaf) {
      const auto chain = crypto::order_chain(*leaf, data.certificates);
      used.insert(used.end(), chain.begin(), chain.end());
    }
  }
  return used;
}

/// Certificates that neither chain uses: nothing covers them, so data can hide there.
void note_surplus(const Check& check, const trust::Chain& chain) {
  const auto& path = chain.certificates;
  // Counter-signatures of the old kind keep their authority's certificates in the same set.
  const auto is_of_timestamp = [&](const Certificate& certificate) {
    const auto& stamp = check.info.timestamp;
    return stamp && std::any_of(stamp->chain.certificates.begin(),
                                stamp->chain.certificates.end(),
                                [&](const CertificateInfo& one) {
                                  return one.sha256_hex == certificate.info().sha256_hex;
                                });
  };
  const std::vector<Certificate> others = check.unit.profile.envelope == Envelope::cms
                                              ? chains_of_countersigners(*check.unit.data)
                                              : std::vector<Certificate>{};
  std::vector<Certificate> surplus;
  for (const Certificate& certificate : check.unit.data->certificates) {
    if (std::find(path.begin(), path.end(), certificate) != path.end() ||
        std::find(others.begin(), others.end(), certificate) != others.end() ||
        is_of_timestamp(certificate)) {
      continue;
    }
    check.add("certificate-surplus",
              Severity::info,
              "an embedded certificate takes no part in the chain: " + certificate.info().subject);
    surplus.push_back(certificate);
  }
  check_surplus(surplus, check.unit.label, check.findings);
}

/// The chain at the time that counts, now and one day after the leaf expires.
void check_chain(const Check& check, const Certificate& leaf) {
  check.info.signature_algorithm =
      leaf.info().key + " with " + std::string(digest_name(check.info.digest_alg));
  check_time(check, leaf);
  const trust::Chain chain = chain_at(check, leaf, check.options.now);
  check.info.chain = trust::describe(chain);
  add_chain_findings(check, chain, Judgement::now, {});
  note_leaf(check, leaf, chain);
  if (!check.unit.countersignature) {
    note_surplus(check, chain);
  }
  const TimePoint later = leaf.not_after() + std::chrono::days(1);
  const bool stamped = check.info.timestamp && check.info.timestamp->valid;
  if (check.options.now >= later || (stamped && !leaf.has_eku(oid::kLifetimeSigning))) {
    return;
  }
  add_chain_findings(check, chain_at(check, leaf, later), Judgement::after_expiry, chain.findings);
}

/// The leaf of a CMS signature, or of one of another kind.
Result<Certificate> signer_of(const Unit& unit) {
  if (unit.scheme) {
    return Certificate::parse(unit.scheme->signer);
  }
  return cms::find_signer_certificate(*unit.data, unit.data->signers.front());
}

cms::Flavour flavour_of(const Unit& unit) {
  if (unit.countersignature) {
    return cms::Flavour::countersignature;
  }
  return unit.profile.envelope == Envelope::cms ? cms::Flavour::cms : cms::Flavour::authenticode;
}

/// What a CMS signature says of itself.
std::vector<Finding> check_cms(const Unit& unit) {
  const cms::SignerInfo& signer = unit.data->signers.front();
  auto findings = cms::check_signer(*unit.data, signer, flavour_of(unit));
  if (unit.profile.commitment_type.empty()) {
    return findings;
  }
  if (const auto leaf = signer_of(unit)) {
    for (Finding& finding : cms::check_cades_attributes(signer, *leaf)) {
      findings.push_back(std::move(finding));
    }
  }
  return findings;
}

/// What needs neither trust nor time.
void check_by_itself(const Check& check, Signable& file, ByteView computed) {
  auto found = check.unit.scheme ? check.unit.scheme->findings : check_cms(check.unit);
  for (Finding& finding : found) {
    finding.subject = check.unit.label;
    check.findings.push_back(std::move(finding));
  }
  if (check.unit.content) {
    check_digest(check, file, computed);
  }
}

}  // namespace

SignatureInfo check_signature(Signable& file,
                              const Unit& unit,
                              ByteView computed,
                              const Options& options,
                              std::vector<Finding>& findings) {
  SignatureInfo info;
  describe(unit, info, findings);
  if (!unit.data) {
    return info;
  }
  const Check check{unit, options, info, findings};
  const cms::SignerInfo& signer = unit.data->signers.front();
  check_by_itself(check, file, computed);
  TimestampCheck timestamp = check_timestamp(*unit.data, signer, unit.profile, unit.label, options);
  info.timestamp = std::move(timestamp.info);
  for (Finding& finding : timestamp.findings) {
    findings.push_back(std::move(finding));
  }
  // Without it check_signer has reported "signer-certificate" already.
  if (const auto leaf = signer_of(unit)) {
    check_chain(check, *leaf);
    check_fits_file(check, file, *leaf);
  }
  return info;
}

}  // namespace signctl::verify
