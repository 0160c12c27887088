// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/result.hpp>
#include <signctl/trust_store.hpp>
#include <signctl/world.hpp>

#include <memory>
#include <string>
#include <vector>

namespace signctl::trust {

/// What to trust. The members add up.
struct TrustOptions {
  bool system{false};                  ///< system_store(), for both purposes.
  std::vector<std::string> files;      ///< PEM, DER or PKCS#7 files, for both purposes.
  std::vector<std::string> tsa_files;  ///< For time stamping only.
};

/// All anchors of `files`; read at once so that a missing file is reported early.
Result<std::shared_ptr<const TrustStore>> file_store(const std::string& path_utf8,
                                                     std::string label);

/// The anchors of this machine, looked up lazily and cheaply, in this order: SSL_CERT_FILE and
/// SSL_CERT_DIR when set; the .NET SDK's trustedroots (codesignctl.pem, timestampctl.pem); the
/// distribution's object-signing bundle; the distribution's TLS bundle (anchors from it are marked
/// tls_list). Windows: the ROOT system store.
std::shared_ptr<const TrustStore> system_store(const Environment& environment);

/// Merges stores; the first that has an anchor wins for its description.
std::shared_ptr<const TrustStore> composite(std::vector<std::shared_ptr<const TrustStore>> stores);

/// The store that `options` describe.
Result<std::shared_ptr<const TrustStore>> make_store(const TrustOptions& options,
                                                     const Environment& environment);

}  // namespace signctl::trust
