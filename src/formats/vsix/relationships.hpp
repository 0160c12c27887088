// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/bytes.hpp>
#include <signctl/result.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace signctl::vsix {

/// A relationship of a part, or of the package, with a target (OPC, 9.3).
struct Relationship {
  std::string id;
  std::string type;
  std::string target;
  std::string mode;  ///< "Internal" or "External"; empty if not said, which means internal.

  /// Whether it leads to a signature or to something of one.
  [[nodiscard]] bool is_of_signature() const;

  friend bool operator==(const Relationship&, const Relationship&) = default;
};

/// The content of a relationships part.
///
/// @errors `input` for anything but Relationship elements, and for two of one Id.
Result<std::vector<Relationship>> parse_relationships(ByteView xml);

/// The part. Deterministic.
[[nodiscard]] Bytes relationships_text(const std::vector<Relationship>& relationships);

/// What the relationships transform and canonicalization make of the selected ones
/// (OPC, 13.2.4.24): sorted by Id, with the mode said.
[[nodiscard]] Bytes transformed(std::vector<Relationship> selected);

/// An Id that none of `relationships` has, the same for the same target.
[[nodiscard]] std::string new_id(const std::vector<Relationship>& relationships,
                                 std::string_view target);

}  // namespace signctl::vsix
