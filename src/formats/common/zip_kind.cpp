// SPDX-License-Identifier: Apache-2.0
#include "formats/common/zip_kind.hpp"

#include "core/byte_reader.hpp"
#include "core/file.hpp"
#include "core/text.hpp"
#include "formats/common/zip_records.hpp"

#include <algorithm>
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

/// Whether a central directory of `size` bytes, or the records of ZIP64, end where the end record
/// begins.
Result<bool> is_behind_directory(const ByteSource& source,
                                 std::uint64_t end_at,
                                 std::uint64_t size) {
  if (size == kFull32) {
    size = kZip64LocatorSize;
  }
  if (size < kZip64LocatorSize || size > end_at) {
    return false;
  }
  SIGNCTL_TRY(const Bytes start, read_bytes(source, end_at - size, 4), "");
  const auto signature = ByteReader(start).u32(0);
  return signature == kCentralSignature || signature == kZip64LocatorSignature;
}

}  // namespace

bool looks_like_zip(ByteView head) {
  const ByteReader front(head);
  return front.u32(0) == kEndSignature || front.u32(0) == kLocalSignature;
}

bool has_end_record(ByteView head, ByteView tail) {
  if (ByteReader(head).u32(0) == kEndSignature) {
    return true;
  }
  const ByteReader back(tail);
  for (std::uint64_t at = tail.size() < kEndSize ? 0 : tail.size() - kEndSize + 1; at-- > 0;) {
    if (back.u32(at) == kEndSignature) {
      return true;
    }
  }
  return false;
}

Result<bool> has_directory_at_end(const ByteSource& source) {
  constexpr std::uint64_t kLongestComment = 0xFFFF;
  const std::uint64_t size = source.size();
  const std::uint64_t begin = size - std::min(size, kEndSize + kLongestComment);
  SIGNCTL_TRY(const Bytes tail, read_bytes(source, begin, size - begin), "");
  const ByteReader reader(tail);
  for (std::uint64_t at = tail.size() < kEndSize ? 0 : tail.size() - kEndSize + 1; at-- > 0;) {
    if (reader.u32(at) == kEndSignature) {
      SIGNCTL_TRY(
          const bool found, is_behind_directory(source, begin + at, *reader.u32(at + 12)), "");
      if (found) {
        return true;
      }
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
