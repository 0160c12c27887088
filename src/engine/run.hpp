// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/stop.hpp"
#include "engine/shelf.hpp"
#include "engine/sign_file.hpp"
#include "engine/signer.hpp"

#include <signctl/result.hpp>
#include <signctl/world.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace signctl::engine {

using signctl::request_stop;
using signctl::stop_requested;

/// What a run signs with; all of it is shared by its threads.
struct Crew {
  /// In order of preference. The second signs only what the first could not, because its budget of
  /// attempts was spent on trouble that may pass.
  std::vector<std::unique_ptr<Signer>> signers;
  std::unique_ptr<Timestamper> timestamper;  ///< Null: no timestamp.
  std::unique_ptr<Shelf> shelf;              ///< Null: nothing is remembered.
};

/// One file's end: an outcome or an error.
struct FileResult {
  std::string path;
  Result<FileOutcome> outcome;
};

/// Whether the reports of files that ended well are kept after on_file has seen them. There may be
/// ten thousand.
enum class Keep { everything, outcomes };

struct RunOptions {
  int jobs{1};  ///< Signatures under way at a time; hashing and timestamping go on beside them.
  bool keep_going{false};
  Keep keep{Keep::everything};
  /// Called in plan order, from one thread at a time, as files end; may be empty.
  std::function<void(const FileResult&, std::size_t finished, std::size_t planned)> on_file;
};

/// What one signer did.
struct SignerTally {
  std::string name;
  std::string provider;
  bool billable{false};
  std::size_t signatures{};
};

/// What became of every planned file, in plan order.
struct RunSummary {
  std::size_t planned{};
  std::size_t done{};
  std::size_t skipped{};
  std::size_t failed{};       ///< Errors and refusals.
  std::size_t not_started{};  ///< Left out because an earlier file failed, or interrupted.
  std::vector<FileResult> files;
  std::vector<SignerTally> signers;  ///< In order of preference; empty for verbs that do not sign.
  std::size_t reused{};              ///< Files whose signature had been made before.
  std::optional<Error> failure{};    ///< Why the run ended before its first file.
  /// 0 only if planned == done + skipped: that of `failure`; 9 when every failure was transient,
  /// else that of the first other failure in plan order; 130 when interrupted.
  [[nodiscard]] int exit_code() const;
};

/// Signs all of `tasks`: step by step, the files of one step together.
RunSummary sign_all(const std::vector<FileTask>& tasks,
                    const Gate& gate,
                    Crew& crew,
                    Clock& clock,
                    const RunOptions& options);

}  // namespace signctl::engine
