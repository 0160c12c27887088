// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/file.hpp"

#include <signctl/format.hpp>
#include <signctl/result.hpp>

#include <memory>
#include <string>
#include <vector>

namespace signctl::engine {

/// A file, its type, and its parsed headers.
struct OpenedFile {
  std::shared_ptr<const FileSource> source;
  const Format* format{};
  std::unique_ptr<Signable> signable;
  std::string extension;  ///< Of the name it is known by.
};

/// Opens a file and recognises its type.
///
/// @errors `input` or `unsupported`, naming the path.
Result<OpenedFile> open_file(const std::string& path_utf8);

/// Opens a draft of a file: same type and same known name, whatever the draft's own is.
Result<OpenedFile> open_draft(const std::string& path_utf8, const OpenedFile& original);

/// The ContentInfos of the file's top-level signatures.
Result<std::vector<Bytes>> stored_signatures(Signable& file);

}  // namespace signctl::engine
