// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/bytes.hpp>
#include <signctl/digest_alg.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// Small cabinets made to order, stored without compression unless blocks say otherwise.
namespace signctl::test {

struct CabFile {
  std::string name;
  Bytes bytes;
  std::uint16_t folder{0};
  std::uint16_t attributes{0x20};
  std::optional<std::uint32_t> offset{};  ///< Within the folder; behind the file before if empty.
  std::optional<std::uint32_t> size{};    ///< cbFile, when it is to be a lie.
};

/// One CFDATA block whose bytes are given instead of made.
struct CabBlock {
  Bytes packed;
  std::uint16_t unpacked{};
};

struct CabSpec {
  std::vector<CabFile> files{{"hello.txt", {'h', 'e', 'l', 'l', 'o'}}};
  std::uint16_t folders{1};
  std::uint16_t compression{0};
  std::optional<std::vector<CabBlock>> blocks{};  ///< Of the one folder.
  std::optional<Bytes> reserve{};                 ///< Of the header; absent without the flag.
  std::uint8_t folder_reserve{0};
  std::uint8_t data_reserve{0};
  std::uint16_t more_flags{0};
  std::uint16_t index{0};
  std::string names{};  ///< Of the neighbours in a set, with their zeros.
};

Bytes make_cab(const CabSpec& spec = {});

/// The Authenticode digest of a cabinet with a reserved area, written from the rule.
Bytes plain_cab_digest(ByteView cabinet, DigestAlg alg);

}  // namespace signctl::test
