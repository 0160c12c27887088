// SPDX-License-Identifier: Apache-2.0
#include "support/issued.hpp"

#include "support/must.hpp"

#include <algorithm>
#include <set>

namespace signctl::test {

namespace {

using crypto::Certificate;
using crypto::CertificateTemplate;
using crypto::KeyBundle;
using crypto::PrivateKey;

class MemoryStore final : public TrustStore {
 public:
  MemoryStore(std::vector<Certificate> code, std::vector<Certificate> time)
      : code_(std::move(code)), time_(std::move(time)) {}

  Result<std::vector<Anchor>> anchors_named(ByteView name_der,
                                            TrustPurpose purpose) const override {
    std::vector<Anchor> anchors;
    for (const Certificate& one : purpose == TrustPurpose::code_signing ? code_ : time_) {
      const ByteView name = one.subject_der();
      if (std::equal(name.begin(), name.end(), name_der.begin(), name_der.end())) {
        anchors.push_back({one.der(), "the test's anchors", false});
      }
    }
    return anchors;
  }

  std::string describe() const override { return "the test's anchors"; }

 private:
  std::vector<Certificate> code_;
  std::vector<Certificate> time_;
};

CertificateTemplate named(const std::string& common_name, int reach) {
  CertificateTemplate wanted;
  wanted.subject = {{"CN", common_name}};
  wanted.not_before = issued_day(-reach);
  wanted.not_after = issued_day(reach);
  wanted.rehearsal = false;
  return wanted;
}

}  // namespace

TimePoint issued_day(int days) {
  return TimePoint(std::chrono::seconds(1'780'272'000)) + std::chrono::days(days);
}

CertificateTemplate ca_named(const std::string& common_name) {
  auto wanted = named(common_name, 1000);
  wanted.ca = true;
  wanted.key_usage = "critical,keyCertSign,cRLSign";
  return wanted;
}

CertificateTemplate leaf_for(const std::string& extended_key_usage,
                             const std::string& common_name) {
  auto wanted = named(common_name, 100);
  wanted.key_usage = "critical,digitalSignature";
  wanted.extended_key_usage = extended_key_usage;
  return wanted;
}

KeyBundle issue(const CertificateTemplate& wanted, const KeyBundle* issuer, PrivateKey::Spec spec) {
  return issue_for(must(PrivateKey::generate(spec)), wanted, issuer);
}

KeyBundle issue_for(const PrivateKey& key,
                    const CertificateTemplate& wanted,
                    const KeyBundle* issuer) {
  std::vector<Certificate> chain{must(crypto::issue_certificate(wanted, key, issuer))};
  if (issuer != nullptr) {
    chain.insert(chain.end(), issuer->chain.begin(), issuer->chain.end());
  }
  return {key, chain};
}

std::shared_ptr<const TrustStore> anchors_of(const std::vector<Certificate>& code,
                                             const std::vector<Certificate>& time) {
  return std::make_shared<MemoryStore>(code, time);
}

std::shared_ptr<const TrustStore> anchors_of(const std::vector<Certificate>& both) {
  return anchors_of(both, both);
}

std::string ids_of(const std::vector<Finding>& findings, Severity least) {
  std::set<std::string> unique;
  for (const Finding& finding : findings) {
    if (finding.severity >= least) {
      unique.insert((finding.judgement == Judgement::after_expiry ? "later:" : "") + finding.id);
    }
  }
  std::string text;
  for (const std::string& id : unique) {
    text += (text.empty() ? "" : " ") + id;
  }
  return text;
}

std::string text_of(const std::vector<Finding>& findings) {
  std::string text;
  for (const Finding& finding : findings) {
    text += std::string(severity_name(finding.severity)) + " " + finding.id + " [" +
            finding.subject + "] " + finding.message + "\n";
  }
  return text;
}

}  // namespace signctl::test
