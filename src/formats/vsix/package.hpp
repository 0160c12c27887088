// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "formats/common/zip_archive.hpp"
#include "formats/vsix/content_types.hpp"
#include "formats/vsix/relationships.hpp"

#include <signctl/byte_source.hpp>
#include <signctl/digest_alg.hpp>

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace signctl::vsix {

/// A part of the package: every entry that is neither a folder nor [Content_Types].xml.
struct Part {
  std::size_t entry{};  ///< In Archive::entries.
  std::string key;      ///< part_key() of its name.
  std::string type;     ///< Content type; empty if it has none, and is no part to OPC.
};

/// A signature part that the package's relationships lead to.
struct StoredSignature {
  std::size_t part{};  ///< In Package::parts().
  Bytes xml;
  std::vector<Bytes> certificates;  ///< DER, of the certificate parts it refers to.
};

/// An Open Packaging Conventions package, opened.
class Package {
 public:
  /// @errors `input` for a malformed archive, content types or relationships, and for two parts of
  ///         one name.
  static Result<Package> read(std::shared_ptr<const ByteSource> source);

  [[nodiscard]] const std::shared_ptr<const ByteSource>& source() const { return source_; }
  [[nodiscard]] const zip::Archive& archive() const { return archive_; }
  [[nodiscard]] const ContentTypes& types() const { return types_; }
  [[nodiscard]] std::size_t types_entry() const { return types_entry_; }
  [[nodiscard]] const std::vector<Part>& parts() const { return parts_; }
  /// Position in parts().
  [[nodiscard]] std::optional<std::size_t> find(std::string_view key) const;
  /// Name of the part's ZIP entry.
  [[nodiscard]] const std::string& name_of(std::size_t part) const;

  /// Relationships of the package itself.
  [[nodiscard]] const std::vector<Relationship>& root_relationships() const { return root_; }
  [[nodiscard]] const std::vector<StoredSignature>& signatures() const { return signatures_; }
  /// Whether the part belongs to a signature and is not covered by one: signature parts, their
  /// certificates, and the relationships that lead there.
  [[nodiscard]] bool is_of_signature(std::size_t part) const;

  /// A small part's bytes, up to 16 MB.
  Result<Bytes> read_part(std::size_t part) const;
  /// Its relationships, for a relationships part.
  Result<std::vector<Relationship>> read_relationships(std::size_t part) const;
  /// Hash of the part's bytes, remembered.
  Result<Bytes> digest(std::size_t part, DigestAlg alg);

 private:
  Package() = default;
  Result<void> list_parts();
  Result<void> find_signatures();
  Result<void> add_signature(std::size_t part);
  /// The relationships of the part with that key; empty when it has none.
  Result<std::vector<Relationship>> relationships_of(std::size_t part);

  std::shared_ptr<const ByteSource> source_;
  zip::Archive archive_;
  ContentTypes types_;
  std::size_t types_entry_{};
  std::vector<Part> parts_;
  std::map<std::string, std::size_t, std::less<>> by_key_;
  std::vector<Relationship> root_;
  std::vector<StoredSignature> signatures_;
  std::vector<bool> of_signature_;
  std::map<std::pair<std::size_t, DigestAlg>, Bytes> digests_;
};

}  // namespace signctl::vsix
