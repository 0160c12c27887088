// SPDX-License-Identifier: Apache-2.0
#include "providers/esigner/diagnose.hpp"

#include "core/text.hpp"
#include "providers/esigner/session.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace signctl::providers::esigner {
namespace {

constexpr std::chrono::seconds kNoticeableSkew{5};

class Diagnosis {
 public:
  Diagnosis(const ProviderSettings& settings, World world) : settings_(settings), world_(world) {}

  Examination run() && {
    const auto client = Client::make(settings_, world_);
    if (!client) {
      add("esigner-settings", "settings", client.error());
    }
    const auto secrets = check_secrets(settings_);
    if (!secrets) {
      add("esigner-totp", "totp_secret", secrets.error());
    }
    if (client && check_login(**client)) {
      check_credential(*client);
    }
    return {std::move(findings_), std::move(session_)};
  }

 private:
  void add(std::string_view id, std::string_view subject, const Error& error) {
    findings_.push_back(to_finding(id, subject, error));
  }

  void say(std::string id, Severity severity, std::string subject, std::string message) {
    findings_.push_back({std::move(id), severity, std::move(subject), std::move(message)});
  }

  bool check_login(Client& client) {
    const auto token = client.login().token();
    if (!token) {
      add("esigner-login", "login", token.error());
      return false;
    }
    say("esigner-login",
        Severity::info,
        "login",
        "logged in to the " + client.environment() + " environment as " +
            printable(settings_.get("username")));
    return true;
  }

  void check_credential(const std::shared_ptr<Client>& client) {
    auto credential = find_credential(*client, settings_);
    check_clock(*client);
    if (!credential) {
      add("esigner-credential", "credential", credential.error());
      return;
    }
    const std::string subject = "credential " + printable(credential->id);
    const std::size_t most = credential->most_at_once;
    say("esigner-credential",
        Severity::info,
        subject,
        "may sign; one authorization covers " +
            (most == 1 ? "one signature" : "up to " + std::to_string(most) + " signatures"));
    for (Finding& finding :
         signing_certificate_findings(credential->chain.leaf, world_.clock.now())) {
      findings_.push_back(std::move(finding));
    }
    for (Finding& finding : issuer_findings("esigner-issuer", credential->chain)) {
      findings_.push_back(std::move(finding));
    }
    auto factors = check_factors(*credential, subject);
    const auto scans = check_scan(*client, *credential, subject);
    if (factors && scans) {
      session_ = make_session(client, {*std::move(credential), *std::move(factors), *scans});
    }
  }

  /// Only a signature shows whether the secret is the credential's.
  std::optional<Factors> check_factors(const Credential& credential, const std::string& subject) {
    if (!check_secrets(settings_)) {
      return std::nullopt;
    }
    auto factors = find_factors(settings_, credential, world_.clock);
    if (!factors) {
      add("esigner-totp", subject, factors.error());
      return std::nullopt;
    }
    if (factors->passwords) {
      say("esigner-totp",
          Severity::info,
          subject,
          "totp_secret is well-formed; whether it is this credential's only a signature shows");
    }
    return *std::move(factors);
  }

  std::optional<bool> check_scan(Client& client,
                                 const Credential& credential,
                                 const std::string& subject) {
    const auto enabled = is_scan_enabled(client, credential.id);
    if (!enabled) {
      add("esigner-scan", subject, enabled.error());
      return std::nullopt;
    }
    say("esigner-scan",
        Severity::info,
        subject,
        *enabled ? "the malware blocker is on: SSL.com is told each file's SHA-256 before it signs"
                 : "the malware blocker is off");
    return *enabled;
  }

  void check_clock(const Client& client) {
    const auto clocks = client.clocks();
    if (!clocks) {
      return;
    }
    Finding finding = clock_finding("SSL.com eSigner", clocks->first, clocks->second);
    const auto skew = client.ahead() < std::chrono::seconds{0} ? -client.ahead() : client.ahead();
    // A minute is nothing to a login, and two passwords.
    if (finding.severity == Severity::info && skew > kNoticeableSkew) {
      finding.id = "clock-skew";
      finding.severity = Severity::warning;
      finding.message = "this machine's clock is " + std::to_string(skew.count()) +
                        " s off the service's; one-time passwords are made by the service's";
    }
    findings_.push_back(std::move(finding));
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

}  // namespace signctl::providers::esigner
