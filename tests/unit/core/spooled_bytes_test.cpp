// SPDX-License-Identifier: Apache-2.0
#include "core/spooled_bytes.hpp"

#include "core/file.hpp"
#include "support/catch.hpp"
#include "support/must.hpp"
#include "support/paths.hpp"

#include <cstdlib>
#include <filesystem>

using namespace signctl;
using signctl::test::must;
using signctl::test::TemporaryFolder;

namespace {

/// Sets TMPDIR for the time of a test.
class TemporaryDirectory {
 public:
  explicit TemporaryDirectory(const std::string& path) { setenv("TMPDIR", path.c_str(), 1); }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() { unsetenv("TMPDIR"); }
};

/// `size` bytes that differ from one another, appended in pieces of 70'000.
std::shared_ptr<const ByteSource> spooled(std::size_t size, Bytes& expected) {
  expected.resize(size);
  for (std::size_t i = 0; i < size; ++i) {
    expected[i] = static_cast<std::uint8_t>(i * 31U ^ i >> 8U);
  }
  SpooledBytes spool("a.bin", size);
  for (std::size_t at = 0; at < size; at += 70'000) {
    must(spool.append(ByteView(expected).subspan(at, std::min<std::size_t>(70'000, size - at))));
  }
  CHECK(spool.size() == size);
  return std::move(spool).finish();
}

bool is_empty(const std::string& folder) {
  return std::filesystem::directory_iterator(folder) == std::filesystem::directory_iterator();
}

}  // namespace

TEST_CASE("spooled bytes: what goes in comes out, in memory and on disk", "[core]") {
  const TemporaryFolder folder;
  const TemporaryDirectory variable(folder.path());
  const std::size_t size = GENERATE(std::size_t{0},
                                    std::size_t{1},
                                    SpooledBytes::kMostInMemory,
                                    SpooledBytes::kMostInMemory + 1,
                                    std::size_t{5'000'000});
  Bytes expected;
  const auto source = spooled(size, expected);

  REQUIRE(source->size() == size);
  CHECK(must(read_bytes(*source, 0, size)) == expected);
  CHECK_FALSE(read_bytes(*source, 1, size));
  // No name is left behind even while the bytes are there, so a killed process leaves nothing.
  CHECK(is_empty(folder.path()));
}

TEST_CASE("spooled bytes: large ones need the folder for temporary files, small ones do not",
          "[core]") {
  const TemporaryFolder folder;
  const TemporaryDirectory variable(folder.file("missing"));
  SpooledBytes spool("a.bin", UINT64_MAX);
  must(spool.append(Bytes(SpooledBytes::kMostInMemory)));

  const auto more = spool.append(Bytes(1));

  REQUIRE_FALSE(more);
  CHECK(more.error().kind == ErrorKind::output);
}

TEST_CASE("spooled bytes: more than the limit is refused", "[core]") {
  SpooledBytes spool("bomb.bin", 10);
  must(spool.append(Bytes(10)));

  const auto more = spool.append(Bytes(1));

  REQUIRE_FALSE(more);
  CHECK(more.error().kind == ErrorKind::input);
  CHECK(more.error().message == "bomb.bin unpacks to more than the 10 bytes that it may have");
}
