// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/prefix_hash.hpp"
#include "formats/msix/parts.hpp"

#include <signctl/byte_source.hpp>
#include <signctl/bytes.hpp>
#include <signctl/digest_alg.hpp>
#include <signctl/result.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

// What a package's signature is over: a table of digests, where other types have one.
namespace signctl::msix {

/// What goes into the table besides the hash method.
struct DigestInput {
  const ByteSource* file{};     ///< The package as it is, or as it will be.
  std::uint64_t records_end{};  ///< AXPC: all local records but the signature's.
  Bytes directory;      ///< AXCD: central directory and end records without the signature's entry.
  Bytes content_types;  ///< AXCT, unpacked.
  Bytes block_map;      ///< AXBM, unpacked.
  bool has_catalog{false};
  Bytes catalog;  ///< AXCI, unpacked; only with has_catalog.
  /// Of the file's first bytes, if they have been hashed already; at most records_end long.
  std::optional<crypto::PrefixHash> prefix;
};

/// The table under each of `algs`: "APPX", then a tag of four letters and a digest for each part.
///
/// @errors those of reading.
Result<std::vector<Bytes>> make_tables(DigestInput input, std::span<const DigestAlg> algs);

/// What is wrong with the shape of a table; empty if nothing is: the tags AXPC, AXCD, AXCT, AXBM
/// and AXCI if there is a catalog, each once, in this order, each with a digest of the right size.
[[nodiscard]] std::string check_table(ByteView table, DigestAlg alg, bool has_catalog);

/// Which parts differ between two tables of the right shape: "the files, the block map".
[[nodiscard]] std::string table_differences(ByteView claimed, ByteView computed, DigestAlg alg);

}  // namespace signctl::msix
