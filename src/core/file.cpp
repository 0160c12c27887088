// SPDX-License-Identifier: Apache-2.0
#include "core/file.hpp"

#include "core/text.hpp"

#include <algorithm>

namespace signctl {

Result<void> MemorySource::read_at(std::uint64_t offset, std::span<std::uint8_t> out) const {
  if (offset > bytes_.size() || out.size() > bytes_.size() - offset) {
    return Error{ErrorKind::input,
                 std::to_string(out.size()) + " bytes at offset " + std::to_string(offset) +
                     " reach past the end at " + std::to_string(bytes_.size())};
  }
  std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset), out.size(), out.begin());
  return ok();
}

Result<Bytes> read_file(std::string_view path_utf8, std::size_t limit) {
  SIGNCTL_TRY(const auto source, FileSource::open(path_utf8), "");
  if (source->size() > limit) {
    return Error{ErrorKind::input,
                 printable(path_utf8) + " has " + std::to_string(source->size()) +
                     " bytes; at most " + std::to_string(limit) + " are read",
                 "check that this is the file that was meant"};
  }
  return read_bytes(*source, 0, source->size());
}

Result<Bytes> read_bytes(const ByteSource& source, std::uint64_t offset, std::uint64_t size) {
  // Before anything is allocated: `size` may be a number that a hostile file made up.
  if (offset > source.size() || size > source.size() - offset) {
    return Error{ErrorKind::input,
                 std::to_string(size) + " bytes at offset " + std::to_string(offset) +
                     " reach past the end at " + std::to_string(source.size())};
  }
  Bytes bytes(static_cast<std::size_t>(size));
  SIGNCTL_CHECK(source.read_at(offset, bytes), "");
  return bytes;
}

}  // namespace signctl
