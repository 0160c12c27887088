// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// The shape of signctl.yaml as data. The reader, the JSON Schema, the reference in docs/config.md
/// and the starter file are all made from it, so that they cannot disagree.
namespace signctl::config {

enum class ValueType {
  text,          ///< Any scalar but an empty one.
  text_list,     ///< A text or a list of them.
  text_map,      ///< Names to texts.
  number_map,    ///< Names to plain decimals within [min, max].
  integer,       ///< Plain decimal within [min, max].
  boolean,       ///< Plain true or false.
  duration,      ///< "500ms", "30s", "15m", "2h".
  choice,        ///< One of `choices`.
  url_list,      ///< http(s) addresses without credentials, or dev:FILE.
  trust_list,    ///< system, signer, file:PATH.
  oid_list,      ///< Dotted object identifiers.
  thumbprint,    ///< SHA-256 in hex, colons allowed.
  section,       ///< A mapping with the keys of `section`.
  section_list,  ///< A list of such mappings.
  signers,       ///< Names to signers; their keys are the providers' own.
};

enum class Need { optional, required };

struct Section;

/// One key of a section.
struct KeySpec {
  std::string_view key;
  ValueType type{ValueType::text};
  Need need{Need::optional};
  std::string_view help;        ///< One line, no full stop.
  std::string_view fallback{};  ///< Value when absent, as it would stand in YAML; may be empty.
  std::string_view example{};   ///< As it would stand in YAML.
  std::span<const std::string_view> choices{};
  long min{0};
  long max{0};
  const Section* section{nullptr};
};

/// A mapping whose keys are known.
struct Section {
  std::span<const KeySpec> keys;

  [[nodiscard]] const KeySpec* find(std::string_view key) const;
  [[nodiscard]] std::vector<std::string> key_names() const;
};

/// The whole document.
[[nodiscard]] const Section& root_section();

/// Top-level keys of later versions, with what they would have done. This version cannot enforce
/// them and so refuses them.
struct ReservedKey {
  std::string_view key;
  std::string_view purpose;
};
[[nodiscard]] std::span<const ReservedKey> reserved_keys();

/// Names and aliases.
[[nodiscard]] std::vector<std::string> provider_names();

// Patterns that the reader checks by hand and the schema states as ECMA-262 regular expressions.
inline constexpr std::string_view kSecretPattern = "^(env:.+|file:.+|exec:.+|stdin)$";
inline constexpr std::string_view kDurationPattern = "^[0-9]{1,9}(ms|s|m|h)$";
inline constexpr std::string_view kUrlPattern = "^(dev:.*|https?://[^\\s/?#@]+([/?#]\\S*)?)$";
inline constexpr std::string_view kTrustPattern = "^(system|signer|file:.+)$";
inline constexpr std::string_view kOidPattern = "^[0-2](\\.[0-9]+)+$";
inline constexpr std::string_view kThumbprintPattern = "^([0-9A-Fa-f]{2}:?){31}[0-9A-Fa-f]{2}$";
inline constexpr std::string_view kSignerNamePattern = "^[A-Za-z0-9_][A-Za-z0-9_.-]*$";

}  // namespace signctl::config
