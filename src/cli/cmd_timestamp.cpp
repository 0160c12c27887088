// SPDX-License-Identifier: Apache-2.0
#include "cli/batch.hpp"
#include "cli/command.hpp"
#include "cli/files.hpp"
#include "cli/files_read.hpp"
#include "cli/settings.hpp"
#include "cli/sign_run.hpp"
#include "core/assert.hpp"
#include "engine/timestamp_trust.hpp"

namespace signctl::cli {

namespace {

constexpr BatchWords kWords{"timestamp", "timestamped"};

struct Options {
  FileFlags files;
  TargetFlags target;
  ConfigFlags config;
  TimestampFlags timestamp;
  TrustFlags trust;
  bool keep_going{false};
};

void declare_options(Flags& flags, Options& options) {
  declare(flags, options.files);
  declare(flags, options.target);
  declare(flags, options.config);
  declare(flags, options.timestamp, TimestampNeed::always);
  declare(flags, options.trust);
  flags.group("Run");
  flags.flag("--keep-going", options.keep_going, "Go on with other files after a failure");
}

Result<int> run(const Options& options, Context& context) {
  SIGNCTL_TRY(const auto config, load_config(options.config), "");
  if (options.timestamp.servers.empty() && config.sign.timestamp_servers.empty()) {
    return Error{config.file.empty() ? ErrorKind::usage : ErrorKind::config,
                 "no timestamp server is named",
                 "use --timestamp-url http://timestamp.digicert.com (or your CA's)"};
  }
  SIGNCTL_TRY(auto wanted, timestamp_options(config, options.timestamp, nullptr), "");
  SIGNCTL_ASSERT(wanted.has_value());
  engine::SignOptions sign;
  sign.timestamp_digest =
      find_digest_alg(options.timestamp.digest).value_or(config.sign.timestamp_digest);
  SIGNCTL_TRY(auto gate, make_gate(config, options.trust, context), "");
  wanted->check_chain = engine::timestamp_trust(gate, context.clock());
  gate.rules.timestamp = TimestampRule::required;
  SIGNCTL_TRY(const auto files, plan_files(config, options.files), "");
  SIGNCTL_TRY(const auto tasks, make_tasks(files, options.target, sign), "");
  FilesRead read;
  read.add(options.config);
  read.add(options.timestamp);
  read.add(options.trust);
  read.add(config);
  SIGNCTL_CHECK(read.check_outputs(tasks), "");
  SIGNCTL_TRY(const auto timestamper,
              timestamp::make_timestamper(*wanted, context.world()),
              "setting up the timestamp client");
  SIGNCTL_CHECK(make_folders(options.target, tasks), "");
  Batch batch;
  for (const auto& task : tasks) {
    batch.paths.push_back(task.input);
  }
  engine::Stages stages{nullptr, timestamper.get(), &gate, &context.clock()};
  batch.after_failure = options.keep_going ? AfterFailure::go_on : AfterFailure::stop;
  batch.work = [&](std::size_t i) { return engine::timestamp_file(tasks[i], stages); };
  batch.on_file = [&](const engine::FileResult& result) {
    const bool done = result.outcome && result.outcome->state == engine::FileState::done;
    print_file(context, kWords, result, done ? result.outcome->timestamp_source : "");
  };
  return finish_batch(context, kWords, run_batch(batch));
}

}  // namespace

const Command& timestamp_command() {
  static constexpr Command kCommand{
      "timestamp",
      "Sign",
      "FILE...",
      "Add or replace the timestamp of signed files",
      "Gives every signature of a file, nested ones included, a fresh RFC 3161 timestamp, and has "
      "the "
      "gate verify the result before it takes the file's place. Needs no signer.",
      "  signctl timestamp --timestamp-url http://timestamp.digicert.com setup.exe\n",
      set_up<Options, declare_options, run>};
  return kCommand;
}

}  // namespace signctl::cli
