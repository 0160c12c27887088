// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "formats/common/xml.hpp"

#include <signctl/finding.hpp>

#include <string>
#include <vector>

namespace signctl::clickonce {

/// A file that a manifest names.
struct NamedFile {
  std::string name;  ///< As the manifest has it, with `/`.
  /// UTF-8; may end in `.deploy` where `name` does not. Empty if it does not lie beside the
  /// manifest.
  std::string path;
};

/// The files that the manifest names, each name once, looked for beside it under their name or with
/// `.deploy` behind it. Only names below the manifest's folder are followed.
///
/// @param manifest_path  UTF-8; empty when there is no folder to look in.
[[nodiscard]] std::vector<NamedFile> named_files(const xml::Element& root,
                                                 const std::string& manifest_path);

/// Compares each file that the manifest names with its hash and size, where it lies beside it. Adds
/// "clickonce-file-changed" (error) for each that differs and "clickonce-files-unchecked" (info)
/// with the number of those that are not there.
void check_files(const xml::Element& root,
                 const std::string& manifest_path,
                 std::vector<Finding>& findings);

}  // namespace signctl::clickonce
