// SPDX-License-Identifier: Apache-2.0
#include "providers/aws_kms/diagnose.hpp"

#include "core/text.hpp"
#include "providers/aws_kms/key.hpp"
#include "providers/aws_kms/sts.hpp"

#include <memory>
#include <string>
#include <utility>

namespace signctl::providers::aws_kms {
namespace {

class Diagnosis {
 public:
  Diagnosis(const ProviderSettings& settings, World world) : settings_(settings), world_(world) {}

  Examination run() && {
    const auto client = make_client(settings_, world_);
    if (!client) {
      findings_.push_back(to_finding("aws-kms-settings", "settings", client.error()));
      return {std::move(findings_)};
    }
    const auto chain = chain_with_file(settings_, {});
    if (chain) {
      add(signing_certificate_findings(chain->leaf, world_.clock.now()));
      add(issuer_findings("aws-kms-issuer", *chain));
    } else {
      findings_.push_back(to_finding("aws-kms-chain", "chain", chain.error()));
    }
    if (check_login(*client)) {
      check_key(*client, chain ? &*chain : nullptr);
    }
    return {std::move(findings_), std::move(session_)};
  }

 private:
  void add(std::vector<Finding> more) {
    for (Finding& finding : more) {
      findings_.push_back(std::move(finding));
    }
  }

  void add(std::string id, Severity severity, std::string subject, std::string message) {
    findings_.push_back({std::move(id), severity, std::move(subject), std::move(message)});
  }

  /// Whose credentials they are, which STS tells everybody. An STS that cannot be reached (a
  /// private network with an endpoint for KMS alone) hinders no signature.
  bool check_login(const KmsClient& client) {
    const auto credentials = client.authorizer().credentials();
    if (!credentials) {
      findings_.push_back(to_finding("aws-kms-login", "login", credentials.error()));
      return false;
    }
    std::string until;
    if (credentials->expires) {
      until = ", valid until " + to_iso8601(*credentials->expires);
    }
    const auto arn = caller_arn(world_, client.target(), *credentials);
    if (!arn) {
      Finding finding = to_finding("aws-kms-identity", "login", arn.error());
      finding.severity = Severity::info;
      findings_.push_back(std::move(finding));
      return true;
    }
    add("aws-kms-identity", Severity::info, "login", "logged in as " + printable(*arn) + until);
    return true;
  }

  void check_key(const KmsClient& client, const Chain* chain) {
    const std::string subject = "key " + printable(client.target().key_id);
    auto key = fetch_public_key(client);
    if (!key) {
      findings_.push_back(to_finding("aws-kms-key", subject, key.error()));
      return;
    }
    add("aws-kms-key",
        Severity::info,
        subject,
        printable(key->spec) + " in " + client.target().region);
    if (key->server_time) {
      findings_.push_back(clock_finding("AWS KMS", *key->server_time, key->received));
    }
    if (chain == nullptr) {
      return;
    }
    const auto match = check_key_of_chain(key->spki, *chain, client.target().key_id);
    if (!match) {
      findings_.push_back(to_finding("aws-kms-certificate", subject, match.error()));
      return;
    }
    check_permission(client, chain->leaf, subject);
    session_ = make_session(make_key(client, *chain, *std::move(key)));
  }

  /// DryRun has KMS check everything about a request and then refuse it: no signature is made.
  void check_permission(const KmsClient& client,
                        const crypto::Certificate& leaf,
                        const std::string& subject) {
    const auto alg = digest_of(leaf);
    const auto answer = client.dry_run(
        "Sign",
        sign_request_body(
            client.target().key_id, algorithm_name(leaf, alg), Bytes(digest_size(alg), 0)));
    if (!answer) {
      findings_.push_back(to_finding("aws-kms-permission", subject, answer.error()));
    } else if (*answer == KmsClient::DryRun::permitted) {
      add("aws-kms-permission", Severity::info, subject, "may be signed with (kms:Sign)");
    } else {
      add("aws-kms-permission",
          Severity::warning,
          subject,
          "the service does not know DryRun; whether the key may be signed with is not known");
    }
  }

  static DigestAlg digest_of(const crypto::Certificate& leaf) {
    const auto family = key_family(leaf);
    if (family && *family == KeyFamily::p384) {
      return DigestAlg::sha384;
    }
    return family && *family == KeyFamily::p521 ? DigestAlg::sha512 : DigestAlg::sha256;
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

}  // namespace signctl::providers::aws_kms
