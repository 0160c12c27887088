// SPDX-License-Identifier: Apache-2.0
#include "engine/run.hpp"

#include <signctl/exit_code.hpp>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace signctl::engine {

namespace {

std::atomic<bool> g_stop{false};

/// What the workers of one run share.
struct Shared {
  const std::vector<FileTask>& tasks;
  const Gate& gate;
  const StageFactory& factory;
  Clock& clock;
  const RunOptions& options;
  std::atomic<std::size_t> next{0};
  std::atomic<bool> failed{false};
  std::mutex mutex{};  ///< Guards the two below, and on_file.
  std::vector<std::optional<FileResult>> results{};
  std::size_t finished{0};
};

bool succeeded(const FileResult& result) {
  return result.outcome && result.outcome->state != FileState::refused;
}

/// Session and timestamper of one worker, made when the first file needs them.
struct Worker {
  std::unique_ptr<SigningSession> session;
  std::unique_ptr<Timestamper> timestamper;

  Result<Stages> stages(const Shared& shared) {
    if (!session) {
      SIGNCTL_TRY(session, shared.factory.session(), "");
    }
    if (!timestamper && shared.factory.timestamper) {
      SIGNCTL_TRY(timestamper, shared.factory.timestamper(), "");
    }
    return Stages{session.get(), timestamper.get(), &shared.gate, &shared.clock};
  }

  Result<FileOutcome> sign(const FileTask& task, const Shared& shared) {
    SIGNCTL_TRY(Stages ready, stages(shared), "");
    return sign_file(task, ready);
  }
};

void work(Shared& shared) {
  Worker worker;
  while (!stop_requested() && (shared.options.keep_going || !shared.failed)) {
    const std::size_t index = shared.next.fetch_add(1);
    if (index >= shared.tasks.size()) {
      return;
    }
    FileResult result{shared.tasks[index].input, worker.sign(shared.tasks[index], shared)};
    const std::lock_guard lock(shared.mutex);
    if (!succeeded(result)) {
      shared.failed = true;
    }
    ++shared.finished;
    if (shared.options.on_file) {
      shared.options.on_file(result, shared.finished, shared.tasks.size());
    }
    shared.results[index] = std::move(result);
  }
}

void count(RunSummary& summary, const FileResult& result) {
  if (!succeeded(result)) {
    ++summary.failed;
  } else if (result.outcome->state == FileState::skipped) {
    ++summary.skipped;
  } else {
    ++summary.done;
  }
}

}  // namespace

void request_stop() noexcept {
  g_stop = true;
}

bool stop_requested() noexcept {
  return g_stop;
}

int RunSummary::exit_code() const {
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
    return signctl::exit_code(ErrorKind::network);
  }
  // Failure is the default: success is every planned file accounted for, and nothing else.
  if (planned == done + skipped) {
    return 0;
  }
  return signctl::exit_code(stop_requested() ? ErrorKind::interrupted : ErrorKind::internal);
}

RunSummary sign_all(const std::vector<FileTask>& tasks,
                    const Gate& gate,
                    const StageFactory& factory,
                    Clock& clock,
                    const RunOptions& options) {
  Shared shared{tasks, gate, factory, clock, options};
  shared.results.resize(tasks.size());
  const auto wanted = static_cast<std::size_t>(std::max(options.jobs, 1));
  const std::size_t workers = std::min(wanted, tasks.size());
  std::vector<std::thread> threads;
  for (std::size_t i = 1; i < workers; ++i) {
    threads.emplace_back([&shared] { work(shared); });
  }
  work(shared);
  for (std::thread& thread : threads) {
    thread.join();
  }
  RunSummary summary;
  summary.planned = tasks.size();
  for (auto& result : shared.results) {
    if (!result) {
      ++summary.not_started;
      continue;
    }
    count(summary, *result);
    summary.files.push_back(std::move(*result));
  }
  return summary;
}

}  // namespace signctl::engine
