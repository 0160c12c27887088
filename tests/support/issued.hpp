// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/issue.hpp"
#include "crypto/keys.hpp"

#include <signctl/finding.hpp>
#include <signctl/trust_store.hpp>

#include <memory>
#include <string>
#include <vector>

/// Certificates of which any property can be wrong, for chains. P-256 throughout unless a key is
/// given; keys are made at run time.
namespace signctl::test {

/// 2026-06-01T00:00:00Z plus `days`.
[[nodiscard]] TimePoint issued_day(int days);

/// A CA certificate as it should be: valid from day -1000 to day 1000.
[[nodiscard]] crypto::CertificateTemplate ca_named(const std::string& common_name);
/// A leaf as it should be: valid from day -100 to day 100.
[[nodiscard]] crypto::CertificateTemplate leaf_for(const std::string& extended_key_usage,
                                                   const std::string& common_name = "Leaf");

/// A certificate for a new key, below `issuer` or self-signed; the chain reaches up to the root.
[[nodiscard]] crypto::KeyBundle issue(
    const crypto::CertificateTemplate& wanted,
    const crypto::KeyBundle* issuer = nullptr,
    crypto::PrivateKey::Spec spec = crypto::PrivateKey::Spec::p256);
/// The same for a key that is there already.
[[nodiscard]] crypto::KeyBundle issue_for(const crypto::PrivateKey& key,
                                          const crypto::CertificateTemplate& wanted,
                                          const crypto::KeyBundle* issuer = nullptr);

/// Anchors in memory. `code` and `time` serve one purpose each.
[[nodiscard]] std::shared_ptr<const TrustStore> anchors_of(
    const std::vector<crypto::Certificate>& code, const std::vector<crypto::Certificate>& time);
/// For both purposes.
[[nodiscard]] std::shared_ptr<const TrustStore> anchors_of(
    const std::vector<crypto::Certificate>& both);

/// The ids of `findings`, sorted, each once, joined by blanks; only those of at least `least`.
[[nodiscard]] std::string ids_of(const std::vector<Finding>& findings,
                                 Severity least = Severity::error);
/// All findings in full, for a failing test.
[[nodiscard]] std::string text_of(const std::vector<Finding>& findings);

}  // namespace signctl::test
