// SPDX-License-Identifier: Apache-2.0
#include "cli/batch.hpp"
#include "cli/command.hpp"
#include "cli/files.hpp"
#include "cli/plan_inside.hpp"
#include "cli/sign_run.hpp"
#include "engine/complete_chain.hpp"

namespace signctl::cli {

namespace {

struct Options {
  FileFlags files;
  TargetFlags target;
  ConfigFlags config;
  SignerFlags signer;
  SignatureFlags signature;
  DeepFlags deep;
  ExistingFlags existing;
  TimestampFlags timestamp;
  TrustFlags trust;
  RunFlags run;
};

void declare_options(Flags& flags, Options& options) {
  declare(flags, options.files);
  declare(flags, options.target);
  declare(flags, options.config);
  declare(flags, options.signer);
  declare(flags, options.signature);
  declare(flags, options.deep);
  declare(flags, options.existing);
  declare(flags, options.timestamp, TimestampNeed::may_be_left_out);
  declare(flags, options.trust);
  declare(flags, options.run);
}

Result<int> run(const Options& options, Context& context) {
  SIGNCTL_TRY(const auto config, load_config(options.config), "");
  SignRun sign;
  SIGNCTL_TRY(sign.options,
              sign_options(config, options.signature, options.existing, options.timestamp),
              "");
  SIGNCTL_TRY(const auto choice, choose_signer(config, options.signer), "");
  SIGNCTL_TRY(
      const auto timestamp, timestamp_options(config, options.timestamp, choice.provider), "");
  SIGNCTL_TRY(sign.gate, make_gate(config, options.trust, context), "");
  if (!timestamp) {
    sign.gate.rules.timestamp = TimestampRule::optional;
  }
  if (options.deep.deep) {
    sign.options.deep = true;
    sign.gate.rules.nested = NestedRule::require_signed;
  }
  SIGNCTL_TRY(const auto files, plan_files(config, options.files), "");
  SIGNCTL_TRY(sign.tasks, make_tasks(files, options.target, sign.options), "");
  const std::size_t inside =
      options.deep.deep && options.run.max_signatures ? count_unsigned_inside(files.plan) : 0;
  SIGNCTL_CHECK(check_limit(sign.tasks.size() + inside, options.run.max_signatures), "");
  SIGNCTL_TRY(sign.run, run_options(config, options.run, &choice), "");
  SIGNCTL_TRY(sign.factory, make_stages(choice, timestamp, context), "");
  if (config.sign.complete_chain) {
    sign.factory.session =
        engine::complete_chains(std::move(sign.factory.session), context.world());
  }
  SIGNCTL_CHECK(make_folders(options.target, sign.tasks), "");
  return sign_files(sign, {"sign", "signed"}, context);
}

}  // namespace

const Command& sign_command() {
  static constexpr Command kCommand{
      "sign",
      "Sign",
      "FILE...",
      "Sign files; without files, what the config's steps say",
      "Signs files, folders (every file in them that is of a known type), globs and lists. Each "
      "file "
      "is signed on a copy, which the gate verifies before it takes the file's place: a file is "
      "either untouched, or signed and verified.\nWithout files the steps of the config are done "
      "in "
      "order. Flags win over the config.",
      "  signctl sign setup.exe\n"
      "  signctl sign --step binaries -j 8\n"
      "  signctl sign 'publish/**/*.exe' '!**/vc_redist*' --output-dir signed\n"
      "  signctl sign --provider pfx -p file=cert.pfx -p password=env:PFX_PASSWORD \\\n"
      "      --timestamp-url http://timestamp.digicert.com setup.exe\n",
      set_up<Options, declare_options, run>};
  return kCommand;
}

}  // namespace signctl::cli
