// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/bytes.hpp>
#include <signctl/result.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace signctl::vsix {

/// [Content_Types].xml: what kind of part each part is (OPC, 10.1.2.2).
class ContentTypes {
 public:
  /// @errors `input` for anything but Default and Override elements, and for two of one name.
  static Result<ContentTypes> parse(ByteView xml);

  /// Type of the part, as written; empty if there is none.
  [[nodiscard]] std::string type_of(std::string_view part_key) const;

  /// Makes `part_uri` one of `type`: by its extension where no other rule has that already.
  void set(const std::string& part_uri, std::string_view type);

  /// Drops the Override of a part that goes away.
  void drop_override(std::string_view part_key);
  /// Drops the Default of an extension if it gives exactly this type.
  void drop_default(std::string_view extension, std::string_view type);

  /// The document. Deterministic.
  [[nodiscard]] Bytes text() const;

  friend bool operator==(const ContentTypes&, const ContentTypes&) = default;

 private:
  struct Rule {
    bool is_override{false};
    std::string name;  ///< Extension or part name, as written.
    std::string key;   ///< To compare: lower case; of part names part_key().
    std::string type;
    friend bool operator==(const Rule&, const Rule&) = default;
  };
  [[nodiscard]] const Rule* find(bool is_override, std::string_view key) const;

  std::vector<Rule> rules_;
};

/// Extension of a part key, without the dot; empty if it has none.
[[nodiscard]] std::string_view extension_of_key(std::string_view part_key);

}  // namespace signctl::vsix
