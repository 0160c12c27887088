// SPDX-License-Identifier: Apache-2.0
#include "formats/pe/findings.hpp"

#include "formats/pe/ranges.hpp"

#include <array>
#include <cstdio>
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
/// digest that a reader computes by leaving the table out.
void check_sections_against_table(const Layout& layout, std::vector<Finding>& findings) {
  bool inside = false;
  bool behind = false;
  for (const Section& section : layout.sections) {
    if (section.raw_size == 0 || section.raw_end() <= layout.table_offset) {
      continue;
    }
    if (section.raw_offset >= layout.table_end()) {
      if (!behind) {
        findings.push_back(file_finding("pe-table-in-middle",
                                        Severity::error,
                                        describe(section) + " lies behind " + table_name(layout)));
      }
      behind = true;
    } else {
      if (!inside) {
        findings.push_back(file_finding("pe-section-in-table",
                                        Severity::error,
                                        describe(section) + " reaches into " + table_name(layout)));
      }
      inside = true;
    }
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

std::string hex(std::uint32_t value) {
  std::array<char, 11> text{};
  std::snprintf(text.data(), text.size(), "0x%08x", value);
  return text.data();
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
  if (const auto ambiguity = layout_ambiguity(layout)) {
    // Before signing it is a warning only: whoever signs may accept that readers disagree.
    findings.push_back(file_finding("pe-ambiguous-layout",
                                    layout.has_table() ? Severity::error : Severity::warning,
                                    *ambiguity + ", so readers disagree about the digest"));
  }
  return findings;
}

std::vector<Finding> check_checksum(const Layout& layout, std::uint32_t computed) {
  if (layout.checksum == computed) {
    return {};
  }
  const std::string at = " (CheckSum, at offset " + std::to_string(layout.checksum_offset) + ")";
  if (layout.checksum == 0) {
    return {file_finding("pe-checksum",
                         Severity::info,
                         "the image has no checksum" + at + "; it would be " + hex(computed))};
  }
  return {file_finding("pe-checksum",
                       Severity::warning,
                       "the stored checksum " + hex(layout.checksum) + at + " is not " +
                           hex(computed) + ", which the file has")};
}

}  // namespace signctl::pe
