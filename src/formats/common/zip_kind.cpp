// SPDX-License-Identifier: Apache-2.0
#include "formats/common/zip_kind.hpp"

#include "core/byte_reader.hpp"
#include "core/file.hpp"
#include "core/text.hpp"
#include "formats/common/zip_records.hpp"

#include <string>

namespace signctl::zip {
namespace {

/// The names that tell kinds of packages apart. Compared without regard to ASCII case, because
/// Windows opens "appxmanifest.xml" all the same.
struct Marks {
  bool content_types{false};
  bool app_manifest{false};
  bool bundle_manifest{false};
  bool nuspec{false};
  bool vsix_manifest{false};

  void see(const std::string& stored_name) {
    const std::string name = to_lower(stored_name);
    content_types = content_types || name == "[content_types].xml";
    app_manifest = app_manifest || name == "appxmanifest.xml";
    bundle_manifest = bundle_manifest || name == "appxmetadata/appxbundlemanifest.xml";
    nuspec = nuspec || (name.ends_with(".nuspec") && name.find('/') == std::string::npos);
    vsix_manifest = vsix_manifest || name == "extension.vsixmanifest";
  }
  [[nodiscard]] std::vector<std::string_view> kinds() const {
    std::vector<std::string_view> kinds;
    if (bundle_manifest || (app_manifest && content_types)) {
      kinds.emplace_back("msix");
    }
    if (nuspec && content_types) {
      kinds.emplace_back("nuget");
    }
    if (vsix_manifest && content_types) {
      kinds.emplace_back("vsix");
    }
    if (kinds.empty()) {
      kinds.emplace_back("zip");
    }
    return kinds;
  }
};

}  // namespace

bool looks_like_zip(ByteView head, ByteView tail) {
  const ByteReader front(head);
  if (front.u32(0) == kEndSignature) {
    return true;
  }
  if (front.u32(0) != kLocalSignature) {
    return false;
  }
  const ByteReader back(tail);
  for (std::uint64_t at = tail.size() < kEndSize ? 0 : tail.size() - kEndSize + 1; at-- > 0;) {
    if (back.u32(at) == kEndSignature) {
      return true;
    }
  }
  return false;
}

std::vector<std::string_view> kinds_of(const ByteSource& source) {
  Marks marks;
  const auto end = read_end_records(source, Strictness::archive);
  if (!end) {
    return marks.kinds();
  }
  const auto directory = read_bytes(source, end->directory_offset, end->directory_size);
  if (!directory) {
    return marks.kinds();
  }
  ByteView rest(*directory);
  while (!rest.empty()) {
    const auto entry = read_central_header(rest);
    if (!entry) {
      break;
    }
    marks.see(entry->name);
    rest = rest.subspan(entry->central_size);
  }
  return marks.kinds();
}

}  // namespace signctl::zip
