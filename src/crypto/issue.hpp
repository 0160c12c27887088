// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/certificate.hpp"
#include "crypto/keys.hpp"

#include <signctl/result.hpp>
#include <signctl/world.hpp>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace signctl::crypto {

/// What to put into a certificate that we make ourselves: for rehearsals and for tests, which may
/// need every field wrong.
struct CertificateTemplate {
  std::vector<std::pair<std::string, std::string>>
      subject;  ///< ("CN", "Contoso (rehearsal)"), UTF-8.
  TimePoint not_before{};
  TimePoint not_after{};
  bool ca{false};
  bool basic_constraints{true};    ///< Whether to write the extension at all.
  int path_length{-1};             ///< -1 for none.
  std::string key_usage;           ///< OpenSSL syntax: "critical,digitalSignature"; empty for none.
  std::string extended_key_usage;  ///< OpenSSL syntax, dotted OIDs allowed; empty for none.
  bool rehearsal{true};            ///< Adds the rehearsal marker extension.
  DigestAlg digest{DigestAlg::sha256};
  std::vector<std::pair<std::string, std::string>>
      extra_extensions;  ///< OpenSSL name or OID, value.
};

/// Issues a certificate for `subject_key`. Self-signed when `issuer` is null. Serial is random,
/// 127 bits. Subject and authority key identifiers are added.
Result<Certificate> issue_certificate(const CertificateTemplate& wanted,
                                      const PrivateKey& subject_key,
                                      const KeyBundle* issuer);

}  // namespace signctl::crypto
