// SPDX-License-Identifier: Apache-2.0
#include "formats/cab/facts.hpp"

#include <set>
#include <string>

namespace signctl::cab {
namespace {

/// typeCompress ([MS-CAB] 2.2): method in the lowest four bits, LZX's window in bits 8 to 12.
std::string compression_text(std::uint16_t type) {
  switch (type & 0x0FU) {
    case 0:
      return "none";
    case 1:
      return "MSZIP";
    case 2:
      return "Quantum";
    case 3:
      return "LZX:" + std::to_string(type >> 8U & 0x1FU);
    default:
      return "unknown (" + std::to_string(type & 0x0FU) + ")";
  }
}

std::string compressions(const formats::CabinetLayout& layout) {
  std::set<std::string> names;
  for (const formats::CabinetFolder& folder : layout.folders) {
    names.insert(compression_text(folder.compression));
  }
  std::string text;
  for (const std::string& name : names) {
    text += text.empty() ? name : ", " + name;
  }
  return text.empty() ? "none" : text;
}

std::string reserve_text(const formats::CabinetLayout& layout) {
  if (!layout.has_reserve()) {
    return "none";
  }
  return std::to_string(layout.header_reserve) + " bytes in the header, " +
         std::to_string(layout.folder_reserve) + " in each folder, " +
         std::to_string(layout.data_reserve) + " in each block";
}

}  // namespace

std::vector<FileFact> facts_of(const formats::CabinetLayout& layout) {
  return {
      {"version", std::to_string(layout.major) + "." + std::to_string(layout.minor)},
      {"cabinet size", std::to_string(layout.size)},
      {"files", std::to_string(layout.file_count)},
      {"folders", std::to_string(layout.folders.size())},
      {"compression", compressions(layout)},
      {"set id", std::to_string(layout.set_id)},
      {"reserved areas", reserve_text(layout)},
  };
}

}  // namespace signctl::cab
