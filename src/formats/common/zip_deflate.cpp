// SPDX-License-Identifier: Apache-2.0
#include "core/block_reader.hpp"
#include "core/file.hpp"
#include "core/spooled_bytes.hpp"
#include "formats/common/zip_edit.hpp"

#include <array>
#include <libdeflate.h>
#include <limits>
#include <utility>
#include <zlib.h>

namespace signctl::zip {
namespace {

constexpr std::size_t kOut = std::size_t{64} * 1024;
constexpr int kRawWindow = -15;
constexpr int kMemory = 8;

/// One raw deflate stream at zlib's usual level.
class Deflater {
 public:
  Deflater() {
    started_ =
        deflateInit2(
            &stream_, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kRawWindow, kMemory, Z_DEFAULT_STRATEGY) ==
        Z_OK;
  }
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;
  ~Deflater() { deflateEnd(&stream_); }

  template <class Sink>
  Result<void> update(ByteView bytes, int flush, Sink sink) {
    if (!started_) {
      return Error{ErrorKind::internal, "deflate could not be started"};
    }
    // zlib's interface predates const; it does not write to its input.
    stream_.next_in =
        const_cast<Bytef*>(bytes.data());  // NOLINT(cppcoreguidelines-pro-type-const-cast)
    stream_.avail_in = static_cast<uInt>(bytes.size());
    do {
      stream_.next_out = out_.data();
      stream_.avail_out = static_cast<uInt>(out_.size());
      static_cast<void>(::deflate(&stream_, flush));
      SIGNCTL_CHECK(sink(ByteView(out_).first(out_.size() - stream_.avail_out)), "");
    } while (stream_.avail_out == 0);
    return ok();
  }

 private:
  bool started_;
  z_stream stream_{};
  std::array<std::uint8_t, kOut> out_{};
};

std::uint32_t add_crc(std::uint32_t crc, ByteView bytes) {
  return libdeflate_crc32(crc, bytes.data(), bytes.size());
}

}  // namespace

Result<Content> store(std::shared_ptr<const ByteSource> bytes) {
  Content content;
  content.size = bytes->size();
  BlockVisitor visitor;
  visitor.visit = [&content](std::uint64_t /*offset*/, ByteView block) {
    content.crc32 = add_crc(content.crc32, block);
    return true;
  };
  SIGNCTL_CHECK(for_each_block(*bytes, 0, content.size, visitor), "");
  content.packed = std::move(bytes);
  return content;
}

Content store(ByteView bytes) {
  Content content;
  content.size = bytes.size();
  content.crc32 = add_crc(0, bytes);
  content.packed = std::make_shared<MemorySource>(Bytes(bytes.begin(), bytes.end()));
  return content;
}

Content deflate(ByteView bytes) {
  Content content;
  content.method = kDeflated;
  content.size = bytes.size();
  content.crc32 = add_crc(0, bytes);
  Deflater deflater;
  Bytes packed;
  // Into memory nothing can fail but memory itself.
  static_cast<void>(deflater.update(bytes, Z_FINISH, [&packed](ByteView block) {
    packed.insert(packed.end(), block.begin(), block.end());
    return ok();
  }));
  content.packed = std::make_shared<MemorySource>(std::move(packed));
  return content;
}

Result<Content> deflate_source(const ByteSource& bytes) {
  Content content;
  content.method = kDeflated;
  content.size = bytes.size();
  Deflater deflater;
  SpooledBytes spool("a packed member", std::numeric_limits<std::uint64_t>::max());
  const auto sink = [&spool](ByteView block) { return spool.append(block); };
  Result<void> result = ok();
  BlockVisitor visitor;
  visitor.visit = [&](std::uint64_t /*offset*/, ByteView block) {
    content.crc32 = add_crc(content.crc32, block);
    result = deflater.update(block, Z_NO_FLUSH, sink);
    return result.has_value();
  };
  SIGNCTL_CHECK(for_each_block(bytes, 0, content.size, visitor), "");
  SIGNCTL_CHECK(std::move(result), "");
  SIGNCTL_CHECK(deflater.update({}, Z_FINISH, sink), "");
  content.packed = std::move(spool).finish();
  return content;
}

Result<DeflatedBlocks> deflate_blocks(const ByteSource& bytes, std::size_t block_size) {
  DeflatedBlocks made;
  made.content.method = kDeflated;
  made.content.size = bytes.size();
  Deflater deflater;
  SpooledBytes spool("a packed member", std::numeric_limits<std::uint64_t>::max());
  const auto sink = [&spool](ByteView block) { return spool.append(block); };
  std::uint64_t written = 0;
  for (std::uint64_t at = 0; at < bytes.size(); at += block_size) {
    const std::uint64_t size = std::min<std::uint64_t>(block_size, bytes.size() - at);
    SIGNCTL_TRY(const Bytes block, read_bytes(bytes, at, size), "");
    made.content.crc32 = add_crc(made.content.crc32, block);
    SIGNCTL_CHECK(deflater.update(block, Z_FULL_FLUSH, sink), "");
    made.packed_sizes.push_back(static_cast<std::uint32_t>(spool.size() - written));
    written = spool.size();
  }
  // The final block of the stream belongs to no block of the map: makeappx leaves these two octets
  // outside as well, and readers of the map allow for them.
  SIGNCTL_CHECK(deflater.update({}, Z_FINISH, sink), "");
  made.content.packed = std::move(spool).finish();
  return made;
}

}  // namespace signctl::zip
