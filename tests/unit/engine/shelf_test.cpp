// SPDX-License-Identifier: Apache-2.0
#include "engine/shelf.hpp"

#include "support/catch.hpp"
#include "support/fake_world.hpp"
#include "support/must.hpp"
#include "support/paths.hpp"

#include <csignal>
#include <filesystem>
#include <string>

#if defined(__linux__)
#include <sys/resource.h>
#endif

using namespace std::chrono_literals;

namespace signctl::engine {

namespace {

using test::must;

SignatureKey key_of(std::uint8_t octet) {
  return {std::string(64, 'a'), DigestAlg::sha256, Bytes(32, octet)};
}

#if defined(__linux__)
/// No file of this process may grow beyond `size` while it lives: a full disk in small.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(std::uintmax_t size) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{size, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  void (*handler_)(int);
  rlimit before_{};
};
#endif

}  // namespace

#if defined(__linux__)
TEST_CASE("shelf: nobody waits for another process longer than the run may take", "[engine]") {
  const test::TemporaryFolder folder;
  const std::string path = folder.path() + "/journal";
  test::FakeWorld world;
  auto other = must(Journal::open(path));
  REQUIRE(must(other.try_lock(key_of(1))));
  const auto shelf = must(Shelf::open({path, "", 0ms}, world.clock));

  const auto claim = shelf->claim(key_of(1));

  REQUIRE_FALSE(claim);
  CHECK(claim.error().kind == ErrorKind::network);
  CHECK(shelf->waited_in_vain());
  must(shelf->claim(key_of(2)));
}

TEST_CASE("shelf: a journal that cannot be written stops spending, not what is in hand",
          "[engine]") {
  const test::TemporaryFolder folder;
  const std::string path = folder.path() + "/journal";
  test::FakeWorld world;
  const auto shelf = must(Shelf::open({path, ""}, world.clock));
  must(shelf->check());
  {
    const auto claim = must(shelf->claim(key_of(1)));
    const FileSizeLimit limit(std::filesystem::file_size(path));

    claim.keep({Bytes(256, 1), {Bytes(900, 1)}});
  }

  const auto spending = shelf->check();
  REQUIRE_FALSE(spending);
  CHECK(spending.error().kind == ErrorKind::output);
  CHECK(spending.error().message.find("journal") != std::string::npos);
}
#endif

}  // namespace signctl::engine
