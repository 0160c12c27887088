// SPDX-License-Identifier: Apache-2.0
#include "core/source_part.hpp"

#include <utility>

namespace signctl {

Result<std::shared_ptr<const ByteSource>> SourcePart::of(std::shared_ptr<const ByteSource> whole,
                                                         std::uint64_t offset,
                                                         std::uint64_t size) {
  if (offset > whole->size() || size > whole->size() - offset) {
    return Error{ErrorKind::input, "a part reaches past the end of the file"};
  }
  std::shared_ptr<const ByteSource> part =
      std::make_shared<SourcePart>(std::move(whole), offset, size);
  return part;
}

Result<void> SourcePart::read_at(std::uint64_t offset, std::span<std::uint8_t> out) const {
  if (offset > size_ || out.size() > size_ - offset) {
    return Error{ErrorKind::input, "reading past the end"};
  }
  return whole_->read_at(offset_ + offset, out);
}

}  // namespace signctl
