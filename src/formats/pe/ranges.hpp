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

/// Why the section walk of the Authenticode paper hashes other bytes than the linear form does, for
/// people; empty when both agree. They differ when sections leave gaps or overlap: readers then
/// disagree about the digest.
[[nodiscard]] std::optional<std::string> layout_ambiguity(const Layout& layout);

/// The first section whose data reaches past the content; nullptr if there is none.
[[nodiscard]] const Section* find_section_past_content(const Layout& layout);

/// "section \".text\" (bytes 1024 to 5120)".
[[nodiscard]] std::string describe(const Section& section);

}  // namespace signctl::pe
