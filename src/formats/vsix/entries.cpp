// SPDX-License-Identifier: Apache-2.0
#include "formats/vsix/entries.hpp"

#include "core/byte_reader.hpp"
#include "core/file.hpp"
#include "formats/common/zip_records.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace signctl::vsix {

namespace {

/// Info-ZIP's Unicode Path: who knows it takes the name in it for the one in the header.
constexpr std::uint16_t kUnicodePath = 0x7075;
/// Of System.IO.Packaging: room for the header to grow, filled with zeros behind four octets.
constexpr std::uint16_t kGrowthHint = 0xA220;
constexpr std::size_t kGrowthHead = 4;

/// Extra fields that packers write unasked, with the most that they put in: ZIP64, the times of
/// NTFS, and Info-ZIP's times and owners.
constexpr std::array<std::pair<std::uint16_t, std::size_t>, 6> kUsual{
    {{zip::kZip64Extra, 28}, {0x000A, 32}, {0x5455, 13}, {0x5855, 12}, {0x7855, 4}, {0x7875, 11}}};

// As for other places that nothing covers: more than careless writers leave is a hiding place.
constexpr std::uint64_t kTolerated = 64;

/// The upper half of the external attributes are those of Unix in archives from there: the type of
/// the file in four bits.
constexpr std::uint32_t kUnixType = 0xF0000000;
constexpr std::uint32_t kUnixRegular = 0x80000000;
constexpr std::uint32_t kUnixFolder = 0x40000000;
constexpr std::uint32_t kDosFolder = 0x10;

/// How much of the content of an extra field nobody needs.
std::size_t surplus(std::uint16_t id, ByteView content) {
  if (id == kGrowthHint) {
    const ByteView padding = content.subspan(std::min(content.size(), kGrowthHead));
    return static_cast<std::size_t>(std::count_if(
        padding.begin(), padding.end(), [](std::uint8_t octet) { return octet != 0; }));
  }
  const auto usual = std::find_if(
      kUsual.begin(), kUsual.end(), [id](const auto& known) { return known.first == id; });
  const std::size_t allowed = usual == kUsual.end() ? 0 : usual->second;
  return content.size() - std::min(content.size(), allowed);
}

class Check {
 public:
  Check(const ByteSource& source, const zip::Archive& archive)
      : source_(source), archive_(archive) {}

  Result<std::vector<Finding>> run() {
    SIGNCTL_TRY(const Bytes directory,
                read_bytes(source_, archive_.directory_offset, archive_.directory_size),
                "");
    for (const zip::Entry& entry : archive_.entries) {
      const ByteView header = ByteView(directory).subspan(
          static_cast<std::size_t>(entry.central_offset - archive_.directory_offset),
          entry.central_size);
      look_at_central(header, entry);
      SIGNCTL_CHECK(look_at_local(entry), "");
    }
    if (hidden_ > kTolerated) {
      object("vsix-entry-data",
             "extra fields and comments of the archive's entries carry " + std::to_string(hidden_) +
                 " bytes that no signature covers, the first at entry \"" + first_ + "\"");
    }
    return std::move(findings_);
  }

 private:
  /// Once: headers of either kind say the same.
  void object(std::string id, std::string message) {
    if (!findings_.empty() && findings_.back().message == message) {
      return;
    }
    findings_.push_back({std::move(id), Severity::error, "file", std::move(message)});
  }

  void hide(const zip::Entry& entry, std::size_t bytes) {
    if (bytes != 0 && hidden_ == 0) {
      first_ = zip::display_name(entry);
    }
    hidden_ += bytes;
  }

  /// Its lengths have been checked when the archive was read.
  void look_at_extra(ByteView extra, const zip::Entry& entry) {
    const ByteReader reader(extra);
    std::uint64_t at = 0;
    while (const auto size = reader.u16(at + 2)) {
      const std::uint16_t id = reader.u16(at).value_or(0);
      if (id == kUnicodePath) {
        object("vsix-entry-name",
               "entry \"" + zip::display_name(entry) +
                   "\" has a second name in an extra field, which some readers prefer");
      }
      hide(entry, surplus(id, reader.slice(at + 4, *size).value_or(ByteView{})));
      at += 4U + *size;
    }
  }

  void look_at_central(ByteView header, const zip::Entry& entry) {
    const ByteReader reader(header);
    const std::uint64_t extra_at = zip::kCentralHeaderSize + entry.name.size();
    look_at_extra(reader.slice(extra_at, reader.u16(30).value_or(0)).value_or(ByteView{}), entry);
    hide(entry, reader.u16(32).value_or(0));
    const std::uint32_t attributes = reader.u32(38).value_or(0);
    const std::uint32_t type = attributes & kUnixType;
    const bool is_folder = type == kUnixFolder || (attributes & kDosFolder) != 0;
    if ((type != 0 && type != kUnixRegular && type != kUnixFolder) ||
        (is_folder && !entry.is_folder())) {
      object("vsix-entry-type",
             "entry \"" + zip::display_name(entry) +
                 "\" has the attributes of a link or of something else that is no file");
    }
  }

  Result<void> look_at_local(const zip::Entry& entry) {
    const std::uint64_t bare = zip::kLocalHeaderSize + entry.name.size();
    if (entry.local_header_size() > bare) {
      SIGNCTL_TRY(const Bytes extra,
                  read_bytes(source_, entry.local_offset + bare, entry.local_header_size() - bare),
                  "");
      look_at_extra(extra, entry);
    }
    return ok();
  }

  const ByteSource& source_;
  const zip::Archive& archive_;
  std::vector<Finding> findings_;
  std::uint64_t hidden_{0};
  std::string first_;
};

}  // namespace

Result<std::vector<Finding>> check_entries(const ByteSource& source, const zip::Archive& archive) {
  return Check(source, archive).run();
}

}  // namespace signctl::vsix
