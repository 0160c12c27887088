// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/scratch_file.hpp"

#include <signctl/byte_source.hpp>
#include <signctl/bytes.hpp>
#include <signctl/result.hpp>

#include <cstdint>
#include <memory>
#include <string>

namespace signctl {

/// Bytes that somebody makes in order, such as an unpacked file, and that are read anywhere
/// afterwards: up to a megabyte in memory, more in a temporary file that goes away by itself.
class SpooledBytes {
 public:
  /// More than this is kept on disk.
  static constexpr std::size_t kMostInMemory = std::size_t{1} << 20U;

  /// @param what   What the bytes are, for messages: "setup.exe".
  /// @param limit  The most bytes that are taken; the protection against archives that unpack to
  ///               more than they claim.
  SpooledBytes(std::string what, std::uint64_t limit) : what_(std::move(what)), limit_(limit) {}

  /// Takes more bytes.
  ///
  /// @errors `input` past the limit; `output` when there is no room on the disk.
  Result<void> append(ByteView bytes);

  [[nodiscard]] std::uint64_t size() const { return size_; }

  /// The bytes, to be read from any thread. They live as long as the result.
  [[nodiscard]] std::shared_ptr<const ByteSource> finish() &&;

 private:
  Result<void> spill();

  std::string what_;
  std::uint64_t limit_;
  std::uint64_t size_{0};
  Bytes memory_;  ///< What the file does not have yet.
  std::unique_ptr<ScratchFile> file_;
};

}  // namespace signctl
