// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/result.hpp>
#include <signctl/world.hpp>

#include <array>
#include <span>
#include <string>
#include <string_view>

namespace signctl::net {

/// The CAs that a TLS server is held against.
struct TlsAnchors {
  enum class BuiltIn {
    used,     ///< libcurl's own defaults and the system's store count too.
    replaced  ///< Only what is named here.
  };
  BuiltIn built_in{BuiltIn::used};
  std::string pem;     ///< Empty for none besides.
  std::string folder;  ///< Named by subject hash, as OpenSSL's c_rehash does; empty for none.
};

/// Where distributions keep the list for TLS; the first one that exists counts.
inline constexpr std::array<std::string_view, 4> kSystemBundles{
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem"};

/// The list of the system; empty if there is none, as in a container without ca-certificates.
///
/// @errors `input` when it cannot be read or holds no PEM certificate.
Result<std::string> read_system_bundle(
    std::span<const std::string_view> candidates = kSystemBundles);

/// SSL_CERT_FILE and SSL_CERT_DIR replace what the system trusts, the one or the other or both
/// together; `ca_file` (empty for none) is in addition to whichever of them counts.
///
/// @errors `input` when a file cannot be read or holds no PEM certificate.
Result<TlsAnchors> choose_tls_anchors(
    const Environment& environment,
    const std::string& ca_file,
    std::span<const std::string_view> system_bundles = kSystemBundles);

}  // namespace signctl::net
