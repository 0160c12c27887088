// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "formats/common/zip_archive.hpp"

#include <signctl/byte_source.hpp>
#include <signctl/finding.hpp>
#include <signctl/patch_set.hpp>
#include <signctl/result.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace signctl::nuget {

/// The entry that holds the signature, exactly so.
inline constexpr std::string_view kSignature = ".signature.p7s";

/// A NuGet package: an archive with a manifest at its top.
struct Package {
  zip::Archive archive;
  std::size_t manifest{};                ///< Position of the .nuspec.
  std::optional<std::size_t> signature;  ///< Position of the signature's entry.
  std::vector<std::size_t> files;        ///< Positions of what is neither folder nor signature.
  bool zip64{false};                     ///< Has ZIP64 records or extra fields anywhere.

  [[nodiscard]] const zip::Entry& entry(std::size_t index) const { return archive.entries[index]; }
};

/// Reads the directory of a package.
///
/// @errors those of zip::read_archive() for packages; `input` without a .nuspec at the top.
Result<Package> read_package(const ByteSource& source);

/// The edits that make the package what it was without its signature, whose digest is the package
/// hash: everything as if the entry had never been there.
Result<PatchSet> without_signature(const ByteSource& source, const Package& package);

/// What is wrong with the signature's entry and the archive around it: "nuget-signature-entry" and
/// "nuget-zip64".
Result<std::vector<Finding>> check_package(const ByteSource& source, const Package& package);

}  // namespace signctl::nuget
