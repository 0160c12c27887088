// SPDX-License-Identifier: Apache-2.0
#include "formats/common/cabinet_files.hpp"

#include "core/byte_reader.hpp"
#include "core/file.hpp"

#include <algorithm>

namespace signctl::formats {
namespace {

constexpr std::uint64_t kEntrySize = 16;
constexpr std::uint64_t kLongestName = 256;   // Of szName, its zero included.
constexpr std::uint16_t kNameIsUtf8 = 0x80;   // _A_NAME_IS_UTF
constexpr std::uint16_t kContinued = 0xFFFD;  // And more: from or to another cabinet of a set.
constexpr std::uint64_t kWindow = std::uint64_t{64} << 10U;

/// Shows a source piece by piece, reading it in larger ones.
class Window {
 public:
  Window(const ByteSource& source, std::uint64_t end) : source_(source), end_(end) {}

  /// At most `size` bytes from `offset`, fewer before the end. Valid until the next call.
  Result<ByteView> at(std::uint64_t offset, std::uint64_t size) {
    const std::uint64_t wanted = std::min(size, end_ - std::min(offset, end_));
    if (offset < begin_ || offset + wanted > begin_ + bytes_.size()) {
      begin_ = offset;
      SIGNCTL_TRY(bytes_,
                  read_bytes(source_, offset, std::min(kWindow, end_ - std::min(offset, end_))),
                  "");
    }
    return ByteView(bytes_).subspan(static_cast<std::size_t>(offset - begin_),
                                    static_cast<std::size_t>(wanted));
  }

 private:
  const ByteSource& source_;
  std::uint64_t end_;
  std::uint64_t begin_{0};
  Bytes bytes_;
};

/// A name in a code page that the cabinet does not tell is read as Latin-1, so that all of it can
/// be shown.
std::string name_text(ByteView bytes, bool is_utf8) {
  static constexpr std::uint8_t kAscii = 0x80;
  std::string text;
  for (const std::uint8_t byte : bytes) {
    if (is_utf8 || byte < kAscii) {
      text.push_back(static_cast<char>(byte));
    } else {
      text.push_back(static_cast<char>(0xC0U | byte >> 6U));
      text.push_back(static_cast<char>(0x80U | (byte & 0x3FU)));
    }
  }
  return text;
}

Error bad_entry(std::size_t index, const std::string& what) {
  return {ErrorKind::input,
          "the cabinet is malformed: file entry " + std::to_string(index + 1) + " " + what};
}

}  // namespace

Result<CabinetDirectory> read_cabinet_files(const ByteSource& source, const CabinetLayout& layout) {
  CabinetDirectory directory;
  directory.end = layout.files;
  Window window(source, layout.size);
  for (std::size_t i = 0; i < layout.file_count; ++i) {
    SIGNCTL_TRY(const ByteView entry,
                window.at(directory.end, kEntrySize + kLongestName),
                "reading the file entries");
    if (entry.size() < kEntrySize) {
      return bad_entry(i, "is cut off by the end of the cabinet");
    }
    const ByteView name = entry.subspan(kEntrySize);
    const auto zero = std::find(name.begin(), name.end(), 0);
    if (zero == name.end()) {
      return bad_entry(i, "has a name without an end");
    }
    const auto length = static_cast<std::size_t>(zero - name.begin());
    const ByteReader reader(entry);
    CabinetFile file;
    file.size = reader.u32(0).value_or(0);
    file.offset = reader.u32(4).value_or(0);
    file.folder = reader.u16(8).value_or(0);
    if (file.folder < kContinued && file.folder >= layout.folders.size()) {
      return bad_entry(i,
                       "is in folder " + std::to_string(file.folder + 1) + " of " +
                           std::to_string(layout.folders.size()));
    }
    const bool is_utf8 = (reader.u16(14).value_or(0) & kNameIsUtf8) != 0;
    file.path = name_text(name.first(length), is_utf8);
    directory.files.push_back(std::move(file));
    directory.end += kEntrySize + length + 1;
  }
  return directory;
}

}  // namespace signctl::formats
