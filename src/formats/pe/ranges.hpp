// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "formats/pe/layout.hpp"

#include <signctl/format.hpp>

#include <optional>
#include <string>
#include <vector>

namespace signctl::pe {

/// What the digest covers, in order: everything up to the certificate table but the CheckSum field
/// and the security directory entry ("Authenticode PE", "Calculating the PE Image Hash", in its
/// linear form).
[[nodiscard]] std::vector<HashedRange> hashed_ranges(const Layout& layout);

/// Zero bytes that a signer puts (and hashes) between the content and the certificate table.
[[nodiscard]] std::uint64_t padding_before_table(const Layout& layout);

/// Bytes before a section that belong to none, for people; empty without. The linear form covers
/// them; the section walk of the Authenticode paper does not.
[[nodiscard]] std::optional<std::string> find_gap(const Layout& layout);

/// Bytes that belong to two sections, or to one and the headers, for people; empty without.
[[nodiscard]] std::optional<std::string> find_overlap(const Layout& layout);

/// What makes those that judge the file compute another digest than the linear form's, for people:
/// an overlap, or in an EFI image a gap, because firmware walks the sections (EDK II,
/// HashPeImage()). Empty when all agree.
[[nodiscard]] std::optional<std::string> fatal_ambiguity(const Layout& layout);

/// The first section whose data reaches past the content; nullptr if there is none.
[[nodiscard]] const Section* find_section_past_content(const Layout& layout);

/// "section \".text\" (bytes 1024 to 5120)".
[[nodiscard]] std::string describe(const Section& section);

}  // namespace signctl::pe
