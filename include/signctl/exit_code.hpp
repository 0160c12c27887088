// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/error.hpp>

#include <span>
#include <string_view>

namespace signctl {

/// One row of the exit code table: what the process returns and what a pipeline should think.
struct ExitCode {
  int code;
  std::string_view kind;     ///< Name of the ErrorKind; empty for 0.
  std::string_view meaning;  ///< One sentence for people, without a full stop.
};

/// The exit code of a failure. Stable across releases: pipelines branch on it.
[[nodiscard]] int exit_code(ErrorKind kind) noexcept;

/// The name of a kind as it appears in JSON and in docs/exit-codes.md, for example "timestamp".
[[nodiscard]] std::string_view kind_name(ErrorKind kind) noexcept;

/// Every exit code in numeric order. docs/exit-codes.md is generated from this table.
[[nodiscard]] std::span<const ExitCode> exit_codes() noexcept;

}  // namespace signctl
