// SPDX-License-Identifier: Apache-2.0
#include "cli/command.hpp"
#include "cli/development.hpp"
#include "cli/render_json.hpp"
#include "core/atomic_file.hpp"
#include "core/path.hpp"
#include "core/secret_ref.hpp"
#include "core/text.hpp"
#include "timestamp/authority.hpp"

#include <filesystem>

#include <nlohmann/json.hpp>

namespace signctl::cli {

namespace {

struct Options {
  std::string folder{"."};
  std::string subject{"Contoso"};
  std::string key{"rsa3072"};
  std::optional<int> days;
  std::string password;
  bool force{false};
};

void declare_options(Flags& flags, Options& options) {
  flags.group("Options");
  flags.value("-o,--output", options.folder, "DIR", "Folder to write to; this one unless said");
  flags.value("--subject", options.subject, "TEXT", "Common name; Contoso unless said");
  flags.value("--key",
              options.key,
              "rsa2048|rsa3072|rsa4096|p256|p384|p521",
              "Kind of key; rsa3072 unless said");
  flags.number("--days", options.days, "N", "How long it is valid; 365 unless said");
  flags.value(
      "--password",
      options.password,
      "REF",
      "Password of the PFX as env:NAME, file:PATH, exec:COMMAND or stdin; empty unless said");
  flags.flag("--force", options.force, "Replace files that are there");
}

struct Paths {
  std::string pfx;
  std::string certificate;
  std::string authority;
};

Result<Paths> prepare_folder(const Options& options) {
  const auto folder = to_path(options.folder);
  std::error_code code;
  std::filesystem::create_directories(folder, code);
  if (code) {
    return Error{ErrorKind::output,
                 "the folder " + options.folder + " cannot be created: " + code.message()};
  }
  const auto path = [&](const char* name) { return to_utf8((folder / name).lexically_normal()); };
  Paths paths{path("dev.pfx"), path("dev.pem"), path("dev-tsa.pem")};
  if (options.force) {
    return paths;
  }
  for (const std::string& file : {paths.pfx, paths.certificate, paths.authority}) {
    if (std::filesystem::exists(to_path(file), code)) {
      return Error{ErrorKind::output,
                   file + " is there already; nothing was written",
                   "--force replaces it, -o DIR writes elsewhere"};
    }
  }
  return paths;
}

Result<Secret> password_of(const Options& options, Context& context) {
  if (options.password.empty()) {
    return Secret();
  }
  auto reference = SecretRef::parse(options.password);
  if (!reference) {
    return Error{
        ErrorKind::usage, "--password: " + reference.error().message, reference.error().hint};
  }
  return reference->resolve(context.environment());
}

std::string quoted(const std::string& text) {
  const bool plain = text.find_first_of(" \t'\"$&|;<>()*?[]#~`\\!") == std::string::npos;
  return plain ? text : "\"" + text + "\"";
}

std::vector<std::string> next_commands(const Options& options, const Paths& paths) {
  std::string sign = "signctl sign --provider pfx -p " + quoted("file=" + paths.pfx);
  if (!options.password.empty()) {
    sign += " -p " + quoted("password=" + options.password);
  }
  sign += " --timestamp-url " + quoted("dev:" + paths.authority) + " --dev FILE";
  return {sign, "signctl verify --dev FILE"};
}

void print(const Options& options,
           const Paths& paths,
           const crypto::KeyBundle& bundle,
           Context& context) {
  const CertificateInfo& info = bundle.chain.front().info();
  const auto next = next_commands(options, paths);
  if (context.json()) {
    Json json = document("dev-cert");
    json["pfx"] = paths.pfx;
    json["certificate"] = paths.certificate;
    json["timestamp_authority"] = paths.authority;
    json["details"] = to_json(info);
    json["next"] = next;
    print_json(context, json);
    return;
  }
  context.line("wrote " + printable(paths.pfx) + "      key and certificate" +
               (options.password.empty() ? ", with an empty password" : ""));
  context.line("wrote " + printable(paths.certificate) + "      the certificate alone");
  context.line("wrote " + printable(paths.authority) + "  a timestamp authority for use offline");
  context.line(info.subject + ", valid until " + to_iso8601(info.not_after));
  context.line("");
  context.line("For rehearsals only: what it signs passes no gate without --dev. Next:");
  for (const std::string& command : next) {
    context.line("  " + printable(command));
  }
}

Result<int> run(const Options& options, Context& context) {
  constexpr int kMaxDays = 3650;
  const int days = options.days.value_or(365);
  if (days < 1 || days > kMaxDays) {
    return Error{ErrorKind::usage, "--days wants a number from 1 to " + std::to_string(kMaxDays)};
  }
  const TimePoint now = context.clock().now();
  SIGNCTL_TRY(const Secret password, password_of(options, context), "");
  SIGNCTL_TRY(const Paths paths, prepare_folder(options), "");
  const auto spec = crypto::find_key_spec(options.key);
  SIGNCTL_TRY(const auto key,
              crypto::PrivateKey::generate(spec.value_or(crypto::PrivateKey::Spec::rsa3072)),
              "making the key");
  SIGNCTL_TRY(const auto bundle,
              make_self_signed({options.subject, now, std::chrono::days(days)}, key),
              "making the certificate");
  SIGNCTL_TRY(
      const Bytes pfx, crypto::write_pkcs12(bundle, password, options.subject), "writing the PFX");
  SIGNCTL_TRY(const auto authority, timestamp::Authority::create(now), "making the authority");
  SIGNCTL_CHECK(write_file(paths.pfx, pfx, Existing::replace, FileAccess::owner_only), "");
  const std::string pem = crypto::to_pem(bundle.chain);
  SIGNCTL_CHECK(write_file(paths.certificate, as_bytes(pem), Existing::replace), "");
  SIGNCTL_CHECK(authority.save(paths.authority), "");
  print(options, paths, bundle, context);
  return 0;
}

}  // namespace

const Command& dev_cert_command() {
  static constexpr Command kCommand{
      "dev-cert",
      "Try it",
      "",
      "Make a self-signed certificate to try things with",
      "Makes a self-signed code-signing certificate (dev.pfx, dev.pem) and a timestamp authority "
      "that "
      "works offline (dev-tsa.pem), and prints the next command. Both carry a marker, so that no "
      "gate "
      "lets pass what they made unless it is told to with --dev.",
      "  signctl dev-cert\n"
      "  signctl dev-cert -o build --subject \"Contoso Ltd\" --password env:DEV_PFX_PASSWORD\n",
      set_up<Options, declare_options, run>};
  return kCommand;
}

}  // namespace signctl::cli
