// SPDX-License-Identifier: Apache-2.0
#include "providers/esigner/session.hpp"

#include "providers/esigner/queue.hpp"

#include <string>
#include <utility>
#include <vector>

namespace signctl::providers::esigner {
namespace {

/// What the sessions of a run share.
struct Account {
  std::shared_ptr<Client> client;
  bool scans;
  SigningQueue queue;

  Account(std::shared_ptr<Client> logged_in, Signer signer)
      : client(std::move(logged_in)),
        scans(signer.scans),
        queue(client, std::move(signer.credential), std::move(signer.factors)) {}
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

  Result<void> check_digest(DigestAlg alg) override {
    if (!is_signing_digest(alg)) {
      return Error{ErrorKind::unsupported,
                   "SSL.com eSigner does not sign with " + std::string(digest_name(alg)),
                   "use sha256, sha384 or sha512"};
    }
    SIGNCTL_CHECK(algorithm_for(account_->queue.credential(), alg), "");
    return ok();
  }

  Result<void> about_to_sign(const FileFacts& file) override {
    file_ = &file;
    return ok();
  }

  Result<SignedDigest> sign(ByteView digest, DigestAlg alg) override {
    const FileFacts* file = std::exchange(file_, nullptr);
    SIGNCTL_CHECK(check_digest(alg), "");
    if (digest.size() != digest_size(alg)) {
      return Error{ErrorKind::internal,
                   "a digest of " + std::to_string(digest.size()) + " bytes is not " +
                       std::string(digest_name(alg))};
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

}  // namespace

std::unique_ptr<SigningSession> make_session(std::shared_ptr<Client> client, Signer signer) {
  return std::make_unique<Session>(std::make_shared<Account>(std::move(client), std::move(signer)));
}

}  // namespace signctl::providers::esigner
