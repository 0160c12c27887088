// SPDX-License-Identifier: Apache-2.0
#include "verify/timestamp_check.hpp"

#include "cms/countersignature.hpp"
#include "cms/timestamp_token.hpp"
#include "core/text.hpp"
#include "crypto/oids.hpp"
#include "trust/chain.hpp"
#include "verify/signer_trust.hpp"
#include "verify/stuffing.hpp"
#include "verify/unit.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace signctl::verify {

namespace {

constexpr std::chrono::minutes kClockTolerance{5};

/// What both kinds of timestamp come down to.
struct Stated {
  TimestampInfo info;
  std::optional<crypto::Certificate> certificate;
  std::vector<crypto::Certificate> pool;
  std::vector<crypto::Certificate> own;  ///< Those in the token itself.
};

std::string name_of(const std::optional<DigestAlg>& alg, const std::string& oid) {
  return alg ? std::string(digest_name(*alg)) : oid;
}

Result<Stated> read_token(ByteView value,
                          const cms::SignedData& data,
                          const cms::SignerInfo& signer,
                          std::vector<Finding>& findings) {
  SIGNCTL_TRY(const cms::TimestampToken token, cms::parse_timestamp_token(value), "");
  for (Finding& finding : cms::check_timestamp_token(token, signer.signature)) {
    findings.push_back(std::move(finding));
  }
  check_token_stuffing(token.signed_data, findings);
  const cms::SignerInfo& by = token.signed_data.signers.front();
  Stated stated;
  stated.info.kind = TimestampKind::rfc3161;
  stated.info.time = token.info.time;
  stated.info.digest = name_of(token.info.imprint_alg, token.info.imprint_oid);
  stated.info.policy = token.info.policy;
  stated.info.serial_hex = to_hex(token.info.serial);
  stated.info.accuracy = token.info.accuracy;
  stated.info.signer_digest = name_of(by.digest_alg, by.digest_oid);
  if (auto certificate = cms::find_signer_certificate(token.signed_data, by)) {
    stated.certificate = std::move(*certificate);
  }
  stated.own = token.signed_data.certificates;
  stated.pool = stated.own;
  stated.pool.insert(stated.pool.end(), data.certificates.begin(), data.certificates.end());
  return stated;
}

Result<Stated> read_countersignature(ByteView value,
                                     const cms::SignedData& data,
                                     const cms::SignerInfo& signer,
                                     std::vector<Finding>& findings) {
  SIGNCTL_TRY(cms::CounterSignature counter, cms::check_countersignature(data, signer, value), "");
  for (Finding& finding : counter.findings) {
    findings.push_back(std::move(finding));
  }
  check_countersignature_stuffing(counter.signer, findings);
  Stated stated;
  stated.info.kind = TimestampKind::authenticode;
  stated.info.time = counter.time;
  stated.info.digest = name_of(counter.signer.digest_alg, counter.signer.digest_oid);
  stated.info.signer_digest = stated.info.digest;
  stated.certificate = std::move(counter.certificate);
  stated.pool = data.certificates;
  return stated;
}

void check_chain(Stated& stated,
                 const std::string& subject,
                 const Options& options,
                 std::vector<Finding>& findings) {
  if (!stated.certificate) {
    return;
  }
  const auto store =
      options.trust_signer ? with_signer(options.store, *stated.certificate) : options.store;
  const trust::ChainRequest request{
      *stated.certificate, stated.pool, stated.info.time, {}, TrustPurpose::time_stamping};
  trust::Chain chain = trust::build_chain(request, *store);
  stated.info.chain = trust::describe(chain);
  std::erase_if(stated.own, [&chain](const crypto::Certificate& one) {
    return std::find(chain.certificates.begin(), chain.certificates.end(), one) !=
           chain.certificates.end();
  });
  check_surplus(stated.own, subject, findings);
  if (chain.anchor && chain.anchor->tls_list) {
    findings.push_back({"anchor-from-tls-list",
                        Severity::warning,
                        subject,
                        "trust comes from " + chain.anchor->source +
                            ", a list made for TLS servers, not for time stamping"});
  }
  for (Finding& finding : chain.findings) {
    finding.subject = subject + ", " + finding.subject;
    findings.push_back(std::move(finding));
  }
}

bool is_fatal(const Finding& finding) {
  return finding.severity == Severity::error && !is_tolerable(finding);
}

}  // namespace

bool is_tolerable(const Finding& finding) {
  static constexpr std::array<std::string_view, 11> kTolerable{"timestamp-eku-not-critical",
                                                               "timestamp-eku-not-alone",
                                                               "timestamp-weak-digest",
                                                               "timestamp-accuracy",
                                                               "timestamp-certificate-binding",
                                                               "countersignature-bare-rsa",
                                                               "weak-key",
                                                               "weak-certificate-digest",
                                                               "key-usage",
                                                               "eku-missing",
                                                               "unsigned-stuffing"};
  return std::find(kTolerable.begin(), kTolerable.end(), finding.id) != kTolerable.end();
}

TimestampCheck check_timestamp(const cms::SignedData& data,
                               const cms::SignerInfo& signer,
                               const SignatureProfile& profile,
                               const std::string& label,
                               const Options& options) {
  TimestampCheck check;
  const std::string subject = label + " timestamp";
  const auto tokens = unsigned_values(signer, profile.timestamp_attribute);
  // In plain CMS a counter-signature is another's signature, and no timestamp.
  const auto counters = profile.envelope == Envelope::authenticode
                            ? unsigned_values(signer, oid::kCounterSignature)
                            : std::vector<Bytes>{};
  if (tokens.empty() && counters.empty()) {
    return check;
  }
  if (tokens.size() + counters.size() > 1) {
    check.findings.push_back({"timestamp-duplicate",
                              Severity::error,
                              subject,
                              "the signature carries " +
                                  std::to_string(tokens.size() + counters.size()) +
                                  " timestamps; there can be one"});
  }
  auto stated = tokens.empty()
                    ? read_countersignature(counters.front(), data, signer, check.findings)
                    : read_token(tokens.front(), data, signer, check.findings);
  if (!stated) {
    check.findings.push_back({"timestamp-structure",
                              Severity::error,
                              subject,
                              "the timestamp cannot be read: " + stated.error().message});
    return check;
  }
  // SHA-1 is weak and may be tolerated; MD5 timestamps can be forged.
  const std::string md5(digest_name(DigestAlg::md5));
  if (stated->info.digest == md5 || stated->info.signer_digest == md5) {
    check.findings.push_back(
        {"forbidden-digest", Severity::error, subject, "the timestamp is made with md5"});
  }
  for (Finding& finding : check.findings) {
    finding.subject = subject;
  }
  if (stated->info.time > options.now + kClockTolerance) {
    check.findings.push_back({"timestamp-future",
                              Severity::error,
                              subject,
                              "the timestamp is of " + to_iso8601(stated->info.time) +
                                  ", which is after now (" + to_iso8601(options.now) + ")"});
  }
  check_chain(*stated, subject, options, check.findings);
  stated->info.valid =
      stated->certificate && std::none_of(check.findings.begin(), check.findings.end(), is_fatal);
  check.info = std::move(stated->info);
  return check;
}

std::vector<Finding> objections_to_token(ByteView token, const Options& options) {
  const std::string subject = "timestamp";
  const auto read = cms::parse_timestamp_token(token);
  if (!read) {
    return {{"timestamp-structure",
             Severity::error,
             subject,
             "the timestamp cannot be read: " + read.error().message}};
  }
  auto certificate =
      cms::find_signer_certificate(read->signed_data, read->signed_data.signers.front());
  if (!certificate) {
    return {{"signer-certificate", Severity::error, subject, certificate.error().message}};
  }
  Stated stated;
  stated.info.time = read->info.time;
  stated.certificate = std::move(*certificate);
  stated.own = read->signed_data.certificates;
  stated.pool = stated.own;
  std::vector<Finding> findings;
  check_token_stuffing(read->signed_data, findings);
  check_chain(stated, subject, options, findings);
  std::erase_if(findings, [](const Finding& one) { return one.severity != Severity::error; });
  for (Finding& finding : findings) {
    finding.subject = finding.subject.empty() ? subject : finding.subject;
  }
  return findings;
}

}  // namespace signctl::verify
