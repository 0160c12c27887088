// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/byte_source.hpp>
#include <signctl/bytes.hpp>

#include <cstdint>
#include <memory>
#include <vector>

namespace signctl {

/// Bytes that replace the bytes at `offset` one for one. May reach past the kept part of the file,
/// which then grows; a gap between the kept part and `offset` reads as zeros.
struct Patch {
  std::uint64_t offset{};
  Bytes bytes;
};

/// Bytes of the input, [from, from + size), that stand at `to` in the output. Read from the input
/// when the edits are applied, so a move may be as long as the file and costs no memory.
struct Move {
  std::uint64_t from{};
  std::uint64_t to{};
  std::uint64_t size{};
  /// Where the bytes are taken from instead of the input: a member packed anew. Null: the input.
  std::shared_ptr<const ByteSource> source{};
};

/// The edits that turn an input file into an output file: keep the first `keep` bytes, then apply
/// `moves` in order, then `patches` in order. A format proposes it; one writer applies it
/// (engine/draft.hpp), so formats never touch the disk.
struct PatchSet {
  std::uint64_t keep{};  ///< Length of the prefix of the input that stays.
  std::vector<Patch> patches;
  std::vector<Move> moves{};
};

}  // namespace signctl
