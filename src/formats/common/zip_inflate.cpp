// SPDX-License-Identifier: Apache-2.0
#include "formats/common/zip_inflate.hpp"

#include "core/block_reader.hpp"
#include "core/source_part.hpp"
#include "core/spooled_bytes.hpp"

#include <array>
#include <libdeflate.h>
#include <utility>
#include <zlib.h>

namespace signctl::zip {
namespace {

constexpr std::size_t kBlock = std::size_t{64} * 1024;
constexpr std::uint64_t kBombSize = std::uint64_t{128} << 20U;
constexpr std::uint64_t kBombRatio = 200;
/// No preset dictionary and no zlib header: the raw streams of APPNOTE 4.4.5, method 8.
constexpr int kRawWindow = -15;

Error wrong(const std::string& name, const std::string& what) {
  return {ErrorKind::input, "entry \"" + name + "\": " + what};
}

}  // namespace

struct Unpacker::Impl {
  explicit Impl(const Entry& entry)
      : name(display_name(entry)),
        method(entry.method),
        encrypted((entry.flags & kFlagEncrypted) != 0),
        size(entry.size),
        packed_size(entry.packed_size),
        expected_crc(entry.crc32) {}
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    if (started) {
      inflateEnd(&stream);
    }
  }

  Result<void> start();
  Result<void> give(ByteView bytes, const Sink& sink);
  Result<void> inflate_block(ByteView packed, const Sink& sink);

  std::string name;
  std::uint16_t method;
  bool encrypted;
  std::uint64_t size;
  std::uint64_t packed_size;
  std::uint32_t expected_crc;
  std::uint64_t taken{0};
  std::uint64_t given{0};
  std::uint32_t crc{0};
  bool started{false};
  bool ended{false};
  z_stream stream{};
  std::array<std::uint8_t, kBlock> out{};
};

Result<void> Unpacker::Impl::start() {
  if (encrypted) {
    return Error{ErrorKind::unsupported, "entry \"" + name + "\" is encrypted"};
  }
  if (method != kStored && method != kDeflated) {
    return Error{ErrorKind::unsupported,
                 "entry \"" + name + "\" is packed with method " + std::to_string(method) +
                     "; stored and deflated ones are read"};
  }
  if (method == kDeflated && !started) {
    if (inflateInit2(&stream, kRawWindow) != Z_OK) {
      return Error{ErrorKind::internal, "inflate could not be started"};
    }
    started = true;
  }
  return ok();
}

Result<void> Unpacker::Impl::give(ByteView bytes, const Sink& sink) {
  if (bytes.size() > size - given) {
    return wrong(name, "it unpacks to more than the " + std::to_string(size) + " bytes it claims");
  }
  given += bytes.size();
  crc = libdeflate_crc32(crc, bytes.data(), bytes.size());
  return bytes.empty() ? ok() : sink(bytes);
}

Result<void> Unpacker::Impl::inflate_block(ByteView packed, const Sink& sink) {
  // zlib's interface predates const; it does not write to its input.
  stream.next_in =
      const_cast<Bytef*>(packed.data());  // NOLINT(cppcoreguidelines-pro-type-const-cast)
  stream.avail_in = static_cast<uInt>(packed.size());
  bool full = false;
  do {
    stream.next_out = out.data();
    stream.avail_out = static_cast<uInt>(out.size());
    const int code = inflate(&stream, Z_NO_FLUSH);
    if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR) {
      return wrong(name, "its packed bytes are malformed");
    }
    SIGNCTL_CHECK(give(ByteView(out).first(out.size() - stream.avail_out), sink), "");
    ended = code == Z_STREAM_END;
    full = stream.avail_out == 0;
  } while (!ended && (stream.avail_in > 0 || full));
  if (ended && stream.avail_in > 0) {
    return wrong(name, "bytes follow its packed data");
  }
  return ok();
}

Unpacker::Unpacker(const Entry& entry) : impl_(std::make_unique<Impl>(entry)) {}
Unpacker::Unpacker(Unpacker&&) noexcept = default;
Unpacker& Unpacker::operator=(Unpacker&&) noexcept = default;
Unpacker::~Unpacker() = default;

Result<void> Unpacker::update(ByteView packed, const Sink& sink) {
  SIGNCTL_CHECK(impl_->start(), "");
  impl_->taken += packed.size();
  while (!packed.empty()) {
    const ByteView part = packed.first(std::min(packed.size(), kBlock));
    packed = packed.subspan(part.size());
    if (impl_->method == kStored) {
      SIGNCTL_CHECK(impl_->give(part, sink), "");
    } else if (impl_->ended) {
      return wrong(impl_->name, "bytes follow its packed data");
    } else {
      SIGNCTL_CHECK(impl_->inflate_block(part, sink), "");
    }
  }
  return ok();
}

Result<void> Unpacker::finish() {
  SIGNCTL_CHECK(impl_->start(), "");
  if (impl_->method == kDeflated && !impl_->ended) {
    return wrong(impl_->name, "its packed bytes are cut off");
  }
  if (impl_->taken != impl_->packed_size || impl_->given != impl_->size) {
    return wrong(impl_->name,
                 "it unpacks to " + std::to_string(impl_->given) + " bytes and claims " +
                     std::to_string(impl_->size));
  }
  if (impl_->crc != impl_->expected_crc) {
    return wrong(impl_->name, "its CRC-32 is not what the directory says");
  }
  return ok();
}

Result<void> unpack(const ByteSource& source, const Entry& entry, const Sink& sink) {
  Unpacker unpacker(entry);
  Result<void> result = ok();
  BlockVisitor visitor;
  visitor.visit = [&](std::uint64_t /*offset*/, ByteView block) {
    result = unpacker.update(block, sink);
    return result.has_value();
  };
  SIGNCTL_CHECK(
      for_each_block(source, entry.data_offset, entry.data_offset + entry.packed_size, visitor),
      "");
  SIGNCTL_CHECK(std::move(result), "");
  return unpacker.finish();
}

Result<Bytes> unpack_small(const ByteSource& source, const Entry& entry, std::uint64_t limit) {
  if (entry.size > limit) {
    return wrong(display_name(entry),
                 "it claims " + std::to_string(entry.size) + " bytes; at most " +
                     std::to_string(limit) + " are read");
  }
  Bytes bytes;
  SIGNCTL_CHECK(unpack(source,
                       entry,
                       [&bytes](ByteView block) {
                         bytes.insert(bytes.end(), block.begin(), block.end());
                         return ok();
                       }),
                "");
  return bytes;
}

Result<std::shared_ptr<const ByteSource>> open_entry(std::shared_ptr<const ByteSource> source,
                                                     const Entry& entry) {
  if (entry.size > kBombSize && entry.size / kBombRatio > entry.packed_size) {
    return wrong(display_name(entry), "it claims to unpack to more than real files do");
  }
  if (entry.method == kStored && (entry.flags & kFlagEncrypted) == 0) {
    return SourcePart::of(std::move(source), entry.data_offset, entry.size);
  }
  SpooledBytes spool(display_name(entry), entry.size);
  SIGNCTL_CHECK(unpack(*source, entry, [&spool](ByteView block) { return spool.append(block); }),
                "");
  return std::move(spool).finish();
}

}  // namespace signctl::zip
