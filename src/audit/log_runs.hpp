// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "audit/parts.hpp"

#include <signctl/result.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace signctl::audit {

/// A run that a log tells of.
struct LogRun {
  Part part;
  std::string id;
  bool ended{};  ///< A run that was killed has no end.
  int exit_code{};
};

/// All runs of a log, also of one that others were joined into, by their start.
[[nodiscard]] std::vector<LogRun> runs_of(const std::string& name, std::string_view log);

/// A log that is to be joined, or that others are joined into.
struct LogText {
  std::string name;
  std::string text;
};

/// Of each shard of the release that `logs` tell of, its last run: of all logs, and of what `there`
/// tells of that release.
///
/// @param there  The log that the others are joined into; its text may be empty.
/// @errors `input` when a log ends with a run that is no shard's, or was killed and not made up
/// for.
Result<std::vector<LogRun>> last_runs(const std::vector<LogText>& logs, const LogText& there);

}  // namespace signctl::audit
