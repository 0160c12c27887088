// SPDX-License-Identifier: Apache-2.0
#include "fake/rig.hpp"

#include "core/clock.hpp"
#include "core/text.hpp"
#include "crypto/certificate.hpp"
#include "net/http_client.hpp"

namespace signctl::fake {
namespace {

SettingKind kind_of(std::string_view personality, std::string_view key) {
  for (const PersonalityRow& row : personalities()) {
    const Provider* provider = row.name == personality ? find_provider(row.provider) : nullptr;
    const auto specs = provider == nullptr ? std::span<const SettingSpec>() : provider->settings();
    for (const SettingSpec& spec : specs) {
      if (spec.key == key) {
        return spec.kind;
      }
    }
  }
  return SettingKind::text;
}

}  // namespace

Rerouting::Rerouting(const Environment& environment, std::string ca_file)
    : real_(net::make_http_client(environment)), ca_file_(std::move(ca_file)) {}

Result<HttpResponse> Rerouting::send(const HttpRequest& request) {
  for (const auto& [from, to] : routes_) {
    if (request.url.starts_with(from)) {
      HttpRequest other = request;
      other.url = to + request.url.substr(from.size());
      other.ca_file = ca_file_;
      return real_->send(other);
    }
  }
  return real_->send(request);
}

Rig::Rig(const std::vector<std::string>& personalities)
    : clock(SystemClock().now()), lab(Marking::none, [this] { return clock.now(); }) {
  ca_file_ = file("ca.pem", crypto::to_pem({lab.pki().root()}));
  server = std::make_unique<Server>(lab, personalities);
  http = std::make_unique<Rerouting>(variables, ca_file_);
}

ProviderSettings Rig::settings(std::string_view personality) const {
  ProviderSettings settings;
  const Json values = server->settings(personality);
  for (const auto& [key, value] : values.items()) {
    const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
    if (kind_of(personality, key) == SettingKind::secret) {
      settings.secrets[key] = Secret(text);
    } else {
      settings.values[key] = text;
    }
  }
  settings.values["ca_file"] = ca_file_;
  return settings;
}

std::string Rig::chain_file(const std::string& kind, int generation) {
  return file(kind + "-" + std::to_string(generation) + ".pem",
              crypto::to_pem(lab.pki().signer(kind, generation).chain));
}

std::string Rig::file(const std::string& name, std::string_view content) const {
  test::spill(folder.file(name), as_bytes(content));
  return folder.file(name);
}

std::vector<Trouble> troubles() {
  const auto always = [](FaultKind kind) {
    Fault fault;
    fault.kind = kind;
    fault.times = -1;
    return fault;
  };
  Fault throttled = always(FaultKind::status);
  throttled.status = 429;
  throttled.headers = {{"retry-after", "1"}};
  return {{"503", always(FaultKind::status), ErrorKind::network},
          {"throttled", throttled, ErrorKind::network},
          {"closed", always(FaultKind::close), ErrorKind::network},
          {"cut", always(FaultKind::cut), ErrorKind::network},
          {"malformed JSON", always(FaultKind::malformed_json), ErrorKind::provider},
          {"a gateway's page", always(FaultKind::html), ErrorKind::provider},
          {"huge", always(FaultKind::huge), ErrorKind::network}};
}

ProviderSettings with(ProviderSettings settings, const std::string& key, const std::string& value) {
  settings.values[key] = value;
  return settings;
}

ProviderSettings with_secret(ProviderSettings settings,
                             const std::string& key,
                             const std::string& value) {
  settings.secrets[key] = Secret(value);
  return settings;
}

}  // namespace signctl::fake
