// SPDX-License-Identifier: Apache-2.0
#include "formats/msix/parts.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <utility>

namespace signctl::msix {
namespace {

using zip::Archive;

Result<std::optional<std::size_t>> find_part(const Archive& archive, std::string_view name) {
  const std::string wanted = to_lower(name);
  for (std::size_t i = 0; i < archive.entries.size(); ++i) {
    const std::string& stored = archive.entries[i].name;
    if (stored.size() != name.size() || to_lower(stored) != wanted) {
      continue;
    }
    if (stored != name) {
      return Error{ErrorKind::input,
                   "the part " + std::string(name) + " is spelt \"" + printable(stored) +
                       "\", which only some readers find"};
    }
    return std::optional(i);
  }
  return std::optional<std::size_t>();
}

Result<std::size_t> need_part(const Archive& archive, std::string_view name) {
  SIGNCTL_TRY(const auto found, find_part(archive, name), "");
  if (!found) {
    return Error{
        ErrorKind::input, "the package has no " + std::string(name), "build it anew with makeappx"};
  }
  return *found;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  if (c >= 'a' && c <= 'f') {
    return c - 'a' + 10;
  }
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

}  // namespace

bool Package::signature_is_last() const {
  return !signature || archive.in_file_order().back() == *signature;
}

Result<Package> read_package(const ByteSource& source) {
  Package package;
  SIGNCTL_TRY(package.archive, zip::read_archive(source, zip::Strictness::package), "");
  const Archive& archive = package.archive;
  SIGNCTL_TRY(const auto bundle, find_part(archive, kBundleManifest), "");
  SIGNCTL_TRY(const auto app, find_part(archive, kAppManifest), "");
  if (bundle && app) {
    return Error{ErrorKind::input,
                 "the package has the manifest of a package and that of a bundle: readers may take "
                 "it for either"};
  }
  package.bundle = bundle.has_value();
  SIGNCTL_TRY(
      package.manifest, need_part(archive, package.bundle ? kBundleManifest : kAppManifest), "");
  SIGNCTL_TRY(package.block_map, need_part(archive, kBlockMap), "");
  SIGNCTL_TRY(package.content_types, need_part(archive, kContentTypes), "");
  SIGNCTL_TRY(package.signature, find_part(archive, kSignature), "");
  SIGNCTL_TRY(package.code_integrity, find_part(archive, kCodeIntegrity), "");
  return package;
}

std::string mapped_name(std::string_view entry_name) {
  std::string name;
  for (std::size_t i = 0; i < entry_name.size(); ++i) {
    const char c = entry_name[i];
    if (c == '%' && i + 2 < entry_name.size() && hex_value(entry_name[i + 1]) >= 0 &&
        hex_value(entry_name[i + 2]) >= 0) {
      name += static_cast<char>(hex_value(entry_name[i + 1]) * 16 + hex_value(entry_name[i + 2]));
      i += 2;
    } else {
      name += c == '/' ? '\\' : c;
    }
  }
  return name;
}

std::uint64_t records_end(const Package& package) {
  return package.signature ? package.entry(*package.signature).local_offset
                           : package.archive.directory_offset;
}

std::uint64_t settled_prefix(const Package& package) {
  return std::min(records_end(package), package.entry(package.content_types).local_offset);
}

bool lie_alike(const Package& one,
               std::span<const std::size_t> mine,
               const Package& other,
               std::span<const std::size_t> theirs) {
  const auto alike = [&](std::size_t here, std::size_t there) {
    const zip::Entry& a = one.entry(here);
    const zip::Entry& b = other.entry(there);
    return a.name == b.name && a.local_offset == b.local_offset && a.data_offset == b.data_offset &&
           a.end_offset == b.end_offset;
  };
  return std::equal(mine.begin(), mine.end(), theirs.begin(), theirs.end(), alike);
}

}  // namespace signctl::msix
