// SPDX-License-Identifier: Apache-2.0
#include "cli/settings.hpp"

#include "cli/session_address.hpp"
#include "config/check.hpp"
#include "core/log.hpp"
#include "core/path.hpp"
#include "core/text.hpp"
#include "engine/complete_chain.hpp"
#include "trust/stores.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>
#include <utility>

namespace signctl::cli {

std::string in_folder(const std::string& folder, const std::string& path) {
  return folder.empty() ? path : to_utf8(to_path(folder) / to_path(path));
}

namespace {

constexpr std::size_t kSha1Digits = 40;

/// "a, b or c" of the config's signers, for hints.
std::vector<std::string> names_of(const std::map<std::string, config::Signer>& signers) {
  std::vector<std::string> names;
  names.reserve(signers.size());
  for (const auto& [name, signer] : signers) {
    names.push_back(name);
  }
  return names;
}

Result<config::Signer> named_signer(const config::Config& config, const std::string& name) {
  const auto found = config.signers.find(name);
  if (found != config.signers.end()) {
    return found->second;
  }
  const auto names = names_of(config.signers);
  if (names.empty()) {
    return Error{config.file.empty() ? ErrorKind::usage : ErrorKind::config,
                 "there is no signer \"" + name + "\": " +
                     (config.file.empty() ? "no config was found" : config.file + " has none"),
                 "name the config with -c, or use --provider KIND -p KEY=VALUE"};
  }
  const auto near = did_you_mean(name, names);
  return Error{ErrorKind::config,
               "there is no signer \"" + name + "\" in " + config.file,
               near ? "did you mean \"" + *near + "\"?" : "it has " + join(names, ", ")};
}

Result<config::Signer> configured_signer(const config::Config& config) {
  if (!config.sign.signer.empty()) {
    return named_signer(config, config.sign.signer.front());
  }
  if (config.signers.size() == 1) {
    return config.signers.begin()->second;
  }
  if (config.signers.empty()) {
    return Error{config.file.empty() ? ErrorKind::usage : ErrorKind::config,
                 "no signer is named",
                 "use --provider pfx -p file=FILE -p password=env:NAME, or write a config with "
                 "signctl init; signctl dev-cert makes a certificate to try it with"};
  }
  return Error{ErrorKind::config,
               config.file + " has several signers and does not say which one signs",
               "choose with --signer " + join(names_of(config.signers), ", --signer ")};
}

Result<void> add_chain(SignerChoice& choice, const std::string& chain) {
  const auto specs = choice.provider->settings();
  const bool known =
      std::any_of(specs.begin(), specs.end(), [](const auto& spec) { return spec.key == "chain"; });
  if (!known) {
    return Error{ErrorKind::unsupported,
                 "provider " + std::string(choice.provider->name()) +
                     " brings its own certificates and does not take --chain"};
  }
  // Relative to the working directory, unlike what stands in the config.
  std::error_code code;
  const auto absolute = std::filesystem::absolute(to_path(chain), code);
  choice.signer.values["chain"] = code ? chain : to_utf8(absolute);
  return ok();
}

engine::IfSigned to_engine(config::ExistingSignature rule) {
  switch (rule) {
    case config::ExistingSignature::fail:
      return engine::IfSigned::fail;
    case config::ExistingSignature::skip_valid:
      return engine::IfSigned::skip_valid;
    case config::ExistingSignature::append:
      return engine::IfSigned::append;
    case config::ExistingSignature::replace:
      return engine::IfSigned::replace;
  }
  return engine::IfSigned::fail;
}

Result<engine::IfSigned> if_signed(const config::Config& config, const ExistingFlags& flags) {
  if (flags.append && !flags.if_signed.empty() && flags.if_signed != "append") {
    return Error{ErrorKind::usage,
                 "--as and --if-signed " + flags.if_signed + " exclude each other"};
  }
  if (flags.append || flags.if_signed == "append") {
    return engine::IfSigned::append;
  }
  if (flags.if_signed == "skip-valid") {
    return engine::IfSigned::skip_valid;
  }
  if (flags.if_signed == "replace") {
    return engine::IfSigned::replace;
  }
  return flags.if_signed == "fail" ? engine::IfSigned::fail : to_engine(config.sign.if_signed);
}

/// What tells a signer from others, beyond its certificate: whatever is neither secret nor a path
/// nor about how to reach it.
std::string settings_text(const SignerChoice& choice) {
  static constexpr std::array<std::string_view, 3> kNotTelling{
      "ca_file", "timeout", "max_parallel"};
  std::string text;
  for (const SettingSpec& spec : choice.provider->settings()) {
    const auto value = choice.signer.values.find(std::string(spec.key));
    if (value != choice.signer.values.end() && spec.kind != SettingKind::path &&
        std::find(kNotTelling.begin(), kNotTelling.end(), spec.key) == kNotTelling.end()) {
      text += value->first + "=" + value->second + "\n";
    }
  }
  return text;
}

engine::SignerOptions signer_options(const SignerChoice& choice,
                                     const config::Config& config,
                                     int jobs,
                                     Context& context) {
  engine::SignerOptions options;
  options.name = choice.signer.name;
  options.provider = std::string(choice.provider->name());
  options.settings = settings_text(choice);
  options.billable = choice.provider->traits().billable;
  options.ceiling = jobs;
  for (const int ceiling :
       {choice.provider->traits().max_parallel, config::max_parallel(choice.signer)}) {
    options.ceiling = ceiling > 0 ? std::min(options.ceiling, ceiling) : options.ceiling;
  }
  if (const auto left = quota_left(choice, config)) {
    options.quota = static_cast<std::size_t>(*left);
  }
  options.open = session_maker(choice, config, context);
  return options;
}

}  // namespace

std::optional<int> quota_left(const SignerChoice& choice, const config::Config& config) {
  const auto found = config.limits.quota.find(choice.signer.name);
  return found == config.limits.quota.end() ? std::nullopt : std::optional(found->second);
}

engine::SessionMaker session_maker(const SignerChoice& choice,
                                   const config::Config& config,
                                   Context& context) {
  engine::SessionMaker make = [choice, &context]() -> Result<std::unique_ptr<SigningSession>> {
    SIGNCTL_TRY(const auto settings,
                config::resolve(choice.signer, choice.folder, context.environment()),
                "");
    return choice.provider->open(settings, context.world());
  };
  return config.sign.complete_chain ? engine::complete_chains(std::move(make), context.world())
                                    : make;
}

Result<config::Config> load_config(const ConfigFlags& flags) {
  if (!flags.file.empty()) {
    return config::load(flags.file);
  }
  std::error_code code;
  const auto here = std::filesystem::current_path(code);
  if (code) {
    return Error{ErrorKind::input, "the working directory is gone: " + code.message()};
  }
  const auto found = config::find_config(to_utf8(here));
  if (!found) {
    return config::Config{};
  }
  log_verbose("using the config " + *found);
  return config::load(*found);
}

Result<SignerChoice> choose_signer(const config::Config& config, const SignerFlags& flags) {
  SignerChoice choice;
  if (!flags.provider.empty()) {
    if (!flags.name.empty()) {
      return Error{ErrorKind::usage,
                   "--signer and --provider exclude each other",
                   "--signer names one of the config's, --provider makes one"};
    }
    SIGNCTL_TRY(choice.signer, config::signer_from_flags(flags.provider, flags.pairs), "");
  } else if (!flags.pairs.empty()) {
    return Error{ErrorKind::usage, "-p needs --provider", "say --provider KIND as well"};
  } else {
    choice.folder = config.folder;
    SIGNCTL_TRY(choice.signer,
                flags.name.empty() ? configured_signer(config) : named_signer(config, flags.name),
                "");
  }
  choice.provider = find_provider(choice.signer.provider);
  if (choice.provider == nullptr) {
    return Error{ErrorKind::unsupported,
                 "provider \"" + choice.signer.provider + "\" is not in this build",
                 "signctl providers lists those that are"};
  }
  if (!flags.chain.empty()) {
    SIGNCTL_CHECK(add_chain(choice, flags.chain), "");
  }
  return choice;
}

Result<std::vector<SignerChoice>> choose_signers(const config::Config& config,
                                                 const SignerFlags& flags) {
  std::vector<SignerChoice> choices;
  SIGNCTL_TRY(auto first, choose_signer(config, flags), "");
  choices.push_back(std::move(first));
  const bool named = !flags.provider.empty() || !flags.name.empty();
  for (std::size_t i = 1; i < config.sign.signer.size() && !named; ++i) {
    SignerFlags fallback = flags;
    fallback.name = config.sign.signer[i];
    SIGNCTL_TRY(auto next, choose_signer(config, fallback), "");
    choices.push_back(std::move(next));
  }
  return choices;
}

/// What users get to see of a signature has to be showable.
Result<void> check_shown(const std::string& text, bool is_address, bool from_flag) {
  constexpr std::size_t kLongest = 2048;
  const ErrorKind kind = from_flag ? ErrorKind::usage : ErrorKind::config;
  const std::string what = is_address ? "the url" : "the description";
  if (text.size() > kLongest) {
    return Error{kind, what + " is longer than " + std::to_string(kLongest) + " bytes"};
  }
  if (printable(text) != text) {
    return Error{kind, what + " holds a control character, or is not UTF-8"};
  }
  const std::string start = to_lower(text.substr(0, 8));
  if (is_address && !text.empty() && !start.starts_with("http://") && start != "https://") {
    return Error{kind,
                 "the url \"" + printable(text) + "\" is no http:// or https:// address",
                 "it is what Windows opens when a user asks about the program"};
  }
  const bool is_ascii = std::all_of(
      text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  if (is_address && !is_ascii) {
    return Error{
        kind,
        "the url \"" + printable(text) + "\" is not ASCII, which a signature wants (IA5String)",
        "write the host as xn--..., and other characters as %XX"};
  }
  return ok();
}

Result<engine::SignOptions> sign_options(const config::Config& config,
                                         const SignatureFlags& signature,
                                         const ExistingFlags& existing,
                                         const TimestampFlags& timestamp) {
  engine::SignOptions options;
  options.digest = find_digest_alg(signature.digest).value_or(config.sign.digest);
  options.timestamp_digest =
      find_digest_alg(timestamp.digest).value_or(config.sign.timestamp_digest);
  options.description =
      signature.description.empty() ? config.sign.description : signature.description;
  options.url = signature.url.empty() ? config.sign.url : signature.url;
  SIGNCTL_CHECK(check_shown(options.description, false, !signature.description.empty()), "");
  SIGNCTL_CHECK(check_shown(options.url, true, !signature.url.empty()), "");
  options.page_hashes = signature.page_hashes || config.sign.page_hashes ? engine::PageHashes::on
                                                                         : engine::PageHashes::off;
  SIGNCTL_TRY(options.if_signed, if_signed(config, existing), "");
  return options;
}

Result<std::optional<timestamp::Options>> timestamp_options(const config::Config& config,
                                                            const TimestampFlags& flags,
                                                            const Provider* provider) {
  using Wanted = std::optional<timestamp::Options>;
  if (flags.none) {
    if (!flags.servers.empty()) {
      return Error{ErrorKind::usage, "--no-timestamp and --timestamp-url exclude each other"};
    }
    return Wanted{};
  }
  for (const std::string& server : flags.servers) {
    if (!config::is_server(server)) {
      // Not repeated: it may carry a password.
      return Error{ErrorKind::usage,
                   "--timestamp-url wants an http:// or https:// address without user name or "
                   "password, or dev:",
                   "for example http://timestamp.digicert.com"};
    }
  }
  timestamp::Options options;
  options.servers = flags.servers.empty() ? config.sign.timestamp_servers : flags.servers;
  if (options.servers.empty() && provider != nullptr &&
      !provider->traits().timestamp_server.empty()) {
    options.servers.emplace_back(provider->traits().timestamp_server);
  }
  if (options.servers.empty()) {
    if (!config.file.empty() && config.gate.timestamp == TimestampRule::optional) {
      log_warning("no timestamp: no server is named, and gate.timestamp is optional");
      return Wanted{};
    }
    return Error{config.file.empty() ? ErrorKind::usage : ErrorKind::config,
                 "no timestamp server is named",
                 "use --timestamp-url http://timestamp.digicert.com (or your CA's), "
                 "--timestamp-url dev: for a rehearsal, or --no-timestamp"};
  }
  options.retry = retry_rules(config);
  options.pacing = {config.sign.timestamp_interval, config.sign.timestamp_burst};
  return Wanted{std::move(options)};
}

Result<engine::Gate> make_gate(const config::Config& config,
                               const TrustFlags& flags,
                               Context& context) {
  engine::Gate gate;
  gate.trust_signer = flags.development;
  trust::TrustOptions options;
  constexpr std::string_view kFile = "file:";
  for (const std::string& source : config.gate.trust) {
    if (source == "system") {
      options.system = true;
    } else if (source == "signer") {
      gate.trust_signer = true;
    } else if (source.substr(0, kFile.size()) == kFile) {
      options.files.push_back(in_folder(config.folder, source.substr(kFile.size())));
    } else {
      return Error{ErrorKind::unsupported,
                   "gate.trust \"" + source + "\" is not in this version",
                   "use system, signer or file:PATH"};
    }
  }
  options.files.insert(options.files.end(), flags.certificates.begin(), flags.certificates.end());
  SIGNCTL_TRY(gate.store, trust::make_store(options, context.environment()), "loading trust");
  gate.rules.timestamp = config.gate.timestamp;
  gate.rules.identity = config.gate.identity;
  gate.rules.nested = config.gate.nested;
  gate.rules.rehearsal = gate.trust_signer ? RehearsalRule::accept : RehearsalRule::refuse;
  gate.rules.profile = flags.compat.empty() ? Profile::strict : Profile::compat_windows;
  return gate;
}

Result<void> apply(const ExpectFlags& flags, GateRules& rules) {
  if (flags.deep) {
    rules.nested = NestedRule::require_signed;
  }
  if (!flags.timestamp.empty()) {
    rules.timestamp =
        flags.timestamp == "required" ? TimestampRule::required : TimestampRule::optional;
  }
  return apply(flags.identity, rules);
}

Result<void> apply(const IdentityFlags& flags, GateRules& rules) {
  for (const std::string& pair : flags.subject) {
    const auto equals = pair.find('=');
    if (equals == std::string::npos || equals == 0) {
      return Error{ErrorKind::usage,
                   "--expect-subject wants NAME=VALUE, not \"" + pair + "\"",
                   "for example --expect-subject \"CN=Contoso Ltd\""};
    }
    rules.identity.subject[pair.substr(0, equals)] = pair.substr(equals + 1);
  }
  for (const std::string& usage : flags.eku) {
    if (!config::is_dotted_oid(usage)) {
      return Error{
          ErrorKind::usage,
          "--expect-eku wants a dotted object identifier, not \"" + printable(usage) + "\"",
          "for example 1.3.6.1.5.5.7.3.3 for code signing"};
    }
  }
  if (!flags.eku.empty()) {
    rules.identity.eku = flags.eku;
  }
  if (!flags.issuer.empty()) {
    rules.identity.issuer_cn = flags.issuer;
  }
  if (!flags.name.empty()) {
    rules.identity.cn_part = flags.name;
  }
  if (flags.thumbprint.empty()) {
    return ok();
  }
  std::string hex = to_lower(flags.thumbprint);
  hex.erase(std::remove(hex.begin(), hex.end(), ':'), hex.end());
  const bool is_sha1 = hex.size() == kSha1Digits;
  if ((!is_sha1 && hex.size() != 2 * digest_size(DigestAlg::sha256)) || !from_hex(hex)) {
    return Error{ErrorKind::usage,
                 "--expect-thumbprint wants 64 hexadecimal digits, or 40 for SHA-1",
                 "signctl inspect shows both"};
  }
  (is_sha1 ? rules.identity.sha1_thumbprint : rules.identity.sha256_thumbprint) = std::move(hex);
  return ok();
}

RetryRules retry_rules(const config::Config& config) {
  const config::Retry& retry = config.sign.retry;
  return {retry.attempts, retry.initial, retry.max, retry.deadline};
}

engine::ShelfOptions shelf_options(const config::Config& config,
                                   const RunFlags& flags,
                                   const std::vector<SignerChoice>& signers) {
  engine::ShelfOptions options;
  options.cache = flags.cache.empty() ? config.cache : flags.cache;
  options.journal = flags.journal.empty() ? config.journal : flags.journal;
  const bool billable = std::any_of(signers.begin(), signers.end(), [](const auto& choice) {
    return choice.provider->traits().billable;
  });
  if (options.journal.empty() && billable) {
    options.journal = in_folder(config.folder, ".signctl-journal");
  } else if (options.journal == "off") {
    options.journal.clear();
  }
  options.deadline = config.sign.retry.deadline;
  return options;
}

Result<Foresight> look_ahead(const config::Config& config,
                             const RunFlags& flags,
                             const std::vector<SignerChoice>& signers,
                             const engine::Gate& gate,
                             Context& context) {
  Foresight ahead;
  SIGNCTL_TRY(
      ahead.shelf, engine::Shelf::look(shelf_options(config, flags, signers), context.clock()), "");
  ahead.stages.gate = &gate;
  ahead.stages.clock = &context.clock();
  ahead.stages.shelf = ahead.shelf.get();
  // Nobody has logged in: the certificate is the one that is in the file.
  ahead.stages.is_ours = [&signers](const std::string& identity,
                                    const CertificateInfo& leaf) -> Result<bool> {
    return std::any_of(signers.begin(), signers.end(), [&](const SignerChoice& choice) {
      const std::string provider(choice.provider->name());
      const std::string settings = settings_text(choice);
      return identity == engine::signer_identity(provider, settings, &leaf) ||
             identity == engine::signer_identity(provider, settings, nullptr);
    });
  };
  return ahead;
}

Result<engine::Crew> make_crew(const std::vector<SignerChoice>& signers,
                               const std::optional<timestamp::Options>& timestamp,
                               const config::Config& config,
                               int jobs,
                               const SessionUse& session,
                               Context& context) {
  engine::Crew crew;
  if (timestamp) {
    SIGNCTL_TRY(crew.timestamper,
                timestamp::make_timestamper(*timestamp, context.world()),
                "setting up the timestamp client");
  }
  const session::Address address =
      session_address(signers.front(), config, timestamp, session.trust, context);
  const bool has_session = session.allowed && session::is_there(address);
  if (has_session && crew.timestamper) {
    crew.timestamper = session::through(address, std::move(crew.timestamper));
  }
  const RetryRules rules = retry_rules(config);
  const auto deadline = context.clock().steady_now() + rules.deadline;
  for (const SignerChoice& choice : signers) {
    engine::SignerOptions options = signer_options(choice, config, jobs, context);
    if (has_session && &choice == signers.data()) {
      options.open = session::through(address, std::move(options.open));
    }
    crew.signers.push_back(
        std::make_unique<engine::Signer>(std::move(options), context.clock(), rules, deadline));
  }
  auto opened = crew.signers.front()->open();
  if (!opened && (crew.signers.size() == 1 || !is_transient(opened.error().kind))) {
    return std::move(opened).error();
  }
  if (!opened) {
    log_warning("FALLBACK: signer \"" + crew.signers.front()->name() + "\" could not be had (" +
                opened.error().message + "); \"" + crew.signers[1]->name() +
                "\" signs in its place");
    crew.signers.front()->pace().break_off();
  }
  return crew;
}

}  // namespace signctl::cli
