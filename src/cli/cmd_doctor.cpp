// SPDX-License-Identifier: Apache-2.0
#include "cli/command.hpp"
#include "cli/diagnosis.hpp"
#include "cli/render_json.hpp"
#include "cli/settings.hpp"
#include "cli/signer_check.hpp"
#include "core/text.hpp"
#include "engine/timestamp_trust.hpp"
#include "trust/stores.hpp"

#include <signctl/exit_code.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace signctl::cli {

namespace {

struct Options {
  ConfigFlags config;
  SignerFlags signer;
  std::string digest;
  TimestampFlags timestamp;
  TrustFlags trust;
  bool offline{false};
  bool sign_test{false};
};

void declare_options(Flags& flags, Options& options) {
  declare(flags, options.config);
  declare(flags, options.signer);
  flags.group("Signature");
  declare_digest(flags, options.digest);
  declare(flags, options.timestamp, TimestampNeed::may_be_left_out);
  declare(flags, options.trust);
  flags.group("Run");
  flags.flag("--offline", options.offline, "Do not contact timestamp servers");
  flags.flag("--sign-test",
             options.sign_test,
             "Also make one signature with each signer, which may cost money");
}

/// The names of all signers, those first that are signed with by default.
std::vector<std::string> in_order_of_use(const config::Config& config) {
  std::vector<std::string> names = config.sign.signer;
  for (const auto& [name, signer] : config.signers) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      names.push_back(name);
    }
  }
  return names;
}

/// @param gate  As for ask_server().
void check_signers(Diagnosis& diagnosis,
                   const config::Config& config,
                   const Options& options,
                   const engine::Gate* gate,
                   Context& context) {
  SignerUse use{config,
                find_digest_alg(options.digest).value_or(config.sign.digest),
                options.sign_test,
                true,
                gate};
  if (!options.signer.provider.empty() || !options.signer.name.empty() || config.signers.empty()) {
    const auto choice = choose_signer(config, options.signer);
    if (!choice) {
      diagnosis.add("signer", choice.error());
      return;
    }
    static_cast<void>(check_signer(diagnosis, *choice, use, context));
    return;
  }
  const auto& usual = config.sign.signer;
  std::vector<std::unique_ptr<SigningSession>> sessions;
  for (const std::string& name : in_order_of_use(config)) {
    SignerFlags flags;
    flags.name = name;
    const auto choice = choose_signer(config, flags);
    if (!choice) {
      diagnosis.add("signer " + name, choice.error());
      continue;
    }
    use.by_default = usual.empty() || std::find(usual.begin(), usual.end(), name) != usual.end();
    sessions.push_back(check_signer(diagnosis, *choice, use, context));
  }
}

/// Asks one server for one timestamp, which costs nothing. Its token was checked against our clock,
/// so a good answer also says that the clock is right.
///
/// @param gate  Whose anchors its chain has to reach; null when there are none to go by.
Result<std::string> ask_server(const std::string& server,
                               const engine::Gate* gate,
                               Context& context) {
  timestamp::Options options;
  options.servers = {server};
  options.retry.attempts = 1;
  options.timeout = std::chrono::seconds(10);
  // The local authority is for rehearsals, with gates of their own.
  if (gate != nullptr && !server.starts_with("dev:")) {
    options.check_chain = engine::timestamp_trust(*gate, context.clock());
  }
  SIGNCTL_TRY(const auto timestamper, timestamp::make_timestamper(options, context.world()), "");
  const auto begin = context.clock().steady_now();
  SIGNCTL_CHECK(timestamper->stamp({Bytes(64, 0), DigestAlg::sha256, ""}), "");
  const auto elapsed =
      std::chrono::duration_cast<std::chrono::milliseconds>(context.clock().steady_now() - begin);
  return "answered in " + std::to_string(elapsed.count()) +
         " ms; its time and this machine's clock agree";
}

/// Signing goes to the next server when one fails, so a failure is one only where none answers.
void check_servers(Diagnosis& diagnosis,
                   const std::vector<std::string>& servers,
                   const engine::Gate* gate,
                   Context& context) {
  std::vector<Result<std::string>> answers;
  for (const std::string& server : servers) {
    answers.push_back(ask_server(server, gate, context));
  }
  const bool is_served = std::any_of(
      answers.begin(), answers.end(), [](const auto& answer) { return answer.has_value(); });
  for (std::size_t i = 0; i < servers.size(); ++i) {
    const std::string what = "timestamp " + servers[i];
    if (answers[i]) {
      diagnosis.good(what, *answers[i]);
    } else if (is_served) {
      diagnosis.warn(what, answers[i].error().message + "; signing goes on with another server");
    } else {
      diagnosis.add(what, answers[i].error());
    }
  }
}

void check_timestamps(Diagnosis& diagnosis,
                      const config::Config& config,
                      const Options& options,
                      const engine::Gate* gate,
                      Context& context) {
  // What is wrong with the choice of a signer is said of the signer.
  const auto choice = choose_signer(config, options.signer);
  const auto wanted =
      timestamp_options(config, options.timestamp, choice ? choice->provider : nullptr);
  if (!wanted) {
    diagnosis.add("timestamp", wanted.error());
    return;
  }
  if (!*wanted) {
    diagnosis.warn("timestamp", "none is wanted: signatures expire with their certificate");
    return;
  }
  if (!options.offline) {
    check_servers(diagnosis, (*wanted)->servers, gate, context);
    return;
  }
  for (const std::string& server : (*wanted)->servers) {
    diagnosis.warn("timestamp " + server, "not asked: --offline");
  }
}

void print(const Diagnosis& diagnosis, Context& context) {
  if (context.json()) {
    Json json = document("doctor");
    json["exit_code"] = diagnosis.exit_code();
    json["checks"] = Json::array();
    for (const Check& check : diagnosis.checks()) {
      json["checks"].push_back({{"state", state_name(check.state)},
                                {"about", check.about},
                                {"message", check.message},
                                {"hint", check.hint}});
    }
    print_json(context, json);
    return;
  }
  for (const Check& check : diagnosis.checks()) {
    context.line(paint_state(check.state, context) + "  " + printable(check.about) + ": " +
                 printable(check.message));
    if (!check.hint.empty()) {
      context.line("      hint: " + printable(check.hint));
    }
  }
}

Result<int> run(const Options& options, Context& context) {
  Diagnosis diagnosis;
  diagnosis.good("signctl", SIGNCTL_VERSION);
  const auto config = load_config(options.config);
  if (!config) {
    // Nothing else can be judged without knowing what is wanted.
    diagnosis.add("config", config.error());
    print(diagnosis, context);
    return diagnosis.exit_code();
  }
  if (config->file.empty()) {
    diagnosis.warn("config", "none found; signctl init writes one");
  } else {
    diagnosis.good("config", config->file);
  }
  // In the order in which signing would come across what is wrong.
  const auto gate = make_gate(*config, options.trust, context);
  if (gate) {
    const std::string own = gate->trust_signer ? "the signer's own certificate; " : "";
    diagnosis.good("trust", own + gate->store->describe());
  } else {
    diagnosis.add("trust", gate.error());
  }
  check_signers(diagnosis, *config, options, gate ? &*gate : nullptr, context);
  check_timestamps(diagnosis, *config, options, gate ? &*gate : nullptr, context);
  print(diagnosis, context);
  return diagnosis.exit_code();
}

}  // namespace

const Command& doctor_command() {
  static constexpr Command kCommand{
      "doctor",
      "Set up",
      "",
      "Check config, signer, timestamp servers, clock and trust",
      "Checks everything that signing needs without spending a signature: the config, each "
      "signer's credentials and certificate, whether its key signs the digest that is wanted, "
      "whether the gate will trust its chain, one timestamp from each server (they are free), the "
      "clock, and where trust comes from. Where a secret has a list of references, it says which "
      "is used and which may be revoked. The exit code is that which signing would end with: of "
      "the first failure that does not pass by itself, or 9 when all may.",
      "  signctl doctor\n"
      "  signctl doctor --offline\n"
      "  signctl doctor --signer release --sign-test\n",
      set_up<Options, declare_options, run>};
  return kCommand;
}

}  // namespace signctl::cli
