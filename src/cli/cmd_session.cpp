// SPDX-License-Identifier: Apache-2.0
// A login that lives on between runs, for packagers that call a signer once per file.
#include "cli/command.hpp"
#include "cli/errors.hpp"
#include "cli/render_json.hpp"
#include "cli/session_address.hpp"
#include "cli/settings.hpp"
#include "core/path.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "engine/timestamp_trust.hpp"
#include "session/host.hpp"

#include <signctl/exit_code.hpp>

#include <algorithm>
#include <filesystem>
#include <thread>
#include <utility>

#include <nlohmann/json.hpp>

namespace signctl::cli {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds kIdle{600'000};

struct Options {
  ConfigFlags config;
  SignerFlags signer;
  TimestampFlags timestamp;
  TrustFlags trust;
  std::string idle;
  std::optional<int> most_signatures;
};

void declare_common(Flags& flags, Options& options) {
  declare(flags, options.config);
  declare(flags, options.signer);
}

void declare_start(Flags& flags, Options& options) {
  declare_common(flags, options);
  declare(flags, options.timestamp, TimestampNeed::may_be_left_out);
  declare(flags, options.trust);
  flags.group("Session");
  flags.value("--idle", options.idle, "TIME", "End when nobody asked for so long; 10m unless said");
  flags.number("--max-signatures",
               options.most_signatures,
               "N",
               "Make no more signatures than this, over all that use the session");
}

/// What a command of this group works on.
struct Subject {
  config::Config config;
  SignerChoice signer;
  std::optional<timestamp::Options> timestamp;
  session::Address address;
};

Result<Subject> find_subject(const Options& options, Context& context) {
  Subject subject;
  SIGNCTL_TRY(subject.config, load_config(options.config), "");
  SIGNCTL_TRY(auto signers, choose_signers(subject.config, options.signer), "");
  subject.signer = std::move(signers.front());
  subject.address =
      session_address(subject.signer, subject.config, std::nullopt, options.trust, context);
  return subject;
}

Result<milliseconds> idle_time(const Options& options) {
  if (options.idle.empty()) {
    return kIdle;
  }
  const auto idle = parse_duration(options.idle);
  if (!idle || *idle < milliseconds(1000) || *idle > std::chrono::hours(24)) {
    return Error{ErrorKind::usage,
                 "--idle wants a time from 1s to 24h, not \"" + printable(options.idle) + "\"",
                 "for example --idle 30m"};
  }
  return *idle;
}

/// Everything that can go wrong with a session goes wrong here, before anybody relies on it.
Result<std::unique_ptr<session::Host>> make_host(const Options& options,
                                                 Subject& subject,
                                                 milliseconds idle,
                                                 Context& context) {
  std::shared_ptr<Timestamper> timestamper;
  if (subject.timestamp) {
    SIGNCTL_TRY(const auto gate, make_gate(subject.config, options.trust, context), "");
    subject.timestamp->check_chain = engine::timestamp_trust(gate, context.clock());
    // Its deadline counts from the beginning of a run, and a session has no end.
    subject.timestamp->retry.deadline = std::chrono::hours(24 * 365);
    SIGNCTL_TRY(timestamper,
                timestamp::make_timestamper(*subject.timestamp, context.world()),
                "setting up the timestamp client");
  }
  SIGNCTL_TRY(auto first,
              session_maker(subject.signer, subject.config, context)(),
              "opening signer \"" + subject.signer.signer.name + "\"");
  session::HostOptions host;
  host.signer = subject.signer.signer.name;
  host.provider = std::string(subject.signer.provider->name());
  host.version = subject.address.version;
  host.settings = subject.address.settings;
  int ceiling = subject.config.sign.jobs;
  for (const int most : {subject.signer.provider->traits().max_parallel,
                         config::max_parallel(subject.signer.signer)}) {
    ceiling = most > 0 ? std::min(ceiling, most) : ceiling;
  }
  host.ceiling = static_cast<std::size_t>(std::max(ceiling, 1));
  host.most_signatures = static_cast<std::size_t>(options.most_signatures.value_or(0));
  host.idle = idle;
  auto made =
      std::make_unique<session::Host>(std::move(host), std::move(first), std::move(timestamper));
  SIGNCTL_CHECK(made->prepare(), "");
  return made;
}

/// The life of the background process.
Result<int> live(const Options& options,
                 Subject& subject,
                 milliseconds idle,
                 session::Beginning& beginning,
                 Context& context) {
  session::Answer first_words;
  const auto fail = [&](Error error) {
    first_words.error = std::move(error);
    beginning.report(session::encode(first_words));
    return exit_code(first_words.error->kind);
  };
  // First the lock: nobody logs in for a session that cannot be.
  auto listener = session::listen(subject.address.path);
  if (!listener) {
    return fail(std::move(listener).error());
  }
  auto host = make_host(options, subject, idle, context);
  if (!host) {
    listener->reset();  // Who hears of the failure shall find no socket.
    return fail(std::move(host).error());
  }
  session::Question status;
  status.asked = session::Asked::status;
  first_words = (*host)->answer(status);
  beginning.report(session::encode(first_words));
  session::serve(**listener, **host);
  return 0;
}

std::string duration_text(std::int64_t seconds) {
  constexpr std::int64_t kMinute = 60;
  return seconds % kMinute == 0 ? std::to_string(seconds / kMinute) + "m"
                                : std::to_string(seconds) + "s";
}

void print_status(const session::Status& status,
                  std::string_view verb,
                  const std::string& sentence,
                  Context& context) {
  if (context.json()) {
    Json json = document(verb);
    json["running"] = true;
    json["signer"] = status.signer;
    json["provider"] = status.provider;
    json["certificate"] = status.subject;
    json["process"] = status.process;
    json["signatures"] = status.signatures;
    json["timestamps"] = status.stamps;
    json["max_signatures"] =
        status.most_signatures > 0 ? Json(status.most_signatures) : Json(nullptr);
    json["idle_seconds_left"] = status.seconds_left;
    print_json(context, json);
  }
  context.line(sentence);
}

Result<int> start(const Options& options, Context& context) {
  SIGNCTL_TRY(const milliseconds idle, idle_time(options), "");
  if (options.most_signatures && *options.most_signatures < 1) {
    return Error{ErrorKind::usage, "--max-signatures wants a number from 1 on"};
  }
  SIGNCTL_TRY(Subject subject, find_subject(options, context), "");
  SIGNCTL_TRY(subject.timestamp,
              timestamp_options(subject.config, options.timestamp, subject.signer.provider),
              "");
  subject.address =
      session_address(subject.signer, subject.config, subject.timestamp, options.trust, context);
  SIGNCTL_CHECK(session::make_session_folder(session_folder(context)), "");
  SIGNCTL_TRY(const auto running, session::say_hello(subject.address), "");
  if (running != nullptr) {
    session::Question question;
    question.asked = session::Asked::status;
    SIGNCTL_TRY(const auto answer, session::ask(*running, question), "");
    print_status(answer.status,
                 "session-start",
                 "a session of signer " + printable(answer.status.signer) +
                     " is running already (process " + std::to_string(answer.status.process) + ")",
                 context);
    return 0;
  }
  SIGNCTL_TRY(auto both, session::start_in_background(), "");
  if (both.first == session::Side::child) {
    return live(options, subject, idle, *both.second, context);
  }
  const Bytes words = both.second->wait();
  if (words.empty()) {
    return Error{ErrorKind::internal, "the session's process died before it could say why"};
  }
  SIGNCTL_TRY(auto answer, session::decode_answer(words), "");
  if (answer.error) {
    return *std::move(answer.error);
  }
  const session::Status& status = answer.status;
  print_status(status,
               "session-start",
               "session of signer " + printable(status.signer) + " (" + status.provider +
                   (status.subject.empty() ? "" : ", " + printable(status.subject)) +
                   ") started, process " + std::to_string(status.process) + "; ends after " +
                   duration_text(std::chrono::duration_cast<std::chrono::seconds>(idle).count()) +
                   " without work",
               context);
  return 0;
}

Error none_running(const Subject& subject) {
  return {ErrorKind::input,
          "no session of signer " + printable(subject.signer.signer.name) + " is running",
          "signctl session start begins one"};
}

/// Asks the session that has the signer's address, whatever it was started with.
Result<std::optional<session::Status>> ask_running(const Subject& subject, session::Asked asked) {
  SIGNCTL_TRY(const auto link, session::connect(subject.address.path), "");
  if (link == nullptr) {
    return std::optional<session::Status>{};
  }
  constexpr milliseconds kWelcome{10'000};
  SIGNCTL_TRY(const Bytes welcome, link->receive(kWelcome), "");
  session::Question question;
  question.asked = asked;
  SIGNCTL_TRY(auto answer, session::ask(*link, question), "");
  return std::optional(std::move(answer.status));
}

Result<int> stop(const Options& options, Context& context) {
  SIGNCTL_TRY(const Subject subject, find_subject(options, context), "");
  SIGNCTL_TRY(const auto status, ask_running(subject, session::Asked::stop), "");
  if (!status) {
    context.line("no session of signer " + printable(subject.signer.signer.name) + " is running");
    return 0;
  }
  // It ends what is under way first.
  std::error_code code;
  while (std::filesystem::exists(to_path(subject.address.path), code)) {
    if (stop_requested()) {
      return Error{ErrorKind::interrupted, "interrupted while the session was ending"};
    }
    std::this_thread::sleep_for(milliseconds(20));
  }
  print_status(*status,
               "session-stop",
               "session of signer " + printable(status->signer) + " has ended; " +
                   std::to_string(status->signatures) + " signatures, " +
                   std::to_string(status->stamps) + " timestamps",
               context);
  return 0;
}

Result<int> show(const Options& options, Context& context) {
  SIGNCTL_TRY(const Subject subject, find_subject(options, context), "");
  SIGNCTL_TRY(const auto status, ask_running(subject, session::Asked::status), "");
  if (!status) {
    return none_running(subject);
  }
  print_status(
      *status,
      "session-status",
      "session of signer " + printable(status->signer) + " (" + status->provider + "), process " +
          std::to_string(status->process) + ": " + std::to_string(status->signatures) +
          " signatures" +
          (status->most_signatures > 0 ? " of at most " + std::to_string(status->most_signatures)
                                       : "") +
          ", " + std::to_string(status->stamps) + " timestamps; ends in " +
          std::to_string(status->seconds_left) + "s if nobody asks",
      context);
  return 0;
}

}  // namespace

const Command& session_start_command() {
  static constexpr Command kCommand{
      "session start",
      "Release day",
      "",
      "Keep the login for runs that sign one file each",
      "Logs in, looks the certificate up, and stays in the background until nobody has asked for a "
      "while. signctl sign and signctl signtool sign use it by themselves when it was started for "
      "the "
      "same signer with the same settings; they hash, embed and judge as ever, and it sees digests "
      "only. Timestamps go through it as well, so that what is known of the servers is kept.\n"
      "It listens on a socket that only you can reach. PINs and passwords are asked for once, "
      "here.",
      "  signctl session start && makensis setup.nsi; signctl session stop\n"
      "  signctl session start --signer release --idle 30m --max-signatures 50\n",
      set_up<Options, declare_start, start>};
  return kCommand;
}

const Command& session_stop_command() {
  static constexpr Command kCommand{
      "session stop",
      "Release day",
      "",
      "End it, once what is under way is done",
      "Ends the session of the signer. Without one there is nothing to "
      "do, and that is no error.",
      "",
      set_up<Options, declare_common, stop>};
  return kCommand;
}

const Command& session_status_command() {
  static constexpr Command kCommand{"session status",
                                    "Release day",
                                    "",
                                    "Show what the session has done",
                                    "Exit code 4 when none is running.",
                                    "",
                                    set_up<Options, declare_common, show>};
  return kCommand;
}

}  // namespace signctl::cli
