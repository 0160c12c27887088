// SPDX-License-Identifier: Apache-2.0
#include "trust/issuers.hpp"

#include "core/log.hpp"
#include "core/text.hpp"
#include "crypto/issuer_urls.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace signctl::trust {
namespace {

constexpr std::size_t kMostLevels = 4;
constexpr std::size_t kMostAddresses = 2;
constexpr std::size_t kLargestAnswer = std::size_t{256} << 10U;
constexpr std::chrono::milliseconds kConnectLimit{5'000};
constexpr std::chrono::milliseconds kLimit{10'000};
constexpr int kFound = 200;

bool is_issuer_of(const crypto::Certificate& candidate, const crypto::Certificate& child) {
  return candidate.is_ca() && std::ranges::equal(candidate.subject_der(), child.issuer_der()) &&
         child.signed_by(candidate);
}

/// The issuer at `url`; empty, with `why` set, when there is none.
std::optional<crypto::Certificate> fetch_one(const crypto::Certificate& child,
                                             const std::string& url,
                                             World world,
                                             std::string& why) {
  HttpRequest request;
  request.url = url;
  request.headers["Accept"] = "application/pkix-cert, application/pkcs7-mime, */*";
  request.connect_timeout = kConnectLimit;
  request.timeout = kLimit;
  request.max_response_bytes = kLargestAnswer;
  const auto response = world.http.send(request);
  const std::string where = printable(url);
  if (!response) {
    why = where + ": " + response.error().message;
    return std::nullopt;
  }
  if (response->status != kFound) {
    why = where + " answered " + std::to_string(response->status);
    return std::nullopt;
  }
  const auto found = crypto::read_certificates(response->body);
  if (!found) {
    why = where + " answered with something that is no certificate";
    return std::nullopt;
  }
  for (const crypto::Certificate& one : *found) {
    if (is_issuer_of(one, child)) {
      log_verbose("fetched the issuer's certificate \"" + printable(one.info().subject) +
                  "\" from " + where);
      return one;
    }
  }
  why = where + " answered with a certificate that has not issued \"" +
        printable(child.info().subject) + "\"";
  return std::nullopt;
}

std::optional<crypto::Certificate> fetch_issuer(const crypto::Certificate& child,
                                                World world,
                                                std::string& why) {
  const auto urls = crypto::issuer_urls(child);
  if (urls.empty()) {
    why =
        "\"" + printable(child.info().subject) + "\" does not say where its issuer's is published";
    return std::nullopt;
  }
  for (std::size_t i = 0; i < std::min(urls.size(), kMostAddresses); ++i) {
    if (auto found = fetch_one(child, urls[i], world, why)) {
      return found;
    }
  }
  return std::nullopt;
}

}  // namespace

FetchedIssuers fetch_issuers(const crypto::Certificate& leaf, World world) {
  FetchedIssuers fetched;
  crypto::Certificate top = leaf;
  while (!top.self_issued()) {
    if (fetched.certificates.size() == kMostLevels) {
      fetched.trouble = "there are more than " + std::to_string(kMostLevels) + " issuers above it";
      return fetched;
    }
    auto issuer = fetch_issuer(top, world, fetched.trouble);
    if (!issuer) {
      return fetched;
    }
    fetched.trouble.clear();
    top = *issuer;
    if (!top.self_issued()) {
      fetched.certificates.push_back(*std::move(issuer));
    }
  }
  fetched.reached_root = true;
  return fetched;
}

}  // namespace signctl::trust
