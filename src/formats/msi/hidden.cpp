// SPDX-License-Identifier: Apache-2.0
#include "formats/msi/hidden.hpp"

#include "core/byte_reader.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <optional>
#include <utility>

namespace signctl::msi {
namespace {

// Offsets and sizes of 2.2.
constexpr std::pair<std::size_t, std::size_t> kClass{0x08, 16};
constexpr std::pair<std::size_t, std::size_t> kReserved{0x22, 6};
constexpr std::size_t kDifatArrayAt = 0x4C;
constexpr std::size_t kDifatEntry = 4;
// Of 2.6.1, in an entry.
constexpr std::size_t kNameSizeAt = 0x40;  // Behind the 64 bytes for the name.
constexpr std::size_t kTypeAt = 0x42;
constexpr std::size_t kColourAt = 0x43;
constexpr std::pair<std::size_t, std::size_t> kClassToTimes{0x50, 36};

bool is_filler(std::uint8_t byte) {
  return byte == 0 || byte == 0xFF;
}

class Search {
 public:
  explicit Search(const CompoundFile& file) : file_(file) {}

  Result<Hidden> run() {
    SIGNCTL_CHECK(look_at_header(), "");
    SIGNCTL_CHECK(look_at_difat(), "");
    SIGNCTL_CHECK(
        look_at_table(file_.fat(), [this](auto sector) { return file_.used().has(sector); }), "");
    SIGNCTL_CHECK(look_at_table(file_.minifat(),
                                [this](auto sector) { return file_.used_mini().has(sector); }),
                  "");
    SIGNCTL_CHECK(look_at_directory(), "");
    return result_;
  }

 private:
  void note(std::uint64_t offset, std::uint64_t bytes) {
    if (bytes != 0) {
      result_.first = result_.bytes == 0 ? offset : std::min(result_.first, offset);
      result_.bytes += bytes;
    }
  }

  void look_at(ByteView bytes, std::uint64_t offset) {
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      note(offset + i, is_filler(bytes[i]) ? 0 : 1);
    }
  }

  /// A sector, as far as it is there.
  Result<Bytes> sector(std::uint64_t offset) const {
    const std::uint64_t size = file_.source().size();
    Bytes bytes(static_cast<std::size_t>(
        offset < size ? std::min(file_.header().sector_size(), size - offset) : 0));
    SIGNCTL_CHECK(file_.source().read_at(offset, bytes), "");
    return bytes;
  }

  Result<void> look_at_header() {
    SIGNCTL_TRY(const Bytes bytes, sector(0), "reading the header");
    const auto part = [&bytes](std::size_t at, std::size_t size) {
      return ByteView(bytes).subspan(at, size);
    };
    look_at(part(kClass.first, kClass.second), kClass.first);
    look_at(part(kReserved.first, kReserved.second), kReserved.first);
    const std::size_t used = std::min<std::size_t>(file_.header().fat_sectors, kHeaderDifat);
    const std::size_t rest = kDifatArrayAt + kDifatEntry * used;
    look_at(part(rest, bytes.size() - rest), rest);
    return ok();
  }

  Result<void> look_at_difat() {
    const std::size_t in_sectors = file_.header().fat_sectors -
                                   std::min<std::size_t>(file_.header().fat_sectors, kHeaderDifat);
    const std::size_t per_sector = file_.header().per_sector() - 1;
    const auto& sectors = file_.difat_sectors();
    if (sectors.empty()) {
      return ok();
    }
    const std::uint64_t offset = file_.header().offset_of(sectors.back());
    SIGNCTL_TRY(const Bytes bytes, sector(offset), "reading the DIFAT");
    const std::size_t used = kDifatEntry * (in_sectors - (sectors.size() - 1) * per_sector);
    const std::size_t end = kDifatEntry * per_sector;
    look_at(ByteView(bytes).subspan(used, end - used), offset + used);
    return ok();
  }

  Result<void> look_at_table(const SectorTable& table,
                             const std::function<bool(std::uint64_t)>& in_use) {
    std::uint64_t sector = 0;
    for (std::size_t page = 0; page < table.pages().size(); ++page) {
      SIGNCTL_TRY(const auto entries, table.page(page), "");
      const std::uint64_t offset = file_.header().offset_of(table.pages()[page]);
      for (std::size_t i = 0; i < entries.size(); ++i, ++sector) {
        const bool empty = entries[i] == kFreeSector || entries[i] == 0 || in_use(sector);
        note(offset + kDifatEntry * i, empty ? 0 : kDifatEntry);
      }
    }
    return ok();
  }

  /// An entry's name and its zero rarely fill the place there is for them.
  void look_behind_name(ByteView entry, std::uint64_t offset) {
    const std::size_t end =
        std::min<std::size_t>(ByteReader(entry).u16(kNameSizeAt).value_or(0), kNameSizeAt);
    look_at(entry.subspan(end, kNameSizeAt - end), offset + end);
  }

  /// Whether the pre-hash leaves out what else this entry says of its stream.
  [[nodiscard]] bool is_of_signature(std::uint32_t entry) const {
    return signature_ == entry || prehash_ == entry;
  }

  Result<void> look_at_directory() {
    std::uint32_t index = 0;
    for (const std::uint32_t number : file_.directory_sectors()) {
      const std::uint64_t offset = file_.header().offset_of(number);
      SIGNCTL_TRY(const Bytes bytes, sector(offset), "reading the directory");
      for (std::size_t at = 0; at + kEntrySize <= bytes.size(); at += kEntrySize, ++index) {
        const ByteView entry = ByteView(bytes).subspan(at, kEntrySize);
        if (entry[kTypeAt] == static_cast<std::uint8_t>(EntryType::free)) {
          look_at(entry.first(kColourAt), offset + at);
          look_at(entry.subspan(kColourAt + 1), offset + at + kColourAt + 1);
        } else {
          look_behind_name(entry, offset + at);
        }
        if (is_of_signature(index)) {
          look_at(entry.subspan(kClassToTimes.first, kClassToTimes.second),
                  offset + at + kClassToTimes.first);
        }
      }
    }
    return ok();
  }

  const CompoundFile& file_;
  std::optional<std::uint32_t> signature_{file_.find_in_root(kSignatureName)};
  std::optional<std::uint32_t> prehash_{file_.find_in_root(kPrehashName)};
  Hidden result_;
};

}  // namespace

Result<Hidden> find_hidden(const CompoundFile& file) {
  return Search(file).run();
}

}  // namespace signctl::msi
