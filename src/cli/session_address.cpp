// SPDX-License-Identifier: Apache-2.0
#include "cli/session_address.hpp"

#include "core/path.hpp"
#include "core/text.hpp"
#include "crypto/digest.hpp"

#include <filesystem>
#include <utility>

namespace signctl::cli {

namespace {

constexpr std::string_view kEnvironment = "env:";

std::string here() {
  std::error_code code;
  return to_utf8(std::filesystem::current_path(code));
}

/// Lines that cannot be mistaken for one another.
class Text {
 public:
  void add(std::string_view name, std::string_view value) {
    text_ += std::to_string(name.size()) + ":" + std::string(name) + "=" +
             std::to_string(value.size()) + ":" + std::string(value) + "\n";
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

}  // namespace

std::string session_folder(Context& context) {
  return session::session_folder(context.environment().get("XDG_RUNTIME_DIR"),
                                 context.environment().get("TMPDIR"));
}

session::Address session_address(const SignerChoice& signer,
                                 const config::Config& config,
                                 const std::optional<timestamp::Options>& timestamp,
                                 const TrustFlags& trust,
                                 Context& context) {
  const Environment& environment = context.environment();
  Text name;
  name.add("config", config.file.empty() ? here() : config.file);
  name.add("folder", signer.folder.empty() ? here() : signer.folder);
  name.add("signer", signer.signer.name);
  name.add("provider", signer.provider->name());
  Text settings;
  settings.add("name", name.text());
  for (const auto& [key, value] : signer.signer.values) {
    settings.add(key, value);
  }
  for (const auto& [key, references] : signer.signer.secrets) {
    for (const SecretRef& reference : references) {
      const std::string text = reference.describe();
      settings.add(key, text);
      if (text.starts_with(kEnvironment)) {
        const std::string variable = text.substr(kEnvironment.size());
        settings.add(variable, environment.get(variable).value_or(""));
      }
    }
  }
  for (const SettingSpec& spec : signer.provider->settings()) {
    if (!spec.environment.empty()) {
      settings.add(spec.environment, environment.get(spec.environment).value_or(""));
    }
  }
  for (const std::string& server : timestamp ? timestamp->servers : std::vector<std::string>{}) {
    settings.add("timestamp server", server);
  }
  for (const std::string& source : config.gate.trust) {
    settings.add("gate.trust", source);
  }
  for (const std::string& certificate : trust.certificates) {
    settings.add("--trust-cert", certificate);
  }
  settings.add("--dev", trust.development ? "yes" : "no");
  settings.add("--compat", trust.compat);
  settings.add("complete-chain", config.sign.complete_chain ? "yes" : "no");
  constexpr std::size_t kNameDigits = 16;
  const std::string hash = to_hex(crypto::hash(DigestAlg::sha256, as_bytes(name.text())));
  const ByteView bytes = as_bytes(settings.text());
  return {session_folder(context) + "/" + hash.substr(0, kNameDigits) + ".sock",
          SIGNCTL_VERSION,
          Bytes(bytes.begin(), bytes.end())};
}

}  // namespace signctl::cli
