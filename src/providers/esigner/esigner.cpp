// SPDX-License-Identifier: Apache-2.0
#include "providers/common/settings.hpp"
#include "providers/esigner/diagnose.hpp"
#include "providers/esigner/queue.hpp"

#include <signctl/provider.hpp>

#include <array>
#include <utility>

namespace signctl::providers::esigner {
namespace {

constexpr std::array kSettings{
    SettingSpec{.key = "environment",
                .help = "production or sandbox; production if left out",
                .example = "production"},
    SettingSpec{.key = "username",
                .required = true,
                .help = "Name of the SSL.com user",
                .example = "ci@contoso.example",
                .environment = "ESIGNER_USERNAME"},
    SettingSpec{.key = "password",
                .kind = SettingKind::secret,
                .required = true,
                .help = "Password of the SSL.com user",
                .example = "env:ESIGNER_PASSWORD",
                .environment = "ESIGNER_PASSWORD"},
    SettingSpec{.key = "credential_id",
                .help = "Which credential signs; may be left out when the account has one",
                .example = "8b072e22-7685-4771-b5c6-48e46614915f",
                .environment = "ESIGNER_CREDENTIAL_ID"},
    SettingSpec{.key = "totp_secret",
                .kind = SettingKind::secret,
                .help = "Secret of the one-time passwords, as shown at enrolment",
                .example = "env:ESIGNER_TOTP_SECRET",
                .environment = "ESIGNER_TOTP_SECRET"},
    SettingSpec{.key = "totp_format",
                .help = "auto, base64 or base32: how the secret is written",
                .example = "auto"},
    SettingSpec{.key = "pin",
                .kind = SettingKind::secret,
                .help = "PIN of the credential, where it has one",
                .example = "env:ESIGNER_PIN"},
    SettingSpec{.key = "client_id",
                .help = "Id of an own OAuth application instead of SSL.com's public one",
                .example = "qOUeZCCzSqgA93acB3LYq6lBNjgZdiOxQc-KayC3UMw"},
    SettingSpec{.key = "client_secret",
                .kind = SettingKind::secret,
                .help = "Secret of an own OAuth application",
                .example = "env:ESIGNER_CLIENT_SECRET"},
    SettingSpec{.key = "endpoint",
                .help = "URL of the signing API, when not the environment's",
                .example = "https://cs.ssl.com"},
    SettingSpec{.key = "login_url",
                .help = "URL of the OAuth token service, when not the environment's",
                .example = "https://login.ssl.com/oauth2/token"},
    kMaxParallel,
    kTimeout,
    kCaFile,
};

/// What the sessions of a run share.
struct Account {
  std::shared_ptr<Client> client;
  bool scans;  ///< The service wants to know each file.
  SigningQueue queue;

  Account(std::shared_ptr<Client> logged_in, Credential credential, Factors factors, bool scanned)
      : client(std::move(logged_in)),
        scans(scanned),
        queue(client, std::move(credential), std::move(factors)) {}
};

class Session final : public SigningSession {
 public:
  explicit Session(std::shared_ptr<Account> account) : account_(std::move(account)) {
    account_->queue.enter();
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session() override { account_->queue.leave(); }

  Result<std::vector<Bytes>> expected_chain() override { return chain().der; }

  Result<void> about_to_sign(const FileFacts& file) override {
    file_ = &file;
    return ok();
  }

  Result<SignedDigest> sign(ByteView digest, DigestAlg alg) override {
    const FileFacts* file = std::exchange(file_, nullptr);
    const std::string name(digest_name(alg));
    if (!is_signing_digest(alg)) {
      return Error{ErrorKind::unsupported,
                   "SSL.com eSigner does not sign with " + name,
                   "use sha256, sha384 or sha512"};
    }
    if (digest.size() != digest_size(alg)) {
      return Error{ErrorKind::internal,
                   "a digest of " + std::to_string(digest.size()) + " bytes is not " + name};
    }
    if (account_->scans) {
      SIGNCTL_CHECK(scan_file(file, digest), "");
    }
    Cause cause = Cause::other;
    auto given = account_->queue.sign(digest, alg, cause);
    if (!given && cause == Cause::unscanned && !account_->scans) {
      // The settings said that there was no need to.
      SIGNCTL_CHECK(scan_file(file, digest), "");
      given = account_->queue.sign(digest, alg, cause);
    }
    SIGNCTL_TRY(const Bytes made, std::move(given), "");
    SIGNCTL_TRY(Bytes signature, checked_signature(chain().leaf, digest, alg, made), "");
    return SignedDigest{std::move(signature), chain().der};
  }

  Result<std::unique_ptr<SigningSession>> another() override {
    std::unique_ptr<SigningSession> session = std::make_unique<Session>(account_);
    return session;
  }

 private:
  [[nodiscard]] const Chain& chain() const { return account_->queue.credential().chain; }

  [[nodiscard]] Result<void> scan_file(const FileFacts* file, ByteView digest) const {
    if (file == nullptr) {
      return Error{ErrorKind::unsupported,
                   "the account has SSL.com's malware blocker switched on, which wants to know "
                   "the file, and there is only a digest",
                   "sign the file itself, or switch the malware blocker off at SSL.com"};
    }
    SIGNCTL_TRY(Bytes whole, file->sha256(), "hashing the file for SSL.com's malware blocker");
    return scan(*account_->client,
                account_->queue.credential().id,
                Hashes{std::move(whole), Bytes(digest.begin(), digest.end())});
  }

  std::shared_ptr<Account> account_;
  const FileFacts* file_{nullptr};  ///< That the next digest belongs to.
};

Result<std::shared_ptr<Account>> open_account(const ProviderSettings& settings, World world) {
  SIGNCTL_TRY(auto client, Client::make(settings, world), "");
  SIGNCTL_CHECK(check_secrets(settings), "");
  SIGNCTL_TRY(Credential credential, find_credential(*client, settings), "");
  SIGNCTL_TRY(Factors factors, find_factors(settings, credential, world.clock), "");
  SIGNCTL_TRY(const bool scans, is_scan_enabled(*client, credential.id), "");
  return std::make_shared<Account>(
      std::move(client), std::move(credential), std::move(factors), scans);
}

class Esigner final : public Provider {
 public:
  [[nodiscard]] std::string_view name() const override { return "esigner"; }
  [[nodiscard]] std::span<const std::string_view> aliases() const override { return {}; }
  [[nodiscard]] std::string_view title() const override { return "SSL.com eSigner"; }
  [[nodiscard]] std::span<const SettingSpec> settings() const override { return kSettings; }
  [[nodiscard]] ProviderTraits traits() const override {
    return {.timestamp_server = "http://ts.ssl.com", .billable = true};
  }

  Result<std::unique_ptr<SigningSession>> open(const ProviderSettings& settings,
                                               World world) const override {
    SIGNCTL_TRY(auto account, open_account(settings, world), "opening provider \"esigner\"");
    std::unique_ptr<SigningSession> session = std::make_unique<Session>(std::move(account));
    return session;
  }

  [[nodiscard]] std::vector<Finding> diagnose(const ProviderSettings& settings,
                                              World world) const override {
    return esigner::diagnose(settings, world);
  }
};

}  // namespace

[[nodiscard]] const Provider& provider();

const Provider& provider() {
  static const Esigner instance;
  return instance;
}

}  // namespace signctl::providers::esigner
