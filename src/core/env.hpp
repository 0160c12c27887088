// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/world.hpp>

#include <span>
#include <string_view>

namespace signctl {

/// The process environment.
class ProcessEnvironment final : public Environment {
 public:
  [[nodiscard]] std::optional<std::string> get(std::string_view name) const override;
};

/// Whether a variable's value may be shown.
enum class Sensitivity { plain, secret };

/// One environment variable that signctl reads; documented from this table.
struct EnvironmentVariable {
  std::string_view name;
  std::string_view meaning;
  Sensitivity sensitivity{Sensitivity::plain};
};

/// Every variable that signctl itself reads (providers' own come from their SettingSpec).
[[nodiscard]] std::span<const EnvironmentVariable> environment_variables();

}  // namespace signctl
