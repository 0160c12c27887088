// SPDX-License-Identifier: Apache-2.0
#include "engine/expected_chain.hpp"

#include "core/text.hpp"
#include "crypto/certificate.hpp"
#include "crypto/oids.hpp"
#include "crypto/path_rules.hpp"
#include "policy/identity.hpp"
#include "trust/chain.hpp"
#include "verify/signer_trust.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

namespace signctl::engine {
namespace {

constexpr std::string_view kForRehearsals =
    "for a rehearsal say --dev (gate.trust: signer); a release needs a certificate that a trusted "
    "authority has issued";

Result<void> check_dates(const crypto::Certificate& leaf, TimePoint now) {
  const std::string who = "the signing certificate \"" + leaf.info().subject + "\" ";
  if (now > leaf.not_after()) {
    return Error{ErrorKind::auth,
                 who + "expired on " + to_iso8601(leaf.not_after()),
                 "renew it, or for a rehearsal make a new one with signctl dev-cert"};
  }
  if (now < leaf.not_before()) {
    return Error{ErrorKind::auth,
                 who + "is not valid before " + to_iso8601(leaf.not_before()),
                 "check the clock of this machine"};
  }
  return ok();
}

bool is_about_trust(const Finding& finding) {
  return finding.id == "chain-incomplete" || finding.id == "chain-untrusted";
}

std::string hint_for(const Finding& finding, const crypto::Certificate& leaf) {
  if (!is_about_trust(finding)) {
    return {};
  }
  if (leaf.info().self_signed) {
    return std::string(kForRehearsals);
  }
  const std::string trust = "name the root to trust with --trust-cert FILE (gate.trust: file:PATH)";
  return finding.id == "chain-incomplete"
             ? "give the issuers' certificates with the setting chain, or " + trust
             : trust;
}

/// What no release gate takes, be its root trusted or not.
bool is_rehearsal(const trust::Chain& chain) {
  return std::any_of(chain.certificates.begin(),
                     chain.certificates.end(),
                     [](const crypto::Certificate& one) { return one.is_rehearsal(); });
}

/// The chain as the gate will find it in the file.
std::vector<Finding> objections_to_chain(const std::vector<crypto::Certificate>& chain,
                                         const Gate& gate,
                                         TimePoint now) {
  const crypto::Certificate& leaf = chain.front();
  const auto store = gate.trust_signer ? verify::with_signer(gate.store, leaf) : gate.store;
  const auto built = trust::build_chain({leaf, std::span(chain).subspan(1), now, {}}, *store);
  auto findings = built.findings;
  // What else Windows lets pass is for the gate to tell, which knows the whole signature.
  if (gate.rules.profile != Profile::strict) {
    std::erase_if(findings, [](const Finding& one) { return !is_about_trust(one); });
  }
  for (Finding& finding : findings) {
    finding.hint = hint_for(finding, leaf);
  }
  if (leaf.has_eku(oid::kLifetimeSigning) && gate.rules.profile == Profile::strict) {
    findings.push_back(
        {.id = "certificate-expired",
         .severity = Severity::error,
         .subject = crypto::subject_of(leaf),
         .message = "a certificate for lifetime signing, with which every signature "
                    "ends on " +
                    to_iso8601(leaf.not_after()) + " whatever its timestamp",
         .judgement = Judgement::after_expiry,
         .hint = "use a certificate without the purpose " + std::string(oid::kLifetimeSigning)});
  }
  if (gate.rules.rehearsal == RehearsalRule::refuse && is_rehearsal(built)) {
    findings.push_back({.id = "rehearsal",
                        .severity = Severity::error,
                        .subject = crypto::subject_of(leaf),
                        .message = "a rehearsal certificate, which no release gate accepts",
                        .hint = std::string(kForRehearsals)});
  }
  return findings;
}

}  // namespace

Result<void> check_fits_file(Signable& file, ByteView leaf_der) {
  SIGNCTL_TRY(const auto findings, file.check_certificate(leaf_der), "");
  for (const Finding& finding : findings) {
    if (finding.severity == Severity::error) {
      return Error{ErrorKind::input, finding.message, finding.hint};
    }
  }
  return ok();
}

Result<std::vector<Finding>> object_to_signer(std::span<const Bytes> chain,
                                              const Gate& gate,
                                              TimePoint now) {
  std::vector<crypto::Certificate> certificates;
  for (const Bytes& der : chain) {
    SIGNCTL_TRY(auto certificate, crypto::Certificate::parse(der), "reading the signing chain");
    certificates.push_back(std::move(certificate));
  }
  const crypto::Certificate& leaf = certificates.front();
  auto findings = objections_to_chain(certificates, gate, now);
  ChainInfo info;
  for (const crypto::Certificate& certificate : certificates) {
    info.certificates.push_back(certificate.info());
  }
  const auto mismatches = identity_mismatches(info, gate.rules.identity);
  if (!mismatches.empty()) {
    findings.push_back({"identity-mismatch",
                        Severity::error,
                        crypto::subject_of(leaf),
                        "the signer is somebody else: " + join(mismatches, "; ")});
  }
  return findings;
}

Result<std::vector<Finding>> check_expected_chain(Signable& file, const Stages& stages) {
  SIGNCTL_TRY(const auto chain, stages.session->expected_chain(), "looking up the certificate");
  if (chain.empty()) {
    return std::vector<Finding>{};
  }
  SIGNCTL_TRY(
      const auto leaf, crypto::Certificate::parse(chain.front()), "reading the certificate");
  SIGNCTL_CHECK(check_dates(leaf, stages.clock->now()), "");
  SIGNCTL_CHECK(check_fits_file(file, chain.front()), "");
  if (stages.approved != nullptr && *stages.approved == chain) {
    return std::vector<Finding>{};
  }
  SIGNCTL_TRY(auto findings, object_to_signer(chain, *stages.gate, stages.clock->now()), "");
  if (stages.approved != nullptr && findings.empty()) {
    *stages.approved = chain;
  }
  return findings;
}

}  // namespace signctl::engine
