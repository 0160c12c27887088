// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/sign_file.hpp"

#include <signctl/result.hpp>
#include <signctl/world.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace signctl::engine {

/// Makes what one worker thread needs. Called once per worker, lazily, never for files that need
/// nothing.
struct StageFactory {
  std::function<Result<std::unique_ptr<SigningSession>>()> session;
  std::function<Result<std::unique_ptr<Timestamper>>()> timestamper;  ///< Empty: no timestamp.
};

/// One file's end: an outcome or an error.
struct FileResult {
  std::string path;
  Result<FileOutcome> outcome;
};

struct RunOptions {
  int jobs{1};
  bool keep_going{false};
  /// Called from one thread at a time as each file ends; may be empty.
  std::function<void(const FileResult&, std::size_t finished, std::size_t planned)> on_file;
};

/// What became of every planned file, in plan order.
struct RunSummary {
  std::size_t planned{};
  std::size_t done{};
  std::size_t skipped{};
  std::size_t failed{};       ///< Errors and refusals.
  std::size_t not_started{};  ///< Left out because an earlier file failed, or interrupted.
  std::vector<FileResult> files;
  /// 0 only if planned == done + skipped: 9 when every failure was transient, else that of the
  /// first other failure in plan order; 130 when interrupted.
  [[nodiscard]] int exit_code() const;
};

/// Signs all of `tasks`.
RunSummary sign_all(const std::vector<FileTask>& tasks,
                    const Gate& gate,
                    const StageFactory& factory,
                    Clock& clock,
                    const RunOptions& options);

/// Asks running work to stop after the files in flight; async-signal-safe.
void request_stop() noexcept;
[[nodiscard]] bool stop_requested() noexcept;

}  // namespace signctl::engine
