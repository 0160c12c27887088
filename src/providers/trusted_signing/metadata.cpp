// SPDX-License-Identifier: Apache-2.0
#include "providers/trusted_signing/metadata.hpp"

#include "core/file.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "providers/common/rest.hpp"

#include <algorithm>
#include <array>

namespace signctl::providers::trusted_signing {
namespace {

constexpr std::size_t kLongestFile = 64U << 10U;

struct Field {
  std::string_view setting;
  std::string_view name;  ///< In metadata.json.
  std::string Place::*value;
};

constexpr std::array kFields{
    Field{"endpoint", "Endpoint", &Place::endpoint},
    Field{"account", "CodeSigningAccountName", &Place::account},
    Field{"profile", "CertificateProfileName", &Place::profile},
};
constexpr std::string_view kCorrelation = "CorrelationId";
constexpr std::string_view kExcluded = "ExcludeCredentials";

Error config_error(std::string message, std::string hint) {
  return {ErrorKind::config, "trusted-signing: " + std::move(message), std::move(hint)};
}

Result<Json> read_metadata(const std::string& path) {
  SIGNCTL_TRY(const Bytes bytes, read_file(path, kLongestFile), "reading \"metadata\"");
  std::string_view text = as_text(bytes);
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";  // Windows editors put it there.
  if (text.starts_with(kByteOrderMark)) {
    text.remove_prefix(kByteOrderMark.size());
  }
  Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) {
    return config_error("\"metadata\" " + printable(path) + " is not a JSON object",
                        "give the metadata.json that Microsoft's signing client takes");
  }
  return json;
}

Result<std::string> text_of(const Json& json, std::string_view name) {
  const auto found = json.find(name);
  if (found == json.end()) {
    return std::string();
  }
  if (!found->is_string()) {
    return config_error("\"" + std::string(name) + "\" in \"metadata\" is not a text",
                        "put it between quotation marks");
  }
  return found->get<std::string>();
}

Result<void> check_names(const Json& json) {
  for (const auto& [name, value] : json.items()) {
    const bool known = name == kCorrelation || name == kExcluded ||
                       std::any_of(kFields.begin(), kFields.end(), [&name = name](const Field& f) {
                         return f.name == name;
                       });
    if (!known) {
      return config_error(
          "\"metadata\" holds \"" + printable(name) + "\", which is unknown",
          "known are Endpoint, CodeSigningAccountName, CertificateProfileName, CorrelationId and "
          "ExcludeCredentials");
    }
  }
  const auto excluded = json.find(kExcluded);
  if (excluded != json.end() && !excluded->empty()) {
    log_warning(
        "trusted-signing: ExcludeCredentials is Microsoft's; to choose a login here, set auth");
  }
  return ok();
}

/// Takes from the file what the settings leave open; where both speak they must agree.
Result<void> fill(Place& place, const Json& json) {
  SIGNCTL_CHECK(check_names(json), "");
  for (const Field& field : kFields) {
    SIGNCTL_TRY(const std::string value, text_of(json, field.name), "");
    std::string& known = place.*field.value;
    if (!known.empty() && !value.empty() && known != value) {
      return config_error("\"" + std::string(field.setting) + "\" is " + printable(known) +
                              ", and " + std::string(field.name) + " in \"metadata\" is " +
                              printable(value),
                          "leave one of them out");
    }
    known = known.empty() ? value : known;
  }
  SIGNCTL_TRY(place.correlation_id, text_of(json, kCorrelation), "");
  return ok();
}

}  // namespace

Result<Place> place_of(const ProviderSettings& settings) {
  Place place;
  for (const Field& field : kFields) {
    place.*field.value = settings.get(field.setting);
  }
  if (const std::string path = settings.get("metadata"); !path.empty()) {
    SIGNCTL_TRY(const Json json, read_metadata(path), "");
    SIGNCTL_CHECK(fill(place, json), "in " + printable(path));
  }
  for (const Field& field : kFields) {
    if ((place.*field.value).empty()) {
      return config_error("\"" + std::string(field.setting) + "\" is not set",
                          "endpoint, account and profile are on the account's page in the Azure "
                          "portal; or name Microsoft's metadata.json in metadata");
    }
  }
  return place;
}

}  // namespace signctl::providers::trusted_signing
