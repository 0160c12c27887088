// SPDX-License-Identifier: Apache-2.0
#include "providers/keylocker/key.hpp"

#include "core/log.hpp"
#include "core/text.hpp"

#include <chrono>
#include <utility>

namespace signctl::providers::keylocker {
namespace {

/// "SHA256withRSA"
std::string wire_name(KeyFamily family, DigestAlg alg) {
  std::string name = "SHA256";
  if (alg == DigestAlg::sha384) {
    name = "SHA384";
  } else if (alg == DigestAlg::sha512) {
    name = "SHA512";
  }
  return name + (family == KeyFamily::rsa ? "withRSA" : "withECDSA");
}

class Key final : public SigningKey {
 public:
  Key(std::shared_ptr<const Account> account, KeyPair pair, KeyFamily family)
      : account_(std::move(account)), pair_(std::move(pair)), family_(family) {}
  Key(const Key&) = delete;
  Key& operator=(const Key&) = delete;

  ~Key() override {
    const int asked = account_->authorizer->signatures_asked_for();
    if (asked > 0) {
      log_info("keylocker: asked for a signature " + std::to_string(asked) +
               (asked == 1 ? " time" : " times") + "; KeyLocker makes " +
               std::to_string(kSignaturesAYear) + " a certificate and year");
    }
  }

  [[nodiscard]] const Chain& chain() const override { return pair_.chain; }

  Result<Bytes> sign(ByteView digest, DigestAlg alg) override {
    Json body{{"sig_alg", wire_name(family_, alg)}, {"hash", to_base64(digest)}};
    if (pair_.account.is_object()) {
      body["account"] = pair_.account;
    }
    const Call call = post_counted_json("/keypairs/" + percent_encode(pair_.id) + "/sign", body);
    SIGNCTL_TRY(const Reply reply, account_->signing.send(call), "");
    const auto signature = from_any_base64(text_at(reply.json, {"signature"}));
    if (signature && !signature->empty()) {
      return *signature;
    }
    const std::string id = text_at(reply.json, {"id"});
    if (id.empty()) {
      return no_signature_in_answer(std::string(kName));
    }
    auto fetched = wait_for(id);
    return fetched ? std::move(fetched)
                   : not_fetched(fetched.error(),
                                 look_at("signature " + printable(id) + " in DigiCert ONE"));
  }

 private:
  /// A signature that is made, or will be, and is fetched by its id.
  Result<Bytes> wait_for(const std::string& id) const {
    constexpr int kTries = 30;
    Clock& clock = account_->lookups.world().clock;
    for (int i = 0; i < kTries; ++i) {
      SIGNCTL_TRY(const Reply reply,
                  account_->lookups.send(get("/signatures/" + percent_encode(id))),
                  "fetching the signature");
      const auto signature = from_any_base64(text_at(reply.json, {"signature"}));
      if (signature && !signature->empty()) {
        return *signature;
      }
      clock.sleep_for(std::chrono::seconds{1});
    }
    return Error{
        ErrorKind::provider,
        "DigiCert has not finished signature " + printable(id) + " by " + to_iso8601(clock.now())};
  }

  std::shared_ptr<const Account> account_;
  KeyPair pair_;
  KeyFamily family_;
};

}  // namespace

Result<std::shared_ptr<SigningKey>> make_key(std::shared_ptr<const Account> account, KeyPair pair) {
  SIGNCTL_TRY(const KeyFamily family, key_family(pair.chain.leaf), "");
  std::shared_ptr<SigningKey> key =
      std::make_shared<Key>(std::move(account), std::move(pair), family);
  return key;
}

Result<std::shared_ptr<SigningKey>> open_key(const ProviderSettings& settings, World world) {
  SIGNCTL_TRY(auto account, open_account(settings, world), "");
  SIGNCTL_TRY(KeyPair pair, find_key_pair(*account, settings), "");
  return make_key(std::move(account), std::move(pair));
}

}  // namespace signctl::providers::keylocker
