// SPDX-License-Identifier: Apache-2.0
#include "formats/pe/findings.hpp"

#include "formats/pe/hex_text.hpp"
#include "formats/pe/ranges.hpp"

#include <algorithm>
#include <string>

namespace signctl::pe {
namespace {

Finding file_finding(std::string id, Severity severity, std::string message) {
  return {std::move(id), severity, "file", std::move(message)};
}

std::string table_name(const Layout& layout) {
  return "the certificate table (bytes " + std::to_string(layout.table_offset) + " to " +
         std::to_string(layout.table_end()) + ")";
}

/// CVE-2023-39969: a table in the middle lets sections behind it be moved without changing the
/// digest that a reader computes by leaving the table out. One finding of each kind is enough.
void check_sections_against_table(const Layout& layout, std::vector<Finding>& findings) {
  const auto& sections = layout.sections;
  const auto behind = std::find_if(sections.begin(), sections.end(), [&layout](const Section& s) {
    return s.raw_size != 0 && s.raw_offset >= layout.table_end();
  });
  if (behind != sections.end()) {
    findings.push_back(file_finding("pe-table-in-middle",
                                    Severity::error,
                                    describe(*behind) + " lies behind " + table_name(layout)));
  }
  const auto inside = std::find_if(sections.begin(), sections.end(), [&layout](const Section& s) {
    return s.raw_size != 0 && s.raw_offset < layout.table_end() &&
           s.raw_end() > layout.table_offset;
  });
  if (inside != sections.end()) {
    findings.push_back(file_finding("pe-section-in-table",
                                    Severity::error,
                                    describe(*inside) + " reaches into " + table_name(layout)));
  }
}

void check_table_place(const Layout& layout, std::vector<Finding>& findings) {
  if (layout.table_end() < layout.file_size) {
    findings.push_back(file_finding("pe-data-after-table",
                                    Severity::error,
                                    std::to_string(layout.file_size - layout.table_end()) +
                                        " bytes follow " + table_name(layout) +
                                        "; no signature covers them"));
  }
  if (layout.table_offset % kTableAlignment != 0) {
    findings.push_back(file_finding("pe-table-misaligned",
                                    Severity::error,
                                    table_name(layout) + " does not start at a multiple of 8"));
  }
  check_sections_against_table(layout, findings);
}

}  // namespace

std::vector<Finding> check_layout(const Layout& layout) {
  std::vector<Finding> findings;
  if (layout.has_table()) {
    check_table_place(layout, findings);
  } else if (const Section* section = find_section_past_content(layout)) {
    findings.push_back(file_finding("pe-section-past-end",
                                    Severity::error,
                                    describe(*section) + " reaches past the end of the file (" +
                                        std::to_string(layout.file_size) + " bytes)"));
  }
  if (const auto ambiguity = fatal_ambiguity(layout)) {
    findings.push_back(file_finding("pe-ambiguous-layout",
                                    Severity::error,
                                    *ambiguity + ", so readers disagree about the digest"));
  } else if (const auto gap = find_gap(layout)) {
    findings.push_back(file_finding("pe-section-gap",
                                    Severity::warning,
                                    *gap + "; the digest covers them, but readers that walk the " +
                                        "sections compute another one"));
  }
  return findings;
}

std::vector<Finding> check_checksum(const Layout& layout, std::uint32_t computed) {
  if (layout.checksum == computed) {
    return {};
  }
  const std::string at = " (CheckSum, at offset " + std::to_string(layout.checksum_offset) + ")";
  if (layout.checksum == 0) {
    return {
        file_finding("pe-checksum",
                     Severity::info,
                     "the image has no checksum" + at + "; it would be " + hex_text(computed, 8))};
  }
  return {file_finding("pe-checksum",
                       Severity::warning,
                       "the stored checksum " + hex_text(layout.checksum, 8) + at + " is not " +
                           hex_text(computed, 8) + ", which the file has")};
}

}  // namespace signctl::pe
