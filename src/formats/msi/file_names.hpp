// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "formats/msi/compound_file.hpp"

#include <signctl/format.hpp>
#include <signctl/result.hpp>

#include <map>
#include <memory>
#include <string>

namespace signctl::msi {

/// What an installer's tables say about files inside it, without which no script can be told.
struct FileNames {
  /// Long names, by the keys that the cabinets have in the place of names.
  std::shared_ptr<const MemberNames> files;
  /// Extensions of the scripts among the streams "Binary.KEY", by their whole names.
  std::map<std::string, std::string> script_streams;
};

/// Reads the tables File and CustomAction.
///
/// @errors `input` when they, or what they need, cannot be read.
Result<FileNames> read_file_names(const CompoundFile& file);

}  // namespace signctl::msi
