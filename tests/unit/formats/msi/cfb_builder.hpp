// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/byte_reader.hpp"
#include "core/file.hpp"
#include "formats/msi/compound_file.hpp"
#include "formats/msi/digest.hpp"
#include "formats/msi/signable.hpp"
#include "support/must.hpp"

#include <signctl/format.hpp>
#include <signctl/patch_set.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

namespace signctl::test {

/// A compound file to be made: its streams, below the root.
struct CfbSpec {
  unsigned version{3};
  std::vector<std::pair<std::u16string, Bytes>> streams{{u"!Small", Bytes(100, 0x11)},
                                                        {u"!Large", Bytes(5000, 0x22)}};
  std::size_t holes{0};              ///< Free sectors before the last stream.
  std::uint8_t package_class{0x84};  ///< First octet of the root's class.
};

inline void poke_u32(Bytes& bytes, std::size_t at, std::uint32_t value) {
  Bytes field;
  put_le(field, value);
  std::copy(field.begin(), field.end(), bytes.begin() + static_cast<std::ptrdiff_t>(at));
}
inline std::uint32_t peek_u32(const Bytes& bytes, std::size_t at) {
  return ByteReader(bytes).u32(at).value();
}

/// Made sector by sector, in the plainest way: streams, mini stream, MiniFAT, directory, FAT; the
/// directory is a list to the right, sorted. Not for more than 109 FAT sectors.
class CfbBuilder {
 public:
  explicit CfbBuilder(CfbSpec spec)
      : spec_(std::move(spec)), sector_(spec_.version == 3 ? 512 : 4096) {}

  Bytes build() {
    std::sort(spec_.streams.begin(), spec_.streams.end(), [](const auto& a, const auto& b) {
      return a.first.size() != b.first.size() ? a.first.size() < b.first.size() : a.first < b.first;
    });
    entry(u"Root Entry", 5);
    for (std::size_t i = 0; i < spec_.streams.size(); ++i) {
      add_stream(i);
    }
    const std::uint32_t mini = chain(mini_);
    poke_u32(directory_, 0x74, mini);
    poke_u32(directory_, 0x78, static_cast<std::uint32_t>(mini_.size()));
    Bytes minifat;
    for (const std::uint32_t value : minifat_) {
      put_le(minifat, value);
    }
    const std::uint32_t first_minifat = chain(minifat, 0xFF);
    const std::uint32_t minifat_count =
        static_cast<std::uint32_t>((minifat.size() + sector_ - 1) / sector_);
    const std::size_t directory_sectors = (directory_.size() + sector_ - 1) / sector_;
    while (directory_.size() % sector_ != 0) {
      Bytes free(128, 0);
      std::fill(free.begin() + 0x44, free.begin() + 0x50, std::uint8_t{0xFF});
      directory_.insert(directory_.end(), free.begin(), free.end());
    }
    const std::uint32_t first_directory = chain(directory_);
    std::vector<std::uint32_t> pages;
    while (pages.size() * sector_ / 4 < fat_.size()) {
      pages.push_back(static_cast<std::uint32_t>(fat_.size()));
      fat_.push_back(0xFFFFFFFD);
    }
    fat_.resize(pages.size() * sector_ / 4, 0xFFFFFFFF);
    for (const std::uint32_t value : fat_) {
      put_le(data_, value);
    }
    Bytes file = header(first_directory, first_minifat, minifat_count, pages);
    poke_u32(file, 0x28, spec_.version == 4 ? static_cast<std::uint32_t>(directory_sectors) : 0);
    file.insert(file.end(), data_.begin(), data_.end());
    return file;
  }

 private:
  std::size_t entry(const std::u16string& name, std::uint8_t type) {
    const std::size_t at = directory_.size();
    directory_.resize(at + 128, 0);
    for (std::size_t i = 0; i < name.size(); ++i) {
      directory_[at + 2 * i] = static_cast<std::uint8_t>(name[i] & 0xFFU);
      directory_[at + 2 * i + 1] = static_cast<std::uint8_t>(name[i] >> 8U);
    }
    directory_[at + 0x40] = static_cast<std::uint8_t>(2 * name.size() + 2);
    directory_[at + 0x42] = type;
    directory_[at + 0x43] = 1;
    std::fill(directory_.begin() + static_cast<std::ptrdiff_t>(at + 0x44),
              directory_.begin() + static_cast<std::ptrdiff_t>(at + 0x50),
              std::uint8_t{0xFF});
    if (type == 5) {
      const Bytes id{spec_.package_class, 0x10, 0x0C, 0, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46};
      std::copy(id.begin(), id.end(), directory_.begin() + static_cast<std::ptrdiff_t>(at + 0x50));
    }
    return at;
  }

  void add_stream(std::size_t i) {
    const auto& [name, bytes] = spec_.streams[i];
    const auto number = static_cast<std::uint32_t>(directory_.size() / 128);
    poke_u32(directory_, i == 0 ? 0x4C : (number - 1) * 128 + 0x48, number);
    const std::size_t at = entry(name, 2);
    if (i + 1 == spec_.streams.size()) {
      for (std::size_t hole = 0; hole < spec_.holes; ++hole) {
        fat_.push_back(0xFFFFFFFF);
        data_.resize(data_.size() + sector_, 0xEE);
      }
    }
    std::uint32_t start = 0xFFFFFFFE;
    if (!bytes.empty() && bytes.size() < 4096) {
      start = static_cast<std::uint32_t>(minifat_.size());
      mini_.insert(mini_.end(), bytes.begin(), bytes.end());
      mini_.resize((mini_.size() + 63) / 64 * 64, 0);
      while (minifat_.size() < mini_.size() / 64) {
        minifat_.push_back(static_cast<std::uint32_t>(minifat_.size() + 1));
      }
      minifat_.back() = 0xFFFFFFFE;
    } else if (!bytes.empty()) {
      start = chain(bytes);
    }
    poke_u32(directory_, at + 0x74, start);
    poke_u32(directory_, at + 0x78, static_cast<std::uint32_t>(bytes.size()));
  }

  std::uint32_t chain(const Bytes& bytes, std::uint8_t padding = 0) {
    if (bytes.empty()) {
      return 0xFFFFFFFE;
    }
    const auto start = static_cast<std::uint32_t>(fat_.size());
    data_.insert(data_.end(), bytes.begin(), bytes.end());
    data_.resize((data_.size() + sector_ - 1) / sector_ * sector_, padding);
    while (fat_.size() < data_.size() / sector_) {
      fat_.push_back(static_cast<std::uint32_t>(fat_.size() + 1));
    }
    fat_.back() = 0xFFFFFFFE;
    return start;
  }

  Bytes header(std::uint32_t directory,
               std::uint32_t minifat,
               std::uint32_t minifat_count,
               const std::vector<std::uint32_t>& pages) const {
    Bytes bytes{0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1};
    bytes.resize(sector_, 0);
    bytes[0x18] = 0x3E;
    bytes[0x1A] = static_cast<std::uint8_t>(spec_.version);
    bytes[0x1C] = 0xFE;
    bytes[0x1D] = 0xFF;
    bytes[0x1E] = spec_.version == 3 ? 9 : 12;
    bytes[0x20] = 6;
    poke_u32(bytes, 0x2C, static_cast<std::uint32_t>(pages.size()));
    poke_u32(bytes, 0x30, directory);
    poke_u32(bytes, 0x38, 4096);
    poke_u32(bytes, 0x3C, minifat);
    poke_u32(bytes, 0x40, minifat_count);
    poke_u32(bytes, 0x44, 0xFFFFFFFE);
    for (std::size_t i = 0; i < 109; ++i) {
      poke_u32(bytes, 0x4C + 4 * i, i < pages.size() ? pages[i] : 0xFFFFFFFF);
    }
    return bytes;
  }

  CfbSpec spec_;
  std::size_t sector_;
  Bytes data_;
  Bytes directory_;
  Bytes mini_;
  std::vector<std::uint32_t> fat_;
  std::vector<std::uint32_t> minifat_;
};

inline Bytes make_cfb(CfbSpec spec = {}) {
  return CfbBuilder(std::move(spec)).build();
}

/// What the writer makes of `patches`: keep, then moves, then patches.
inline Bytes patched(const Bytes& input, const PatchSet& patches) {
  Bytes output(input.begin(), input.begin() + static_cast<std::ptrdiff_t>(patches.keep));
  const auto put = [&output](std::uint64_t at, const std::uint8_t* bytes, std::size_t size) {
    output.resize(std::max<std::size_t>(output.size(), at + size), 0);
    std::copy_n(bytes, size, output.begin() + static_cast<std::ptrdiff_t>(at));
  };
  for (const Move& move : patches.moves) {
    put(move.to, input.data() + move.from, move.size);
  }
  for (const Patch& patch : patches.patches) {
    put(patch.offset, patch.bytes.data(), patch.bytes.size());
  }
  return output;
}

inline Result<std::unique_ptr<Signable>> try_open(Bytes bytes) {
  return msi::open_installer(std::make_shared<MemorySource>(std::move(bytes)));
}
inline std::unique_ptr<Signable> open(Bytes bytes) {
  return must(try_open(std::move(bytes)));
}
inline std::vector<std::string> ids_of(Bytes bytes) {
  std::vector<std::string> ids;
  for (const Finding& finding : must(open(std::move(bytes))->container_findings())) {
    ids.push_back(finding.id + " " + severity_name(finding.severity));
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

}  // namespace signctl::test
