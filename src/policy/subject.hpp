// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/finding.hpp>
#include <signctl/report.hpp>

#include <string_view>
#include <vector>

namespace signctl {

/// What a finding is about, looked up in the report it belongs to.
struct About {
  const Report* report{};
  const SignatureInfo* signature{};  ///< Null for the file itself.
  bool timestamp{false};             ///< The signature's timestamp, not the signature.
  std::string_view certificate;      ///< Subject of a certificate of its chain; may be empty.

  /// The chain of the signature or of its timestamp; null when there is none.
  [[nodiscard]] const ChainInfo* chain() const;
  /// Every certificate of that chain with the subject. Names need not be unique.
  [[nodiscard]] std::vector<const CertificateInfo*> certificates() const;
  /// When the signature counts as made: at its timestamp, else when it is judged.
  [[nodiscard]] TimePoint signing_time() const;
};

/// Reads a finding's subject: "signature 1", "signature 1.2 timestamp",
/// "signature 1, certificate CN=...". What follows "certificate " is text of a hostile file and is
/// never read as anything else.
[[nodiscard]] About find_subject(const Report& report, const Finding& finding);

}  // namespace signctl
