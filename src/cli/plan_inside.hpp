// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "plan/plan.hpp"

#include <cstddef>
#include <string>
#include <vector>

// What planned packages hold, looked at before anything is signed.
namespace signctl::cli {

/// A file that would be signed while something inside it is not.
struct InsideWarning {
  std::string path;    ///< The planned file.
  std::string inside;  ///< Path within it.
  std::string message;
};

/// Unsigned files inside planned ones, with the planned file of the same name that should have been
/// signed before it was packed. Files that cannot be read are left to the signing.
[[nodiscard]] std::vector<InsideWarning> warn_of_unsigned_inside(const plan::FilePlan& plan);

/// How many signatures `--deep` would make inside the planned files, at most.
[[nodiscard]] std::size_t count_unsigned_inside(const plan::FilePlan& plan);

}  // namespace signctl::cli
