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
using crypto::KeyPair;
using crypto::KeyPool;
using crypto::PrivateKey;

constexpr std::size_t kLimitBytes = std::size_t{4} << 20U;

Result<void> check_settings(const ProviderSettings& settings) {
  const bool file = !settings.get("file").empty();
  const bool key = !settings.get("key").empty();
  const bool certificate = !settings.get("certificate").empty();
  if (file && key) {
    return Error{ErrorKind::config,
                 R"(pfx: "file" and "key" exclude each other)",
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

Result<std::vector<PrivateKey>> read_keys(const std::string& path,
                                          ByteView bytes,
                                          const ProviderSettings& settings) {
  auto keys = crypto::read_private_keys(bytes, password_of(settings));
  if (!keys) {
    return about_password(std::move(keys).error(), settings)
        .within("reading the private key in " + printable(path));
  }
  return keys;
}

Result<std::vector<Certificate>> read_certificates(const std::string& path) {
  SIGNCTL_TRY(const Bytes bytes, read(path), "reading the certificate");
  SIGNCTL_TRY(auto certificates,
              crypto::read_certificates(bytes),
              "reading the certificates in " + printable(path));
  return certificates;
}

/// A PFX, or PEM with everything in one file.
Result<KeyPool> read_bundle(const std::string& path, const ProviderSettings& settings) {
  SIGNCTL_TRY(const Bytes bytes, read(path), "reading the key file");
  if (as_text(bytes).find("-----BEGIN ") != std::string_view::npos) {
    SIGNCTL_TRY(auto keys, read_keys(path, bytes, settings), "");
    SIGNCTL_TRY(auto certificates, read_certificates(path), "");
    return KeyPool{std::move(keys), std::move(certificates)};
  }
  auto pool = crypto::open_pkcs12(bytes, password_of(settings));
  if (!pool) {
    return about_password(std::move(pool).error(), settings).within("reading " + printable(path));
  }
  if (pool->certificates.empty() && settings.get("certificate").empty()) {
    return Error{ErrorKind::input,
                 "there is no certificate in " + printable(path),
                 R"(export it with the certificate, or name that with "certificate")"};
  }
  return pool;
}

/// Keys and certificates of which the settings say that they are to sign, and what else is there to
/// build a chain from.
struct Candidates {
  std::vector<PrivateKey> keys;
  std::vector<Certificate> leaves;
  std::vector<Certificate> pool;
};

Result<Candidates> read_candidates(const ProviderSettings& settings) {
  const std::string file = settings.get("file");
  const std::string certificate = settings.get("certificate");
  Candidates found;
  if (file.empty()) {
    const std::string key = settings.get("key");
    SIGNCTL_TRY(const Bytes bytes, read(key), "reading the private key");
    SIGNCTL_TRY(found.keys, read_keys(key, bytes, settings), "");
  } else {
    SIGNCTL_TRY(KeyPool bundle, read_bundle(file, settings), "");
    found.keys = std::move(bundle.keys);
    found.pool = std::move(bundle.certificates);
  }
  found.leaves = found.pool;
  if (!certificate.empty()) {
    SIGNCTL_TRY(found.leaves, read_certificates(certificate), "");
    found.pool.insert(found.pool.end(), found.leaves.begin(), found.leaves.end());
  }
  if (const std::string chain = settings.get("chain"); !chain.empty()) {
    SIGNCTL_TRY(const Bytes bytes, read(chain), "reading the chain");
    SIGNCTL_TRY(auto more, crypto::read_certificates(bytes), "reading " + printable(chain));
    found.pool.insert(found.pool.end(), more.begin(), more.end());
  }
  return found;
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

Error several(const std::vector<KeyPair>& pairs, const std::string& path) {
  std::vector<std::string> names;
  for (const KeyPair& pair : pairs) {
    const CertificateInfo& info = pair.certificate.info();
    names.push_back(printable(info.subject) + " (" + info.sha1_hex + ")");
  }
  return {
      ErrorKind::config,
      printable(path) + " holds " + std::to_string(pairs.size()) +
          " keys with certificates: " + join(names, ", "),
      R"(set "certificate" to a file with the certificate to sign with, and no other of these)"};
}

/// The one key that has a certificate. Which of several signs is not for the order in a file to
/// say.
Result<KeyPair> choose(const Candidates& candidates, const std::string& path) {
  std::vector<KeyPair> pairs = crypto::find_pairs(candidates.keys, candidates.leaves);
  if (pairs.size() > 1) {
    return several(pairs, path);
  }
  if (pairs.empty()) {
    SIGNCTL_CHECK(check_key(candidates.keys.front(), path), "");
    return Error{ErrorKind::config,
                 (candidates.keys.size() == 1 ? "the private key in " : "each private key in ") +
                     printable(path) + " belongs to none of the certificates",
                 "give the certificate that was issued for this key"};
  }
  SIGNCTL_CHECK(check_key(pairs.front().key, path), "");
  return std::move(pairs.front());
}

}  // namespace

Result<Material> load_material(const ProviderSettings& settings) {
  SIGNCTL_CHECK(check_settings(settings), "");
  SIGNCTL_TRY(const Candidates candidates, read_candidates(settings), "");
  SIGNCTL_TRY(KeyPair pair, choose(candidates, key_file(settings)), "");
  auto chain = crypto::order_chain(pair.certificate, candidates.pool);
  return Material{std::move(pair.key), std::move(chain)};
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
