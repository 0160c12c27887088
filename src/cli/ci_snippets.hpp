// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace signctl::cli {

/// The step that signs and verifies in a pipeline of that kind ("github", "azure", "gitlab",
/// "jenkins"); empty for any other. `secrets` names the environment variables that it hands over,
/// for one step and never as arguments.
[[nodiscard]] std::string ci_snippet(std::string_view ci, const std::vector<std::string>& secrets);

}  // namespace signctl::cli
