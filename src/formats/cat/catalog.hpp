// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/byte_source.hpp>
#include <signctl/bytes.hpp>
#include <signctl/result.hpp>

#include <cstdint>

namespace signctl::cat {

/// A catalog file is the SignedData itself, so it is read as a whole.
inline constexpr std::uint64_t kMaxCatalogSize = std::uint64_t{16} << 20U;

/// The outside of a catalog: a SignedData, with or without signers.
struct Catalog {
  Bytes cms;      ///< The ContentInfo, DER.
  Bytes content;  ///< CertificateTrustList, complete TLV.
  bool has_signers{false};
  std::uint64_t trailing{};  ///< Bytes of the file behind the ContentInfo.
};

/// @errors `input` when it is not DER of that structure or larger than 16 MB.
Result<Catalog> read_catalog(const ByteSource& source);

/// A SignedData around `content` that nobody has signed yet, as MakeCat writes it.
[[nodiscard]] Bytes encode_unsigned(ByteView content);

/// Whether `head`, the first bytes of a file, begins a SignedData over a certificate trust list.
[[nodiscard]] bool starts_like_catalog(ByteView head);

}  // namespace signctl::cat
