// SPDX-License-Identifier: Apache-2.0
#include "providers/pkcs11/settings.hpp"

#include "core/file.hpp"
#include "core/path.hpp"
#include "core/text.hpp"
#include "core/wipe.hpp"
#include "providers/pkcs11/module_paths.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <utility>

namespace signctl::providers::pkcs11 {
namespace {

constexpr std::array<SettingSpec, 12> kSettings{{
    {.key = "module",
     .kind = SettingKind::text,
     .help =
         "Absolute path of the vendor's PKCS#11 module, or auto to look where vendors put theirs",
     .example = "auto",
     .environment = "PKCS11_MODULE_PATH"},
    {.key = "token",
     .kind = SettingKind::text,
     .help = "Label of the token",
     .example = "CONTOSO EV"},
    {.key = "serial",
     .kind = SettingKind::text,
     .help = "Serial number of the token",
     .example = "0123456789ABCDEF"},
    {.key = "uri",
     .kind = SettingKind::text,
     .help = "PKCS#11 URI (RFC 7512) of token and key, instead of or besides the other keys",
     .example = "pkcs11:token=CONTOSO%20EV;object=codesign"},
    {.key = "key",
     .kind = SettingKind::text,
     .help = "Label of the private key, or its id in hexadecimal; may be left out if there is one",
     .example = "codesign"},
    {.key = "certificate",
     .kind = SettingKind::text,
     .help = "Label, id, thumbprint or common name of the certificate, if the key has several",
     .example = "codesign"},
    {.key = "pin",
     .kind = SettingKind::secret,
     .help = "User PIN; it is sent once a run, and none is needed for a pin pad",
     .example = "env:TOKEN_PIN",
     .environment = "SIGNCTL_PKCS11_PIN"},
    {.key = "chain",
     .kind = SettingKind::path,
     .help = "Certificates that the token lacks (PEM, DER or PKCS#7)",
     .example = "intermediates.pem"},
    {.key = "max_parallel",
     .kind = SettingKind::number,
     .help = "Most signatures to make at the same time; 1 suits USB tokens",
     .example = "4"},
    {.key = "timeout",
     .kind = SettingKind::text,
     .help = "How long one call of the driver may take before it is stopped",
     .example = "60s"},
    {.key = "allow_final_pin_try",
     .kind = SettingKind::text,
     .help =
         "Whether to log in although the token says that one more wrong PIN locks it: yes or no",
     .example = "no"},
    {.key = "user_type",
     .kind = SettingKind::text,
     .help = "Number of the user to log in as, where the vendor has more than the usual (1)",
     .example = "1"},
}};

constexpr std::size_t kLargestChain = std::size_t{4} << 20U;
constexpr std::size_t kLargestPinFile = 4096;

Error setting_error(std::string message, std::string hint = "") {
  return {ErrorKind::config, "pkcs11: " + std::move(message), std::move(hint)};
}

std::string hint_with_installed() {
  const auto found = installed_modules();
  if (found.empty()) {
    return "install the vendor's PKCS#11 driver, and set module to its library";
  }
  std::vector<std::string> texts;
  texts.reserve(found.size());
  for (const FoundModule& module : found) {
    texts.push_back(module.path + " (" + module.vendor + ")");
  }
  return "on this machine there are " + join(texts, ", ");
}

Result<std::string> module_path(const std::string& setting, const Uri& uri) {
  const bool automatic = setting.empty() || setting == "auto";
  const std::string path = automatic ? uri.module_path.value_or("") : setting;
  if (path.empty()) {
    return path;
  }
  const auto native = to_path(path);
  if (!native.is_absolute()) {
    return setting_error("module must be an absolute path, or auto", hint_with_installed());
  }
  std::error_code failed;
  if (!std::filesystem::is_regular_file(native, failed)) {
    return setting_error("there is no module " + printable(path), hint_with_installed());
  }
  return path;
}

Result<std::chrono::milliseconds> timeout_of(const ProviderSettings& settings) {
  const std::string text = settings.get("timeout");
  const auto duration = text.empty() ? std::chrono::milliseconds{60'000} : parse_duration(text);
  if (!duration || duration->count() <= 0) {
    return setting_error("timeout must be a duration like 60s");
  }
  return *duration;
}

Result<std::uint64_t> user_of(const std::string& text) {
  std::uint64_t user = 1;
  const bool hex = text.starts_with("0x");
  const std::string digits = hex ? text.substr(2) : text;
  const char* const end = digits.data() + digits.size();
  const auto [stop, failed] = std::from_chars(digits.data(), end, user, hex ? 16 : 10);
  // 0 is the security officer, whose PIN must never be spent on this; 2 is not for logging in.
  if (!text.empty() && (failed != std::errc() || stop != end || user == 0 || user == 2)) {
    return setting_error("user_type must be the number of a user that signs, like 1 or 0x80000001");
  }
  return user;
}

Result<LastTry> last_try_of(const std::string& text) {
  const std::string word = to_lower(text);
  if (word == "yes" || word == "true") {
    return LastTry::allow;
  }
  if (word.empty() || word == "no" || word == "false") {
    return LastTry::refuse;
  }
  return setting_error("allow_final_pin_try must be yes or no");
}

/// The first line of the file that `pin-source` names (RFC 7512, 2.4: a path or a file URI).
Result<Secret> pin_from_file(std::string source) {
  if (source.starts_with("file:")) {
    source.erase(0, std::string_view("file:").size());
    if (source.starts_with("//")) {
      source.erase(0, 2);
    }
  }
  if (source.empty() || source.front() == '|') {
    return setting_error("pin-source of the uri must name a file",
                         "set pin: exec:COMMAND for the output of a command");
  }
  auto bytes = read_file(source, kLargestPinFile);
  if (!bytes) {
    return std::move(bytes).error().within("reading pin-source of the uri");
  }
  const std::string_view text = as_text(*bytes);
  Secret pin(std::string(text.substr(0, text.find_first_of("\r\n"))));
  wipe_memory(bytes->data(), bytes->size());
  return pin;
}

Result<std::optional<Secret>> pin_of(const ProviderSettings& settings, const Uri& uri) {
  const auto given = settings.secrets.find("pin");
  const bool is_given = given != settings.secrets.end() && !given->second.empty();
  if (is_given && uri.pin_source) {
    // Which of the two is right must not be found out by trying.
    return setting_error(
        "there are two PINs: pin (or SIGNCTL_PKCS11_PIN), and pin-source of the uri",
        "remove one of them");
  }
  if (is_given) {
    return std::optional(given->second);
  }
  if (!uri.pin_source) {
    return std::optional<Secret>();
  }
  SIGNCTL_TRY(Secret pin, pin_from_file(*uri.pin_source), "");
  return pin.empty() ? std::optional<Secret>() : std::optional(std::move(pin));
}

/// `value` of a setting, or of the URI's attribute; both if they agree.
Result<std::string> either(const std::string& value,
                           const std::optional<std::string>& attribute,
                           const std::string& name) {
  if (!value.empty() && attribute && *attribute != value) {
    return setting_error(name + " and the uri contradict each other", "remove one of them");
  }
  return value.empty() ? attribute.value_or("") : value;
}

Wanted wanted_of(const ProviderSettings& settings, const Uri& uri) {
  Wanted wanted;
  wanted.key = settings.get("key");
  wanted.certificate = settings.get("certificate");
  wanted.id = uri.id;
  if (uri.type == "cert") {
    // The name is the certificate's; its key may be called anything.
    wanted.certificate = wanted.certificate.empty() ? uri.object.value_or("") : wanted.certificate;
  } else {
    wanted.label = uri.object;
  }
  return wanted;
}

Result<std::vector<crypto::Certificate>> read_chain(const std::string& path) {
  if (path.empty()) {
    return std::vector<crypto::Certificate>();
  }
  SIGNCTL_TRY(const Bytes bytes, read_file(path, kLargestChain), "reading the chain");
  SIGNCTL_TRY(auto found, crypto::read_certificates(bytes), "reading " + printable(path));
  return found;
}

}  // namespace

std::span<const SettingSpec> setting_specs() {
  return kSettings;
}

Result<Options> read_options(const ProviderSettings& settings) {
  Options options;
  if (const std::string uri = settings.get("uri"); !uri.empty()) {
    SIGNCTL_TRY(options.uri, parse_uri(uri), "reading uri");
  }
  if (settings.get("max_parallel") == "0") {
    return setting_error("max_parallel must be at least 1");
  }
  SIGNCTL_TRY(options.module, module_path(settings.get("module"), options.uri), "");
  options.module_name = options.uri.module_name.value_or("");
  SIGNCTL_TRY(options.token, either(settings.get("token"), options.uri.token, "token"), "");
  SIGNCTL_TRY(options.serial, either(settings.get("serial"), options.uri.serial, "serial"), "");
  options.wanted = wanted_of(settings, options.uri);
  SIGNCTL_TRY(options.timeout, timeout_of(settings), "");
  SIGNCTL_TRY(options.user, user_of(settings.get("user_type")), "");
  SIGNCTL_TRY(options.last_try, last_try_of(settings.get("allow_final_pin_try")), "");
  SIGNCTL_TRY(options.certificates, read_chain(settings.get("chain")), "");
  SIGNCTL_TRY(options.pin, pin_of(settings, options.uri), "");
  return options;
}

}  // namespace signctl::providers::pkcs11
