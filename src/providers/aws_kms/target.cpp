// SPDX-License-Identifier: Apache-2.0
#include "providers/aws_kms/target.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <cctype>
#include <utility>

namespace signctl::providers::aws_kms {
namespace {

bool is_uuid(std::string_view text) {
  constexpr std::size_t kLength = 36;
  if (text.size() != kLength) {
    return false;
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    const auto octet = static_cast<unsigned char>(text[i]);
    if (dash ? text[i] != '-' : std::isxdigit(octet) == 0) {
      return false;
    }
  }
  return true;
}

/// People name aliases without the prefix that the API wants.
Result<std::string> key_of(const ProviderSettings& settings) {
  std::string key = settings.get("key_id");
  if (key.empty()) {
    return Error{ErrorKind::config,
                 R"(aws-kms: "key_id" is not set)",
                 "give the key's ARN, id or alias, for example alias/codesign"};
  }
  const bool known = key.starts_with("arn:") || key.starts_with("alias/") ||
                     key.starts_with("mrk-") || is_uuid(key);
  return known ? key : "alias/" + key;
}

/// The region of "arn:aws:kms:REGION:ACCOUNT:key/..."; empty for what is no ARN.
std::string region_of_arn(std::string_view key) {
  if (!key.starts_with("arn:")) {
    return {};
  }
  for (int i = 0; i < 3; ++i) {
    const std::size_t colon = key.find(':');
    if (colon == key.npos) {
      return {};
    }
    key.remove_prefix(colon + 1);
  }
  return std::string(key.substr(0, key.find(':')));
}

/// It becomes part of a host name.
bool is_region(std::string_view text) {
  constexpr std::size_t kLongest = 32;
  return !text.empty() && text.size() <= kLongest && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

Result<std::string> region_of(const ProviderSettings& settings,
                              World world,
                              const Profile& profile,
                              std::string_view key) {
  // An ARN knows best: KMS has no key of another region.
  std::string region = region_of_arn(key);
  if (region.empty()) {
    region = settings.get("region");
  }
  if (region.empty()) {
    region = world.environment.get("AWS_REGION").value_or("");
  }
  if (region.empty()) {
    region = world.environment.get("AWS_DEFAULT_REGION").value_or("");
  }
  if (region.empty()) {
    region = profile.get("region");
  }
  if (region.empty()) {
    return Error{ErrorKind::config,
                 "aws-kms: no region is set",
                 "set region or AWS_REGION, or give key_id as an ARN"};
  }
  if (!is_region(region)) {
    return Error{ErrorKind::config,
                 "aws-kms: \"" + printable(region) + "\" is not the name of a region",
                 "write it like eu-central-1"};
  }
  return region;
}

std::string domain_of(std::string_view region) {
  if (region.starts_with("cn-")) {
    return ".amazonaws.com.cn";
  }
  if (region.starts_with("us-iso-")) {
    return ".c2s.ic.gov";
  }
  if (region.starts_with("us-isob-")) {
    return ".sc2s.sgov.gov";
  }
  return ".amazonaws.com";
}

/// `service` is "kms" or "sts", which is also how the variables are named.
std::string url_of(std::string_view configured,
                   World world,
                   const std::string& service,
                   std::string_view region) {
  if (!configured.empty()) {
    return std::string(configured);
  }
  const std::string variable = service == "kms" ? "AWS_ENDPOINT_URL_KMS" : "AWS_ENDPOINT_URL_STS";
  if (auto own = world.environment.get(variable)) {
    return *own;
  }
  if (auto all = world.environment.get("AWS_ENDPOINT_URL")) {
    return *all;
  }
  const bool fips = to_lower(world.environment.get("AWS_USE_FIPS_ENDPOINT").value_or("")) == "true";
  return "https://" + service + (fips ? "-fips." : ".") + std::string(region) + domain_of(region);
}

}  // namespace

Result<Target> find_target(const ProviderSettings& settings, World world, const Profile& profile) {
  Target target;
  SIGNCTL_TRY(target.key_id, key_of(settings), "");
  SIGNCTL_TRY(target.region, region_of(settings, world, profile, target.key_id), "");
  const std::string kms = url_of(settings.get("endpoint"), world, "kms", target.region);
  SIGNCTL_TRY(target.kms, service_of(settings, "AWS KMS", kms, "endpoint"), "");
  const std::string sts = url_of(settings.get("sts_endpoint"), world, "sts", target.region);
  SIGNCTL_TRY(target.sts, service_of(settings, "AWS STS", sts, "sts_endpoint"), "");
  return target;
}

}  // namespace signctl::providers::aws_kms
