// SPDX-License-Identifier: Apache-2.0
#include "providers/pfx/diagnose.hpp"

#include "core/text.hpp"
#include "providers/common/material.hpp"
#include "providers/pfx/material.hpp"

#include <chrono>
#include <utility>

namespace signctl::providers::pfx {
namespace {

std::string id_of(const Error& error) {
  switch (error.kind) {
    case ErrorKind::config:
      return "pfx-settings";
    case ErrorKind::auth:
      return "pfx-password";
    case ErrorKind::unsupported:
      return "pfx-key-unsupported";
    case ErrorKind::input:
    case ErrorKind::gate:
    case ErrorKind::usage:
    case ErrorKind::provider:
    case ErrorKind::timestamp:
    case ErrorKind::network:
    case ErrorKind::guard:
    case ErrorKind::output:
    case ErrorKind::internal:
    case ErrorKind::interrupted:
      return "pfx-file";
  }
  return "pfx-file";
}

/// The findings about one key file and its certificate.
class Diagnosis {
 public:
  explicit Diagnosis(std::string file) : file_(std::move(file)) {}

  void add(std::string id, Severity severity, std::string message) {
    findings_.push_back({std::move(id), severity, subject_, std::move(message)});
  }

  void add(Finding finding) { findings_.push_back(std::move(finding)); }

  void check_file() {
    if (is_readable_by_everybody(file_)) {
      add("pfx-file-mode",
          Severity::warning,
          printable(file_) + " can be read by every user of this machine; chmod 600 it");
    }
  }

  void check_leaf(const crypto::Certificate& leaf, TimePoint now) {
    subject_ = "certificate " + leaf.info().subject;
    check_time(leaf, now);
    for (Finding& finding : path_findings(leaf)) {
      findings_.push_back(std::move(finding));
    }
    if (is_publicly_trusted(leaf)) {
      add("pfx-public-trust",
          Severity::warning,
          "the certificate is publicly trusted, whose key may not be kept in a file");
    }
  }

  void check_chain(const std::vector<crypto::Certificate>& chain) {
    if (chain.size() == 1 && !chain.front().self_issued()) {
      add("pfx-chain-incomplete",
          Severity::warning,
          "the signature will carry no other certificate (a root never is); who does not know \"" +
              chain.front().info().issuer + "\" will not find the chain");
    }
  }

  std::vector<Finding> finish() && { return std::move(findings_); }

 private:
  void check_time(const crypto::Certificate& leaf, TimePoint now) {
    constexpr std::chrono::days kSoon{30};
    if (now < leaf.not_before()) {
      add("pfx-not-yet-valid",
          Severity::error,
          "the certificate is valid from " + to_iso8601(leaf.not_before()) +
              " on; check the clock");
    } else if (now > leaf.not_after()) {
      add("pfx-expired",
          Severity::error,
          "the certificate expired on " + to_iso8601(leaf.not_after()));
    } else if (leaf.not_after() - now < kSoon) {
      add("pfx-expires-soon",
          Severity::warning,
          "the certificate expires on " + to_iso8601(leaf.not_after()));
    }
  }

  std::string file_;
  std::string subject_{"signer"};
  std::vector<Finding> findings_;
};

}  // namespace

std::vector<Finding> diagnose(const ProviderSettings& settings, const Clock& clock) {
  Diagnosis diagnosis(key_file(settings));
  const auto material = load_material(settings);
  if (!material) {
    const Error& error = material.error();
    diagnosis.add(to_finding(id_of(error), "signer", error));
    return std::move(diagnosis).finish();
  }
  diagnosis.check_file();
  const crypto::Certificate& leaf = material->chain.front();
  diagnosis.check_leaf(leaf, clock.now());
  diagnosis.check_chain(material->chain);
  if (clock.now() <= leaf.not_after()) {
    diagnosis.add("pfx-certificate",
                  Severity::info,
                  leaf.info().key + ", valid until " + to_iso8601(leaf.not_after()));
  }
  return std::move(diagnosis).finish();
}

}  // namespace signctl::providers::pfx
