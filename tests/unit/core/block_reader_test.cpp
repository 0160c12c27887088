// SPDX-License-Identifier: Apache-2.0
#include "core/block_reader.hpp"

#include "core/file.hpp"
#include "support/catch.hpp"
#include "support/must.hpp"

#include <atomic>
#include <chrono>
#include <numeric>
#include <set>
#include <thread>
#include <vector>

using namespace signctl;
using signctl::test::must;

namespace {

constexpr std::uint64_t kShort = 300'000;                       // read by the caller's thread
constexpr std::uint64_t kLong = (std::uint64_t{9} << 20U) + 5;  // read ahead

MemorySource pattern(std::uint64_t size) {
  Bytes bytes(static_cast<std::size_t>(size));
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<std::uint8_t>((i * 7 + i / 251) & 0xFFU);
  }
  return MemorySource(std::move(bytes));
}

/// A source that cannot be read from `bad` on.
class FailingSource final : public ByteSource {
 public:
  FailingSource(std::uint64_t size, std::uint64_t bad) : size_(size), bad_(bad) {}
  [[nodiscard]] std::uint64_t size() const override { return size_; }
  Result<void> read_at(std::uint64_t offset, std::span<std::uint8_t> out) const override {
    if (offset + out.size() > bad_) {
      return Error{ErrorKind::input, "cannot read"};
    }
    return ok();
  }

 private:
  std::uint64_t size_;
  std::uint64_t bad_;
};

/// A source that only the thread that made it can read quickly.
class SlowElsewhere final : public ByteSource {
 public:
  explicit SlowElsewhere(const ByteSource& source) : source_(source) {}
  [[nodiscard]] std::uint64_t size() const override { return source_.size(); }
  Result<void> read_at(std::uint64_t offset, std::span<std::uint8_t> out) const override {
    if (std::this_thread::get_id() != owner_) {
      std::this_thread::sleep_for(std::chrono::milliseconds(7));
    }
    return source_.read_at(offset, out);
  }

 private:
  const ByteSource& source_;
  std::thread::id owner_{std::this_thread::get_id()};
};

}  // namespace

TEST_CASE("block reader: a reader that falls behind is not waited for", "[core]") {
  const MemorySource source = pattern(kLong);
  const Bytes expected = must(read_bytes(source, 0, kLong));
  Bytes seen;
  std::multiset<std::uint64_t> beside;
  BlockVisitor visitor;
  visitor.visit = [&](std::uint64_t, ByteView block) {
    seen.insert(seen.end(), block.begin(), block.end());
    std::this_thread::sleep_for(std::chrono::milliseconds(seen.size() % 3));
    return true;
  };
  visitor.beside = [&](std::uint64_t offset, ByteView block) {
    beside.insert(offset);
    CHECK(std::equal(block.begin(), block.end(), expected.begin() + static_cast<long>(offset)));
  };

  must(for_each_block(SlowElsewhere(source), 0, kLong, visitor));

  CHECK((seen == expected));
  std::multiset<std::uint64_t> once;
  for (std::uint64_t offset = 0; offset < kLong; offset += 256U * 1024U) {
    once.insert(offset);
  }
  CHECK(beside == once);
}

TEST_CASE("block reader: visits every byte of a range in order, and once beside", "[core]") {
  for (const std::uint64_t size : {kShort, kLong}) {
    for (const std::uint64_t begin : {std::uint64_t{0}, std::uint64_t{12'345}}) {
      INFO(size << " bytes from " << begin);
      const MemorySource source = pattern(size);
      Bytes seen;
      std::uint64_t sum = 0;
      BlockVisitor visitor;
      visitor.visit = [&](std::uint64_t offset, ByteView block) {
        CHECK(offset == begin + seen.size());
        seen.insert(seen.end(), block.begin(), block.end());
        return true;
      };
      visitor.beside = [&](std::uint64_t offset, ByteView block) {
        sum += std::accumulate(block.begin(), block.end(), offset);
      };

      must(for_each_block(source, begin, size - 1, visitor));

      const Bytes expected = must(read_bytes(source, begin, size - 1 - begin));
      CHECK((seen == expected));
      std::uint64_t expected_sum =
          std::accumulate(expected.begin(), expected.end(), std::uint64_t{0});
      for (std::uint64_t offset = begin; offset < size - 1; offset += 256U * 1024U) {
        expected_sum += offset;
      }
      CHECK(sum == expected_sum);
    }
  }
}

TEST_CASE("block reader: stops when the visitor has seen enough", "[core]") {
  for (const std::uint64_t size : {kShort, kLong}) {
    INFO(size);
    int visits = 0;
    BlockVisitor visitor;
    visitor.visit = [&](std::uint64_t, ByteView) { return ++visits < 2; };

    // What cannot be read lies behind the place where the visitor stops.
    must(for_each_block(FailingSource(size, size / 2 + 200'000), 0, size, visitor));

    CHECK(visits == 2);
  }
}

TEST_CASE("block reader: says where reading failed", "[core]") {
  for (const std::uint64_t size : {kShort, kLong}) {
    INFO(size);
    BlockVisitor visitor;
    visitor.visit = [](std::uint64_t, ByteView) { return true; };

    const auto result = for_each_block(FailingSource(size, size - 1), 0, size, visitor);

    REQUIRE_FALSE(result);
    CHECK(result.error().kind == ErrorKind::input);
    REQUIRE(result.error().trail.size() == 1);
    CHECK(result.error().trail.front().starts_with("reading at offset "));
  }
}

TEST_CASE("block reader: an empty range is nothing to do", "[core]") {
  BlockVisitor visitor;
  visitor.visit = [](std::uint64_t, ByteView) -> bool { throw std::logic_error("visited"); };

  must(for_each_block(pattern(10), 5, 5, visitor));
  must(for_each_block(pattern(10), 5, 4, visitor));
}
