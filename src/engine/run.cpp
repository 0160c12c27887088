// SPDX-License-Identifier: Apache-2.0
#include "engine/run.hpp"

#include "core/file.hpp"
#include "core/log.hpp"
#include "core/text.hpp"

#include <signctl/exit_code.hpp>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace signctl::engine {

namespace {

/// Threads beyond those that wait for a signature: they hash, timestamp and judge meanwhile.
constexpr std::size_t kMostBeside = 16;

/// What the workers of one run share.
struct Shared {
  const std::vector<FileTask>& tasks;
  const Gate& gate;
  Crew& crew;
  Clock& clock;
  const RunOptions& options;
  std::atomic<std::size_t> next{0};
  std::size_t end{0};  ///< Where the present step ends.
  std::atomic<bool> failed{false};
  std::mutex mutex{};  ///< Guards what is below, and on_file.
  std::vector<std::optional<FileResult>> results{};
  std::vector<std::optional<FileIdentity>> written{};  ///< What has been signed, right after that.
  std::size_t reported{0};
};

bool succeeded(const FileResult& result) {
  return result.outcome && result.outcome->state != FileState::refused;
}

/// One worker's sessions, made when the first file needs them.
class Worker {
 public:
  explicit Worker(Shared& shared)
      : shared_(shared), sessions_(shared.crew.signers.size()), approved_(sessions_.size()) {}

  /// Signs by the first signer that can. Only trouble that may pass, and has outlasted all
  /// attempts, is a reason to go on to the next.
  Result<FileOutcome> sign(const FileTask& task) {
    const auto& signers = shared_.crew.signers;
    std::optional<Error> first_failure;
    for (std::size_t i = 0; i < signers.size(); ++i) {
      const bool is_last = i + 1 == signers.size();
      if (!is_last && signers[i]->pace().broken()) {
        continue;
      }
      if (i > 0) {
        auto fit = signers[i]->open_as_fallback(shared_.gate.rules.identity);
        if (!fit) {
          return no_fallback(std::move(fit).error(), first_failure);
        }
      }
      auto outcome = sign_by(i, task);
      // Another process that holds on to the file would do so with the next signer as well.
      const Shelf* const shelf = shared_.crew.shelf.get();
      const bool waited_in_vain = shelf != nullptr && shelf->waited_in_vain();
      if (outcome || is_last || !is_transient(outcome.error().kind) || stop_requested() ||
          waited_in_vain) {
        return outcome;
      }
      signers[i]->pace().break_off();
      const Error& error = outcome.error();
      log_warning("FALLBACK: signer \"" + signers[i]->name() + "\" could not be had (" +
                  error.message + (error.may_be_done ? "; " + error.hint : "") + "); \"" +
                  signers[i + 1]->name() + "\" signs in its place");
      first_failure = std::move(outcome).error();
    }
    return Error{ErrorKind::internal, "a run without a signer"};
  }

 private:
  static Error no_fallback(Error why, const std::optional<Error>& first_failure) {
    if (first_failure && is_transient(why.kind)) {
      why.message += "; and the signer before it: " + first_failure->message;
    }
    return why;
  }

  Result<FileOutcome> sign_by(std::size_t index, const FileTask& task) {
    Signer& signer = *shared_.crew.signers[index];
    if (!sessions_[index]) {
      sessions_[index] = signer.session();
    }
    Stages stages{
        sessions_[index].get(),
        shared_.crew.timestamper.get(),
        &shared_.gate,
        &shared_.clock,
        shared_.crew.shelf.get(),
        {},
        [this](const std::string& identity, const CertificateInfo&) { return is_ours(identity); },
        [&signer] { return signer.expected_chain(); },
        &approved_[index]};
    if (stages.shelf != nullptr) {
      SIGNCTL_TRY(stages.identity, signer.identity(), "signing " + task.input);
    }
    auto outcome = sign_file(task, stages);
    if (outcome && outcome->state == FileState::done) {
      outcome->signer = signer.name();
    }
    return outcome;
  }

  /// Whether one of the run's signers goes by that name. Those behind the first are asked only when
  /// it is not the first's.
  Result<bool> is_ours(const std::string& identity) {
    for (const auto& signer : shared_.crew.signers) {
      SIGNCTL_TRY(const std::string name, signer->identity(), "");
      if (name == identity) {
        return true;
      }
    }
    return false;
  }

  Shared& shared_;
  std::vector<std::unique_ptr<SigningSession>> sessions_;
  std::vector<std::vector<Bytes>> approved_;  ///< Of each signer, for Stages.
};

/// Leaves of a result what the summary is made from.
void shorten(FileResult& result) {
  if (!result.outcome || result.outcome->state == FileState::refused) {
    return;
  }
  FileOutcome& outcome = *result.outcome;
  outcome.report = {};
  outcome.verdict.findings.clear();
  outcome.verdict.findings.shrink_to_fit();
}

/// Passes on what has ended, up to the first file that has not: output does not depend on which
/// thread was faster.
void report(Shared& shared) {
  while (shared.reported < shared.results.size() && shared.results[shared.reported]) {
    FileResult& result = *shared.results[shared.reported++];
    if (shared.options.on_file) {
      shared.options.on_file(result, shared.reported, shared.tasks.size());
    }
    if (shared.options.keep == Keep::outcomes) {
      shorten(result);
    }
  }
}

void work(Shared& shared) {
  Worker worker(shared);
  while (!stop_requested() && (shared.options.keep_going || !shared.failed)) {
    const std::size_t index = shared.next.fetch_add(1);
    if (index >= shared.end) {
      return;
    }
    FileResult result{shared.tasks[index].input, worker.sign(shared.tasks[index])};
    std::optional<FileIdentity> written;
    if (result.outcome && result.outcome->state == FileState::done) {
      if (const auto there = identity_at(result.outcome->path)) {
        written = *there;
      }
    }
    const std::lock_guard lock(shared.mutex);
    shared.written[index] = written;
    if (!succeeded(result)) {
      shared.failed = true;
    }
    shared.results[index] = std::move(result);
    report(shared);
  }
}

/// Does the tasks from `begin` up to shared.end.
void work_through(Shared& shared, std::size_t begin) {
  shared.next = begin;
  const auto jobs = static_cast<std::size_t>(std::max(shared.options.jobs, 1));
  // One job is one file at a time, in order.
  const std::size_t wanted = jobs == 1 ? 1 : jobs + std::min(jobs, kMostBeside);
  std::vector<std::thread> threads;
  for (std::size_t i = 1; i < std::min(wanted, shared.end - begin); ++i) {
    threads.emplace_back([&shared] { work(shared); });
  }
  work(shared);
  for (std::thread& thread : threads) {
    thread.join();
  }
}

/// Whoever changes a file that is signed while others still are must not be covered up by the
/// gate's word on what it was. Where only the time is another, as some network drives have it, the
/// gate says the same again.
void look_again(Shared& shared) {
  for (std::size_t i = 0; i < shared.results.size(); ++i) {
    auto& result = shared.results[i];
    if (!result || !result->outcome || result->outcome->state != FileState::done) {
      continue;
    }
    const std::string path = result->outcome->path;
    const auto now = identity_at(path);
    if (now && shared.written[i] && *now == *shared.written[i]) {
      continue;
    }
    const auto judged = verify_file(path, shared.gate, shared.clock.now());
    if (judged && judged->state == FileState::done) {
      continue;
    }
    result->outcome = Error{ErrorKind::gate,
                            printable(path) + " was changed by somebody else after it was signed",
                            "see what else writes to it, and run again from the file as built"};
    if (shared.options.on_file) {
      shared.options.on_file(*result, shared.tasks.size(), shared.tasks.size());
    }
  }
}

void count(RunSummary& summary, const FileResult& result) {
  if (!succeeded(result)) {
    ++summary.failed;
  } else if (result.outcome->state == FileState::skipped) {
    ++summary.skipped;
  } else {
    ++summary.done;
    summary.reused += result.outcome->reused.empty() ? 0 : 1;
  }
}

RunSummary summarise(Shared& shared) {
  RunSummary summary;
  summary.planned = shared.tasks.size();
  for (auto& result : shared.results) {
    if (!result) {
      ++summary.not_started;
      continue;
    }
    count(summary, *result);
    summary.files.push_back(std::move(*result));
  }
  for (const auto& signer : shared.crew.signers) {
    summary.signers.push_back(
        {signer->name(), signer->provider(), signer->billable(), signer->signatures()});
  }
  return summary;
}

}  // namespace

int RunSummary::exit_code() const {
  if (failure) {
    return signctl::exit_code(failure->kind);
  }
  bool transient = false;
  for (const FileResult& file : files) {
    if (succeeded(file)) {
      continue;
    }
    const ErrorKind kind = file.outcome ? ErrorKind::gate : file.outcome.error().kind;
    if (!is_transient(kind)) {
      return signctl::exit_code(kind);
    }
    transient = true;
  }
  if (transient) {
    return signctl::exit_code(stop_requested() ? ErrorKind::interrupted : ErrorKind::network);
  }
  // Failure is the default: success is every planned file accounted for, and nothing else.
  if (planned == done + skipped) {
    return 0;
  }
  return signctl::exit_code(stop_requested() ? ErrorKind::interrupted : ErrorKind::internal);
}

namespace {

/// Whether a signature can be noted and timestamped.
Result<void> may_spend(const Shelf* shelf, Timestamper* timestamper) {
  SIGNCTL_CHECK(shelf != nullptr ? shelf->check() : ok(), "");
  return timestamper != nullptr ? timestamper->ready() : ok();
}

/// Lets no signature be paid for that nobody could use.
void guard_spending(Crew& crew) {
  for (const auto& signer : crew.signers) {
    signer->admit_by([shelf = crew.shelf.get(), timestamper = crew.timestamper.get()] {
      return may_spend(shelf, timestamper);
    });
  }
}

}  // namespace

RunSummary sign_all(const std::vector<FileTask>& tasks,
                    const Gate& gate,
                    Crew& crew,
                    Clock& clock,
                    const RunOptions& options) {
  Shared shared{tasks, gate, crew, clock, options};
  shared.results.resize(tasks.size());
  shared.written.resize(tasks.size());
  guard_spending(crew);
  std::size_t begin = 0;
  while (begin < tasks.size() && !stop_requested() && (options.keep_going || !shared.failed)) {
    shared.end = begin;
    while (shared.end < tasks.size() && tasks[shared.end].step == tasks[begin].step) {
      ++shared.end;
    }
    work_through(shared, begin);
    begin = shared.end;
  }
  // Files that ended behind one that was never begun have not been reported yet.
  for (; shared.reported < shared.results.size(); ++shared.reported) {
    report(shared);
  }
  look_again(shared);
  RunSummary summary = summarise(shared);
  // Of a run that is to be continued every entry is needed: it tells which files are finished.
  if (crew.shelf && summary.planned == summary.done + summary.skipped) {
    crew.shelf->finish();
  }
  return summary;
}

}  // namespace signctl::engine
