// SPDX-License-Identifier: Apache-2.0
#include "cli/command.hpp"
#include "cli/files.hpp"
#include "cli/foresight.hpp"
#include "cli/plan_inside.hpp"
#include "cli/render.hpp"
#include "cli/render_json.hpp"
#include "cli/settings.hpp"
#include "cli/shard.hpp"
#include "cli/sign_run.hpp"
#include "core/log.hpp"
#include "core/text.hpp"

#include <signctl/exit_code.hpp>

#include <algorithm>
#include <optional>
#include <utility>

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
  ShardFlags shard;
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
  declare(flags, options.shard);
}

/// What the plan says beyond the list of files.
struct Plan {
  FileSet files;
  std::vector<engine::FileTask> tasks;
  std::vector<Fate> fates;  ///< One for each task.
  std::optional<Share> share;
  std::vector<SignerChoice> signers;
  std::vector<std::optional<int>> left;  ///< By `limits.quota`, of each signer.
  engine::SignOptions options;
  std::vector<std::string> servers;
  std::vector<InsideWarning> warnings;
  std::size_t inside{};  ///< Signatures that --deep makes inside the files, at most.

  [[nodiscard]] std::size_t count(Fate::Kind kind) const {
    return static_cast<std::size_t>(std::count_if(
        fates.begin(), fates.end(), [&](const Fate& fate) { return fate.kind == kind; }));
  }
  [[nodiscard]] std::size_t signatures() const { return count(Fate::Kind::sign) + inside; }
  [[nodiscard]] std::size_t already_paid() const {
    return count(Fate::Kind::embed) + count(Fate::Kind::fetch);
  }
  [[nodiscard]] ProviderTraits traits() const { return signers.front().provider->traits(); }
  [[nodiscard]] bool needs_more_than(std::optional<int> quota) const {
    return quota && signatures() > static_cast<std::size_t>(*quota);
  }
  [[nodiscard]] std::optional<int> a_year() const {
    const int quota = traits().signatures_a_year;
    return quota > 0 ? std::optional(quota) : std::nullopt;
  }
  /// How `sign` would end, as far as that is foreseen: before anything for a quota, else with the
  /// first file that fails.
  [[nodiscard]] int would_exit() const {
    if (needs_more_than(a_year()) || needs_more_than(left.front())) {
      return exit_code(ErrorKind::provider);
    }
    const auto failing = std::find_if(
        fates.begin(), fates.end(), [](const Fate& fate) { return fate.failure.has_value(); });
    return failing == fates.end() ? 0 : exit_code(*failing->failure);
  }
};

std::string_view word_for(Fate::Kind kind) {
  switch (kind) {
    case Fate::Kind::sign:
      return "sign";
    case Fate::Kind::copy:
    case Fate::Kind::embed:
    case Fate::Kind::fetch:
      return "sign at no cost";
    case Fate::Kind::skip:
      return "skip";
    case Fate::Kind::fail:
      return "FAIL";
  }
  return "";
}

Result<Plan> make_plan(const Options& options, Context& context) {
  SIGNCTL_CHECK(check(options.shard), "");
  SIGNCTL_TRY(const auto config, load_config(options.config), "");
  Plan plan;
  SIGNCTL_TRY(plan.options,
              sign_options(config, options.signature, options.existing, options.timestamp),
              "");
  SIGNCTL_TRY(plan.signers, choose_signers(config, options.signer), "");
  for (const SignerChoice& choice : plan.signers) {
    plan.left.push_back(quota_left(choice, config));
  }
  SIGNCTL_TRY(const auto timestamp,
              timestamp_options(config, options.timestamp, plan.signers.front().provider),
              "");
  if (timestamp) {
    plan.servers = timestamp->servers;
  }
  SIGNCTL_TRY(auto gate, make_gate(config, options.trust, context), "");
  if (!timestamp) {
    gate.rules.timestamp = TimestampRule::optional;
  }
  SIGNCTL_TRY(plan.files, plan_files(config, options.files), "");
  SIGNCTL_TRY(plan.tasks, make_tasks(plan.files, options.target, plan.options), "");
  SIGNCTL_TRY(plan.share, take_share(options.shard, config, plan.files, plan.tasks), "");
  plan.warnings =
      options.deep.deep ? std::vector<InsideWarning>{} : warn_of_unsigned_inside(plan.files.plan);
  plan.inside = options.deep.deep ? count_unsigned_inside(plan.files.plan) : 0;
  // The quota is shown below, not enforced: a plan shall show what is too much.
  SIGNCTL_TRY(const auto ahead, look_ahead(config, options.run, plan.signers, gate, context), "");
  const MissingFolder folder = missing_folder(options.target);
  SIGNCTL_CHECK(
      check_limits({plan.tasks, plan.inside, ahead.stages, folder}, config, options.run, nullptr),
      "");
  SIGNCTL_TRY(const auto run, run_options(config, options.run), "");
  plan.fates = foresee(plan.tasks, ahead.stages, folder);
  return plan;
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

void print_files(const Plan& plan, Context& context) {
  std::vector<std::vector<std::string>> rows{{"FILE", "STEP", "WILL", "WHY", "WRITTEN TO"}};
  for (std::size_t i = 0; i < plan.tasks.size(); ++i) {
    const auto& file = plan.files.plan.files[i];
    const Fate& fate = plan.fates[i];
    std::string why = file.because;
    why += file.real.empty() ? "" : "; is " + file.real;
    why += fate.why.empty() ? "" : "; " + fate.why;
    rows.push_back(
        {printable(file.path),
         file.step.empty() ? "-" : printable(file.step),
         std::string(word_for(fate.kind)),
         printable(why),
         plan.tasks[i].output == file.path ? "in place" : printable(plan.tasks[i].output)});
  }
  if (!context.quiet()) {
    context.write(table(rows));
  }
  if (context.verbose()) {
    for (const auto& file : plan.files.plan.excluded) {
      context.line("excluded " + printable(file.path) + " (" + printable(file.because) + ")");
    }
  }
}

std::string counted(std::size_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

constexpr const char* kTooLittle = ", which is less than this plan needs";

/// Of signatures that are paid for, and that no limit counts again.
std::string paid_text(const Plan& plan) {
  const std::size_t fetched = plan.count(Fate::Kind::fetch);
  return (plan.already_paid() > 0 ? ", " + std::to_string(plan.already_paid()) + " already paid"
                                  : "") +
         (fetched > 0 ? ", " + std::to_string(fetched) + " of them to be fetched" : "");
}

/// What is left of a signer's quota, where that is known. A fallback need not sign all.
std::string left_text(const Plan& plan, std::size_t signer) {
  const auto left = plan.left[signer];
  if (!left) {
    return "";
  }
  const bool too_little = signer == 0 && plan.needs_more_than(left);
  return ", " + counted(static_cast<std::size_t>(*left), "signature") + " left" +
         (too_little ? kTooLittle : "");
}

void print_plan(const Plan& plan, Context& context) {
  print_files(plan, context);
  context.line("");
  for (std::size_t i = 0; i < plan.signers.size(); ++i) {
    context.line((i == 0 ? "signer     " : "fallback   ") + printable(plan.signers[i].signer.name) +
                 " (" + std::string(plan.signers[i].provider->name()) + ")" + left_text(plan, i));
  }
  if (plan.share) {
    context.line("shard      " + std::to_string(plan.share->shard.index) + " of " +
                 std::to_string(plan.share->shard.count) + ", " +
                 counted(plan.share->outputs.size(), "file") + " in all of them");
  }
  context.line("digest     " + std::string(digest_name(plan.options.digest)));
  context.line("timestamp  " + (plan.servers.empty() ? "none" : join(plan.servers, ", ")));
  if (const auto quota = plan.a_year()) {
    context.line("quota      " + quota_text(*quota) +
                 (plan.needs_more_than(quota) ? kTooLittle : ""));
  }
  if (const std::size_t failing = plan.count(Fate::Kind::fail); failing > 0) {
    context.line("would fail " + counted(failing, "file"));
  }
  if (const int code = plan.would_exit(); code != 0) {
    context.line("sign would end with exit code " + std::to_string(code));
  }
  const std::size_t count = plan.signatures();
  context.line(counted(plan.tasks.size(), "file") + ", at most " +
               (plan.traits().billable ? counted(count, "billable signature")
                                       : counted(count, "signature") + ", none of them billable") +
               paid_text(plan) + "; nothing was touched");
}

Json json_of(const Plan& plan) {
  Json json = document("plan");
  json["signer"] = plan.signers.front().signer.name;
  json["provider"] = plan.signers.front().provider->name();
  json["signers"] = Json::array();
  for (const SignerChoice& choice : plan.signers) {
    const bool first = &choice == plan.signers.data();
    const bool billable = choice.provider->traits().billable;
    const auto left = plan.left[static_cast<std::size_t>(&choice - plan.signers.data())];
    json["signers"].push_back(
        {{"name", choice.signer.name},
         {"provider", choice.provider->name()},
         {"role", first ? "first" : "fallback"},
         {"billable", billable},
         {"signatures", first ? plan.signatures() : 0},
         {"billable_signatures", first && billable ? plan.signatures() : 0},
         {"signatures_a_year", quota_json(choice.provider->traits().signatures_a_year)},
         {"signatures_left", left ? Json(*left) : Json(nullptr)}});
  }
  if (plan.share) {
    json["shard"] = {{"index", plan.share->shard.index},
                     {"count", plan.share->shard.count},
                     {"planned", plan.share->outputs.size()},
                     {"plan_sha256", plan.share->plan_sha256}};
  }
  json["digest_algorithm"] = digest_name(plan.options.digest);
  json["timestamp_servers"] = plan.servers;
  json["billable_signatures"] = plan.traits().billable ? plan.signatures() : 0;
  json["already_paid"] = plan.already_paid();
  json["to_be_fetched"] = plan.count(Fate::Kind::fetch);
  json["signatures_a_year"] = quota_json(plan.traits().signatures_a_year);
  json["would_sign"] =
      plan.count(Fate::Kind::sign) + plan.count(Fate::Kind::copy) + plan.already_paid();
  json["would_skip"] = plan.count(Fate::Kind::skip);
  json["would_fail"] = plan.count(Fate::Kind::fail);
  json["would_exit"] = plan.would_exit();
  json["files"] = Json::array();
  for (std::size_t i = 0; i < plan.tasks.size(); ++i) {
    const auto& file = plan.files.plan.files[i];
    const Fate& fate = plan.fates[i];
    json["files"].push_back({{"path", file.path},
                             {"step", file.step},
                             {"because", file.because},
                             {"real_path", file.real.empty() ? file.path : file.real},
                             {"output", plan.tasks[i].output},
                             {"will", word_for(fate.kind)},
                             {"why", fate.why},
                             {"kind", fate.failure ? kind_name(*fate.failure) : ""}});
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
