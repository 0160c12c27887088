// SPDX-License-Identifier: Apache-2.0
#include "support/zip_builder.hpp"

#include "core/byte_reader.hpp"

#include <stdexcept>
#include <zlib.h>

namespace signctl::test {
namespace {

using U16 = std::uint16_t;
using U32 = std::uint32_t;
using U64 = std::uint64_t;

void put_bytes(Bytes& out, ByteView bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

void put_text(Bytes& out, const std::string& text) {
  out.insert(out.end(), text.begin(), text.end());
}

Bytes packed_of(const Bytes& bytes) {
  Bytes packed(compressBound(static_cast<uLong>(bytes.size())) + 64);
  z_stream stream{};
  if (deflateInit2(&stream, 9, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::runtime_error("deflate could not be started");
  }
  Bytes input = bytes;
  stream.next_in = input.data();
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = packed.data();
  stream.avail_out = static_cast<uInt>(packed.size());
  const int code = deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  if (code != Z_STREAM_END) {
    throw std::runtime_error("deflate did not finish");
  }
  return packed;
}

/// What both headers have in common, and where the record lies.
struct Record {
  const ZipFile& file;
  Bytes packed;
  U32 crc;
  U64 size;
  U64 offset;
};

Bytes extra_of(const Record& record) {
  Bytes extra;
  if (record.file.zip64) {
    put_le(extra, U16{1});
    put_le(extra, U16{16});
    put_le(extra, record.size);
    put_le(extra, U64{record.packed.size()});
  }
  return extra;
}

/// From the version that is needed to the length of the name.
void put_common(Bytes& out, const Record& record, bool late) {
  const ZipFile& file = record.file;
  put_le(out, U16{20});
  put_le(out, static_cast<U16>(file.flags | (file.descriptor != 0 ? 8U : 0U)));
  put_le(out, file.method.value_or(file.deflated ? U16{8} : U16{0}));
  put_le(out, U32{0x59215862});
  put_le(out, late ? U32{0} : record.crc);
  const U32 full = 0xFFFFFFFF;
  put_le(out, file.zip64 ? full : late ? U32{0} : static_cast<U32>(record.packed.size()));
  put_le(out, file.zip64 ? full : late ? U32{0} : static_cast<U32>(record.size));
}

void put_local(Bytes& out, const Record& record) {
  const ZipFile& file = record.file;
  const std::string name = file.local_name.value_or(file.name);
  const Bytes extra = extra_of(record);
  put_le(out, U32{0x04034B50});
  put_common(out, record, file.descriptor != 0);
  put_le(out, static_cast<U16>(name.size()));
  put_le(out, static_cast<U16>(extra.size()));
  put_text(out, name);
  put_bytes(out, extra);
  put_bytes(out, record.packed);
  if (file.descriptor == 16 || file.descriptor == 24) {
    put_le(out, U32{0x08074B50});
  }
  if (file.descriptor != 0) {
    put_le(out, record.crc);
  }
  if (file.descriptor >= 20) {
    put_le(out, U64{record.packed.size()});
    put_le(out, record.size);
  } else if (file.descriptor != 0) {
    put_le(out, static_cast<U32>(record.packed.size()));
    put_le(out, static_cast<U32>(record.size));
  }
}

void put_central(Bytes& out, const Record& record) {
  const Bytes extra = extra_of(record);
  put_le(out, U32{0x02014B50});
  put_le(out, U16{20});
  put_common(out, record, false);
  put_le(out, static_cast<U16>(record.file.name.size()));
  put_le(out, static_cast<U16>(extra.size()));
  out.resize(out.size() + 10, 0);  // comment, disk and attributes
  put_le(out, record.file.offset.value_or(static_cast<U32>(record.offset)));
  put_text(out, record.file.name);
  put_bytes(out, extra);
}

void put_zip64_end(Bytes& out, U64 count, U64 size, U64 offset) {
  const U64 at = out.size();
  put_le(out, U32{0x06064B50});
  put_le(out, U64{44});
  put_le(out, U16{45});
  put_le(out, U16{45});
  put_le(out, U64{0});
  put_le(out, count);
  put_le(out, count);
  put_le(out, size);
  put_le(out, offset);
  put_le(out, U32{0x07064B50});
  put_le(out, U32{0});
  put_le(out, at);
  put_le(out, U32{1});
}

}  // namespace

Bytes make_zip(const ZipSpec& spec) {
  Bytes out = spec.prefix;
  Bytes directory;
  for (const ZipFile& file : spec.files) {
    const auto crc = static_cast<U32>(crc32_z(0, file.bytes.data(), file.bytes.size()));
    const Record record{file,
                        file.deflated ? packed_of(file.bytes) : file.bytes,
                        file.crc.value_or(crc),
                        file.size.value_or(static_cast<U32>(file.bytes.size())),
                        out.size()};
    put_local(out, record);
    put_central(directory, record);
  }
  const U64 offset = out.size();
  put_bytes(out, directory);
  const auto count = spec.count.value_or(static_cast<U16>(spec.files.size()));
  if (spec.zip64) {
    put_zip64_end(out, count, directory.size(), offset);
  }
  put_le(out, U32{0x06054B50});
  put_le(out, spec.disk);
  put_le(out, spec.disk);
  put_le(out, spec.zip64 ? U16{0xFFFF} : count);
  put_le(out, spec.zip64 ? U16{0xFFFF} : count);
  put_le(out, spec.zip64 ? U32{0xFFFFFFFF} : static_cast<U32>(directory.size()));
  put_le(out, spec.zip64 ? U32{0xFFFFFFFF} : static_cast<U32>(offset));
  put_le(out, static_cast<U16>(spec.comment.size()));
  put_text(out, spec.comment);
  put_bytes(out, spec.trailing);
  return out;
}

}  // namespace signctl::test
