// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/bytes.hpp>
#include <signctl/result.hpp>

#include <cstdint>
#include <memory>
#include <span>

namespace signctl {

/// A file in the folder for temporary files that nobody else can open and that the system removes
/// when it is closed, also when the process is killed. Per platform.
class ScratchFile {
 public:
  /// @errors `output` when the folder does not exist or cannot be written.
  static Result<std::unique_ptr<ScratchFile>> create();

  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;
  ~ScratchFile();

  /// Writes behind what has been written.
  ///
  /// @errors `output` (disk full, ...).
  Result<void> append(ByteView bytes);

  /// Fills `out` from `offset`. May be called from several threads once nothing is appended any
  /// more. The range must have been written.
  Result<void> read_at(std::uint64_t offset, std::span<std::uint8_t> out) const;

 private:
  struct Impl;
  explicit ScratchFile(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace signctl
