// SPDX-License-Identifier: Apache-2.0
#include "formats/nuget/package.hpp"

#include "core/byte_reader.hpp"
#include "core/file.hpp"
#include "core/text.hpp"
#include "formats/common/zip_edit.hpp"
#include "formats/common/zip_records.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace signctl::nuget {
namespace {

/// Whether an extra field that has been read before has a ZIP64 part.
bool has_zip64(ByteView extra) {
  const ByteReader reader(extra);
  std::uint64_t position = 0;
  while (const auto size = reader.u16(position + 2)) {
    if (reader.u16(position) == zip::kZip64Extra) {
      return true;
    }
    position += 4U + *size;
  }
  return false;
}

/// NuGet's clients refuse what is ZIP64 in any place, needed or not (NU3006).
Result<bool> is_zip64(const ByteSource& source, const zip::Archive& archive) {
  if (!archive.zip64_end.empty()) {
    return true;
  }
  SIGNCTL_TRY(const Bytes directory,
              read_bytes(source, archive.directory_offset, archive.directory_size),
              "");
  const ByteReader reader(directory);
  for (const zip::Entry& entry : archive.entries) {
    const std::uint64_t at = entry.central_offset - archive.directory_offset;
    const std::uint64_t extra_at = at + zip::kCentralHeaderSize + entry.name.size();
    const auto extra = reader.slice(extra_at, reader.u16(at + 30).value_or(0));
    if (extra && has_zip64(*extra)) {
      return true;
    }
    const std::uint64_t bare = zip::kLocalHeaderSize + entry.name.size();
    if (entry.local_header_size() > bare) {
      SIGNCTL_TRY(const Bytes local,
                  read_bytes(source, entry.local_offset + bare, entry.local_header_size() - bare),
                  "");
      if (has_zip64(local)) {
        return true;
      }
    }
  }
  return false;
}

bool is_manifest(const std::string& name) {
  return name.find('/') == std::string::npos && to_lower(name).ends_with(".nuspec");
}

}  // namespace

Result<Package> read_package(const ByteSource& source) {
  Package package;
  SIGNCTL_TRY(package.archive, zip::read_archive(source, zip::Strictness::package), "");
  std::optional<std::size_t> manifest;
  for (std::size_t i = 0; i < package.archive.entries.size(); ++i) {
    const zip::Entry& entry = package.entry(i);
    if (entry.name == kSignature) {
      package.signature = i;
    } else if (!entry.is_folder()) {
      package.files.push_back(i);
    }
    if (!manifest && is_manifest(entry.name)) {
      manifest = i;
    }
  }
  if (!manifest) {
    return Error{ErrorKind::input, "the package has no .nuspec at its top"};
  }
  package.manifest = *manifest;
  SIGNCTL_TRY(package.zip64, is_zip64(source, package.archive), "");
  return package;
}

Result<PatchSet> without_signature(const ByteSource& source, const Package& package) {
  if (!package.signature) {
    return PatchSet{source.size(), {}};
  }
  zip::Edit edit(source, package.archive);
  edit.drop(*package.signature);
  return edit.finish();
}

Result<std::vector<Finding>> check_package(const ByteSource& source, const Package& package) {
  std::vector<Finding> findings;
  const auto object = [&findings](std::string id, std::string message) {
    findings.push_back({std::move(id), Severity::error, "file", std::move(message)});
  };
  if (package.zip64) {
    object("nuget-zip64", "the package has ZIP64 records, and NuGet's clients refuse it signed");
  }
  if (!package.signature) {
    return findings;
  }
  const zip::Entry& entry = package.entry(*package.signature);
  SIGNCTL_TRY(const Bytes header, read_bytes(source, entry.central_offset, entry.central_size), "");
  const ByteReader reader(header);
  const std::string name(kSignature);
  if (entry.flags != 0) {
    object("nuget-signature-entry",
           name + " has general purpose flags " + std::to_string(entry.flags) + ", expected 0");
  }
  if (entry.method != zip::kStored) {
    object("nuget-signature-entry",
           name + " is packed with method " + std::to_string(entry.method) + ", not stored");
  }
  if (reader.u32(38) != 0U) {
    object("nuget-signature-entry", name + " has file attributes");
  }
  // The package hash leaves this entry out, headers included: whatever is in them is not covered.
  const std::uint64_t bare = zip::kLocalHeaderSize + entry.name.size();
  if (reader.u16(30) != 0U || reader.u16(32) != 0U || entry.local_header_size() != bare) {
    object("nuget-signature-entry",
           name + " has an extra field or a comment, which no signature covers");
  }
  return findings;
}

}  // namespace signctl::nuget
