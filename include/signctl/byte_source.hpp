// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/bytes.hpp>
#include <signctl/result.hpp>

#include <cstdint>

namespace signctl {

/// Random access to the bytes of one input, without holding them in memory.
///
/// read_at may be called from several threads at once.
class ByteSource {
 public:
  virtual ~ByteSource() = default;

  /// Size in bytes when the source was opened.
  [[nodiscard]] virtual std::uint64_t size() const = 0;

  /// Fills `out` completely from `offset`.
  ///
  /// @errors `input` when the range is not inside the source, or reading fails, or the source
  ///         has become shorter since it was opened.
  virtual Result<void> read_at(std::uint64_t offset, std::span<std::uint8_t> out) const = 0;
};

}  // namespace signctl
