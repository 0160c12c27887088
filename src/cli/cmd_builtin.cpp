// SPDX-License-Identifier: Apache-2.0
// The commands that describe this build: providers, formats, version, exit-codes.
#include "cli/command.hpp"
#include "cli/exit_code_page.hpp"
#include "cli/render.hpp"
#include "cli/render_json.hpp"
#include "crypto/library.hpp"

#include <signctl/exit_code.hpp>
#include <signctl/format.hpp>
#include <signctl/provider.hpp>

#include <nlohmann/json.hpp>

namespace signctl::cli {

namespace {

struct NoOptions {};

void declare_nothing(Flags& /*flags*/, NoOptions& /*options*/) {}

std::string_view kind_text(SettingKind kind) {
  switch (kind) {
    case SettingKind::text:
      return "text";
    case SettingKind::path:
      return "path";
    case SettingKind::secret:
      return "secret";
    case SettingKind::number:
      return "number";
  }
  return "";
}

Json json_of(const Provider& provider) {
  Json json;
  json["name"] = provider.name();
  json["aliases"] = Json::array();
  for (const std::string_view alias : provider.aliases()) {
    json["aliases"].push_back(alias);
  }
  json["title"] = provider.title();
  json["signatures_a_year"] = quota_json(provider.traits().signatures_a_year);
  json["settings"] = Json::array();
  for (const SettingSpec& spec : provider.settings()) {
    json["settings"].push_back({{"key", spec.key},
                                {"kind", kind_text(spec.kind)},
                                {"required", spec.required},
                                {"help", spec.help},
                                {"example", spec.example},
                                {"environment", spec.environment}});
  }
  return json;
}

Result<int> providers(const NoOptions& /*options*/, Context& context) {
  if (context.json()) {
    Json json = document("providers");
    json["providers"] = Json::array();
    for (const Provider* provider : builtin_providers()) {
      json["providers"].push_back(json_of(*provider));
    }
    print_json(context, json);
    return 0;
  }
  for (const Provider* provider : builtin_providers()) {
    context.line(std::string(provider->name()) + ": " + std::string(provider->title()));
    if (const int quota = provider->traits().signatures_a_year; quota > 0) {
      context.line("  at most " + quota_text(quota));
    }
    std::vector<std::vector<std::string>> rows{
        {"  KEY", "KIND", "REQUIRED", "ENVIRONMENT", "MEANING"}};
    for (const SettingSpec& spec : provider->settings()) {
      rows.push_back({"  " + std::string(spec.key),
                      std::string(kind_text(spec.kind)),
                      spec.required ? "yes" : "no",
                      spec.environment.empty() ? "-" : std::string(spec.environment),
                      std::string(spec.help)});
    }
    context.line(table(rows));
  }
  return 0;
}

std::string mark(bool value) {
  return value ? "yes" : "-";
}

Json json_of(const Format& format) {
  const FormatCapabilities can = format.capabilities();
  Json json;
  json["name"] = format.name();
  json["title"] = format.title();
  json["extensions"] = Json::array();
  for (const std::string_view extension : format.extensions()) {
    json["extensions"].push_back(extension);
  }
  json["capabilities"] = {{"sign", can.sign},
                          {"verify", can.verify},
                          {"append", can.append},
                          {"timestamp", can.timestamp},
                          {"remove", can.remove},
                          {"detached", can.detached},
                          {"page_hashes", can.page_hashes},
                          {"exchange", can.exchange}};
  return json;
}

Result<int> formats(const NoOptions& /*options*/, Context& context) {
  Json json = document("formats");
  json["formats"] = Json::array();
  std::vector<std::vector<std::string>> rows{{"FORMAT",
                                              "SIGN",
                                              "VERIFY",
                                              "APPEND",
                                              "TIMESTAMP",
                                              "REMOVE",
                                              "DETACHED",
                                              "PAGE HASHES",
                                              "EXTENSIONS"}};
  for (const Format* format : builtin_formats()) {
    json["formats"].push_back(json_of(*format));
    const FormatCapabilities can = format->capabilities();
    std::string extensions;
    for (const std::string_view extension : format->extensions()) {
      extensions += (extensions.empty() ? "" : " ") + std::string(extension);
    }
    rows.push_back({std::string(format->name()),
                    mark(can.sign),
                    mark(can.verify),
                    mark(can.append),
                    mark(can.timestamp),
                    mark(can.remove),
                    mark(can.detached),
                    mark(can.page_hashes),
                    extensions});
  }
  if (context.json()) {
    print_json(context, json);
  } else if (!context.quiet()) {
    context.write(table(rows));
  }
  return 0;
}

#if defined(__clang__)
constexpr const char* kCompiler = "clang " __clang_version__;
#elif defined(__GNUC__)
constexpr const char* kCompiler = "gcc " __VERSION__;
#elif defined(_MSC_VER)
constexpr const char* kCompiler = "msvc";
#else
constexpr const char* kCompiler = "unknown";
#endif

#if defined(_WIN32)
constexpr const char* kPlatform = "windows";
#elif defined(__APPLE__)
constexpr const char* kPlatform = "macos";
#elif defined(__linux__)
constexpr const char* kPlatform = "linux";
#else
constexpr const char* kPlatform = "unknown";
#endif

#if defined(__x86_64__) || defined(_M_X64)
constexpr const char* kArchitecture = "x86_64";
#elif defined(__aarch64__) || defined(_M_ARM64)
constexpr const char* kArchitecture = "aarch64";
#else
constexpr const char* kArchitecture = "unknown";
#endif

Result<int> version(const NoOptions& /*options*/, Context& context) {
  if (!context.json()) {
    context.line("signctl " SIGNCTL_VERSION);
    if (context.verbose()) {
      context.line(std::string(kPlatform) + " " + kArchitecture + ", built with " + kCompiler +
                   ", OpenSSL " + crypto::library_version());
    }
    return 0;
  }
  Json json = document("version");
  json["version"] = SIGNCTL_VERSION;
  json["platform"] = kPlatform;
  json["architecture"] = kArchitecture;
  json["compiler"] = kCompiler;
  json["openssl"] = crypto::library_version();
  json["formats"] = Json::array();
  for (const Format* format : builtin_formats()) {
    json["formats"].push_back(format->name());
  }
  json["providers"] = Json::array();
  for (const Provider* provider : builtin_providers()) {
    json["providers"].push_back(provider->name());
  }
  print_json(context, json);
  return 0;
}

Result<int> print_exit_codes(const NoOptions& /*options*/, Context& context) {
  if (context.json()) {
    Json json = document("exit-codes");
    json["exit_codes"] = Json::array();
    for (const ExitCode& row : exit_codes()) {
      json["exit_codes"].push_back(
          {{"code", row.code}, {"kind", row.kind}, {"meaning", row.meaning}});
    }
    print_json(context, json);
    return 0;
  }
  context.write(exit_code_page());
  return 0;
}

}  // namespace

const Command& providers_command() {
  static constexpr Command kCommand{"providers",
                                    "Look",
                                    "",
                                    "List the signing backends of this build and their settings",
                                    "",
                                    "  signctl providers\n  signctl providers --json\n",
                                    set_up<NoOptions, declare_nothing, providers>};
  return kCommand;
}

const Command& formats_command() {
  static constexpr Command kCommand{
      "formats",
      "Look",
      "",
      "List the file types of this build and what can be done to them",
      "",
      "  signctl formats\n  signctl formats --json\n",
      set_up<NoOptions, declare_nothing, formats>};
  return kCommand;
}

const Command& version_command() {
  static constexpr Command kCommand{"version",
                                    "Look",
                                    "",
                                    "Print the version; -v and --json say how it was built",
                                    "",
                                    "  signctl version\n  signctl version --json\n",
                                    set_up<NoOptions, declare_nothing, version>};
  return kCommand;
}

const Command& exit_codes_command() {
  static constexpr Command kCommand{"exit-codes",
                                    "",
                                    "",
                                    "Print docs/exit-codes.md",
                                    "",
                                    "",
                                    set_up<NoOptions, declare_nothing, print_exit_codes>};
  return kCommand;
}

}  // namespace signctl::cli
