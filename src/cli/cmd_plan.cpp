// SPDX-License-Identifier: Apache-2.0
#include "cli/command.hpp"
#include "cli/files.hpp"
#include "cli/plan_inside.hpp"
#include "cli/render.hpp"
#include "cli/render_json.hpp"
#include "cli/settings.hpp"
#include "cli/sign_run.hpp"
#include "core/log.hpp"
#include "core/text.hpp"

#include <nlohmann/json.hpp>

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

/// What the plan says beyond the list of files.
struct Plan {
  FileSet files;
  std::vector<std::string> outputs;
  std::string signer;
  std::string provider;
  ProviderTraits traits;
  engine::SignOptions options;
  std::vector<std::string> servers;
  std::vector<InsideWarning> warnings;
  std::size_t signatures{};  ///< At most.
};

Result<void> check_unused(const config::Config& config, const Options& options, Context& context) {
  SIGNCTL_TRY(const auto gate, make_gate(config, options.trust, context), "");
  SIGNCTL_TRY(const auto run, run_options(config, options.run, nullptr), "");
  return ok();
}

Result<Plan> make_plan(const Options& options, Context& context) {
  SIGNCTL_TRY(const auto config, load_config(options.config), "");
  Plan plan;
  SIGNCTL_TRY(plan.options,
              sign_options(config, options.signature, options.existing, options.timestamp),
              "");
  SIGNCTL_TRY(const auto choice, choose_signer(config, options.signer), "");
  SIGNCTL_TRY(
      const auto timestamp, timestamp_options(config, options.timestamp, choice.provider), "");
  if (timestamp) {
    plan.servers = timestamp->servers;
  }
  plan.signer = choice.signer.name;
  plan.provider = std::string(choice.provider->name());
  plan.traits = choice.provider->traits();
  SIGNCTL_TRY(plan.files, plan_files(config, options.files), "");
  SIGNCTL_TRY(plan.outputs, outputs_of(plan.files, options.target), "");
  plan.warnings =
      options.deep.deep ? std::vector<InsideWarning>{} : warn_of_unsigned_inside(plan.files.plan);
  plan.signatures =
      plan.outputs.size() + (options.deep.deep ? count_unsigned_inside(plan.files.plan) : 0);
  SIGNCTL_CHECK(check_limit(plan.signatures, options.run.max_signatures), "");
  // Not used, but what is wrong with them is said here as it would be said when signing.
  SIGNCTL_CHECK(check_unused(config, options, context), "");
  return plan;
}

bool is_beyond_quota(const Plan& plan) {
  return plan.traits.signatures_a_year > 0 &&
         plan.signatures > static_cast<std::size_t>(plan.traits.signatures_a_year);
}

/// The first few of each package: there may be thousands.
void print_warnings(const Plan& plan, Context& context) {
  constexpr std::size_t kMostOfOne = 5;
  std::string path;
  std::size_t of_this = 0;
  std::size_t more = 0;
  const auto say_more = [&] {
    if (more > 0) {
      log_warning(path + " holds " + std::to_string(more) + " more such files");
    }
  };
  for (const InsideWarning& warning : plan.warnings) {
    if (warning.path != path) {
      say_more();
      path = warning.path;
      of_this = more = 0;
    }
    if (++of_this <= kMostOfOne || context.verbose()) {
      log_warning(warning.message);
    } else {
      ++more;
    }
  }
  say_more();
}

void print_plan(const Plan& plan, Context& context) {
  std::vector<std::vector<std::string>> rows{{"FILE", "STEP", "WHY", "WRITTEN TO"}};
  for (std::size_t i = 0; i < plan.outputs.size(); ++i) {
    const auto& file = plan.files.plan.files[i];
    rows.push_back({printable(file.path),
                    file.step.empty() ? "-" : printable(file.step),
                    printable(file.because),
                    plan.outputs[i] == file.path ? "in place" : printable(plan.outputs[i])});
  }
  if (!context.quiet()) {
    context.write(table(rows));
  }
  if (context.verbose()) {
    for (const auto& file : plan.files.plan.excluded) {
      context.line("excluded " + printable(file.path) + " (" + printable(file.because) + ")");
    }
  }
  context.line("");
  context.line("signer     " + printable(plan.signer) + " (" + plan.provider + ")");
  context.line("digest     " + std::string(digest_name(plan.options.digest)));
  context.line("timestamp  " + (plan.servers.empty() ? "none" : join(plan.servers, ", ")));
  if (plan.traits.signatures_a_year > 0) {
    context.line("quota      " + quota_text(plan.traits.signatures_a_year) +
                 (is_beyond_quota(plan) ? ", which is less than this plan needs" : ""));
  }
  const std::size_t count = plan.outputs.size();
  const std::string plural = plan.signatures == 1 ? "" : "s";
  context.line(std::to_string(count) + " file" + (count == 1 ? "" : "s") + ", at most " +
               std::to_string(plan.signatures) +
               (plan.traits.billable ? " billable signature" + plural
                                     : " signature" + plural + ", none of them billable") +
               "; nothing was touched");
}

Json json_of(const Plan& plan) {
  Json json = document("plan");
  json["signer"] = plan.signer;
  json["provider"] = plan.provider;
  json["digest_algorithm"] = digest_name(plan.options.digest);
  json["timestamp_servers"] = plan.servers;
  json["billable_signatures"] = plan.traits.billable ? plan.signatures : 0;
  json["signatures_a_year"] = quota_json(plan.traits.signatures_a_year);
  json["files"] = Json::array();
  for (std::size_t i = 0; i < plan.outputs.size(); ++i) {
    const auto& file = plan.files.plan.files[i];
    json["files"].push_back({{"path", file.path},
                             {"step", file.step},
                             {"because", file.because},
                             {"output", plan.outputs[i]}});
  }
  json["warnings"] = Json::array();
  for (const InsideWarning& warning : plan.warnings) {
    json["warnings"].push_back(
        {{"path", warning.path}, {"inside", warning.inside}, {"message", warning.message}});
  }
  json["excluded"] = Json::array();
  for (const auto& file : plan.files.plan.excluded) {
    json["excluded"].push_back({{"path", file.path}, {"because", file.because}});
  }
  return json;
}

Result<int> run(const Options& options, Context& context) {
  SIGNCTL_TRY(const Plan plan, make_plan(options, context), "");
  print_warnings(plan, context);
  if (context.json()) {
    print_json(context, json_of(plan));
  } else {
    print_plan(plan, context);
  }
  return 0;
}

}  // namespace

const Command& plan_command() {
  static constexpr Command kCommand{
      "plan",
      "Look",
      "FILE...",
      "Show what would be signed, and touch nothing",
      "Shows which files would be signed, in which order, why, by whom and how, with the flags of "
      "signctl sign. Needs no credentials, and changes nothing. -v also lists what is left out.",
      "  signctl plan\n"
      "  signctl plan --max-signatures 20 'dist/**/*.exe'\n",
      set_up<Options, declare_options, run>};
  return kCommand;
}

}  // namespace signctl::cli
