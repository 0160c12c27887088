// SPDX-License-Identifier: Apache-2.0
#include "support/cab_builder.hpp"

#include "core/byte_reader.hpp"
#include "crypto/digest.hpp"

#include <algorithm>
#include <map>

namespace signctl::test {

namespace {

constexpr std::size_t kBlock = 32768;

void put(Bytes& out, const Bytes& bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

void put_text(Bytes& out, const std::string& text) {
  out.insert(out.end(), text.begin(), text.end());
}

std::vector<CabBlock> stored_blocks(const Bytes& content) {
  std::vector<CabBlock> blocks;
  for (std::size_t at = 0; at < content.size(); at += kBlock) {
    const std::size_t size = std::min(kBlock, content.size() - at);
    const auto begin = content.begin() + static_cast<std::ptrdiff_t>(at);
    blocks.push_back({Bytes(begin, begin + static_cast<std::ptrdiff_t>(size)),
                      static_cast<std::uint16_t>(size)});
  }
  return blocks;
}

Bytes encode_blocks(const std::vector<CabBlock>& blocks, std::uint8_t reserve) {
  Bytes out;
  for (const CabBlock& block : blocks) {
    put_le(out, std::uint32_t{0});  // No checksum.
    put_le(out, static_cast<std::uint16_t>(block.packed.size()));
    put_le(out, block.unpacked);
    out.resize(out.size() + reserve);
    put(out, block.packed);
  }
  return out;
}

void put_sizes(Bytes& head, const CabSpec& spec) {
  if (!spec.reserve && spec.folder_reserve == 0 && spec.data_reserve == 0) {
    return;
  }
  const Bytes area = spec.reserve.value_or(Bytes());
  put_le(head, static_cast<std::uint16_t>(area.size()));
  put_le(head, spec.folder_reserve);
  put_le(head, spec.data_reserve);
  put(head, area);
}

}  // namespace

Bytes make_cab(const CabSpec& spec) {
  std::map<std::uint16_t, Bytes> contents;
  Bytes entries;
  for (const CabFile& file : spec.files) {
    Bytes& content = contents[file.folder];
    put_le(entries, file.size.value_or(static_cast<std::uint32_t>(file.bytes.size())));
    put_le(entries, file.offset.value_or(static_cast<std::uint32_t>(content.size())));
    put_le(entries, file.folder);
    put_le(entries, std::uint16_t{0x5A21});
    put_le(entries, std::uint16_t{0x6000});
    put_le(entries, file.attributes);
    put_text(entries, file.name);
    entries.push_back(0);
    put(content, file.bytes);
  }
  Bytes middle;
  put_sizes(middle, spec);
  const bool has_reserve = !middle.empty();
  put_text(middle, spec.names);

  const std::size_t row = 8U + spec.folder_reserve;
  const std::size_t files_at = 36 + middle.size() + row * spec.folders;
  Bytes rows;
  Bytes data;
  for (std::uint16_t folder = 0; folder < spec.folders; ++folder) {
    const std::vector<CabBlock> blocks =
        spec.blocks ? *spec.blocks : stored_blocks(contents[folder]);
    put_le(rows, static_cast<std::uint32_t>(files_at + entries.size() + data.size()));
    put_le(rows, static_cast<std::uint16_t>(blocks.size()));
    put_le(rows, spec.compression);
    rows.resize(rows.size() + spec.folder_reserve);
    put(data, encode_blocks(blocks, spec.data_reserve));
  }

  Bytes cab;
  put_text(cab, "MSCF");
  put_le(cab, std::uint32_t{0});
  put_le(cab, static_cast<std::uint32_t>(files_at + entries.size() + data.size()));
  put_le(cab, std::uint32_t{0});
  put_le(cab, static_cast<std::uint32_t>(files_at));
  put_le(cab, std::uint32_t{0});
  put_le(cab, std::uint16_t{0x0103});
  put_le(cab, spec.folders);
  put_le(cab, static_cast<std::uint16_t>(spec.files.size()));
  put_le(cab, static_cast<std::uint16_t>((has_reserve ? 4U : 0U) | spec.more_flags));
  put_le(cab, std::uint16_t{0x1234});
  put_le(cab, spec.index);
  put(cab, middle);
  put(cab, rows);
  put(cab, entries);
  put(cab, data);
  return cab;
}

Bytes plain_cab_digest(ByteView cabinet, DigestAlg alg) {
  const ByteReader reader(cabinet);
  const std::uint32_t size = reader.u32(8).value_or(0);
  const std::uint16_t area = reader.u16(36).value_or(0);
  const std::uint16_t first = reader.u16(40).value_or(0);
  crypto::Hasher hasher(alg);
  hasher.update(cabinet.subspan(0, 4));
  hasher.update(cabinet.subspan(8, 28));
  hasher.update(cabinet.subspan(40, 2));
  hasher.update(cabinet.subspan(44, first));
  hasher.update(cabinet.subspan(40U + area, size - 40U - area));
  return hasher.finish();
}

}  // namespace signctl::test
