// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "formats/script/text.hpp"

#include <signctl/byte_source.hpp>
#include <signctl/bytes.hpp>
#include <signctl/result.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace signctl::script {

/// A signature block, as byte offsets into the file that has it.
struct Block {
  std::size_t begin{};       ///< Of the line break in front of its first line.
  std::size_t end{};         ///< Behind the line break of its last line.
  std::size_t first_line{};  ///< Counted from 1.
  std::size_t last_line{};
  Bytes cms;                 ///< What the base64 stands for.
  std::string irregularity;  ///< How it differs from what Windows writes; empty if it does not.
};

/// A script taken apart.
struct Script {
  const Dialect* dialect{};
  Text text;  ///< Without the signature block.
  std::optional<Block> block;

  /// Bytes behind the block, which begin at `block->begin` of the text.
  [[nodiscard]] std::size_t bytes_after_block() const {
    return block ? text.size() - block->begin : 0;
  }
};

/// Larger ones are refused: a script is held in memory. The largest that are published have a few
/// megabytes.
inline constexpr std::uint64_t kLargestScript = std::uint64_t{64} << 20U;

/// Reads a script and its signature block.
///
/// @errors `input` for what is not text; for several blocks, for half of one, and for a line in one
///         that is not of it (a host would run it). `unsupported` for scripts that are too large.
Result<Script> read_script(const ByteSource& source, const Dialect& dialect);

/// The block that holds a signature, with the line break that goes in front.
[[nodiscard]] Bytes encode_block(const Text& text,
                                 const Dialect& dialect,
                                 ByteView cms,
                                 std::size_t characters_a_line);

/// What Windows and all peers write into a line.
inline constexpr std::size_t kCharactersALine = 64;

/// Where a block goes in a text that has none.
///
/// @errors `input` when the place that the dialect asks for is not there.
Result<std::size_t> insertion_point(const Text& text, const Dialect& dialect);

}  // namespace signctl::script
