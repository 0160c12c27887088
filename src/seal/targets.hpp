// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "seal/dependent.hpp"
#include "seal/seal.hpp"

#include <signctl/result.hpp>

#include <string>
#include <vector>

namespace signctl::seal {

/// Where the files are that a dependent is about: for each slot a path, empty when it is nowhere.
///
/// A name is looked for in the dependent's folder and in those of the options. When several URLs
/// end in the same name, the folders in the URL tell the files apart: `64/app.exe` is looked for,
/// never `app.exe`.
///
/// @errors `input` for a name that leads out of these folders, by itself or by a link; a name that
/// is
///         in two places; and one of which it cannot be told which URL it is of.
Result<std::vector<std::string>> find_targets(const std::string& dependent_path,
                                              const std::vector<Slot>& slots,
                                              const Options& options);

}  // namespace signctl::seal
