// SPDX-License-Identifier: Apache-2.0
#include "cli/batch.hpp"
#include "cli/command.hpp"
#include "cli/files.hpp"
#include "cli/sign_run.hpp"

namespace signctl::cli {

namespace {

constexpr BatchWords kWords{"remove", "removed"};

struct Options {
  std::vector<std::string> files;
  TargetFlags target;
  bool keep_going{false};
};

void declare_options(Flags& flags, Options& options) {
  flags.group("Files");
  flags.operands(options.files);
  declare(flags, options.target);
  flags.group("Run");
  flags.flag("--keep-going", options.keep_going, "Go on with other files after a failure");
}

Result<int> run(const Options& options, Context& context) {
  // Never by a config's steps: what a config says is to be signed.
  if (options.files.empty()) {
    return Error{ErrorKind::usage, "no files are named", "signctl remove FILE..."};
  }
  SIGNCTL_TRY(const auto files, plan_files({}, {options.files, {}}), "");
  SIGNCTL_TRY(const auto tasks, make_tasks(files, options.target, {}), "");
  SIGNCTL_CHECK(make_folders(options.target, tasks), "");
  Batch batch;
  for (const auto& task : tasks) {
    batch.paths.push_back(task.input);
  }
  batch.after_failure = options.keep_going ? AfterFailure::go_on : AfterFailure::stop;
  batch.work = [&](std::size_t i) {
    return engine::remove_signatures(tasks[i].input, tasks[i].output);
  };
  batch.on_file = [&](const engine::FileResult& result) {
    print_file(context, kWords, result, "");
  };
  return finish_batch(context, kWords, run_batch(batch));
}

}  // namespace

const Command& remove_command() {
  static constexpr Command kCommand{
      "remove",
      "Sign",
      "FILE...",
      "Take all signatures off",
      "Takes all signatures off. A PE file is then byte for byte what it was before it was signed, "
      "wherever the format allows. Files that are not signed are skipped.",
      "  signctl remove setup.exe\n"
      "  signctl remove setup.exe -o unsigned.exe\n",
      set_up<Options, declare_options, run>};
  return kCommand;
}

}  // namespace signctl::cli
