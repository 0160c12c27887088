// SPDX-License-Identifier: Apache-2.0
#include "verify/verify.hpp"

#include "core/assert.hpp"
#include "verify/signature_check.hpp"
#include "verify/unit.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace signctl::verify {

namespace {

/// The file's digest under every algorithm that some signature claims, from one pass.
Result<std::map<DigestAlg, Bytes>> compute_digests(Signable& file, const std::vector<Unit>& units) {
  std::vector<DigestAlg> algs;
  for (const Unit& unit : units) {
    if (unit.content && std::find(algs.begin(), algs.end(), unit.content->alg) == algs.end()) {
      algs.push_back(unit.content->alg);
    }
  }
  std::map<DigestAlg, Bytes> digests;
  if (!algs.empty()) {
    SIGNCTL_TRY(auto computed, file.file_digests(algs), "computing the digest");
    for (std::size_t i = 0; i < algs.size(); ++i) {
      digests[algs[i]] = std::move(computed[i]);
    }
  }
  return digests;
}

/// What there is to say of the file itself. After the digests, whose pass it reuses.
Result<void> describe_file(Signable& file, Report& report) {
  SIGNCTL_TRY(auto container, file.container_findings(), "checking the container");
  for (Finding& finding : container) {
    if (finding.subject.empty()) {
      finding.subject = "file";
    }
    report.findings.push_back(std::move(finding));
  }
  SIGNCTL_TRY(report.facts, file.facts(), "");
  SIGNCTL_TRY(report.hashed_ranges, file.hashed_ranges(), "");
  return ok();
}

}  // namespace

Result<Report> verify_file(Signable& file, const Options& options) {
  SIGNCTL_ASSERT(options.store != nullptr);
  Report report;
  report.judged_at = options.now;
  SIGNCTL_TRY(const auto stored, file.signatures(), "reading the signatures");
  const std::vector<Unit> units = take_apart(file, stored, report.findings);
  SIGNCTL_TRY(auto digests, compute_digests(file, units), "");
  SIGNCTL_CHECK(describe_file(file, report), "");
  if (stored.empty()) {
    report.findings.push_back(
        {"unsigned", Severity::error, "file", "the file carries no signature"});
    return report;
  }
  for (const Unit& unit : units) {
    const ByteView computed = unit.content ? ByteView(digests[unit.content->alg]) : ByteView();
    report.signatures.push_back(check_signature(file, unit, computed, options, report.findings));
  }
  report.findings.push_back({"revocation-not-checked",
                             Severity::info,
                             "file",
                             "whether a certificate has been revoked was not looked up"});
  return report;
}

}  // namespace signctl::verify
