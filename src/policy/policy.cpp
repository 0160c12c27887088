// SPDX-License-Identifier: Apache-2.0
#include "core/text.hpp"

#include <signctl/policy.hpp>

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>
#include <utility>

namespace signctl {

namespace {

/// A finding that Windows (WinVerifyTrust with its default settings) does not object to.
struct Tolerated {
  std::string_view id;
  std::string_view why;
};

// What is never in this list: digests, signatures, trust, expiry, and anything that cannot be read.
constexpr std::array kTolerated{
    Tolerated{"pe-padding-not-zero", "checked only with EnableCertPaddingCheck (MS13-098)"},
    Tolerated{"pe-padding-too-long", "checked only with EnableCertPaddingCheck (MS13-098)"},
    Tolerated{"pe-entry-type", "entries of other types are passed over"},
    Tolerated{"pe-entry-revision", "not looked at"},
    Tolerated{"pe-multiple-entries", "the first entry is used"},
    Tolerated{"pe-table-misaligned", "not looked at"},
    Tolerated{"pe-ambiguous-layout", "only one of the two readings is taken"},
    Tolerated{"pe-page-hashes", "user mode does not look at page hashes"},
    Tolerated{"pe-page-hashes-malformed", "user mode does not look at page hashes"},
    Tolerated{"cms-version", "version 3 is accepted by current releases"},
    Tolerated{"weak-digest", "SHA-1 is accepted for files without the mark of the web"},
    Tolerated{"weak-certificate-digest", "SHA-1 chains of old signatures still pass"},
    Tolerated{"weak-key", "short RSA keys of old signatures still pass"},
    Tolerated{"eku-missing", "a leaf without the extension is accepted"},
    Tolerated{"key-usage", "not enforced"},
    Tolerated{"timestamp-eku-not-critical", "not enforced"},
    Tolerated{"timestamp-eku-not-alone", "not enforced"},
    Tolerated{"timestamp-weak-digest", "SHA-1 timestamps still pass"},
    Tolerated{"timestamp-certificate-binding", "ESSCertID is not looked at"},
    Tolerated{"timestamp-accuracy", "not looked at"},
    Tolerated{"countersignature-bare-rsa", "old Symantec counter-signatures pass"},
    Tolerated{"unsigned-stuffing", "unsigned attributes are not looked at"},
};

bool is_tolerated(const std::string& id) {
  return std::any_of(
      kTolerated.begin(), kTolerated.end(), [&](const Tolerated& row) { return row.id == id; });
}

/// Whether a finding is about a nested signature: "signature 1.1", "signature 1.1 timestamp".
bool is_about_nested(const std::string& subject) {
  constexpr std::string_view kSignature = "signature ";
  if (!subject.starts_with(kSignature)) {
    return false;
  }
  const std::string number = subject.substr(kSignature.size());
  return number.substr(0, number.find_first_of(" ,")).find('.') != std::string::npos;
}

Severity final_severity(const Finding& finding, const GateRules& rules) {
  if (finding.severity != Severity::error) {
    return finding.severity;
  }
  if (finding.judgement == Judgement::after_expiry && rules.timestamp == TimestampRule::optional) {
    // Whoever does without a timestamp has decided that the signature may die.
    return Severity::warning;
  }
  if (rules.profile == Profile::strict) {
    return Severity::error;
  }
  // Windows judges the present, and the primary signature only.
  const bool windows_looks_away = finding.judgement == Judgement::after_expiry ||
                                  is_about_nested(finding.subject) || is_tolerated(finding.id);
  return windows_looks_away ? Severity::warning : Severity::error;
}

bool is_judged(const SignatureInfo& signature, const GateRules& rules) {
  return signature.depth == 0 || rules.profile == Profile::strict;
}

void require_timestamps(const Report& report, const GateRules& rules, Verdict& verdict) {
  if (rules.timestamp != TimestampRule::required) {
    return;
  }
  for (const SignatureInfo& signature : report.signatures) {
    if (is_judged(signature, rules) && (!signature.timestamp || !signature.timestamp->valid)) {
      verdict.findings.push_back(
          {"timestamp-missing",
           Severity::error,
           signature.label,
           signature.timestamp
               ? "the timestamp is not valid, so the signature dies with its certificate"
               : "there is no timestamp, so the signature dies with its certificate"});
    }
  }
}

bool has_mark(const ChainInfo& chain) {
  return std::any_of(chain.certificates.begin(),
                     chain.certificates.end(),
                     [](const CertificateInfo& one) { return one.rehearsal; });
}

void judge_rehearsal(const Report& report, const GateRules& rules, Verdict& verdict) {
  for (const SignatureInfo& signature : report.signatures) {
    const bool by_signer = has_mark(signature.chain);
    const bool by_authority = signature.timestamp && has_mark(signature.timestamp->chain);
    if (!by_signer && !by_authority) {
      continue;
    }
    verdict.rehearsal = true;
    const std::string what =
        by_signer ? "made with a rehearsal certificate" : "timestamped by a rehearsal authority";
    const bool accepted = rules.rehearsal == RehearsalRule::accept;
    verdict.findings.push_back({"rehearsal",
                                accepted ? Severity::info : Severity::error,
                                signature.label,
                                what + (accepted ? "; accepted because the gate was told to"
                                                 : "; no release gate accepts that (--dev does)")});
  }
}

/// Values of one attribute in a subject, for comparing and for people.
std::vector<std::string> values_of(const CertificateInfo& certificate, const std::string& name) {
  std::vector<std::string> values;
  for (const auto& [type, value] : certificate.subject_attributes) {
    if (type == name) {
      values.push_back(value);
    }
  }
  return values;
}

/// What about `leaf` is not as the rule wants it; empty when all is.
std::vector<std::string> identity_mismatches(const CertificateInfo& leaf,
                                             const IdentityRule& rule) {
  std::vector<std::string> wrong;
  for (const auto& [name, wanted] : rule.subject) {
    const auto values = values_of(leaf, name);
    if (values != std::vector<std::string>{wanted}) {
      wrong.push_back(
          name + " is " +
          (values.empty() ? "absent" : "\"" + printable(join(values, "\", \"")) + "\"") +
          ", wanted \"" + printable(wanted) + "\"");
    }
  }
  for (const std::string& wanted : rule.eku) {
    const auto& purposes = leaf.extended_key_usage;
    if (!purposes || std::find(purposes->begin(), purposes->end(), wanted) == purposes->end()) {
      wrong.push_back("the extended key usage " + wanted + " is absent");
    }
  }
  if (!rule.sha256_thumbprint.empty() && to_lower(rule.sha256_thumbprint) != leaf.sha256_hex) {
    wrong.push_back("the SHA-256 thumbprint is " + leaf.sha256_hex + ", wanted " +
                    to_lower(rule.sha256_thumbprint));
  }
  return wrong;
}

bool issuer_matches(const CertificateInfo& leaf, const std::string& wanted) {
  // The issuer's text begins with its most specific attribute; compare that one exactly.
  const std::string text = "CN=" + wanted;
  return leaf.issuer == text || leaf.issuer.starts_with(text + ", ");
}

void require_identity(const Report& report, const GateRules& rules, Verdict& verdict) {
  if (rules.identity.empty()) {
    return;
  }
  for (const SignatureInfo& signature : report.signatures) {
    if (!is_judged(signature, rules)) {
      continue;
    }
    std::vector<std::string> wrong{"the signer is unknown"};
    if (!signature.chain.certificates.empty()) {
      const CertificateInfo& leaf = signature.chain.certificates.front();
      wrong = identity_mismatches(leaf, rules.identity);
      if (!rules.identity.issuer_cn.empty() && !issuer_matches(leaf, rules.identity.issuer_cn)) {
        wrong.push_back("the issuer is \"" + leaf.issuer + "\", wanted CN \"" +
                        printable(rules.identity.issuer_cn) + "\"");
      }
    }
    if (!wrong.empty()) {
      verdict.findings.push_back({"identity-mismatch",
                                  Severity::error,
                                  signature.label,
                                  "signed by somebody else: " + join(wrong, "; ")});
    }
  }
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
  Verdict verdict;
  for (Finding finding : report.findings) {
    finding.severity = final_severity(finding, rules);
    verdict.findings.push_back(std::move(finding));
  }
  const auto is_unsigned = [](const Finding& one) { return one.id == "unsigned"; };
  if (report.signatures.empty() &&
      std::none_of(verdict.findings.begin(), verdict.findings.end(), is_unsigned)) {
    verdict.findings.push_back(
        {"unsigned", Severity::error, "file", "the file carries no signature"});
  }
  require_timestamps(report, rules, verdict);
  judge_rehearsal(report, rules, verdict);
  require_identity(report, rules, verdict);
  // The one place where a verdict turns from failed to passed.
  verdict.passed = !report.signatures.empty() && verdict.objections().empty();
  return verdict;
}

}  // namespace signctl
