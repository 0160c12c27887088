// SPDX-License-Identifier: Apache-2.0
#include "providers/google_kms/diagnose.hpp"

#include "core/text.hpp"
#include "providers/google_kms/key.hpp"

#include <memory>
#include <string>
#include <utility>

namespace signctl::providers::google_kms {
namespace {

constexpr const char* kUseToSign = "cloudkms.cryptoKeyVersions.useToSign";

class Diagnosis {
 public:
  Diagnosis(const ProviderSettings& settings, World world) : settings_(settings), world_(world) {}

  Examination run() && {
    const auto client = make_client(settings_, world_);
    if (!client) {
      findings_.push_back(to_finding("google-kms-settings", "settings", client.error()));
      return {std::move(findings_)};
    }
    const auto chain = chain_with_file(settings_, {});
    if (chain) {
      for (Finding& finding : signing_certificate_findings(chain->leaf, world_.clock.now())) {
        findings_.push_back(std::move(finding));
      }
      for (Finding& finding : issuer_findings("google-kms-issuer", *chain)) {
        findings_.push_back(std::move(finding));
      }
    } else {
      findings_.push_back(to_finding("google-kms-chain", "chain", chain.error()));
    }
    if (check_login(*client) && chain) {
      check_key(*client, *chain);
    }
    return {std::move(findings_), std::move(session_)};
  }

 private:
  void add(std::string id, Severity severity, std::string subject, std::string message) {
    findings_.push_back({std::move(id), severity, std::move(subject), std::move(message)});
  }

  bool check_login(const KmsClient& client) {
    const auto token = client.authorizer->token();
    if (!token) {
      findings_.push_back(to_finding("google-kms-login", "login", token.error()));
      return false;
    }
    add("google-kms-login",
        Severity::info,
        "login",
        token->expires ? "a token was had, valid until " + to_iso8601(*token->expires)
                       : "an access token is given");
    return true;
  }

  void check_key(const KmsClient& client, const Chain& chain) {
    auto version = find_version(client, chain);
    const std::string subject = "key " + printable(client.name.key);
    if (!version) {
      findings_.push_back(to_finding("google-kms-key", subject, version.error()));
      return;
    }
    add("google-kms-key",
        Severity::info,
        subject,
        "version " + printable(version->name.substr(version->name.rfind('/') + 1)) + ", " +
            version->algorithm.name +
            (version->protection.empty() ? "" : ", " + printable(version->protection)));
    if (version->server_time) {
      findings_.push_back(clock_finding("Google KMS", *version->server_time, version->received));
    }
    check_permission(client, subject);
    session_ = make_session(make_key(client, chain, *std::move(version)));
  }

  /// IAM tells everybody what they may do, without doing it.
  void check_permission(const KmsClient& client, const std::string& subject) {
    const Json body{{"permissions", Json::array({kUseToSign})}};
    const auto reply =
        client.rest.send(post_json("/" + client.name.key + ":testIamPermissions", body));
    if (!reply) {
      Finding finding = to_finding("google-kms-permission", subject, reply.error());
      finding.severity = Severity::warning;
      findings_.push_back(std::move(finding));
      return;
    }
    const auto granted =
        reply->json.is_object() ? reply->json.find("permissions") : reply->json.end();
    const bool may = reply->json.is_object() && granted != reply->json.end() &&
                     granted->is_array() && !granted->empty() && granted->front() == kUseToSign;
    add("google-kms-permission",
        may ? Severity::info : Severity::error,
        subject,
        may ? std::string("may be signed with (") + kUseToSign + ")"
            : std::string("the identity lacks ") + kUseToSign +
                  "; grant it roles/cloudkms.signerVerifier on the key");
  }

  const ProviderSettings& settings_;
  World world_;
  std::vector<Finding> findings_;
  std::unique_ptr<SigningSession> session_;
};

}  // namespace

Examination examine(const ProviderSettings& settings, World world) {
  return Diagnosis(settings, world).run();
}

}  // namespace signctl::providers::google_kms
