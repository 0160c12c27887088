// SPDX-License-Identifier: Apache-2.0
#include "core/file.hpp"

#include <algorithm>

namespace signctl {

Result<void> MemorySource::read_at(std::uint64_t offset, std::span<std::uint8_t> out) const {
  if (offset > bytes_.size() || out.size() > bytes_.size() - offset) {
    return Error{ErrorKind::input, "reading past the end of the data"};
  }
  const auto first = bytes_.begin() + static_cast<std::ptrdiff_t>(offset);
  std::copy_n(first, out.size(), out.begin());
  return ok();
}

Result<Bytes> read_bytes(const ByteSource& source, std::uint64_t offset, std::uint64_t size) {
  if (offset > source.size() || size > source.size() - offset) {
    return Error{
        ErrorKind::input,
        "the file ends before offset " + std::to_string(offset) + " + " + std::to_string(size)};
  }
  Bytes bytes(static_cast<std::size_t>(size));
  SIGNCTL_CHECK(source.read_at(offset, bytes), "");
  return bytes;
}

Result<Bytes> read_file(std::string_view path_utf8, std::size_t limit) {
  SIGNCTL_TRY(const auto source, FileSource::open(path_utf8), "");
  if (source->size() > limit) {
    return Error{ErrorKind::input,
                 std::string(path_utf8) + " is larger than " + std::to_string(limit) +
                     " bytes, which is more than such a file has"};
  }
  return read_bytes(*source, 0, source->size());
}

}  // namespace signctl
