// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/context.hpp"

#include <signctl/error.hpp>
#include <signctl/finding.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace signctl::cli {

enum class CheckState { good, warning, failure };

/// One line of `doctor`.
struct Check {
  CheckState state{};
  std::string about;
  std::string message;
  std::string hint;
};

[[nodiscard]] std::string_view state_name(CheckState state);
[[nodiscard]] std::string paint_state(CheckState state, const Context& context);

/// What `doctor` found, and the exit code that follows: that of the first failure which is not
/// transient, else of the first failure, else 0.
class Diagnosis {
 public:
  void good(std::string about, std::string message);
  void warn(std::string about, std::string message);
  void add(std::string about, const Error& error);
  /// A provider's finding; errors that do not say what they would be to signing count as `auth`.
  void add(std::string about, const Finding& finding);

  [[nodiscard]] const std::vector<Check>& checks() const { return checks_; }
  [[nodiscard]] int exit_code() const;

 private:
  std::vector<Check> checks_;
  std::vector<ErrorKind> failures_;
};

}  // namespace signctl::cli
