// SPDX-License-Identifier: Apache-2.0
#include "core/patched_source.hpp"

#include "core/byte_reader.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace signctl {

Result<std::shared_ptr<const ByteSource>> PatchedSource::make(
    std::shared_ptr<const ByteSource> input, PatchSet patches) {
  auto made =
      std::shared_ptr<PatchedSource>(new PatchedSource(std::move(input), std::move(patches)));
  SIGNCTL_CHECK(made->lay_out(), "");
  return std::shared_ptr<const ByteSource>(std::move(made));
}

Result<void> PatchedSource::lay_out() {
  const auto fits = [](const ByteSource& source, std::uint64_t from, std::uint64_t size) {
    return from <= source.size() && size <= source.size() - from;
  };
  if (!fits(*input_, 0, patches_.keep)) {
    return Error{ErrorKind::internal, "a patch keeps more bytes than the file has"};
  }
  put(0, {patches_.keep, input_.get(), nullptr, 0});
  for (const Move& move : patches_.moves) {
    const ByteSource& source = move.source ? *move.source : *input_;
    if (!fits(source, move.from, move.size) || !checked_add(move.to, move.size)) {
      return Error{ErrorKind::internal, "a move takes bytes that the file does not have"};
    }
    put(move.to, {move.size, &source, nullptr, move.from});
  }
  for (const Patch& patch : patches_.patches) {
    put(patch.offset, {patch.bytes.size(), nullptr, patch.bytes.data(), 0});
  }
  return ok();
}

void PatchedSource::put(std::uint64_t offset, const Segment& segment) {
  if (segment.size == 0) {
    return;
  }
  if (offset > size_) {
    segments_[size_] = {offset - size_, nullptr, nullptr, 0};
    size_ = offset;
  }
  make_room(offset, offset + segment.size);
  segments_[offset] = segment;
  size_ = std::max(size_, offset + segment.size);
}

void PatchedSource::make_room(std::uint64_t begin, std::uint64_t end) {
  split_at(begin);
  split_at(end);
  segments_.erase(segments_.lower_bound(begin), segments_.lower_bound(end));
}

void PatchedSource::split_at(std::uint64_t offset) {
  auto after = segments_.upper_bound(offset);
  if (after == segments_.begin()) {
    return;
  }
  auto& [begin, segment] = *std::prev(after);
  const std::uint64_t before = offset - begin;
  if (before == 0 || before >= segment.size) {
    return;
  }
  Segment rest = segment;
  rest.size -= before;
  rest.from += before;
  segment.size = before;
  segments_[offset] = rest;
}

Result<void> PatchedSource::read_at(std::uint64_t offset, std::span<std::uint8_t> out) const {
  if (offset > size_ || out.size() > size_ - offset) {
    return Error{ErrorKind::input, "reading past the end"};
  }
  auto it = segments_.upper_bound(offset);
  while (!out.empty()) {
    const auto& [begin, segment] = *std::prev(it);
    const std::uint64_t skip = offset - begin;
    const auto part = out.first(
        static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), segment.size - skip)));
    if (segment.source != nullptr) {
      SIGNCTL_CHECK(segment.source->read_at(segment.from + skip, part), "");
    } else if (segment.bytes != nullptr) {
      std::copy_n(segment.bytes + segment.from + skip, part.size(), part.begin());
    } else {
      std::fill(part.begin(), part.end(), std::uint8_t{0});
    }
    out = out.subspan(part.size());
    offset += part.size();
    ++it;
  }
  return ok();
}

}  // namespace signctl
