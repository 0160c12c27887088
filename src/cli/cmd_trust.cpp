// SPDX-License-Identifier: Apache-2.0
#include "cli/command.hpp"
#include "cli/render_json.hpp"
#include "cli/settings.hpp"
#include "core/text.hpp"
#include "trust/stores.hpp"

#include <nlohmann/json.hpp>

namespace signctl::cli {

namespace {

struct Options {
  ConfigFlags config;
  TrustFlags trust;
};

void declare_options(Flags& flags, Options& options) {
  declare(flags, options.config);
  declare(flags, options.trust);
}

Result<int> run(const Options& options, Context& context) {
  SIGNCTL_TRY(const auto config, load_config(options.config), "");
  SIGNCTL_TRY(const auto gate, make_gate(config, options.trust, context), "");
  if (context.json()) {
    Json json = document("trust-list");
    json["store"] = gate.store->describe();
    json["trust_signer"] = gate.trust_signer;
    print_json(context, json);
    return 0;
  }
  context.line(printable(gate.store->describe()));
  if (gate.trust_signer) {
    context.line("the signer's own self-signed certificate");
  }
  return 0;
}

}  // namespace

const Command& trust_list_command() {
  static constexpr Command kCommand{
      "trust list",
      "Look",
      "",
      "Say where trust comes from on this machine",
      "Says which stores of certificates the gate would use: those of the config's gate.trust (the "
      "system's, unless it says otherwise), and what --trust-cert adds.",
      "  signctl trust list --trust-cert ca.pem\n",
      set_up<Options, declare_options, run>};
  return kCommand;
}

}  // namespace signctl::cli
