// SPDX-License-Identifier: Apache-2.0
#include "providers/pkcs11/diagnose.hpp"

#include "core/text.hpp"
#include "crypto/oids.hpp"
#include "providers/common/material.hpp"
#include "providers/pkcs11/account.hpp"
#include "providers/pkcs11/cryptoki.hpp"
#include "providers/pkcs11/login.hpp"
#include "providers/pkcs11/mechanisms.hpp"

#include <utility>

namespace signctl::providers::pkcs11 {
namespace {

class Diagnosis {
 public:
  void about(std::string subject) { subject_ = std::move(subject); }
  void add(std::string id, Severity severity, std::string message) {
    findings_.push_back({std::move(id), severity, subject_, std::move(message)});
  }
  void add_failure(std::string_view id, ErrorKind kind, std::string message) {
    add(to_finding(id, subject_, {kind, std::move(message)}));
  }
  void add(Finding finding) { findings_.push_back(std::move(finding)); }
  void add(const std::vector<Finding>& findings) {
    findings_.insert(findings_.end(), findings.begin(), findings.end());
  }
  void add(std::string_view id, const Error& error) {
    std::string message = error.message;
    for (const std::string& step : error.trail) {
      message += ", while " + step;
    }
    add(to_finding(id, subject_, {error.kind, std::move(message), error.hint}));
  }
  [[nodiscard]] const std::string& subject() const { return subject_; }
  std::vector<Finding> finish() && { return std::move(findings_); }

 private:
  std::string subject_{"signer"};
  std::vector<Finding> findings_;
};

void show_module(Diagnosis& diagnosis, const OpenModule& module) {
  diagnosis.about("module");
  diagnosis.add("pkcs11-module",
                Severity::info,
                printable(module.path) + ": " + printable(module.info.description) + " " +
                    printable(module.info.version) + " by " + printable(module.info.manufacturer) +
                    (module.info.threads ? "" : "; it cannot be used from several threads"));
  if (!module.driver->isolated()) {
    diagnosis.add("pkcs11-not-isolated",
                  Severity::info,
                  "the driver runs inside this program, so a call that hangs cannot be stopped");
  }
  for (const Slot& slot : module.slots) {
    if (slot.token && (slot.token->flags & ck::kTokenInitialized) != 0) {
      diagnosis.add("pkcs11-slot", Severity::info, "there is " + describe(slot));
    }
  }
}

void check_token(Diagnosis& diagnosis, const Token& token, const Options& options) {
  diagnosis.about("token \"" + printable(token.label) + "\"");
  if ((token.flags & ck::kErrorState) != 0) {
    diagnosis.add_failure(
        "pkcs11-token", ErrorKind::provider, "the token has failed its self-test");
  }
  if ((token.flags & ck::kLoginRequired) != 0 && (token.flags & ck::kUserPinInitialized) == 0) {
    diagnosis.add("pkcs11-pin", Severity::warning, "the token says that no user PIN has been set");
  }
  if ((token.flags & ck::kProtectedAuthenticationPath) != 0) {
    diagnosis.add("pkcs11-pin-pad",
                  Severity::info,
                  options.pin ? "the token has a pin pad, so the pin setting is not used"
                              : "the PIN is entered at the token's pin pad");
  }
  Finding count = pin_finding(token, options.last_try);
  if ((token.flags & ck::kLoginRequired) != 0 || count.severity != Severity::info) {
    diagnosis.add(std::move(count));
  }
}

void check_mechanisms(Diagnosis& diagnosis,
                      OpenToken& open,
                      const Options& options,
                      crypto::KeyType type) {
  Request request;
  request.operation = Operation::mechanisms;
  request.slot = open.slot.id;
  const auto reply = ask(*open.module.link, request, options.timeout);
  if (!reply) {
    diagnosis.add("pkcs11-mechanism", Severity::warning, reply.error().message);
    return;
  }
  std::vector<std::string> names;
  bool offered = false;
  for (const MechanismFacts& each : reply->mechanisms) {
    offered = offered || each.type == needed_mechanism(type);
    names.emplace_back(mechanism_name(each.type));
  }
  // Not an error: some modules leave out what they can do.
  if (auto reason = objection_to_mechanisms(reply->mechanisms, type)) {
    Finding finding = to_finding("mechanism-untried", diagnosis.subject(), *reason);
    finding.severity = Severity::warning;
    diagnosis.add(std::move(finding));
    return;
  }
  diagnosis.add("pkcs11-mechanism",
                offered ? Severity::info : Severity::warning,
                offered ? "offers " + join(names, ", ")
                        : "does not list " + std::string(mechanism_name(needed_mechanism(type))) +
                              ", which signing with this key needs");
}

std::vector<Bytes> der_of(const std::vector<crypto::Certificate>& chain) {
  std::vector<Bytes> all;
  all.reserve(chain.size());
  for (const crypto::Certificate& one : chain) {
    all.push_back(one.der());
  }
  return all;
}

void check_certificate(Diagnosis& diagnosis,
                       const crypto::Certificate& leaf,
                       const std::vector<crypto::Certificate>& chain,
                       TimePoint now) {
  diagnosis.about("certificate " + leaf.info().subject);
  diagnosis.add(signing_certificate_findings(leaf, now));
  if (!leaf.has_eku(oid::kCodeSigning)) {
    diagnosis.add_failure(
        "pkcs11-no-code-signing",
        ErrorKind::gate,
        "the certificate is not for code signing (extended key usage 1.3.6.1.5.5.7.3.3)");
  }
  if (const auto missing = issuer_findings("pkcs11-chain", {leaf, der_of(chain)});
      !missing.empty()) {
    diagnosis.add(missing);
  } else {
    diagnosis.add(
        "pkcs11-chain",
        Severity::info,
        "the chain has " + std::to_string(chain.size()) + " certificates without the root");
  }
}

/// Whether there is a key to sign with.
bool check_inside(Diagnosis& diagnosis, OpenToken& open, const Options& options, TimePoint now) {
  const auto inside = enter(open, options);
  if (!inside) {
    diagnosis.add("pkcs11-login", inside.error());
    return false;
  }
  if (inside->logged_in) {
    diagnosis.add("pkcs11-login", Severity::info, "the token has accepted the login");
  }
  const auto choice = choose(inside->objects, options.certificates, options.wanted, now);
  if (!choice) {
    diagnosis.add("pkcs11-key", choice.error());
    return false;
  }
  diagnosis.add(
      "pkcs11-key",
      Severity::info,
      "signs with key " + describe(choice->key) +
          (choice->key.always_authenticate ? ", which wants the PIN for each signature" : ""));
  if (choice->leaf.key().type == crypto::KeyType::other) {
    diagnosis.add_failure("pkcs11-key", ErrorKind::unsupported, "the key is neither RSA nor EC");
    return false;
  }
  if (const auto objection = objection_to_limits(choice->key, choice->leaf.key().type)) {
    diagnosis.add("pkcs11-key", *objection);
    return false;
  }
  check_mechanisms(diagnosis, open, options, choice->leaf.key().type);
  check_certificate(
      diagnosis, choice->leaf, chain_above(choice->leaf, inside->objects, options), now);
  return true;
}

}  // namespace

Examined examine(const ProviderSettings& settings, World world) {
  Diagnosis diagnosis;
  const auto options = read_options(settings);
  if (!options) {
    diagnosis.add("pkcs11-settings", options.error());
    return {std::move(diagnosis).finish(), nullptr};
  }
  auto open = open_token(*options, world);
  if (!open) {
    diagnosis.add("pkcs11-token", open.error());
    return {std::move(diagnosis).finish(), nullptr};
  }
  show_module(diagnosis, open->module);
  check_token(diagnosis, open->slot.token.value_or(Token{}), *options);
  if (!check_inside(diagnosis, *open, *options, world.clock.now())) {
    return {std::move(diagnosis).finish(), nullptr};
  }
  // The driver is in use, and its login as well, for as long as `open` is there.
  auto account = Account::open(settings, world);
  if (!account) {
    diagnosis.add("pkcs11-login", account.error());
  }
  return {std::move(diagnosis).finish(), account.value_or(nullptr)};
}

}  // namespace signctl::providers::pkcs11
