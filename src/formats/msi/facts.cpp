// SPDX-License-Identifier: Apache-2.0
#include "core/byte_reader.hpp"
#include "formats/common/zip_records.hpp"
#include "formats/msi/findings.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace signctl::msi {
namespace {

constexpr std::size_t kHeadSize = 4096;
constexpr std::uint32_t kCabinetMagic = 0x4643534D;  // "MSCF"
constexpr std::uint16_t kDosMagic = 0x5A4D;          // "MZ"
constexpr std::uint32_t kPeMagic = 0x00004550;       // "PE\0\0"
constexpr std::size_t kPeOffsetAt = 0x3C;

/// The kind of file that has that class in its root; empty for what is not Windows Installer's.
std::string_view kind_of_class(const std::array<std::uint8_t, 16>& id) {
  // {000C10xx-0000-0000-C000-000000000046}, as stored.
  static constexpr std::array<std::uint8_t, 14> kRest{
      0x0C, 0x00, 0x00, 0x00, 0x00, 0x00, 0xC0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x46};
  if (id[1] != 0x10 || !std::equal(kRest.begin(), kRest.end(), id.begin() + 2)) {
    return "";
  }
  switch (id[0]) {
    case 0x82:
      return "transform";
    case 0x84:
      return "package";
    case 0x86:
      return "patch";
    default:
      return "";
  }
}

constexpr std::uint32_t kCompoundMagic = 0xE011CFD0;

/// Whether a stream is a compound file of Windows Installer's: documents are compound files, too.
Result<bool> is_installer(const CompoundFile& file, std::uint32_t number, const ByteReader& head) {
  constexpr std::size_t kSectorShiftAt = 0x1E;
  constexpr std::size_t kDirectoryAt = 0x30;
  constexpr std::size_t kClassAt = 0x50;
  const unsigned shift = head.u16(kSectorShiftAt) == 9U ? 9 : 12;
  const std::uint64_t at =
      ((std::uint64_t{head.u32(kDirectoryAt).value_or(0)} + 1) << shift) + kClassAt;
  const std::uint64_t size = file.entries()[number].size;
  std::array<std::uint8_t, 16> id{};
  if (at > size || size - at < id.size()) {
    return true;  // Torn, which whoever opens it will say.
  }
  SIGNCTL_CHECK(file.read(number, at, id), "");
  return !kind_of_class(id).empty();
}

/// Whether a stream that begins so is something that is signed on its own.
Result<bool> is_member(const CompoundFile& file, std::uint32_t number, const ByteReader& head) {
  const std::uint64_t size = file.entries()[number].size;
  if (head.u32(0) == kCabinetMagic || head.u32(0) == zip::kLocalSignature) {
    return true;
  }
  if (head.u32(0) == kCompoundMagic) {
    return is_installer(file, number, head);
  }
  if (head.u16(0) != kDosMagic) {
    return false;
  }
  const auto pe = head.u32(kPeOffsetAt);
  if (!pe || *pe > size || size - *pe < 4) {
    return true;  // Torn, which whoever opens it will say.
  }
  Bytes magic(4);
  SIGNCTL_CHECK(file.read(number, *pe, magic), "");
  return ByteReader(magic).u32(0) == kPeMagic;
}

}  // namespace

std::string_view kind_of(const CompoundFile& file) {
  return kind_of_class(file.root().class_id);
}

std::vector<FileFact> facts_of(const CompoundFile& file) {
  std::size_t streams = 0;
  for (const Storage& storage : file.tree().storages) {
    streams += static_cast<std::size_t>(
        std::count_if(storage.children.begin(), storage.children.end(), [&file](std::uint32_t n) {
          return file.entries()[n].is_stream();
        }));
  }
  const std::uint64_t end = file.used().end();
  std::vector<FileFact> facts;
  facts.push_back({"kind", std::string(kind_of(file))});
  facts.push_back({"compound file version", std::to_string(file.header().major_version)});
  facts.push_back({"sector size", std::to_string(file.header().sector_size()) + " bytes"});
  facts.push_back({"size", std::to_string(file.source().size()) + " bytes"});
  facts.push_back({"streams", std::to_string(streams)});
  facts.push_back({"storages", std::to_string(file.tree().storages.size() - 1)});
  facts.push_back({"free sectors", std::to_string(end - file.used().count())});
  facts.push_back({"FAT sectors", std::to_string(file.header().fat_sectors)});
  facts.push_back({"DIFAT sectors", std::to_string(file.header().difat_sectors)});
  facts.push_back({"prehash", file.find_in_root(kPrehashName) ? "yes" : "no"});
  return facts;
}

namespace {

/// The stream, if it is signed on its own.
Result<std::optional<MemberStream>> member_at(const CompoundFile& file,
                                              const std::string& folder,
                                              std::uint32_t number,
                                              const FileNames& names) {
  const Entry& entry = file.entries()[number];
  Bytes bytes(static_cast<std::size_t>(std::min<std::uint64_t>(entry.size, kHeadSize)));
  SIGNCTL_CHECK(file.read(number, 0, bytes), "");
  const ByteReader head(bytes);
  MemberStream stream{{folder + decode_name(entry.name), entry.size}, number};
  SIGNCTL_TRY(const bool told_by_bytes, is_member(file, number, head), "");
  if (told_by_bytes) {
    stream.is_cabinet = head.u32(0) == kCabinetMagic;
    stream.member.names = stream.is_cabinet ? names.files : nullptr;
    return std::optional(std::move(stream));
  }
  const auto script = names.script_streams.find(stream.member.path);
  if (script == names.script_streams.end()) {
    return std::optional<MemberStream>{};
  }
  stream.member.path += script->second;
  return std::optional(std::move(stream));
}

}  // namespace

Result<std::vector<MemberStream>> member_streams(const CompoundFile& file, const FileNames& names) {
  std::vector<MemberStream> members;
  for (const Storage& storage : file.tree().storages) {
    for (const std::uint32_t child : storage.children) {
      if (!file.entries()[child].is_stream()) {
        continue;
      }
      SIGNCTL_TRY(auto member, member_at(file, storage.path, child, names), "");
      if (member) {
        members.push_back(*std::move(member));
      }
    }
  }
  return members;
}

}  // namespace signctl::msi
