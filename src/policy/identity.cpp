// SPDX-License-Identifier: Apache-2.0
#include "policy/identity.hpp"

#include "core/text.hpp"

#include <algorithm>

namespace signctl {

namespace {

using Texts = std::vector<std::string>;

Texts values_of(const CertificateInfo& certificate, const std::string& attribute) {
  Texts values;
  for (const auto& [name, value] : certificate.subject_attributes) {
    if (name == attribute) {
      values.push_back(value);
    }
  }
  return values;
}

std::string quoted(const Texts& values) {
  Texts shown;
  for (const std::string& value : values) {
    shown.push_back("\"" + printable(value) + "\"");
  }
  return shown.empty() ? "absent" : join(shown, " and ");
}

void compare(const std::string& what,
             const Texts& found,
             const std::string& wanted,
             Texts& mismatches) {
  if (found != Texts{wanted}) {
    mismatches.push_back(what + " is " + quoted(found) + ", wanted " + quoted({wanted}));
  }
}

/// The certificate that issued the leaf: the path was built by matching its subject.
const CertificateInfo* issuer_of_leaf(const ChainInfo& chain) {
  if (chain.certificates.size() > 1) {
    return &chain.certificates[1];
  }
  return chain.certificates[0].self_signed ? chain.certificates.data() : nullptr;
}

}  // namespace

Texts identity_mismatches(const ChainInfo& chain, const IdentityRule& rule) {
  if (chain.certificates.empty()) {
    return {"the signer's certificate is unknown"};
  }
  const CertificateInfo& leaf = chain.certificates.front();
  Texts mismatches;
  for (const auto& [attribute, wanted] : rule.subject) {
    compare(attribute, values_of(leaf, attribute), wanted, mismatches);
  }
  const Texts purposes = leaf.extended_key_usage.value_or(Texts{});
  for (const std::string& wanted : rule.eku) {
    if (std::find(purposes.begin(), purposes.end(), wanted) == purposes.end()) {
      mismatches.push_back("the extended key usage " + printable(wanted) + " is absent, found " +
                           (purposes.empty() ? "none" : printable(join(purposes, ", "))));
    }
  }
  if (!rule.sha256_thumbprint.empty()) {
    compare("the SHA-256 thumbprint",
            {to_lower(leaf.sha256_hex)},
            to_lower(rule.sha256_thumbprint),
            mismatches);
  }
  if (!rule.sha1_thumbprint.empty()) {
    compare("the SHA-1 thumbprint",
            {to_lower(leaf.sha1_hex)},
            to_lower(rule.sha1_thumbprint),
            mismatches);
  }
  if (!rule.cn_part.empty()) {
    const Texts names = values_of(leaf, "CN");
    if (names.size() != 1 ||
        to_lower(names.front()).find(to_lower(rule.cn_part)) == std::string::npos) {
      mismatches.push_back("CN is " + quoted(names) + ", wanted one with " +
                           quoted({rule.cn_part}));
    }
  }
  if (!rule.issuer_cn.empty()) {
    const CertificateInfo* const issuer = issuer_of_leaf(chain);
    compare("the issuer's CN",
            issuer == nullptr ? Texts{} : values_of(*issuer, "CN"),
            rule.issuer_cn,
            mismatches);
  }
  return mismatches;
}

}  // namespace signctl
