// SPDX-License-Identifier: Apache-2.0
#include "engine/complete_chain.hpp"

#include "core/log.hpp"
#include "core/text.hpp"
#include "crypto/certificate.hpp"
#include "crypto/issuer_urls.hpp"
#include "trust/issuers.hpp"

#include <signctl/keeps_operations.hpp>

#include <map>
#include <mutex>
#include <utility>

namespace signctl::engine {
namespace {

/// The chains of a run's leaves. Safe to share between threads.
class Completer {
 public:
  explicit Completer(World world) : world_(world) {}

  std::vector<Bytes> complete(std::vector<Bytes> chain) {
    if (chain.size() != 1) {
      return chain;
    }
    const auto leaf = crypto::Certificate::parse(chain.front());
    if (!leaf || leaf->self_issued()) {
      return chain;
    }
    // Held while fetching: the other workers want the same.
    const std::lock_guard lock(mutex_);
    const auto known = chains_.find(chain.front());
    if (known != chains_.end()) {
      return known->second;
    }
    for (const crypto::Certificate& issuer : fetch(*leaf)) {
      chain.push_back(issuer.der());
    }
    return chains_[chain.front()] = std::move(chain);
  }

 private:
  [[nodiscard]] std::vector<crypto::Certificate> fetch(const crypto::Certificate& leaf) const {
    auto found = trust::fetch_issuers(leaf, world_);
    // Above an intermediate there may be a root that nobody publishes, as nobody embeds it either.
    if (!found.reached_root && found.certificates.empty() && !crypto::issuer_urls(leaf).empty()) {
      log_warning(
          "the signing certificate comes without its issuer's, which could not be fetched "
          "either (" +
          found.trouble + "); verifiers may not find the chain");
    } else if (!found.reached_root) {
      log_verbose("no further issuer: " + found.trouble);
    }
    return std::move(found.certificates);
  }

  World world_;
  std::mutex mutex_;
  std::map<Bytes, std::vector<Bytes>> chains_;  ///< By the leaf's DER.
};

class Session final : public SigningSession, public KeepsOperations {
 public:
  Session(std::unique_ptr<SigningSession> inner, std::shared_ptr<Completer> completer)
      : inner_(std::move(inner)), completer_(std::move(completer)) {}

  Result<std::vector<Bytes>> expected_chain() override {
    SIGNCTL_TRY(auto chain, inner_->expected_chain(), "");
    return completer_->complete(std::move(chain));
  }

  Result<void> check_digest(DigestAlg alg) override { return inner_->check_digest(alg); }

  Result<void> about_to_sign(const FileFacts& file) override { return inner_->about_to_sign(file); }

  void keep_operation_in(OperationNote& note) override {
    if (auto* const keeper = dynamic_cast<KeepsOperations*>(inner_.get())) {
      keeper->keep_operation_in(note);
    }
  }

  Result<SignedDigest> sign(ByteView digest, DigestAlg alg) override {
    SIGNCTL_TRY(SignedDigest made, inner_->sign(digest, alg), "");
    made.chain = completer_->complete(std::move(made.chain));
    return made;
  }

  Result<std::unique_ptr<SigningSession>> another() override {
    SIGNCTL_TRY(auto session, inner_->another(), "");
    std::unique_ptr<SigningSession> wrapped =
        std::make_unique<Session>(std::move(session), completer_);
    return wrapped;
  }

 private:
  std::unique_ptr<SigningSession> inner_;
  std::shared_ptr<Completer> completer_;
};

}  // namespace

SessionMaker complete_chains(SessionMaker make, World world) {
  return [make = std::move(make),
          completer =
              std::make_shared<Completer>(world)]() -> Result<std::unique_ptr<SigningSession>> {
    SIGNCTL_TRY(auto session, make(), "");
    std::unique_ptr<SigningSession> wrapped =
        std::make_unique<Session>(std::move(session), completer);
    return wrapped;
  };
}

}  // namespace signctl::engine
