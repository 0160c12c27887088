// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "plan/glob.hpp"

#include <signctl/result.hpp>

#include <optional>
#include <string>
#include <vector>

namespace signctl::plan {

/// The excludes of one selection.
class Excludes {
 public:
  /// @param folder  What relative patterns are relative to; empty for the working directory.
  explicit Excludes(std::string folder) : folder_(std::move(folder)) {}

  /// @errors `config` when the pattern is malformed.
  Result<void> add(const std::string& pattern);

  /// The pattern that keeps `path` out; empty when none does.
  [[nodiscard]] std::optional<std::string> find_match(const std::string& path) const;

 private:
  std::string folder_;
  std::vector<Glob> globs_;
};

}  // namespace signctl::plan
