// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "formats/common/cabinet_layout.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace signctl::formats {

/// One file of a cabinet (CFFILE, [MS-CAB] 2.3).
struct CabinetFile {
  std::string path;  ///< As stored, UTF-8; nothing says that it is a harmless one.
  std::uint64_t size{};
  std::uint64_t offset{};  ///< Within its unpacked folder.
  /// One of the layout's, or 0xFFFD and more: continued from or to another cabinet.
  std::uint16_t folder{};
};

struct CabinetDirectory {
  std::vector<CabinetFile> files;
  std::uint64_t end{};  ///< Where the entries end in the cabinet.
};

/// @errors `input` when an entry is cut off or its name has no end.
Result<CabinetDirectory> read_cabinet_files(const ByteSource& source, const CabinetLayout& layout);

}  // namespace signctl::formats
