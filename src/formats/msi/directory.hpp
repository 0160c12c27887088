// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "formats/msi/header.hpp"

#include <signctl/bytes.hpp>
#include <signctl/result.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace signctl::msi {

inline constexpr std::size_t kEntrySize = 128;

enum class EntryType : std::uint8_t { free = 0, storage = 1, stream = 2, root = 5 };
enum class Colour : std::uint8_t { red = 0, black = 1 };

/// A directory entry, 2.6.1.
struct Entry {
  std::u16string name;  ///< Without the NUL.
  EntryType type{EntryType::free};
  Colour colour{Colour::red};
  std::uint32_t left{kNoStream};
  std::uint32_t right{kNoStream};
  std::uint32_t child{kNoStream};
  std::array<std::uint8_t, 16> class_id{};
  std::uint32_t state_bits{};
  std::uint64_t created{};   ///< FILETIME
  std::uint64_t modified{};  ///< FILETIME
  std::uint32_t start{};
  std::uint64_t size{};  ///< Bytes; in version 3 files only the low half counts.

  [[nodiscard]] bool is_stream() const { return type == EntryType::stream; }
  [[nodiscard]] bool in_mini_stream() const { return size < kMiniCutoff; }
};

/// @param bytes  kEntrySize of them.
/// @errors `input` for a name or a type that cannot be.
Result<Entry> parse_entry(ByteView bytes, std::uint16_t major_version);
[[nodiscard]] Bytes encode_entry(const Entry& entry);

/// Octets of a name as they are stored, without the NUL.
[[nodiscard]] Bytes name_bytes(std::u16string_view name);

/// Order in the tree of siblings (2.6.4): shorter names first, then by upper-case code units.
/// Negative, 0 or positive.
[[nodiscard]] int compare_in_tree(std::u16string_view a, std::u16string_view b);
/// Whether compare_in_tree() knows the case mapping of everything in `name`.
[[nodiscard]] bool order_is_certain(std::u16string_view name);
/// Order of hashing: octets of the names, low byte first; a name before those it begins.
[[nodiscard]] bool hashed_before(std::u16string_view a, std::u16string_view b);

/// A storage and what is in it, by position in the directory.
struct Storage {
  std::uint32_t entry{};
  std::vector<std::uint32_t> children;  ///< In hashing order.
  std::string path;                     ///< "" for the root, else decoded, with "/" at the end.
};

/// The directory as a tree.
struct Tree {
  std::vector<Storage> storages;  ///< The root first.
  std::size_t reached{};          ///< Entries that are part of it.
  bool ordered{true};             ///< A search along the links finds every name.
};

/// @errors `input` for links that leave the directory, meet an entry twice, or nest too deeply; for
///         names that occur twice in a storage.
Result<Tree> walk_tree(const std::vector<Entry>& entries);

/// The names of the signature streams, in the root storage only.
inline constexpr std::u16string_view kSignatureName =
    u"\x05"
    u"DigitalSignature";
inline constexpr std::u16string_view kPrehashName =
    u"\x05"
    u"MsiDigitalSignatureEx";

/// A name for people, UTF-8. Windows Installer packs two characters of its own alphabet into one
/// code unit; a table's stream gets "!" in front, as in its own tools. Slashes become "_".
[[nodiscard]] std::string decode_name(std::u16string_view name);
/// The name of the stream that holds a table. A table's name has letters, digits, "." and "_" only.
[[nodiscard]] std::u16string encode_table_name(std::string_view table);

}  // namespace signctl::msi
