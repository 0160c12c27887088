// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/common_options.hpp"
#include "cli/settings.hpp"
#include "core/replaceable.hpp"
#include "engine/run.hpp"
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

/// The files that would fail, and why.
///
/// @param look  Called for what to judge by, again before it is believed that a file fails:
///              another run may be at work on it, and says so in the journal.
/// @errors      Those of `look`.
Result<std::vector<engine::FileResult>> find_failing(const std::vector<engine::FileTask>& tasks,
                                                     const std::function<Result<Foresight>()>& look,
                                                     MissingFolder folder);

/// Why none of `planned` files is signed, so that no half of a release is paid for: it names those
/// that would fail, of which there is at least one, and has the kind of the first.
[[nodiscard]] Error refusal_for(const std::vector<engine::FileResult>& failing,
                                std::size_t planned);

/// Whether a folder of the output that is not there will be made.
[[nodiscard]] MissingFolder missing_folder(const TargetFlags& target);

}  // namespace signctl::cli
