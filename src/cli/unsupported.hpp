// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/error.hpp>

#include <optional>
#include <string_view>

namespace signctl::cli {

/// Why a command or flag that users of signctl's documentation or of other tools may type is not in
/// this version; empty for a name that means nothing to us. Refused, so that nobody believes that
/// it had an effect.
[[nodiscard]] std::optional<Error> unsupported_command(std::string_view name);
[[nodiscard]] std::optional<Error> unsupported_flag(std::string_view name);

}  // namespace signctl::cli
