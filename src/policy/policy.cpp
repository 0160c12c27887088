// SPDX-License-Identifier: Apache-2.0
#include "core/text.hpp"
#include "policy/identity.hpp"
#include "policy/subject.hpp"
#include "policy/tolerances.hpp"

#include <signctl/policy.hpp>

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

namespace signctl {

namespace {

/// Microsoft's lifetime signing: a timestamp does not carry such a signature past expiry.
constexpr std::string_view kLifetimeSigning = "1.3.6.1.4.1.311.10.3.13";
/// commitmentTypeIndication (RFC 5126, 5.11.1): what a signature is meant to say.
constexpr std::string_view kCommitmentType = "1.2.840.113549.1.9.16.2.16";

/// Whether the rules ask anything of this signature. Windows asks nothing of nested ones.
bool is_judged(const SignatureInfo& signature, const GateRules& rules) {
  return signature.depth == 0 || rules.profile == Profile::strict;
}

bool is_stamped(const SignatureInfo& signature) {
  return signature.timestamp && signature.timestamp->valid;
}

bool is_for_lifetime_signing(const SignatureInfo& signature) {
  if (signature.chain.certificates.empty()) {
    return false;
  }
  const auto& purposes = signature.chain.certificates.front().extended_key_usage;
  return purposes &&
         std::find(purposes->begin(), purposes->end(), kLifetimeSigning) != purposes->end();
}

/// Whether a timestamp would have made the finding go away.
bool is_for_want_of_timestamp(const Report& report, const Finding& finding) {
  const SignatureInfo* const signature = find_subject(report, finding).signature;
  return finding.judgement == Judgement::after_expiry && signature != nullptr &&
         !is_stamped(*signature) && !is_for_lifetime_signing(*signature);
}

/// Something inside that could not be looked at.
bool is_about_inside(const Finding& finding) {
  return finding.id == "member-unreadable" || finding.id == "members-limit";
}

Severity final_severity(const Report& report, const Finding& finding, const GateRules& rules) {
  if (finding.severity != Severity::error) {
    return finding.severity;
  }
  if (rules.nested == NestedRule::report && is_about_inside(finding)) {
    return Severity::warning;
  }
  // Who does without a timestamp has decided that the signature may end with its certificate.
  if (rules.timestamp == TimestampRule::optional && is_for_want_of_timestamp(report, finding)) {
    return Severity::warning;
  }
  const bool tolerated =
      rules.profile == Profile::compat_windows && is_tolerated_by_windows(report, finding);
  return tolerated ? Severity::warning : Severity::error;
}

void object(Verdict& verdict, std::string id, const std::string& subject, std::string message) {
  verdict.findings.push_back({std::move(id), Severity::error, subject, std::move(message)});
}

/// An archive proves itself by what is inside.
bool is_excused(const Report& report, const GateRules& rules) {
  return !report.needs_signature && rules.nested != NestedRule::off && report.looked_inside;
}

void require_signature(const Report& report, const GateRules& rules, Verdict& verdict) {
  if (!report.signatures.empty()) {
    return;
  }
  if (is_excused(report, rules)) {
    for (Finding& finding : verdict.findings) {
      finding.severity = finding.id == "unsigned" ? Severity::info : finding.severity;
    }
    return;
  }
  const auto found = std::find_if(verdict.findings.begin(),
                                  verdict.findings.end(),
                                  [](const Finding& one) { return one.id == "unsigned"; });
  if (found == verdict.findings.end()) {
    object(verdict, "unsigned", "file", "the file carries no signature");
  } else {
    found->severity = Severity::error;
  }
}

/// The absence of objections proves nothing if nobody looked: what makes a signature good must be
/// in the report as well. Only a bug in verification can bring this about.
void require_proof(const Report& report, const GateRules& rules, Verdict& verdict) {
  for (const SignatureInfo& signature : report.signatures) {
    const bool digest_matches =
        !signature.digest_hex.empty() && signature.digest_hex == signature.computed_digest_hex;
    // Tolerated findings leave a chain that is anchored, but not called trusted.
    const bool anchored = signature.chain.trusted || (rules.profile == Profile::compat_windows &&
                                                      !signature.chain.anchor_source.empty());
    const bool proven = digest_matches && anchored && !signature.chain.certificates.empty();
    const auto is_known = [&](const Finding& one) {
      return one.severity == Severity::error && find_subject(report, one).signature == &signature;
    };
    if (!is_judged(signature, rules) || proven ||
        std::any_of(verdict.findings.begin(), verdict.findings.end(), is_known)) {
      continue;
    }
    object(verdict,
           "signature-unproven",
           signature.label,
           "verification named no fault, but did not establish that the signature is good either");
  }
}

void require_timestamps(const Report& report, const GateRules& rules, Verdict& verdict) {
  if (rules.timestamp != TimestampRule::required) {
    return;
  }
  for (const SignatureInfo& signature : report.signatures) {
    if (!is_judged(signature, rules) || is_stamped(signature)) {
      continue;
    }
    const std::string why =
        signature.timestamp ? "the timestamp is not valid" : "there is no timestamp";
    object(verdict,
           "timestamp-missing",
           signature.label,
           why + ", so the signature ends with its certificate");
  }
}

bool is_marked(const ChainInfo& chain) {
  return std::any_of(chain.certificates.begin(),
                     chain.certificates.end(),
                     [](const CertificateInfo& one) { return one.rehearsal; });
}

/// Nested signatures count under every profile: a rehearsal must not be shipped in any place.
void judge_rehearsals(const Report& report, const GateRules& rules, Verdict& verdict) {
  for (const SignatureInfo& signature : report.signatures) {
    const bool by_signer = is_marked(signature.chain);
    const bool by_authority = signature.timestamp && is_marked(signature.timestamp->chain);
    if (!by_signer && !by_authority) {
      continue;
    }
    verdict.rehearsal = true;
    const std::string what = by_signer ? "made with a rehearsal certificate"
                                       : "timestamped with a rehearsal certificate";
    if (rules.rehearsal == RehearsalRule::refuse) {
      object(verdict, "rehearsal", signature.label, what + ", which no release gate accepts");
    } else {
      verdict.findings.push_back({"rehearsal",
                                  Severity::info,
                                  signature.label,
                                  what + "; accepted because the gate was told to"});
    }
  }
}

/// Whether a signature beside another only says that the file was received (RFC 5126, 5.11.1, proof
/// of receipt): a repository's, which is nobody's word about who made the file.
bool is_receipt(const SignatureInfo& signature) {
  const auto& attributes = signature.signed_attributes;
  return signature.depth > 0 &&
         std::any_of(attributes.begin(), attributes.end(), [](const AttributeInfo& one) {
           return one.oid == kCommitmentType && one.value == "proofOfReceipt";
         });
}

void require_identity(const Report& report, const GateRules& rules, Verdict& verdict) {
  if (rules.identity.empty()) {
    return;
  }
  for (const SignatureInfo& signature : report.signatures) {
    if (!is_judged(signature, rules) || is_receipt(signature)) {
      continue;
    }
    const auto mismatches = identity_mismatches(signature.chain, rules.identity);
    if (!mismatches.empty()) {
      object(verdict,
             "identity-mismatch",
             signature.label,
             "signed by somebody else: " + join(mismatches, "; "));
    }
  }
}

/// The verdict on a file without what is inside; `passed` is left alone.
Verdict judge_alone(const Report& report, const GateRules& rules) {
  Verdict verdict;
  verdict.findings = report.findings;
  for (Finding& finding : verdict.findings) {
    finding.severity = final_severity(report, finding, rules);
  }
  require_signature(report, rules, verdict);
  require_timestamps(report, rules, verdict);
  judge_rehearsals(report, rules, verdict);
  require_identity(report, rules, verdict);
  require_proof(report, rules, verdict);
  return verdict;
}

/// A package may hold what others have signed; all else is asked of every file.
GateRules rules_inside(GateRules rules) {
  rules.identity = {};
  rules.nested = NestedRule::require_signed;
  return rules;
}

bool has_rehearsal_inside(const Report& report, const GateRules& rules) {
  return std::any_of(report.members.begin(), report.members.end(), [&rules](const Report& member) {
    return judge_alone(member, rules_inside(rules)).rehearsal;
  });
}

}  // namespace

std::vector<Finding> Verdict::objections() const {
  std::vector<Finding> errors;
  std::copy_if(
      findings.begin(), findings.end(), std::back_inserter(errors), [](const Finding& one) {
        return one.severity == Severity::error;
      });
  return errors;
}

Verdict judge(const Report& report, const GateRules& rules) {
  Verdict verdict = judge_alone(report, rules);
  std::vector<Finding> inside = judge_inside(report, rules);
  std::move(inside.begin(), inside.end(), std::back_inserter(verdict.findings));
  verdict.rehearsal = verdict.rehearsal || has_rehearsal_inside(report, rules);
  const bool is_signed = !report.signatures.empty() || is_excused(report, rules);
  // The one place where a verdict turns from failed to passed.
  verdict.passed = is_signed && verdict.objections().empty();
  return verdict;
}

std::vector<Finding> judge_inside(const Report& report, const GateRules& rules) {
  std::vector<Finding> findings;
  if (rules.nested == NestedRule::off) {
    return findings;
  }
  for (const Report& member : report.members) {
    for (Finding& objection : judge_alone(member, rules_inside(rules)).objections()) {
      objection.subject =
          member.path + (objection.subject == "file" ? "" : ", " + objection.subject);
      objection.severity = rules.nested == NestedRule::report ? Severity::warning : Severity::error;
      findings.push_back(std::move(objection));
    }
  }
  return findings;
}

}  // namespace signctl
