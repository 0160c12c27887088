// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/common_options.hpp"
#include "cli/settings.hpp"
#include "core/replaceable.hpp"
#include "engine/sign_file.hpp"

#include <signctl/error.hpp>
#include <signctl/result.hpp>

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace signctl::cli {

/// What would become of one file if `sign` ran now.
struct Fate {
  /// `embed` and `fetch`: signed by what an earlier run has paid for.
  enum class Kind { sign, copy, embed, fetch, skip, fail } kind{Kind::sign};
  std::string why;                     ///< Empty for `sign`.
  std::optional<ErrorKind> failure{};  ///< Only with `fail`.
  std::string hint{};                  ///< Likewise; may be empty.
};

/// What would become of each file: `sign` judges its limits by this, and `plan` shows it. Files
/// with the same bytes share one signature, so all but the first are copies.
[[nodiscard]] std::vector<Fate> foresee(const std::vector<engine::FileTask>& tasks,
                                        const engine::Stages& stages,
                                        MissingFolder folder);

/// Refuses tasks of which one would fail, so that no half of a release is paid for.
///
/// @param look  Called for what to judge by, again before it is believed that a file fails:
///              another run may be at work on it, and says so in the journal.
/// @errors      That of the first file that would fail; those of `look`.
Result<void> check_foreseen(const std::vector<engine::FileTask>& tasks,
                            const std::function<Result<Foresight>()>& look,
                            MissingFolder folder);

/// Whether a folder of the output that is not there will be made.
[[nodiscard]] MissingFolder missing_folder(const TargetFlags& target);

}  // namespace signctl::cli
