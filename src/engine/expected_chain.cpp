// SPDX-License-Identifier: Apache-2.0
#include "engine/expected_chain.hpp"

#include "core/text.hpp"
#include "crypto/certificate.hpp"
#include "crypto/path_rules.hpp"
#include "policy/identity.hpp"

#include <string>
#include <utility>

namespace signctl::engine {
namespace {

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

std::vector<Finding> objections(const crypto::Certificate& leaf, const GateRules& rules) {
  std::vector<Finding> findings;
  // What Windows lets pass is for the gate to tell, which knows the whole signature.
  if (rules.profile == Profile::strict) {
    findings = crypto::check_path({leaf}, TrustPurpose::code_signing);
  }
  ChainInfo chain;
  chain.certificates.push_back(leaf.info());
  const auto mismatches = identity_mismatches(chain, rules.identity);
  if (!mismatches.empty()) {
    findings.push_back({"identity-mismatch",
                        Severity::error,
                        crypto::subject_of(leaf),
                        "the signer is somebody else: " + join(mismatches, "; ")});
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

Result<std::vector<Finding>> check_expected_chain(Signable& file, const Stages& stages) {
  SIGNCTL_TRY(const auto chain, stages.session->expected_chain(), "looking up the certificate");
  if (chain.empty()) {
    return std::vector<Finding>{};
  }
  SIGNCTL_TRY(
      const auto leaf, crypto::Certificate::parse(chain.front()), "reading the certificate");
  SIGNCTL_CHECK(check_dates(leaf, stages.clock->now()), "");
  SIGNCTL_CHECK(check_fits_file(file, chain.front()), "");
  return objections(leaf, stages.gate->rules);
}

}  // namespace signctl::engine
