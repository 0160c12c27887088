// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/node.hpp"
#include "seal/dependent.hpp"

#include <signctl/result.hpp>

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// Places in YAML and JSON texts.
namespace signctl::seal {

/// A parsed document, and where its scalars stand in the text.
class Tree {
 public:
  /// @errors `input` when the text is neither YAML nor JSON.
  static Result<Tree> parse(std::string_view text);

  [[nodiscard]] const config::Node& root() const { return root_; }

  /// Adds a slot for a scalar: its text alone, without quotes.
  ///
  /// @param value  Nothing is added when null.
  /// @errors `input` when it is no scalar, or is written in a way (escapes, several lines, aliases)
  /// that
  ///         cannot be replaced in place.
  Result<void> add(const config::Node* value, Slot slot, std::vector<Slot>& slots) const;

  /// The octets of the line that a value stands on, with its line break.
  [[nodiscard]] Slot line_of(const config::Node& value, Slot slot) const;

 private:
  std::string_view text_;
  std::vector<std::size_t> lines_;  ///< Where each begins.
  config::Node root_;
};

/// The text under `key`; empty when there is none.
[[nodiscard]] std::string text_of(const config::Node& node, std::string_view key);

/// `value` if it says anything; null when it is absent, `null` or "".
[[nodiscard]] const config::Node* said(const config::Node* value);

/// What a sequence or a mapping holds; nothing when it is absent or no such.
[[nodiscard]] std::span<const config::Node> items_of(const config::Node* sequence);
[[nodiscard]] std::span<const config::Entry> entries_of(const config::Node* mapping);

/// The file that a URL or path names: its last component, with `%20` and the like decoded, without
/// query and fragment.
[[nodiscard]] std::string name_in_url(std::string_view url);

/// The parts of a URL's path, decoded, without scheme and host; empty ones and the likes of `..`
/// are left out.
[[nodiscard]] std::vector<std::string> path_in_url(std::string_view url);

/// A slot of the file that a URL names.
[[nodiscard]] Slot slot_for_url(std::string_view url);

/// The algorithm whose hash has so many hexadecimal digits.
[[nodiscard]] std::optional<DigestAlg> alg_of_digits(std::size_t digits);

/// Whether `text` is hexadecimal digits only, and any.
[[nodiscard]] bool is_hex(std::string_view text);

[[nodiscard]] Error malformed(std::string what);

}  // namespace signctl::seal
