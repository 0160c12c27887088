// SPDX-License-Identifier: Apache-2.0
#include "formats/pe/page_hashes.hpp"

#include "core/assert.hpp"
#include "core/byte_reader.hpp"
#include "core/file.hpp"
#include "crypto/digest.hpp"
#include "formats/pe/ranges.hpp"

#include <algorithm>
#include <bit>
#include <optional>
#include <span>
#include <string>

namespace signctl::pe {
namespace {

constexpr std::uint64_t kPageSize = 4096;
constexpr std::uint64_t kMaxPageSize = std::uint64_t{64} * 1024;
constexpr std::uint64_t kMinPageSize = 512;
constexpr std::uint64_t kMaxRowsSize = std::uint64_t{16} * 1024 * 1024;
constexpr std::uint64_t kOffsetSize = 4;
constexpr std::uint64_t kReadSize = std::uint64_t{256} * 1024;  // a multiple of every page size

std::uint64_t row_size(DigestAlg alg) {
  return kOffsetSize + digest_size(alg);
}

std::uint64_t pages_of(const Section& section, std::uint64_t page_size) {
  return (std::uint64_t{section.raw_size} + page_size - 1) / page_size;
}

/// One row for the headers, one per page, one at the end.
std::uint64_t row_count(const Layout& layout, std::uint64_t page_size) {
  std::uint64_t count = 2;
  for (const Section& section : layout.sections) {
    count += pages_of(section, page_size);
  }
  return count;
}

/// Fills in rows as they are computed.
class RowWriter {
 public:
  RowWriter(DigestAlg alg, std::uint64_t count)
      : alg_(alg), rows_(static_cast<std::size_t>(count * row_size(alg)), 0), rest_(rows_) {}
  RowWriter(const RowWriter&) = delete;
  RowWriter& operator=(const RowWriter&) = delete;

  void add(std::uint64_t offset, ByteView hash) {
    SIGNCTL_ASSERT(rest_.size() >= row_size(alg_) && hash.size() == digest_size(alg_));
    for (std::size_t i = 0; i < kOffsetSize; ++i) {
      rest_[i] = static_cast<std::uint8_t>(offset >> (8U * i) & 0xFFU);
    }
    std::copy(hash.begin(), hash.end(), rest_.begin() + kOffsetSize);
    rest_ = rest_.subspan(static_cast<std::size_t>(row_size(alg_)));
  }
  void hash_page(std::uint64_t offset, ByteView page, std::uint64_t hashed_size) {
    crypto::Hasher hasher(alg_);
    hasher.update(page);
    hasher.update(Bytes(static_cast<std::size_t>(hashed_size - page.size()), 0));
    add(offset, hasher.finish());
  }
  [[nodiscard]] Bytes take() && { return std::move(rows_); }

 private:
  DigestAlg alg_;
  Bytes rows_;
  std::span<std::uint8_t> rest_;  ///< Of rows_, not filled in yet.
};

/// The headers without the two fields that signing changes.
Result<Bytes> covered_headers(const ByteSource& source, const Layout& layout) {
  SIGNCTL_TRY(Bytes headers, read_bytes(source, 0, layout.headers_size), "reading the headers");
  const auto erase = [&headers](std::uint64_t offset, std::uint64_t size) {
    const auto first = headers.begin() + static_cast<std::ptrdiff_t>(offset);
    headers.erase(first, first + static_cast<std::ptrdiff_t>(size));
  };
  erase(layout.security_offset, kDirectorySize);  // the later one first
  erase(layout.checksum_offset, kChecksumSize);
  return headers;
}

/// Rows of one section; none if it has no data.
Result<void> hash_section(const ByteSource& source,
                          const Section& section,
                          std::uint64_t page_size,
                          RowWriter& rows) {
  for (std::uint64_t done = 0; done < section.raw_size;) {
    const std::uint64_t size = std::min<std::uint64_t>(kReadSize, section.raw_size - done);
    const std::uint64_t offset = section.raw_offset + done;
    SIGNCTL_TRY(const Bytes block, read_bytes(source, offset, size), "hashing pages");
    const ByteView view(block);
    for (std::uint64_t at = 0; at < size; at += page_size) {
      const std::uint64_t page = std::min(page_size, size - at);
      rows.hash_page(offset + at,
                     view.subspan(static_cast<std::size_t>(at), static_cast<std::size_t>(page)),
                     page_size);
    }
    done += size;
  }
  return ok();
}

/// All rows. The caller has made sure that the headers fit a page and the sections the file.
Result<Bytes> compute_rows(const ByteSource& source,
                           const Layout& layout,
                           DigestAlg alg,
                           std::uint64_t page_size) {
  RowWriter rows(alg, row_count(layout, page_size));
  SIGNCTL_TRY(const Bytes headers, covered_headers(source, layout), "");
  rows.hash_page(0, headers, page_size - kChecksumSize - kDirectorySize);
  std::uint64_t end = layout.headers_size;
  for (const Section& section : layout.sections) {
    if (auto hashed = hash_section(source, section, page_size, rows); !hashed) {
      return std::move(hashed).error();
    }
    end = section.raw_size == 0 ? end : section.raw_end();
  }
  rows.add(end, Bytes(digest_size(alg), 0));
  return std::move(rows).take();
}

/// Why rows cannot be computed at all, for people.
std::optional<std::string> find_obstacle(const Layout& layout, std::uint64_t page_size) {
  if (layout.headers_size > page_size) {
    return "the headers (" + std::to_string(layout.headers_size) + " bytes) are larger than a page";
  }
  if (const Section* section = find_section_past_content(layout)) {
    return describe(*section) + " reaches past the end of the content";
  }
  std::uint64_t total = 0;
  for (const Section& section : layout.sections) {
    total += section.raw_size;
  }
  // Bounds the work: rows of sections laid over each other could ask for any amount.
  if (total > layout.content_end()) {
    return "the sections overlap";
  }
  return std::nullopt;
}

bool in_file_order(const Layout& layout) {
  std::uint64_t position = 0;
  return std::all_of(
      layout.sections.begin(), layout.sections.end(), [&position](const Section& section) {
        const bool in_order = section.raw_size == 0 || section.raw_offset >= position;
        position = section.raw_size == 0 ? position : section.raw_end();
        return in_order;
      });
}

/// The page size that makes `rows` rows. signtool uses 4096; osslsigncode the SectionAlignment.
std::optional<std::uint64_t> find_page_size(const Layout& layout, std::uint64_t rows) {
  if (row_count(layout, kPageSize) == rows && layout.headers_size <= kPageSize) {
    return kPageSize;
  }
  const std::uint64_t other = layout.section_alignment;
  if (std::has_single_bit(other) && other >= kMinPageSize && other <= kMaxPageSize &&
      row_count(layout, other) == rows) {
    return other;
  }
  return std::nullopt;
}

std::vector<Finding> one_finding(std::string id, std::string message) {
  return {{std::move(id), Severity::error, "", std::move(message)}};
}

}  // namespace

Result<void> check_page_layout(const Layout& layout) {
  const auto refuse = [](const std::string& reason) {
    return Error{ErrorKind::unsupported,
                 "page hashes are not possible for this file: " + reason,
                 "sign without page hashes; Windows does not need them to run a program"};
  };
  if (layout.section_alignment != kPageSize) {
    return refuse("SectionAlignment is " + std::to_string(layout.section_alignment) +
                  ", and tools disagree about the page size unless it is 4096");
  }
  if (const auto obstacle = find_obstacle(layout, kPageSize)) {
    return refuse(*obstacle);
  }
  if (const auto gap = find_gap(layout)) {
    return refuse(*gap);
  }
  if (!in_file_order(layout)) {
    return refuse("the section table is not in file order");
  }
  if (row_count(layout, kPageSize) * row_size(DigestAlg::sha256) > kMaxRowsSize) {
    return refuse("they would take more than 16 MB");
  }
  return ok();
}

Result<PageHashRows> make_page_hashes(const ByteSource& source, const Layout& layout) {
  SIGNCTL_CHECK(check_page_layout(layout), "");
  SIGNCTL_TRY(Bytes rows, compute_rows(source, layout, DigestAlg::sha256, kPageSize), "");
  return PageHashRows{DigestAlg::sha256, std::move(rows)};
}

Result<std::vector<Finding>> check_page_hashes(const ByteSource& source,
                                               const Layout& layout,
                                               const PageHashRows& stored) {
  const std::uint64_t size = row_size(stored.alg);
  if (stored.rows.size() > kMaxRowsSize) {
    return one_finding("pe-page-hashes-malformed", "the page hashes take more than 16 MB");
  }
  const auto page_size = stored.rows.size() % size == 0
                             ? find_page_size(layout, stored.rows.size() / size)
                             : std::nullopt;
  if (!page_size) {
    return one_finding("pe-page-hashes-malformed",
                       "the page hashes (" + std::to_string(stored.rows.size()) +
                           " bytes) do not have one row per page of this file");
  }
  if (const auto obstacle = find_obstacle(layout, *page_size)) {
    return one_finding("pe-page-hashes-malformed",
                       "the page hashes cannot be checked: " + *obstacle);
  }
  SIGNCTL_TRY(
      const Bytes computed, compute_rows(source, layout, stored.alg, *page_size), "page hashes");
  const auto difference =
      std::mismatch(computed.begin(), computed.end(), stored.rows.begin(), stored.rows.end());
  if (difference.first == computed.end()) {
    return std::vector<Finding>{};
  }
  const auto row = static_cast<std::uint64_t>(difference.first - computed.begin()) / size;
  const std::uint64_t offset = ByteReader(computed).u32(row * size).value_or(0);
  return one_finding("pe-page-hashes",
                     "page hash row " + std::to_string(row) +
                         " does not agree with the file at offset " + std::to_string(offset));
}

}  // namespace signctl::pe
