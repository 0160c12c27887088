// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/spooled_bytes.hpp"
#include "formats/common/cabinet_files.hpp"

#include <signctl/byte_source.hpp>
#include <signctl/result.hpp>

#include <cstddef>
#include <memory>

namespace signctl::formats {

/// The decompressors of libmspack, reading from a ByteSource. Whoever uses it has checked the
/// headers; it reads them again, and both readers must agree on every file.
class CabinetUnpacker {
 public:
  /// @errors `unsupported` when libmspack is not on this machine; `input` when it refuses the
  ///         headers.
  static Result<std::unique_ptr<CabinetUnpacker>> open(std::shared_ptr<const ByteSource> source);

  CabinetUnpacker(const CabinetUnpacker&) = delete;
  CabinetUnpacker& operator=(const CabinetUnpacker&) = delete;
  ~CabinetUnpacker();

  /// Appends the bytes of entry `index` to `out`.
  Result<void> unpack(std::size_t index, const CabinetFile& file, SpooledBytes& out);

 private:
  struct Impl;
  explicit CabinetUnpacker(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace signctl::formats
