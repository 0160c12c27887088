// SPDX-License-Identifier: Apache-2.0
#include "formats/msix/digest.hpp"

#include "core/block_reader.hpp"
#include "core/text.hpp"
#include "crypto/digest.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace signctl::msix {
namespace {

constexpr std::string_view kMagic = "APPX";

struct Part {
  std::string_view tag;
  std::string_view what;
};

constexpr std::array<Part, 5> kParts{Part{"AXPC", "the files"},
                                     Part{"AXCD", "the directory"},
                                     Part{"AXCT", "the content types"},
                                     Part{"AXBM", "the block map"},
                                     Part{"AXCI", "CodeIntegrity.cat"}};

void append(Bytes& out, std::string_view tag, ByteView digest) {
  out.insert(out.end(), tag.begin(), tag.end());
  out.insert(out.end(), digest.begin(), digest.end());
}

}  // namespace

Result<std::vector<Bytes>> make_tables(DigestInput input, std::span<const DigestAlg> algs) {
  std::vector<crypto::Hasher> hashers;
  hashers.reserve(algs.size());
  std::uint64_t begin = 0;
  if (input.prefix && algs.size() == 1 && algs.front() == input.prefix->alg) {
    begin = input.prefix->length;
    hashers.push_back(std::move(input.prefix->state));
  } else {
    for (const DigestAlg alg : algs) {
      hashers.emplace_back(alg);
    }
  }
  BlockVisitor visitor;
  visitor.visit = [&hashers](std::uint64_t /*offset*/, ByteView block) {
    for (crypto::Hasher& hasher : hashers) {
      hasher.update(block);
    }
    return true;
  };
  SIGNCTL_CHECK(for_each_block(*input.file, begin, input.records_end, visitor),
                "hashing the package");
  std::vector<Bytes> tables;
  tables.reserve(algs.size());
  for (std::size_t i = 0; i < algs.size(); ++i) {
    Bytes table(kMagic.begin(), kMagic.end());
    append(table, kParts[0].tag, hashers[i].finish());
    append(table, kParts[1].tag, crypto::hash(algs[i], input.directory));
    append(table, kParts[2].tag, crypto::hash(algs[i], input.content_types));
    append(table, kParts[3].tag, crypto::hash(algs[i], input.block_map));
    if (input.has_catalog) {
      append(table, kParts[4].tag, crypto::hash(algs[i], input.catalog));
    }
    tables.push_back(std::move(table));
  }
  return tables;
}

std::string check_table(ByteView table, DigestAlg alg, bool has_catalog) {
  if (!as_text(table).starts_with(kMagic)) {
    return "it does not begin with APPX";
  }
  const std::size_t row = 4 + digest_size(alg);
  const std::size_t rows = has_catalog ? kParts.size() : kParts.size() - 1;
  if (table.size() != kMagic.size() + rows * row) {
    return "it has " + std::to_string(table.size()) + " octets; " + std::to_string(rows) +
           " digests make " + std::to_string(kMagic.size() + rows * row);
  }
  for (std::size_t i = 0; i < rows; ++i) {
    const std::string_view tag = as_text(table).substr(kMagic.size() + i * row, 4);
    if (tag != kParts[i].tag) {
      return "where " + std::string(kParts[i].tag) + " should be there is \"" + printable(tag) +
             "\"";
    }
  }
  return {};
}

std::string table_differences(ByteView claimed, ByteView computed, DigestAlg alg) {
  const std::size_t row = 4 + digest_size(alg);
  std::string names;
  for (std::size_t i = 0; i < kParts.size(); ++i) {
    const std::size_t at = kMagic.size() + i * row;
    if (at + row > claimed.size() || at + row > computed.size()) {
      break;
    }
    const ByteView one = claimed.subspan(at, row);
    const ByteView other = computed.subspan(at, row);
    if (!std::equal(one.begin(), one.end(), other.begin())) {
      names += (names.empty() ? "" : ", ") + std::string(kParts[i].what);
    }
  }
  return names;
}

}  // namespace signctl::msix
