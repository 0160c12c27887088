// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "formats/common/zip_archive.hpp"

#include <signctl/byte_source.hpp>
#include <signctl/result.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

// The parts of an app package or bundle that are not its payload ("footprint files").
namespace signctl::msix {

inline constexpr std::string_view kAppManifest = "AppxManifest.xml";
inline constexpr std::string_view kBundleManifest = "AppxMetadata/AppxBundleManifest.xml";
inline constexpr std::string_view kBlockMap = "AppxBlockMap.xml";
inline constexpr std::string_view kContentTypes = "[Content_Types].xml";
inline constexpr std::string_view kSignature = "AppxSignature.p7x";
inline constexpr std::string_view kCodeIntegrity = "AppxMetadata/CodeIntegrity.cat";

/// Largest manifest, content types part, signature and catalog that are read; block maps of large
/// packages are larger than these and end where the XML reader does.
inline constexpr std::uint64_t kMostPart = std::uint64_t{4} << 20U;
inline constexpr std::uint64_t kMostBlockMap = std::uint64_t{16} << 20U;

/// A package taken apart; positions in `archive.entries`.
struct Package {
  zip::Archive archive;
  bool bundle{false};
  std::size_t manifest{};
  std::size_t block_map{};
  std::size_t content_types{};
  std::optional<std::size_t> signature;
  std::optional<std::size_t> code_integrity;

  [[nodiscard]] const zip::Entry& entry(std::size_t index) const { return archive.entries[index]; }
  /// Whether the signature's record is the last one, as it must be: AXPC ends where it begins.
  [[nodiscard]] bool signature_is_last() const;
};

/// Reads the directory and finds the parts. Windows looks for them without regard to case; a part
/// that is spelt in another way is refused, because other readers would not find it.
///
/// @errors those of zip::read_archive() for packages; `input` when a part is missing, or there are
///         the manifests of a package and of a bundle.
Result<Package> read_package(const ByteSource& source);

/// An entry's name as the block map has it: percent-decoded, with `\` between components.
[[nodiscard]] std::string mapped_name(std::string_view entry_name);

/// Where the local records end, the signature's left out. It is the last one.
[[nodiscard]] std::uint64_t records_end(const Package& package);

/// How many bytes from the start embedding a signature leaves as they are: the content types may be
/// written anew, and what follows the last record is.
[[nodiscard]] std::uint64_t settled_prefix(const Package& package);

/// Whether the entries at `mine` of one package and at `theirs` of another begin and end at the
/// same offsets and have the same names.
[[nodiscard]] bool lie_alike(const Package& one,
                             std::span<const std::size_t> mine,
                             const Package& other,
                             std::span<const std::size_t> theirs);

}  // namespace signctl::msix
