// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "formats/common/zip_archive.hpp"

#include <signctl/byte_source.hpp>
#include <signctl/bytes.hpp>
#include <signctl/result.hpp>

#include <functional>
#include <memory>

namespace signctl::zip {

/// Takes unpacked bytes, in order, in blocks of up to 64 KiB.
using Sink = std::function<Result<void>(ByteView)>;

/// Unpacks one entry whose packed bytes are pushed in, in order. Memory does not grow.
class Unpacker {
 public:
  /// @param entry  Copied.
  explicit Unpacker(const Entry& entry);
  Unpacker(Unpacker&&) noexcept;
  Unpacker& operator=(Unpacker&&) noexcept;
  ~Unpacker();

  /// @errors `input` when the packed bytes are not what deflate makes, or unpack to more than the
  ///         entry claims; `unsupported` for other methods and for encryption; those of `sink`.
  Result<void> update(ByteView packed, const Sink& sink);

  /// After the last packed byte: everything is there and its size and CRC-32 are right.
  Result<void> finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Unpacks an entry from its archive. Calls of `sink` as in Unpacker.
Result<void> unpack(const ByteSource& source, const Entry& entry, const Sink& sink);

/// The unpacked bytes of a small entry.
///
/// @errors also `input` when it claims more than `limit` bytes.
Result<Bytes> unpack_small(const ByteSource& source, const Entry& entry, std::uint64_t limit);

/// The unpacked bytes of any entry: a view into `source` when it is stored, else a temporary.
///
/// @errors also `input` for what only a decompression bomb claims: more than 128 MiB, 200 times the
///         packed size; `output` without room.
Result<std::shared_ptr<const ByteSource>> open_entry(std::shared_ptr<const ByteSource> source,
                                                     const Entry& entry);

}  // namespace signctl::zip
