// SPDX-License-Identifier: Apache-2.0
#include "policy/subject.hpp"

namespace signctl {

const ChainInfo* About::chain() const {
  if (signature == nullptr) {
    return nullptr;
  }
  if (!timestamp) {
    return &signature->chain;
  }
  return signature->timestamp ? &signature->timestamp->chain : nullptr;
}

std::vector<const CertificateInfo*> About::certificates() const {
  std::vector<const CertificateInfo*> found;
  const ChainInfo* const path = chain();
  if (path == nullptr || certificate.empty()) {
    return found;
  }
  for (const CertificateInfo& one : path->certificates) {
    if (one.subject == certificate) {
      found.push_back(&one);
    }
  }
  return found;
}

TimePoint About::signing_time() const {
  const bool stamped = signature != nullptr && signature->timestamp && signature->timestamp->valid;
  return stamped ? signature->timestamp->time : report->judged_at;
}

About find_subject(const Report& report, const Finding& finding) {
  static constexpr std::string_view kTimestamp = " timestamp";
  static constexpr std::string_view kCertificate = ", certificate ";
  About about;
  about.report = &report;
  for (const SignatureInfo& signature : report.signatures) {
    std::string_view rest = finding.subject;
    if (signature.label.empty() || !rest.starts_with(signature.label)) {
      continue;
    }
    rest.remove_prefix(signature.label.size());
    // "signature 1" is not what "signature 1.1" and "signature 12" begin with.
    if (!rest.empty() && rest.front() != ' ' && rest.front() != ',') {
      continue;
    }
    about.signature = &signature;
    if (rest.starts_with(kTimestamp)) {
      about.timestamp = true;
      rest.remove_prefix(kTimestamp.size());
    }
    if (rest.starts_with(kCertificate)) {
      about.certificate = rest.substr(kCertificate.size());
    }
    break;
  }
  return about;
}

}  // namespace signctl
