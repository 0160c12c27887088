// SPDX-License-Identifier: Apache-2.0
#include "formats/common/zip_kind.hpp"

#include <signctl/claims.hpp>

#include <algorithm>
#include <array>
#include <string>

namespace signctl {
namespace {

/// Extensions of files that are told by their bytes and that nobody else has a use for. Missing are
/// scripts and manifests, which are text, and what other systems call their own modules and
/// drivers.
constexpr std::array<std::string_view, 21> kOwned{
    "exe",        "dll",  "sys",        "efi",   "ocx",    "cpl",  "scr",
    "msi",        "msp",  "mst",        "msm",   "cab",    "cat",  "msix",
    "msixbundle", "appx", "appxbundle", "nupkg", "snupkg", "vsix", "zip"};

}  // namespace

const Format* claimed_format(std::string_view path_utf8) {
  const std::string extension = extension_of(path_utf8);
  if (std::find(kOwned.begin(), kOwned.end(), extension) == kOwned.end()) {
    return nullptr;
  }
  for (const Format* format : builtin_formats()) {
    const auto known = format->extensions();
    if (std::find(known.begin(), known.end(), extension) != known.end()) {
      return format;
    }
  }
  return nullptr;
}

Result<bool> ends_like_archive(const ByteSource& source) {
  return zip::has_directory_at_end(source);
}

}  // namespace signctl
