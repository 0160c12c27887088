// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "audit/manifest.hpp"
#include "cli/context.hpp"
#include "config/config.hpp"
#include "engine/run.hpp"
#include "engine/sign_file.hpp"

#include <signctl/result.hpp>

#include <string>
#include <vector>

namespace signctl::cli {

/// Writes down what a run makes, in the manifest of `--manifest` and `audit.manifest`.
///
/// The file is there from the beginning of the run on and says until the end that the run is
/// incomplete, so that no older manifest speaks for a run that was killed.
class Ledger {
 public:
  /// Hashes the files that the run is about to change. Does nothing without a path.
  ///
  /// @param path   UTF-8; empty for no manifest.
  /// @errors `input` when a file cannot be read, `output` when the manifest cannot be written.
  static Result<Ledger> begin(std::string path,
                              const config::Config& config,
                              const std::vector<engine::FileTask>& tasks,
                              TimePoint now);

  /// Hashes what there is now, has the gate judge it again, and writes the manifest.
  ///
  /// @errors `gate` when a file that was signed is not as the gate has seen it; `output`.
  Result<void> end(const engine::RunSummary& summary, const engine::Gate& gate, TimePoint now);

 private:
  Result<void> write() const;
  void record_ends(const engine::RunSummary& summary);
  Result<void> record_files(const engine::Gate& gate, TimePoint now);

  std::string path_;
  std::vector<std::string> inputs_;   ///< Of files_, in order.
  std::vector<std::string> outputs_;  ///< Of files_, in order.
  audit::Manifest manifest_;
};

}  // namespace signctl::cli
