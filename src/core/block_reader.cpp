// SPDX-License-Identifier: Apache-2.0
#include "core/block_reader.hpp"

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

/// A ring of blocks between the thread that reads and the one that visits.
class ReadAhead {
 public:
  ReadAhead(const ByteSource& source,
            std::uint64_t begin,
            std::uint64_t end,
            const BlockVisitor& visitor)
      : source_(source), visitor_(visitor), begin_(begin), end_(end) {
    for (Bytes& block : ring_) {
      block.resize(static_cast<std::size_t>(kBlockSize));
    }
  }

  Result<void> run() {
    std::thread reader([this] { read(); });
    visit();
    reader.join();
    return std::move(failure_);
  }

 private:
  [[nodiscard]] std::span<std::uint8_t> block(std::uint64_t index) {
    const std::uint64_t size = std::min(kBlockSize, end_ - offset(index));
    return std::span(ring_.at(index % kBlocksAhead)).first(static_cast<std::size_t>(size));
  }
  [[nodiscard]] std::uint64_t offset(std::uint64_t index) const {
    return begin_ + index * kBlockSize;
  }
  [[nodiscard]] std::uint64_t count() const {
    return (end_ - begin_ + kBlockSize - 1) / kBlockSize;
  }

  [[nodiscard]] bool is_ahead(std::uint64_t index) {
    const std::lock_guard lock(mutex_);
    return index >= visited_ + kBlocksAhead / 2;
  }

  void do_beside(std::uint64_t index) {
    if (visitor_.beside) {
      const std::lock_guard lock(beside_mutex_);
      visitor_.beside(offset(index), block(index));
    }
  }

  void read() {
    for (std::uint64_t index = 0; index < count(); ++index) {
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return stopped_ || index < visited_ + kBlocksAhead; });
        if (stopped_) {
          return;
        }
      }
      auto result = read_block(source_, offset(index), block(index));
      // Whoever has time does it: the reader while it is ahead, else the visitor.
      left_over_.at(index % kBlocksAhead) = !result || !is_ahead(index);
      if (!left_over_.at(index % kBlocksAhead)) {
        do_beside(index);
      }
      const std::lock_guard lock(mutex_);
      if (ready_ == visited_ || !result) {
        changed_.notify_all();
      }
      if (!result) {
        // What lies behind the place where the visitor stopped is nobody's concern.
        if (!stopped_) {
          failure_ = std::move(result);
        }
        stopped_ = true;
        return;
      }
      ready_ = index + 1;
    }
  }

  void visit() {
    for (std::uint64_t index = 0; index < count(); ++index) {
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return stopped_ || index < ready_; });
        if (stopped_) {
          return;
        }
      }
      if (left_over_.at(index % kBlocksAhead)) {
        do_beside(index);
      }
      const bool more = visitor_.visit(offset(index), block(index));
      const std::lock_guard lock(mutex_);
      visited_ = index + 1;
      stopped_ = stopped_ || !more;
      if (stopped_ || visited_ % kWakeEvery == 0) {
        changed_.notify_all();
      }
    }
  }

  const ByteSource& source_;
  const BlockVisitor& visitor_;
  std::uint64_t begin_;
  std::uint64_t end_;
  std::array<Bytes, kBlocksAhead> ring_;
  std::array<bool, kBlocksAhead> left_over_{};  ///< Blocks whose `beside` is the visitor's to do.
  std::mutex beside_mutex_;
  std::mutex mutex_;  ///< Guards what follows.
  std::condition_variable changed_;
  std::uint64_t ready_{0};    ///< Blocks that have been read.
  std::uint64_t visited_{0};  ///< Blocks whose place in the ring is free again.
  bool stopped_{false};
  Result<void> failure_;
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
