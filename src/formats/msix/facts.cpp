// SPDX-License-Identifier: Apache-2.0
#include "formats/msix/facts.hpp"

#include "core/text.hpp"

#include <string>

namespace signctl::msix {

std::vector<FileFact> facts_of(const Package& package,
                               const Manifest& manifest,
                               const BlockMap* map,
                               std::size_t files) {
  std::vector<FileFact> facts{{"kind", package.bundle ? "bundle" : "package"},
                              {"package", printable(manifest.name)},
                              {"publisher", printable(manifest.publisher)},
                              {"version", printable(manifest.version)}};
  if (!manifest.architecture.empty()) {
    facts.push_back({"architecture", printable(manifest.architecture)});
  }
  facts.push_back({"files", std::to_string(files)});
  if (map != nullptr) {
    facts.push_back({"block map",
                     std::to_string(map->packed_sizes.size()) + " blocks, " +
                         std::string(digest_name(map->alg))});
  }
  facts.push_back({"CodeIntegrity.cat", package.code_integrity ? "yes" : "no"});
  facts.push_back({"ZIP64", package.archive.zip64_end.empty() ? "no" : "yes"});
  return facts;
}

}  // namespace signctl::msix
