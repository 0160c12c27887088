// SPDX-License-Identifier: Apache-2.0
#include "formats/pe/ranges.hpp"

#include <algorithm>

namespace signctl::pe {

namespace {

/// The sections that have data.
std::vector<const Section*> by_place_in_file(const Layout& layout) {
  std::vector<const Section*> sections;
  for (const Section& section : layout.sections) {
    if (section.raw_size != 0) {
      sections.push_back(&section);
    }
  }
  std::stable_sort(sections.begin(), sections.end(), [](const Section* a, const Section* b) {
    return a->raw_offset < b->raw_offset;
  });
  return sections;
}

}  // namespace

std::vector<HashedRange> hashed_ranges(const Layout& layout) {
  const std::uint64_t after_checksum = layout.checksum_offset + kChecksumSize;
  const std::uint64_t after_entry = layout.security_offset + kDirectorySize;
  return {{0, layout.checksum_offset, "headers up to CheckSum"},
          {after_checksum, layout.security_offset, "headers up to the security directory entry"},
          {after_entry,
           layout.content_end(),
           layout.has_table() ? "the rest up to the certificate table" : "the rest of the file"}};
}

std::uint64_t padding_before_table(const Layout& layout) {
  return round_up_8(layout.content_end()) - layout.content_end();
}

std::optional<std::string> find_gap(const Layout& layout) {
  std::uint64_t position = layout.headers_size;
  for (const Section* section : by_place_in_file(layout)) {
    if (section->raw_offset > position) {
      return "bytes " + std::to_string(position) + " to " + std::to_string(section->raw_offset) +
             " before " + describe(*section) + " belong to no section";
    }
    position = std::max(position, section->raw_end());
  }
  return std::nullopt;
}

std::optional<std::string> find_overlap(const Layout& layout) {
  std::uint64_t position = layout.headers_size;
  for (const Section* section : by_place_in_file(layout)) {
    if (section->raw_offset < position) {
      return describe(*section) + " overlaps what comes before it, which ends at " +
             std::to_string(position);
    }
    position = section->raw_end();
  }
  return std::nullopt;
}

std::optional<std::string> fatal_ambiguity(const Layout& layout) {
  const auto overlap = find_overlap(layout);
  return overlap || !layout.is_efi() ? overlap : find_gap(layout);
}

const Section* find_section_past_content(const Layout& layout) {
  const auto found = std::find_if(
      layout.sections.begin(), layout.sections.end(), [&layout](const Section& section) {
        return section.raw_size != 0 && section.raw_end() > layout.content_end();
      });
  return found == layout.sections.end() ? nullptr : &*found;
}

std::string describe(const Section& section) {
  return "section \"" + section.name + "\" (bytes " + std::to_string(section.raw_offset) + " to " +
         std::to_string(section.raw_end()) + ")";
}

}  // namespace signctl::pe
