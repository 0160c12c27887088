// SPDX-License-Identifier: Apache-2.0
#include "providers/common/settings.hpp"
#include "providers/signserver/worker.hpp"

#include <signctl/provider.hpp>

#include <array>
#include <utility>

namespace signctl::providers::signserver {
namespace {

constexpr std::array kSettings{
    SettingSpec{.key = "url",
                .required = true,
                .help = "Base URL of SignServer",
                .example = "https://signserver.example.com/signserver"},
    SettingSpec{.key = "worker",
                .required = true,
                .help = "Name or id of the worker, a PlainSigner that takes hashes",
                .example = "CodeSigner"},
    SettingSpec{.key = "client_certificate",
                .kind = SettingKind::path,
                .help = "PKCS#12 file to authenticate with",
                .example = "signserver-client.p12"},
    SettingSpec{.key = "client_certificate_password",
                .kind = SettingKind::secret,
                .help = "Password of that file",
                .example = "env:SIGNSERVER_P12_PASSWORD"},
    SettingSpec{.key = "token",
                .kind = SettingKind::secret,
                .help = "Bearer token (JWT) to authenticate with",
                .example = "env:SIGNSERVER_TOKEN"},
    SettingSpec{.key = "username",
                .help = "User name, where the worker's AUTHTYPE is HTTP Basic",
                .example = "ci"},
    SettingSpec{.key = "password",
                .kind = SettingKind::secret,
                .help = "Password of that user",
                .example = "env:SIGNSERVER_PASSWORD"},
    kChain,
    kMaxParallel,
    kTimeout,
    kCaFile,
};

class Session final : public SigningSession {
 public:
  explicit Session(std::shared_ptr<Worker> worker) : worker_(std::move(worker)) {}

  Result<std::vector<Bytes>> expected_chain() override {
    const auto chain = worker_->chain();
    return chain ? chain->der : std::vector<Bytes>();
  }

  Result<void> check_digest(DigestAlg alg) override { return worker_->probe(alg); }

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
    return worker_->sign(digest, alg);
  }

  Result<std::unique_ptr<SigningSession>> another() override {
    std::unique_ptr<SigningSession> session = std::make_unique<Session>(worker_);
    return session;
  }

 private:
  std::shared_ptr<Worker> worker_;
};

void append(std::vector<Finding>& findings, std::vector<Finding> more) {
  for (Finding& finding : more) {
    findings.push_back(std::move(finding));
  }
}

void diagnose_chain(const Worker& worker, TimePoint now, std::vector<Finding>& findings) {
  const auto chain = worker.chain();
  if (!chain) {
    findings.push_back({"signserver-chain",
                        Severity::warning,
                        "chain",
                        "SignServer shows its certificate with a signature only, and never the "
                        "issuer's; set chain so that verifiers find it and its end is known"});
    return;
  }
  append(findings, signing_certificate_findings(chain->leaf, now));
  append(findings, issuer_findings("chain-incomplete", *chain));
}

class SignServer final : public Provider {
 public:
  [[nodiscard]] std::string_view name() const override { return "signserver"; }
  [[nodiscard]] std::span<const std::string_view> aliases() const override { return {}; }
  [[nodiscard]] std::string_view title() const override { return "Keyfactor SignServer"; }
  [[nodiscard]] std::span<const SettingSpec> settings() const override { return kSettings; }

  Result<std::unique_ptr<SigningSession>> open(const ProviderSettings& settings,
                                               World world) const override {
    const std::string step = "opening provider \"signserver\"";
    SIGNCTL_TRY(auto worker, Worker::open(settings, world), step);
    SIGNCTL_CHECK(worker->check_access(), step);
    std::unique_ptr<SigningSession> session = std::make_unique<Session>(std::move(worker));
    return session;
  }

  [[nodiscard]] Examination examine(const ProviderSettings& settings, World world) const override {
    const auto worker = Worker::open(settings, world);
    if (!worker) {
      return {{to_finding("signserver-settings", "settings", worker.error())}};
    }
    std::vector<Finding> findings;
    if (!(*worker)->client_chain().empty()) {
      append(findings,
             expiry_findings(
                 "client certificate", (*worker)->client_chain().front(), world.clock.now()));
    }
    if (const auto token = settings.secrets.find("token"); token != settings.secrets.end()) {
      append(findings, token_findings("token", token->second.reveal(), world.clock.now()));
    }
    const std::string subject = "worker " + settings.get("worker");
    if (const auto probed = (*worker)->check_access(); !probed) {
      findings.push_back(to_finding("signserver-worker", subject, probed.error()));
    } else {
      findings.push_back(
          {"signserver-worker", Severity::info, subject, "lets us in and takes digests"});
    }
    diagnose_chain(**worker, world.clock.now(), findings);
    if (const auto& clocks = (*worker)->clocks()) {
      findings.push_back(clock_finding("SignServer", clocks->first, clocks->second));
    }
    return {std::move(findings), std::make_unique<Session>(*worker)};
  }
};

}  // namespace

[[nodiscard]] const Provider& provider();

const Provider& provider() {
  static const SignServer instance;
  return instance;
}

}  // namespace signctl::providers::signserver
