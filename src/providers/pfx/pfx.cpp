// SPDX-License-Identifier: Apache-2.0
#include "core/log.hpp"
#include "core/text.hpp"
#include "crypto/keys.hpp"
#include "providers/pfx/diagnose.hpp"
#include "providers/pfx/material.hpp"

#include <signctl/provider.hpp>

#include <array>
#include <mutex>
#include <utility>

namespace signctl::providers::pfx {
namespace {

constexpr std::array<SettingSpec, 6> kSettings{{
    {.key = "file",
     .kind = SettingKind::path,
     .help = "PFX (PKCS#12) file with key and certificates, or one PEM file with both",
     .example = "dev.pfx"},
    {.key = "password",
     .kind = SettingKind::secret,
     .help = "Password of the file or of the encrypted key",
     .example = "env:DEV_PFX_PASSWORD"},
    {.key = "chain",
     .kind = SettingKind::path,
     .help = "More certificates for the chain (PEM, DER or PKCS#7)",
     .example = "intermediates.pem"},
    {.key = "key",
     .kind = SettingKind::path,
     .help = "Private key (PEM or DER) instead of a PFX; needs certificate too",
     .example = "key.pem"},
    {.key = "certificate",
     .kind = SettingKind::path,
     .help =
         "Certificate of the key (PEM or DER); may hold the whole chain; with file, says which of "
         "its keys signs",
     .example = "certificate.pem"},
    {.key = "max_parallel",
     .kind = SettingKind::number,
     .help = "Most signatures to make at the same time",
     .example = "4"},
}};

/// Everything is in memory from the start, so sessions never wait and never fail transiently.
class Session final : public SigningSession {
 public:
  explicit Session(Material material) : material_(std::move(material)) {
    for (const crypto::Certificate& certificate : material_.chain) {
      chain_.push_back(certificate.der());
    }
  }

  Result<std::vector<Bytes>> expected_chain() override { return chain_; }

  Result<SignedDigest> sign(ByteView digest, DigestAlg alg) override {
    const std::string name(digest_name(alg));
    if (!is_signing_digest(alg)) {
      return Error{ErrorKind::unsupported,
                   "signctl does not sign with " + name,
                   "use sha256, sha384 or sha512"};
    }
    if (digest.size() != digest_size(alg)) {
      return Error{ErrorKind::internal,
                   "a digest of " + std::to_string(digest.size()) + " bytes is not " + name};
    }
    SIGNCTL_TRY(
        Bytes signature, material_.key.sign_digest(digest, alg), "signing with the key file");
    return SignedDigest{std::move(signature), chain_};
  }

  Result<std::unique_ptr<SigningSession>> another() override {
    std::unique_ptr<SigningSession> session = std::make_unique<Session>(material_);
    return session;
  }

 private:
  Material material_;
  std::vector<Bytes> chain_;
};

/// Once a process is enough: every worker opens a session.
void warn_once_about_public_trust(const crypto::Certificate& leaf) {
  static std::once_flag warned;
  std::call_once(warned, [&] {
    log_warning("the certificate \"" + leaf.info().subject +
                "\" is publicly trusted; its key may not be kept in a file (CA/Browser Forum code "
                "signing requirements, 6.2.7.4)");
  });
}

class Pfx final : public Provider {
 public:
  [[nodiscard]] std::string_view name() const override { return "pfx"; }
  [[nodiscard]] std::span<const std::string_view> aliases() const override { return {}; }
  [[nodiscard]] std::string_view title() const override {
    return "A key in a PFX or PEM file, for development and private trust";
  }
  [[nodiscard]] std::span<const SettingSpec> settings() const override { return kSettings; }

  Result<std::unique_ptr<SigningSession>> open(const ProviderSettings& settings,
                                               World /*world*/) const override {
    SIGNCTL_TRY(Material material, load_material(settings), "opening provider \"pfx\"");
    if (is_publicly_trusted(material.chain.front())) {
      warn_once_about_public_trust(material.chain.front());
    }
    std::unique_ptr<SigningSession> session = std::make_unique<Session>(std::move(material));
    return session;
  }

  [[nodiscard]] Examination examine(const ProviderSettings& settings, World world) const override {
    Examination examination{pfx::diagnose(settings, world.clock)};
    if (auto session = open(settings, world)) {
      examination.session = *std::move(session);
    }
    return examination;
  }
};

}  // namespace

[[nodiscard]] const Provider& provider();

const Provider& provider() {
  static const Pfx instance;
  return instance;
}

}  // namespace signctl::providers::pfx
