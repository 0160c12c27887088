// SPDX-License-Identifier: Apache-2.0
#include "net/tls_anchors.hpp"

#include "core/file.hpp"
#include "core/path.hpp"
#include "core/text.hpp"

#include <filesystem>

namespace signctl::net {

namespace {

constexpr std::size_t kMaxBytes = 16U << 20U;

Result<std::string> read_pem(const std::string& path_utf8, const std::string& what) {
  SIGNCTL_TRY(const Bytes bytes, read_file(path_utf8, kMaxBytes), "reading " + what);
  const std::string_view text = as_text(bytes);
  // libcurl would take anything, and then trust nobody without saying why.
  if (text.find("-----BEGIN CERTIFICATE-----") == std::string_view::npos &&
      text.find("-----BEGIN TRUSTED CERTIFICATE-----") == std::string_view::npos &&
      text.find("-----BEGIN X509 CERTIFICATE-----") == std::string_view::npos) {
    return Error{ErrorKind::input,
                 what + " " + printable(path_utf8) + " holds no PEM certificate",
                 "convert it: openssl x509 -inform der -in FILE -out FILE.pem"};
  }
  return std::string(text) + "\n";
}

}  // namespace

Result<std::string> read_system_bundle(std::span<const std::string_view> candidates) {
  for (const std::string_view candidate : candidates) {
    std::error_code error;
    if (std::filesystem::is_regular_file(to_path(candidate), error)) {
      return read_pem(std::string(candidate), "the system's CA bundle");
    }
  }
  return std::string();
}

Result<TlsAnchors> choose_tls_anchors(const Environment& environment,
                                      const std::string& ca_file,
                                      std::span<const std::string_view> system_bundles) {
  const auto file = environment.get("SSL_CERT_FILE");
  const auto folder = environment.get("SSL_CERT_DIR");
  TlsAnchors anchors;
  anchors.folder = folder.value_or("");
  if (file || folder) {
    anchors.built_in = TlsAnchors::BuiltIn::replaced;
  }
  if (file) {
    SIGNCTL_TRY(anchors.pem, read_pem(*file, "SSL_CERT_FILE"), "choosing the CAs for TLS");
  }
  if (!ca_file.empty()) {
    if (anchors.built_in == TlsAnchors::BuiltIn::used) {
      // Certificates in memory take the place of libcurl's own bundle, so it goes in with them.
      SIGNCTL_TRY(anchors.pem, read_system_bundle(system_bundles), "choosing the CAs for TLS");
    }
    SIGNCTL_TRY(const std::string own, read_pem(ca_file, "ca_file"), "choosing the CAs for TLS");
    anchors.pem += own;
  }
  return anchors;
}

}  // namespace signctl::net
