// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/result.hpp>
#include <signctl/secret.hpp>
#include <signctl/world.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace signctl {

/// Where a secret comes from: "env:NAME", "file:PATH", "exec:COMMAND" (first line of its output) or
/// "stdin". Never the secret itself.
class SecretRef {
 public:
  /// @errors `config` for anything else; the message never repeats `text`, which may be a secret.
  static Result<SecretRef> parse(std::string_view text);

  /// Fetches it. A trailing line break of file and exec output is dropped, and so is the byte order
  /// mark of UTF-8 in what is read. stdin is read once a process.
  ///
  /// @errors `auth` for an unset variable, an absent file or a failed command; `config` for UTF-16.
  Result<Secret> resolve(const Environment& environment) const;

  /// "env:NAME" and so on, for messages.
  [[nodiscard]] std::string describe() const;

 private:
  enum class Kind { environment, file, command, standard_input };
  SecretRef(Kind kind, std::string argument) : kind_(kind), argument_(std::move(argument)) {}
  Kind kind_;
  std::string argument_;
};

/// Tries references in order and returns the first that resolves.
///
/// @errors Names every reference that was tried and why it failed: `auth` when there are several,
///         else as SecretRef::resolve().
Result<Secret> resolve_first(const std::vector<SecretRef>& references,
                             const Environment& environment);

}  // namespace signctl
