// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "formats/cab/reserve.hpp"
#include "formats/common/cabinet_layout.hpp"

#include <signctl/byte_source.hpp>
#include <signctl/bytes.hpp>
#include <signctl/digest_alg.hpp>
#include <signctl/patch_set.hpp>
#include <signctl/result.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace signctl::cab {

/// The start of a cabinet, from its header to the last CFFOLDER, in another size than it has: with
/// room for a signature, or without. All that follows moves, so the offsets in it are adjusted.
struct Head {
  Bytes bytes;
  std::uint64_t old_size{};      ///< How many bytes of the input it stands for.
  std::uint64_t cabinet_size{};  ///< cbCabinet in `bytes`.
  std::uint64_t reserve{};       ///< Where the reserved area begins in `bytes`.
  std::uint64_t reserve_size{};
};

/// With the reserved area `reserve`; the locator in it stays as given.
///
/// @errors `unsupported` when the cabinet would pass 4 GiB, or the area 65535 bytes.
Result<Head> head_with(const ByteSource& source,
                       const formats::CabinetLayout& layout,
                       const Bytes& reserve);

/// Without a reserved area in the header.
Result<Head> head_without(const ByteSource& source, const formats::CabinetLayout& layout);

/// The edits that put `head` in the place of the old one, with nothing behind the cabinet.
[[nodiscard]] PatchSet replace_head(const formats::CabinetLayout& layout, Head head);

/// The Authenticode digest of the cabinet that begins with `head` and goes on as `source` does,
/// under each of `algs`.
Result<std::vector<Bytes>> hash_cabinet(const ByteSource& source,
                                        const formats::CabinetLayout& layout,
                                        const Head& head,
                                        std::span<const DigestAlg> algs);

}  // namespace signctl::cab
