// SPDX-License-Identifier: Apache-2.0
#include "core/text.hpp"
#include "crypto/issuer_urls.hpp"
#include "crypto/path_rules.hpp"
#include "providers/common/material.hpp"
#include "providers/common/rest.hpp"

#include <chrono>
#include <utility>

namespace signctl::providers {

namespace {

/// "signing-certificate" for "signing certificate".
std::string id_of(std::string_view what) {
  std::string id(what);
  for (char& letter : id) {
    letter = letter == ' ' ? '-' : letter;
  }
  return id;
}

}  // namespace

std::vector<Finding> expiry_findings(std::string_view what,
                                     const crypto::Certificate& certificate,
                                     TimePoint now) {
  constexpr std::chrono::days kSoon{30};
  const std::string id = id_of(what);
  const std::string subject = "certificate " + certificate.info().subject;
  const std::string until = to_iso8601(certificate.not_after());
  const std::string name(what);
  if (now < certificate.not_before()) {
    return {{id + "-not-yet-valid",
             Severity::error,
             subject,
             "the " + name + " is valid from " + to_iso8601(certificate.not_before()) +
                 " on; check the clock"}};
  }
  if (now > certificate.not_after()) {
    return {{id + "-expired", Severity::error, subject, "the " + name + " expired on " + until}};
  }
  if (certificate.not_after() - now < kSoon) {
    return {
        {id + "-expires-soon", Severity::warning, subject, "the " + name + " expires on " + until}};
  }
  return {{id,
           Severity::info,
           subject,
           "the " + name + " (" + certificate.info().key + ") is valid until " + until}};
}

std::vector<Finding> signing_certificate_findings(const crypto::Certificate& certificate,
                                                  TimePoint now) {
  auto findings = path_findings(certificate);
  for (Finding& finding : expiry_findings("signing certificate", certificate, now)) {
    findings.push_back(std::move(finding));
  }
  return findings;
}

std::vector<Finding> path_findings(const crypto::Certificate& certificate) {
  auto findings = crypto::check_path({certificate}, TrustPurpose::code_signing);
  for (Finding& finding : findings) {
    finding.kind = ErrorKind::gate;
  }
  return findings;
}

std::vector<Finding> token_findings(std::string_view what, std::string_view token, TimePoint now) {
  constexpr std::chrono::days kSoon{30};
  const Json claims = claims_of(token);
  const auto time_at = [&](const char* name) -> std::optional<TimePoint> {
    const auto found = claims.is_object() ? claims.find(name) : claims.end();
    return claims.is_object() && found != claims.end() && found->is_number_integer()
               ? std::optional(TimePoint{std::chrono::seconds{found->get<std::int64_t>()}})
               : std::nullopt;
  };
  const auto end = time_at("exp");
  if (!end) {
    return {};
  }
  const std::string id = id_of(what);
  const std::string name(what);
  if (now >= *end) {
    return {{id + "-expired",
             Severity::error,
             name,
             "the " + name + " expired on " + to_iso8601(*end)}};
  }
  const bool is_short = *end - time_at("iat").value_or(*end - kSoon * 2) < kSoon;
  if (*end - now < kSoon && !is_short) {
    return {{id + "-expires-soon",
             Severity::warning,
             name,
             "the " + name + " expires on " + to_iso8601(*end)}};
  }
  return {{id, Severity::info, name, "the " + name + " is valid until " + to_iso8601(*end)}};
}

std::vector<Finding> issuer_findings(std::string_view id, const Chain& chain) {
  if (chain.der.size() != 1 || chain.leaf.self_issued()) {
    return {};
  }
  const std::string subject = "certificate " + chain.leaf.info().subject;
  const auto urls = crypto::issuer_urls(chain.leaf);
  if (!urls.empty()) {
    return {{std::string(id),
             Severity::info,
             subject,
             "the issuer's certificate is not at hand; signing fetches it from " +
                 printable(urls.front()) + " (sign.complete-chain)"}};
  }
  return {{std::string(id),
           Severity::warning,
           subject,
           "the issuer's certificate is not in the chain setting; verifiers may not find it"}};
}

Finding to_finding(std::string_view id, std::string_view subject, const Error& error) {
  return {.id = std::string(id),
          .severity = Severity::error,
          .subject = std::string(subject),
          .message = error.hint.empty() ? error.message : error.message + "; " + error.hint,
          .kind = error.kind};
}

Finding clock_finding(std::string_view service, TimePoint server, TimePoint ours) {
  constexpr std::chrono::seconds kNoticeable{60};
  constexpr std::chrono::seconds kTooMuch{300};
  const auto skew = server > ours ? server - ours : ours - server;
  Finding finding{"clock-skew", Severity::info, std::string(service), {}};
  if (skew <= kNoticeable) {
    finding.id = "clock";
    finding.message = "this machine's clock agrees with the service's";
    return finding;
  }
  finding.severity = skew > kTooMuch ? Severity::error : Severity::warning;
  finding.message = "this machine's clock is " + std::to_string(skew.count()) + " s " +
                    (server > ours ? "behind" : "ahead of") +
                    " the service's; logins and one-time passwords depend on it";
  return finding;
}

}  // namespace signctl::providers
