// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/result.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace signctl::config {

enum class NodeKind { null, scalar, sequence, mapping };

/// Whether a scalar stood in the file bare. Only a plain `true` is a boolean, and only a plain `8`
/// a number.
enum class Quoting { plain, quoted };

struct Entry;

/// A value of a config file with its place, independent of the library that read it.
struct Node {
  NodeKind kind{NodeKind::null};
  int line{1};
  int column{1};
  std::string text;  ///< Of a scalar.
  Quoting quoting{Quoting::plain};
  std::vector<Node> items;     ///< Of a sequence.
  std::vector<Entry> entries;  ///< Of a mapping, in file order, keys unique.

  /// The value under `key`; nullptr if this is no mapping or has no such key.
  [[nodiscard]] const Node* find(std::string_view key) const;
};

/// One key of a mapping.
struct Entry {
  std::string key;
  int line{1};
  int column{1};
  Node value;
};

/// Limits that a hostile document runs into. Aliases count as often as they are used.
inline constexpr std::size_t kMaxNodes = 100'000;
inline constexpr std::size_t kMaxDepth = 64;
inline constexpr std::size_t kMaxTextBytes = std::size_t{4} << 20U;

/// "signctl.yaml:12:5: ", safe for a terminal.
[[nodiscard]] std::string place(const std::string& file, int line, int column);

/// A `config` error about a value.
[[nodiscard]] Error error_at(const std::string& file,
                             const Node& node,
                             const std::string& message,
                             std::string hint = {});

/// Reads one YAML 1.2 or JSON document.
///
/// @errors `config` with the place: not UTF-8, no YAML, duplicate keys, explicit tags, a second
///         document, or one of the limits above. Messages never repeat scalars, which may be
///         secrets.
Result<Node> read_yaml(std::string_view text, const std::string& file);

}  // namespace signctl::config
