// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/bytes.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// Small ZIP archives made to order, octet by octet from APPNOTE.TXT, lies included.
namespace signctl::test {

struct ZipFile {
  std::string name;
  Bytes bytes;
  bool deflated{false};
  std::uint16_t flags{0};
  std::size_t descriptor{0};                ///< Length: 12, 16, 20 or 24; 0 for none.
  bool zip64{false};                        ///< Sizes in extra fields.
  std::optional<std::string> local_name{};  ///< When the local header is to say another.
  std::optional<std::uint32_t> crc{};
  std::optional<std::uint32_t> size{};    ///< Unpacked, as claimed in both headers.
  std::optional<std::uint32_t> offset{};  ///< Of the local header, as claimed.
  std::optional<std::uint16_t> method{};
};

struct ZipSpec {
  std::vector<ZipFile> files{{"hello.txt", {'h', 'e', 'l', 'l', 'o'}}};
  bool zip64{false};  ///< A ZIP64 end record and saturated fields.
  Bytes prefix{};
  std::string comment{};
  Bytes trailing{};
  std::optional<std::uint16_t> count{};
  std::uint16_t disk{0};
};

Bytes make_zip(const ZipSpec& spec = {});

}  // namespace signctl::test
