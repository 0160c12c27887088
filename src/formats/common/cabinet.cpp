// SPDX-License-Identifier: Apache-2.0
#include "formats/common/cabinet.hpp"

#include "core/spooled_bytes.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <map>

namespace signctl::formats {
namespace {

/// CFFILE iFolder from here on: the file continues in another cabinet.
constexpr std::uint16_t kContinued = 0xFFFD;

/// typeCompress, lowest four bits: stored, MSZIP, Quantum, LZX.
constexpr std::uint16_t kMethodMask = 0x0F;
constexpr std::uint16_t kLastMethod = 3;

/// Several entries may name the same data, as WiX writes them for files that are equal; together
/// they may claim this much, and this many times the cabinet.
constexpr std::uint64_t kMostUnpacked = std::uint64_t{4} << 30U;
constexpr std::uint64_t kMostTimes = 64;

Error malformed(const std::string& what) {
  return {ErrorKind::input, "the cabinet is malformed: " + what};
}

Result<void> check_methods(const CabinetLayout& layout) {
  for (std::size_t i = 0; i < layout.folders.size(); ++i) {
    const unsigned method = layout.folders[i].compression & kMethodMask;
    if (method > kLastMethod) {
      return Error{ErrorKind::unsupported,
                   "folder " + std::to_string(i + 1) + " of the cabinet has compression " +
                       std::to_string(method) + ", which is not known"};
    }
  }
  return ok();
}

/// Each file must lie within what its folder unpacks to.
Result<void> check_file(const CabinetFile& file, const std::vector<FolderExtent>& folders) {
  const std::string name = "the file " + printable(file.path);
  if (file.folder >= kContinued) {
    return Error{ErrorKind::unsupported,
                 name + " continues in another cabinet of a set",
                 "sets of cabinets are not supported"};
  }
  const std::uint64_t room = folders[file.folder].unpacked;
  if (file.offset > room || file.size > room - file.offset) {
    return malformed(name + " claims the bytes " + std::to_string(file.offset) + " to " +
                     std::to_string(file.offset + file.size) + " of a folder of " +
                     std::to_string(room));
  }
  return ok();
}

Result<void> check_total(const CabinetLayout& layout, const std::vector<CabinetFile>& files) {
  std::uint64_t total = 0;  // At most 65535 times 4 GiB.
  for (const CabinetFile& file : files) {
    total += file.size;
  }
  if (total > kMostUnpacked + kMostTimes * layout.size) {
    return Error{ErrorKind::input,
                 "the cabinet of " + std::to_string(layout.size) + " bytes claims to unpack to " +
                     std::to_string(total) + ", which is more than is plausible"};
  }
  return ok();
}

Result<CabinetDirectory> read_directory(const ByteSource& source) {
  SIGNCTL_TRY(const CabinetLayout layout, read_cabinet_layout(source), "");
  SIGNCTL_CHECK(refuse_cabinet_set(layout), "");
  SIGNCTL_CHECK(check_methods(layout), "");
  SIGNCTL_TRY(CabinetDirectory directory, read_cabinet_files(source, layout), "");
  SIGNCTL_TRY(const std::vector<FolderExtent> folders, walk_folders(source, layout), "");
  if (const auto overlap = find_overlap(folders, directory.end)) {
    return malformed(*overlap);
  }
  for (const CabinetFile& file : directory.files) {
    SIGNCTL_CHECK(check_file(file, folders), "");
  }
  SIGNCTL_CHECK(check_total(layout, directory.files), "");
  return directory;
}

}  // namespace

Cabinet::Cabinet(std::shared_ptr<const ByteSource> source, std::vector<CabinetFile> files)
    : source_(std::move(source)), files_(std::move(files)) {
  for (const CabinetFile& file : files_) {
    Member& member = members_.emplace_back(Member{file.path, file.size});
    std::replace(member.path.begin(), member.path.end(), '\\', '/');
  }
}

Result<std::unique_ptr<Cabinet>> Cabinet::open(std::shared_ptr<const ByteSource> source) {
  SIGNCTL_TRY(CabinetDirectory directory, read_directory(*source), "");
  return std::unique_ptr<Cabinet>(new Cabinet(std::move(source), std::move(directory.files)));
}

Result<std::shared_ptr<const ByteSource>> Cabinet::open_member(std::size_t index) {
  if (index >= files_.size()) {
    return Error{ErrorKind::internal, "the cabinet has no such member"};
  }
  const CabinetFile& file = files_[index];
  const std::string step = "unpacking " + printable(members_[index].path);
  if (!unpacker_) {
    SIGNCTL_TRY(unpacker_, CabinetUnpacker::open(source_), step);
  }
  SpooledBytes out(members_[index].path, file.size);
  if (auto unpacked = unpacker_->unpack(index, file, out); !unpacked) {
    unpacker_.reset();  // It stays in its error; other files may be fine.
    return std::move(unpacked).error().within(step);
  }
  return std::move(out).finish();
}

}  // namespace signctl::formats
