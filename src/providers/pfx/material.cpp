// SPDX-License-Identifier: Apache-2.0
#include "providers/pfx/material.hpp"

#include "core/file.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace signctl::providers::pfx {
namespace {

using crypto::Certificate;

constexpr std::size_t kLimitBytes = std::size_t{4} << 20U;

Result<void> check_settings(const ProviderSettings& settings) {
  const bool file = !settings.get("file").empty();
  const bool key = !settings.get("key").empty();
  const bool certificate = !settings.get("certificate").empty();
  if (file && (key || certificate)) {
    return Error{ErrorKind::config,
                 R"(pfx: "file" and "key" or "certificate" exclude each other)",
                 R"(give "file" for a PFX, or "key" and "certificate" for PEM files)"};
  }
  if (!file && key != certificate) {
    return Error{ErrorKind::config,
                 std::string("pfx: \"") + (key ? "key" : "certificate") + "\" is given without \"" +
                     (key ? "certificate" : "key") + "\"",
                 "PEM files come in pairs"};
  }
  if (!file && !key) {
    return Error{ErrorKind::config,
                 R"(pfx: neither "file" nor "key" and "certificate" is given)",
                 "set file: PATH of a PFX; `signctl dev-cert` makes one for testing"};
  }
  const std::string parallel = settings.get("max_parallel");
  if (parallel == "0") {
    return Error{ErrorKind::config, "pfx: \"max_parallel\" must be at least 1"};
  }
  return ok();
}

/// `error` with a hint that fits what the user has set.
Error about_password(Error error, const ProviderSettings& settings) {
  if (error.kind != ErrorKind::auth) {
    return error;
  }
  const auto password = settings.secrets.find("password");
  if (password == settings.secrets.end() || password->second.empty()) {
    error.hint =
        "the file is encrypted: set password to env:NAME, file:PATH, exec:COMMAND or stdin";
  } else if (error.hint.empty()) {
    error.hint = "check the password, and for a line break or blank at its end";
  }
  return error;
}

Secret password_of(const ProviderSettings& settings) {
  const auto found = settings.secrets.find("password");
  return found == settings.secrets.end() ? Secret() : found->second;
}

Result<Bytes> read(const std::string& path) {
  return read_file(path, kLimitBytes);
}

/// A private key and certificates in no particular order.
struct Parts {
  crypto::PrivateKey key;
  std::vector<Certificate> certificates;
};

Result<Parts> read_pair(const std::string& key_path,
                        const std::string& certificate_path,
                        const ProviderSettings& settings) {
  SIGNCTL_TRY(const Bytes key_bytes, read(key_path), "reading the private key");
  auto key = crypto::read_private_key(key_bytes, password_of(settings));
  if (!key) {
    return about_password(std::move(key).error(), settings)
        .within("reading the private key in " + printable(key_path));
  }
  SIGNCTL_TRY(const Bytes certificate_bytes, read(certificate_path), "reading the certificate");
  SIGNCTL_TRY(auto certificates,
              crypto::read_certificates(certificate_bytes),
              "reading the certificates in " + printable(certificate_path));
  return Parts{std::move(key).value(), std::move(certificates)};
}

Result<Parts> read_bundle(const std::string& path, const ProviderSettings& settings) {
  SIGNCTL_TRY(const Bytes bytes, read(path), "reading the key file");
  if (as_text(bytes).find("-----BEGIN ") != std::string_view::npos) {
    return read_pair(path, path, settings);  // PEM with everything in one file
  }
  auto bundle = crypto::read_pkcs12(bytes, password_of(settings));
  if (!bundle) {
    return about_password(std::move(bundle).error(), settings).within("reading " + printable(path));
  }
  return Parts{std::move(bundle->key), std::move(bundle->chain)};
}

Result<void> check_key(const crypto::PrivateKey& key, const std::string& path) {
  if (key.facts().type == crypto::KeyType::other) {
    return Error{ErrorKind::unsupported,
                 "the key in " + printable(path) + " is neither RSA nor EC",
                 "Windows accepts no other signatures"};
  }
  if (!key.facts().named_curve) {
    return Error{ErrorKind::unsupported,
                 "the key in " + printable(path) + " has explicit curve parameters",
                 "use a key on a named curve: P-256, P-384 or P-521"};
  }
  return ok();
}

}  // namespace

Result<Material> load_material(const ProviderSettings& settings) {
  SIGNCTL_CHECK(check_settings(settings), "");
  const std::string file = settings.get("file");
  SIGNCTL_TRY(Parts parts,
              file.empty() ? read_pair(settings.get("key"), settings.get("certificate"), settings)
                           : read_bundle(file, settings),
              "");
  SIGNCTL_CHECK(check_key(parts.key, key_file(settings)), "");
  if (parts.certificates.empty()) {
    return Error{ErrorKind::input,
                 "there is no certificate in " + printable(file),
                 R"(export it with the certificate, or give "key" and "certificate" as PEM files)"};
  }
  const auto leaf = std::ranges::find_if(parts.certificates, [&](const Certificate& candidate) {
    return parts.key.matches(candidate);
  });
  if (leaf == parts.certificates.end()) {
    return Error{ErrorKind::config,
                 "the private key in " + printable(key_file(settings)) +
                     " belongs to none of the certificates",
                 "give the certificate that was issued for this key"};
  }
  std::vector<Certificate> pool = parts.certificates;
  if (const std::string chain = settings.get("chain"); !chain.empty()) {
    SIGNCTL_TRY(const Bytes bytes, read(chain), "reading the chain");
    SIGNCTL_TRY(auto more, crypto::read_certificates(bytes), "reading " + printable(chain));
    pool.insert(pool.end(), more.begin(), more.end());
  }
  auto chain = crypto::order_chain(*leaf, pool);
  return Material{std::move(parts.key), std::move(chain)};
}

std::string key_file(const ProviderSettings& settings) {
  const std::string file = settings.get("file");
  return file.empty() ? settings.get("key") : file;
}

bool is_publicly_trusted(const crypto::Certificate& certificate) {
  // DER of 2.23.140.1.4.1 (code signing) and 2.23.140.1.3 (extended validation code signing), CA/B
  // Forum code signing baseline requirements, 7.1.6.1. Found anywhere in the certificate they are a
  // sign of certificatePolicies; this only decides a warning.
  constexpr std::array<std::uint8_t, 8> kCodeSigning{
      0x06, 0x06, 0x67, 0x81, 0x0C, 0x01, 0x04, 0x01};
  constexpr std::array<std::uint8_t, 7> kExtended{0x06, 0x05, 0x67, 0x81, 0x0C, 0x01, 0x03};
  // std::search: libstdc++ 12's std::ranges::search does not compile with Clang 14.
  const auto holds = [&der = certificate.der()](const auto& oid) {
    return std::search(der.begin(), der.end(), oid.begin(), oid.end()) != der.end();
  };
  return holds(kCodeSigning) || holds(kExtended);
}

}  // namespace signctl::providers::pfx
