// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/bytes.hpp>
#include <signctl/digest_alg.hpp>
#include <signctl/finding.hpp>
#include <signctl/result.hpp>
#include <signctl/secret.hpp>
#include <signctl/world.hpp>

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace signctl {

/// Whether a setting is a secret, and so must be given as a reference (env:, file:, exec:, stdin).
enum class SettingKind { text, path, secret, number };

/// One key that a provider understands, in the config and after `-p` alike. Validation, `init`,
/// `providers`, `config schema`, the documentation and `doctor` all derive from it.
struct SettingSpec {
  std::string_view key;
  SettingKind kind{SettingKind::text};
  bool required{false};
  std::string_view help;       ///< One line, no full stop.
  std::string_view example{};  ///< As it would stand in signctl.yaml.
  std::string_view
      environment{};  ///< Variable that supplies it when the key is absent; may be empty.
};

/// Settings after validation: paths are UTF-8 and absolute or relative to the working directory,
/// secrets are resolved.
struct ProviderSettings {
  std::map<std::string, std::string> values;
  std::map<std::string, Secret> secrets;

  /// The value of `key`, or the empty string.
  [[nodiscard]] std::string get(std::string_view key) const;
};

/// A signature, and the certificates that belong to it.
struct SignedDigest {
  Bytes signature;  ///< RSA: PKCS#1 v1.5, big-endian, modulus-sized. ECDSA: DER Ecdsa-Sig-Value.
  std::vector<Bytes> chain;  ///< DER certificates, leaf first, root left out unless it is the leaf.
};

/// What a session may ask about the file that the next digest belongs to.
class FileFacts {
 public:
  virtual ~FileFacts() = default;

  /// SHA-256 of the whole file as it is before signing. The file is read when this is called.
  ///
  /// @errors those of ByteSource::read_at.
  [[nodiscard]] virtual Result<Bytes> sha256() const = 0;

  /// The digest that the signature carries: for Authenticode the one in SpcIndirectDataContent, of
  /// the algorithm that is signed with.
  [[nodiscard]] virtual const Bytes& content_digest() const = 0;
};

/// One authenticated conversation with a signing service.
///
/// A session is shown digests, never files, so no backend can learn or alter what is being signed.
/// Not safe to share between threads: each worker gets one of its own from another().
class SigningSession {
 public:
  virtual ~SigningSession() = default;

  /// The chain that the next signature is expected to carry: DER, leaf first. Empty if it cannot be
  /// known without signing. Never spends a signature.
  virtual Result<std::vector<Bytes>> expected_chain() = 0;

  /// Whether sign() would take digests of `alg`, as far as that is known without signing. Never
  /// spends a signature.
  ///
  /// @errors Those of sign() for such a digest: `unsupported` when the key cannot sign it.
  virtual Result<void> check_digest(DigestAlg /*alg*/) { return ok(); }

  /// Announces the file that the next sign() is for, to services that check it or log it by its
  /// hash. Others ignore it. Never spends a signature.
  ///
  /// @param file  Valid until the next sign() has returned.
  /// @errors      Those of sign(); and those of FileFacts.
  virtual Result<void> about_to_sign(const FileFacts& /*file*/) { return ok(); }

  /// Signs a digest that has already been computed.
  ///
  /// @param digest  Raw hash value, exactly the output size of `alg`; not hex, not wrapped in a
  ///                DigestInfo.
  /// @param alg     The hash that produced `digest`.
  /// @return  The signature with the chain that made *this* signature; services with short-lived
  ///          certificates may rotate it between two calls.
  /// @errors  `auth` credentials refused; `network` unreachable or timed out, the only kind worth
  ///          retrying; `provider` any other refusal; `unsupported` for `alg`.
  virtual Result<SignedDigest> sign(ByteView digest, DigestAlg alg) = 0;

  /// A session for one more thread, on the same login and the same chain: costs no call to the
  /// service where the service allows that. May be called while this one is signing; outlives it.
  virtual Result<std::unique_ptr<SigningSession>> another() = 0;
};

/// What was found, and a session on the login that it was found with.
struct Examination {
  std::vector<Finding> findings;
  /// Null only beside a finding of severity error.
  std::unique_ptr<SigningSession> session{};
};

/// What holds for every signer of a backend, whatever its settings.
struct ProviderTraits {
  int max_parallel{0};  ///< Most signatures at a time that the backend bears; 0 for no limit.
  /// RFC 3161 server that the service runs for its customers, used when the config names none.
  std::string_view timestamp_server{};
  bool billable{false};  ///< Each signature costs money or counts against a quota.
  /// Most signatures that the service makes with one certificate in a year; 0 for no such limit.
  int signatures_a_year{0};
};

/// A signing backend: describes its settings, diagnoses them, opens sessions. Stateless; listed in
/// providers/builtin.cpp.
class Provider {
 public:
  virtual ~Provider() = default;

  [[nodiscard]] virtual std::string_view name() const = 0;  ///< "pfx"
  [[nodiscard]] virtual std::span<const std::string_view> aliases() const = 0;
  [[nodiscard]] virtual std::string_view title() const = 0;  ///< One line.
  [[nodiscard]] virtual std::span<const SettingSpec> settings() const = 0;

  [[nodiscard]] virtual ProviderTraits traits() const { return {}; }

  /// Opens a session with settings that already agree with settings().
  virtual Result<std::unique_ptr<SigningSession>> open(const ProviderSettings& settings,
                                                       World world) const = 0;

  /// What is missing, wrong or about to expire, without spending a signature, and with one login at
  /// most: some can be used once. Findings of severity error mean that signing would fail.
  [[nodiscard]] virtual Examination examine(const ProviderSettings& settings,
                                            World world) const = 0;

  /// The findings of examine().
  [[nodiscard]] std::vector<Finding> diagnose(const ProviderSettings& settings, World world) const {
    return examine(settings, world).findings;
  }
};

/// All providers of this build.
[[nodiscard]] std::span<const Provider* const> builtin_providers();

/// The provider with that name or alias; nullptr if there is none.
[[nodiscard]] const Provider* find_provider(std::string_view name);

}  // namespace signctl
