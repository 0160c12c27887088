// SPDX-License-Identifier: Apache-2.0
#include "core/block_reader.hpp"

#include "core/page_buffer.hpp"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <utility>

namespace signctl {

namespace {

// Small enough to stay in the second-level cache while several hashes go over it.
constexpr std::uint64_t kBlockSize = std::uint64_t{256} * 1024;
// Below this a thread costs more than it saves.
constexpr std::uint64_t kReadInline = std::uint64_t{4} << 20U;
constexpr std::size_t kBlocksAhead = 8;
// The reader is woken when this many blocks are free: one wake-up for each costs more than it
// reads.
constexpr std::size_t kWakeEvery = 4;

Result<void> read_block(const ByteSource& source,
                        std::uint64_t offset,
                        std::span<std::uint8_t> out) {
  auto read = source.read_at(offset, out);
  return read ? std::move(read)
              : std::move(read).error().within("reading at offset " + std::to_string(offset));
}

Result<void> read_inline(const ByteSource& source,
                         std::uint64_t begin,
                         std::uint64_t end,
                         const BlockVisitor& visitor) {
  Bytes buffer(static_cast<std::size_t>(std::min(kBlockSize, end - begin)));
  for (std::uint64_t offset = begin; offset < end;) {
    const std::uint64_t size = std::min<std::uint64_t>(buffer.size(), end - offset);
    const std::span block = std::span(buffer).first(static_cast<std::size_t>(size));
    SIGNCTL_CHECK(read_block(source, offset, block), "");
    if (visitor.beside) {
      visitor.beside(offset, block);
    }
    if (!visitor.visit(offset, block)) {
      break;
    }
    offset += size;
  }
  return ok();
}

/// A ring of blocks that one thread fills ahead of the one that visits.
///
/// The visitor never waits: a block that is not there yet it reads itself, because the reader may
/// not have a processor at all while a copy runs beside it. So the reader is a help and nothing
/// else; where it fails it just ends, and the visitor meets the same failure at its own pace.
class ReadAhead {
 public:
  ReadAhead(const ByteSource& source,
            std::uint64_t begin,
            std::uint64_t end,
            const BlockVisitor& visitor)
      : source_(source), visitor_(visitor), begin_(begin), end_(end) {}

  Result<void> run() {
    std::thread reader([this] { read(); });
    auto result = visit();
    stop();
    reader.join();
    return result;
  }

 private:
  [[nodiscard]] std::size_t size(std::uint64_t index) const {
    return static_cast<std::size_t>(std::min(kBlockSize, end_ - offset(index)));
  }
  [[nodiscard]] std::span<std::uint8_t> place(std::uint64_t number) {
    return blocks_.bytes().subspan(static_cast<std::size_t>(number * kBlockSize),
                                   static_cast<std::size_t>(kBlockSize));
  }
  [[nodiscard]] std::span<std::uint8_t> block(std::uint64_t index) {
    return place(index % kBlocksAhead).first(size(index));
  }
  [[nodiscard]] std::uint64_t offset(std::uint64_t index) const {
    return begin_ + index * kBlockSize;
  }
  [[nodiscard]] std::uint64_t count() const {
    return (end_ - begin_ + kBlockSize - 1) / kBlockSize;
  }

  void do_beside(std::uint64_t index, ByteView bytes) {
    if (visitor_.beside) {
      const std::lock_guard lock(beside_mutex_);
      visitor_.beside(offset(index), bytes);
    }
  }

  /// The block to be read next; empty when there is none.
  std::optional<std::uint64_t> claim(std::uint64_t next) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return stopped_ || next < visited_ + kBlocksAhead; });
    next = std::max(next, wanted_);
    return stopped_ || next >= count() ? std::nullopt : std::optional(next);
  }

  /// Hands a block over unless the visitor came for it earlier. True when `beside` is still to be
  /// done, here: whoever has time does it, the reader while it is ahead, else the visitor.
  bool publish(std::uint64_t index) {
    const std::lock_guard lock(mutex_);
    if (index < wanted_) {
      return false;
    }
    const bool ahead = index >= visited_ + kBlocksAhead / 2;
    ready_.at(index % kBlocksAhead) = {index, !ahead};
    return ahead;
  }

  void read() {
    std::uint64_t next = 0;
    while (const auto index = claim(next)) {
      if (!read_block(source_, offset(*index), block(*index))) {
        return;
      }
      if (publish(*index)) {
        do_beside(*index, block(*index));
      }
      next = *index + 1;
    }
  }

  /// Block number `index`, from the ring or from the source, after its `beside` has been seen to.
  Result<ByteView> obtain(std::uint64_t index) {
    Ready ready;
    {
      const std::lock_guard lock(mutex_);
      wanted_ = index + 1;
      ready = ready_.at(index % kBlocksAhead);
    }
    const bool own = ready.index != index;
    const std::span<std::uint8_t> bytes =
        own ? place(kBlocksAhead).first(size(index)) : block(index);
    if (own) {
      SIGNCTL_CHECK(read_block(source_, offset(index), bytes), "");
    }
    if (own || ready.left_over) {
      do_beside(index, bytes);
    }
    return ByteView(bytes);
  }

  Result<void> visit() {
    for (std::uint64_t index = 0; index < count(); ++index) {
      SIGNCTL_TRY(const ByteView bytes, obtain(index), "");
      if (!visitor_.visit(offset(index), bytes)) {
        break;
      }
      const std::lock_guard lock(mutex_);
      visited_ = index + 1;
      if (visited_ % kWakeEvery == 0) {
        changed_.notify_all();
      }
    }
    return ok();
  }

  void stop() {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    changed_.notify_all();
  }

  /// What lies in one place of the ring.
  struct Ready {
    std::optional<std::uint64_t> index;
    bool left_over{false};  ///< Its `beside` is the visitor's to do.
  };

  const ByteSource& source_;
  const BlockVisitor& visitor_;
  std::uint64_t begin_;
  std::uint64_t end_;
  /// The ring, and behind it a place for blocks that the visitor reads.
  PageBuffer blocks_{(kBlocksAhead + 1) * static_cast<std::size_t>(kBlockSize)};
  std::mutex beside_mutex_;
  std::mutex mutex_;  ///< Guards what follows.
  std::condition_variable changed_;
  std::array<Ready, kBlocksAhead> ready_;
  std::uint64_t wanted_{0};   ///< Blocks below are no longer taken from the reader.
  std::uint64_t visited_{0};  ///< Blocks whose place in the ring is free again.
  bool stopped_{false};
};

}  // namespace

Result<void> for_each_block(const ByteSource& source,
                            std::uint64_t begin,
                            std::uint64_t end,
                            const BlockVisitor& visitor) {
  if (begin >= end) {
    return ok();
  }
  if (end - begin <= kReadInline) {
    return read_inline(source, begin, end, visitor);
  }
  return ReadAhead(source, begin, end, visitor).run();
}

}  // namespace signctl
