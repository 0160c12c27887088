// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "formats/msi/compound_file.hpp"
#include "formats/msi/file_names.hpp"

#include <signctl/finding.hpp>
#include <signctl/format.hpp>
#include <signctl/result.hpp>

#include <memory>
#include <optional>
#include <vector>

namespace signctl::msi {

/// Everything that is in the file and that no signature covers.
Result<std::vector<Finding>> container_findings(const CompoundFile& file);

/// Refuses what would be lost by signing, or taken over without being covered.
Result<void> check_editable(const CompoundFile& file);

/// The algorithm whose pre-hash MsiDigitalSignatureEx holds; empty if it holds none of this file.
[[nodiscard]] std::optional<DigestAlg> prehash_alg(const CompoundFile& file, ByteView stored);

/// What `inspect` shows.
[[nodiscard]] std::vector<FileFact> facts_of(const CompoundFile& file);

/// "package", "patch", "transform", or empty for what is not Windows Installer's.
[[nodiscard]] std::string_view kind_of(const CompoundFile& file);

/// Streams that are signed on their own: programs, cabinets, archives, installers, and scripts that
/// the installer runs.
struct MemberStream {
  Member member;
  std::uint32_t entry{};
  bool is_cabinet{false};
};
/// @param names  What the installer says about them; empty when that cannot be read.
Result<std::vector<MemberStream>> member_streams(const CompoundFile& file, const FileNames& names);

/// Longest stored pre-hash that is read: the largest digest.
inline constexpr std::uint64_t kMaxPrehash = 64;

}  // namespace signctl::msi
