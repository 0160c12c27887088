// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/error.hpp>

#include <optional>
#include <string>

namespace signctl {

/// How much a finding weighs. Verification proposes one; policy may raise or lower it.
enum class Severity { info, warning, error };

/// Which of the two judgements a finding belongs to: the file as it is judged now, or as it will be
/// judged one day after the signing certificate has expired.
enum class Judgement { now, after_expiry };

/// One fact that verification or diagnosis established.
///
/// `id` is a stable kebab-case name that pipelines may match on, for example "digest-mismatch";
/// docs/verification.md lists all of them. `subject` says what it is about: "file",
/// "signature 1", "signature 1 timestamp", "certificate CN=...". `message` is one sentence.
struct Finding {
  std::string id;
  Severity severity{Severity::error};
  std::string subject;
  std::string message;
  Judgement judgement{Judgement::now};
  std::string hint{};  ///< What the reader can do about it; may be empty.
  /// Of a diagnosis: the kind of the error that signing would end with; empty for `auth`.
  std::optional<ErrorKind> kind{};
};

/// Lower-case name as used in JSON: "info", "warning", "error".
[[nodiscard]] constexpr const char* severity_name(Severity severity) noexcept {
  switch (severity) {
    case Severity::info:
      return "info";
    case Severity::warning:
      return "warning";
    case Severity::error:
      return "error";
  }
  return "";
}

}  // namespace signctl
