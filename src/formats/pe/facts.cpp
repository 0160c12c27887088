// SPDX-License-Identifier: Apache-2.0
#include "formats/pe/facts.hpp"

#include "formats/pe/hex_text.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

namespace signctl::pe {
namespace {

/// A number that the PE specification names.
struct Named {
  std::uint16_t value;
  std::string_view name;
};

// "PE Format", "Machine Types".
constexpr std::array<Named, 12> kMachines{{
    {0x014C, "x86"},
    {0x0200, "Itanium"},
    {0x01C0, "ARM"},
    {0x01C4, "ARM Thumb-2"},
    {0x0EBC, "EFI byte code"},
    {0x5032, "RISC-V 32"},
    {0x5064, "RISC-V 64"},
    {0x6264, "LoongArch 64"},
    {0x8664, "x86-64"},
    {0xA641, "ARM64EC"},
    {0xA64E, "ARM64X"},
    {0xAA64, "ARM64"},
}};

// "PE Format", "Windows Subsystem".
constexpr std::array<Named, 11> kSubsystems{{
    {1, "native"},
    {2, "Windows GUI"},
    {3, "Windows console"},
    {7, "POSIX console"},
    {9, "Windows CE"},
    {10, "EFI application"},
    {11, "EFI boot service driver"},
    {12, "EFI runtime driver"},
    {13, "EFI ROM"},
    {14, "Xbox"},
    {16, "Windows boot application"},
}};

constexpr std::uint16_t kCharacteristicDll = 0x2000;

template <std::size_t N>
std::string name_of(const std::array<Named, N>& names, std::uint16_t value) {
  const auto found = std::find_if(
      names.begin(), names.end(), [value](const Named& named) { return named.value == value; });
  const std::string_view name = found == names.end() ? "unknown" : found->name;
  return std::string(name) + " (" + hex_text(value, 4) + ")";
}

/// Bytes between the last section and the certificate table or the end of the file.
std::uint64_t overlay_size(const Layout& layout) {
  std::uint64_t end = layout.headers_size;
  for (const Section& section : layout.sections) {
    if (section.raw_size != 0) {
      end = std::max(end, section.raw_end());
    }
  }
  return end < layout.content_end() ? layout.content_end() - end : 0;
}

}  // namespace

std::vector<FileFact> facts_of(const Layout& layout, std::uint32_t computed_checksum) {
  std::vector<FileFact> facts;
  const bool dll = (layout.characteristics & kCharacteristicDll) != 0;
  facts.push_back({"kind", layout.width == Width::pe32 ? "PE32" : "PE32+"});
  facts.push_back({"machine", name_of(kMachines, layout.machine)});
  facts.push_back({"subsystem", name_of(kSubsystems, layout.subsystem)});
  facts.push_back({"DLL", dll ? "yes" : "no"});
  facts.push_back({".NET", layout.dotnet ? "yes" : "no"});
  facts.push_back({"size", std::to_string(layout.file_size) + " bytes"});
  facts.push_back({"headers", std::to_string(layout.headers_size) + " bytes"});
  facts.push_back({"sections", std::to_string(layout.sections.size())});
  facts.push_back({"section alignment", std::to_string(layout.section_alignment)});
  facts.push_back({"overlay", std::to_string(overlay_size(layout)) + " bytes"});
  facts.push_back({"certificate table",
                   layout.has_table() ? std::to_string(layout.table_size) + " bytes at offset " +
                                            std::to_string(layout.table_offset)
                                      : "none"});
  facts.push_back({"checksum stored", hex_text(layout.checksum, 8)});
  facts.push_back({"checksum computed", hex_text(computed_checksum, 8)});
  return facts;
}

}  // namespace signctl::pe
