// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/opened_file.hpp"
#include "engine/sign_file.hpp"

#include <signctl/result.hpp>

#include <optional>
#include <string>

namespace signctl::engine {

/// Empty when there is no answer yet.
using MaybeOutcome = std::optional<FileOutcome>;

/// A file that need not be done.
[[nodiscard]] FileOutcome skip(const std::string& path, std::string reason);

/// Deals with signatures that there are: of an earlier run that did not come to its end, by
/// SignOptions::if_signed, and in the file that is to be written. An outcome means that there is
/// nothing to sign.
///
/// @errors `input` when the rule forbids to go on.
Result<MaybeOutcome> answer_existing(OpenedFile& opened,
                                     const FileTask& task,
                                     const Stages& stages);

}  // namespace signctl::engine
