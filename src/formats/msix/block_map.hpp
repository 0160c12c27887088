// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/bytes.hpp>
#include <signctl/digest_alg.hpp>
#include <signctl/result.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// AppxBlockMap.xml: the hash of every block of 64 KiB of every file of a package, as
// learn.microsoft.com documents it under "App package block map schema".
namespace signctl::msix {

inline constexpr std::uint64_t kBlockSize = std::uint64_t{64} << 10U;

/// One File element.
struct MappedFile {
  std::string name;          ///< With `\`, UTF-8, not percent-encoded.
  std::uint64_t size{};      ///< Unpacked.
  std::uint32_t lfh_size{};  ///< Of the local header in the archive.
  std::size_t first_block{};
  std::size_t block_count{};
};

/// The map. The blocks of all files lie one behind the other.
struct BlockMap {
  DigestAlg alg{DigestAlg::sha256};
  std::vector<MappedFile> files;
  Bytes hashes;  ///< digest_size(alg) for each block.
  /// Packed size of each block; empty for what is stored.
  std::vector<std::optional<std::uint32_t>> packed_sizes;

  [[nodiscard]] ByteView hash(std::size_t block) const;
};

/// @errors `input` for anything that is no block map; `unsupported` for another hash method than
///         SHA-256, SHA-384 or SHA-512.
Result<BlockMap> read_block_map(ByteView xml);

/// The map as a document. Extensions of later versions are not written.
[[nodiscard]] Bytes encode_block_map(const BlockMap& map);

}  // namespace signctl::msix
