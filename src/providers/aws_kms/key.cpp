// SPDX-License-Identifier: Apache-2.0
#include "providers/aws_kms/key.hpp"

#include "core/log.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <utility>

namespace signctl::providers::aws_kms {
namespace {

std::string listed(const std::vector<std::string>& names) {
  return names.empty() ? "nothing" : join(names, ", ");
}

class Key final : public SigningKey {
 public:
  Key(KmsClient client, Chain chain, PublicKey facts)
      : client_(std::move(client)), chain_(std::move(chain)), facts_(std::move(facts)) {}

  [[nodiscard]] const Chain& chain() const override { return chain_; }

  [[nodiscard]] Result<void> check_digest(DigestAlg alg) const override {
    const std::string algorithm = algorithm_name(chain_.leaf, alg);
    if (std::ranges::find(facts_.algorithms, algorithm) == facts_.algorithms.end()) {
      return digest_not_offered(client_.target().key_id, alg, listed(facts_.algorithms));
    }
    return ok();
  }

  Result<Bytes> sign(ByteView digest, DigestAlg alg) override {
    const std::string& key_id = client_.target().key_id;
    SIGNCTL_TRY(
        const Reply reply,
        client_.call("Sign", sign_request_body(key_id, algorithm_name(chain_.leaf, alg), digest)),
        "signing with " + printable(key_id));
    auto signature = from_any_base64(text_at(reply.json, {"Signature"}));
    if (!signature || signature->empty()) {
      return no_signature_in_answer("AWS KMS");
    }
    return std::move(*signature);
  }

 private:
  KmsClient client_;
  Chain chain_;
  PublicKey facts_;
};

}  // namespace

Result<KmsClient> make_client(const ProviderSettings& settings, World world) {
  SIGNCTL_TRY(const Profiles profiles, load_profiles(world.environment), "");
  SIGNCTL_TRY(const Profile profile, find_profile(settings, profiles), "");
  SIGNCTL_TRY(Target target, find_target(settings, world, profile), "");
  SIGNCTL_TRY(Login login, choose_login(settings, world, target, profiles), "");
  const std::string named = settings.get("auth");
  if (named.empty() || named == "auto") {
    log_info("aws-kms: logging in with " + login.description);
  }
  return KmsClient(world, std::move(target), std::move(login));
}

Result<PublicKey> fetch_public_key(const KmsClient& client) {
  const std::string& key_id = client.target().key_id;
  SIGNCTL_TRY(const Reply reply,
              client.call("GetPublicKey", Json{{"KeyId", key_id}}),
              "looking up the key " + printable(key_id));
  const auto spki = from_any_base64(text_at(reply.json, {"PublicKey"}));
  if (!spki || spki->empty()) {
    return Error{ErrorKind::provider, "AWS KMS answered without a public key"};
  }
  const std::string usage = text_at(reply.json, {"KeyUsage"});
  if (usage != "SIGN_VERIFY") {
    return Error{
        ErrorKind::config,
        "the key " + printable(key_id) + " is for " + printable(usage) + ", not for signing",
        "the key must be asymmetric with usage SIGN_VERIFY"};
  }
  PublicKey key{text_at(reply.json, {"KeySpec"}), {}, *spki, reply.server_time, reply.received};
  const auto algorithms = reply.json.find("SigningAlgorithms");
  if (algorithms != reply.json.end() && algorithms->is_array()) {
    for (const Json& name : *algorithms) {
      key.algorithms.push_back(name.is_string() ? name.get<std::string>() : std::string());
    }
  }
  return key;
}

std::string algorithm_name(const crypto::Certificate& leaf, DigestAlg alg) {
  const auto family = key_family(leaf);
  const std::string bits(digest_name(alg).substr(3));  // "256" of "sha256"
  if (!family) {
    return {};
  }
  switch (*family) {
    case KeyFamily::rsa:
      return "RSASSA_PKCS1_V1_5_SHA_" + bits;
    case KeyFamily::p256:
    case KeyFamily::p384:
    case KeyFamily::p521:
      // Each curve signs one hash; which one, the key's own list says.
      return "ECDSA_SHA_" + bits;
  }
  return {};
}

Json sign_request_body(const std::string& key_id, const std::string& algorithm, ByteView digest) {
  // MessageType is RAW unless said: KMS would hash the digest once more.
  return Json{{"KeyId", key_id},
              {"Message", to_base64(digest)},
              {"MessageType", "DIGEST"},
              {"SigningAlgorithm", algorithm}};
}

std::shared_ptr<SigningKey> make_key(KmsClient client, Chain chain, PublicKey facts) {
  return std::make_shared<Key>(std::move(client), std::move(chain), std::move(facts));
}

Result<std::shared_ptr<SigningKey>> open_key(const ProviderSettings& settings, World world) {
  SIGNCTL_TRY(KmsClient client, make_client(settings, world), "");
  SIGNCTL_TRY(Chain chain, chain_with_file(settings, {}), "");
  SIGNCTL_TRY(PublicKey facts, fetch_public_key(client), "");
  SIGNCTL_CHECK(check_key_of_chain(facts.spki, chain, client.target().key_id), "");
  return make_key(std::move(client), std::move(chain), std::move(facts));
}

}  // namespace signctl::providers::aws_kms
