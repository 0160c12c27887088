// SPDX-License-Identifier: Apache-2.0
#include "core/file.hpp"

#include "core/text.hpp"
#include "support/catch.hpp"
#include "support/must.hpp"
#include "support/paths.hpp"

#include <algorithm>
#include <cstring>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace signctl;
using signctl::test::must;
using signctl::test::TemporaryFolder;

namespace {

std::string spilled(const TemporaryFolder& folder, std::string_view text) {
  std::string path = folder.file("input.bin");
  test::spill(path, as_bytes(text));
  return path;
}

}  // namespace

TEST_CASE("file source: reads where it is told to", "[core]") {
  const TemporaryFolder folder;
  const auto source = must(FileSource::open(spilled(folder, "0123456789")));

  CHECK(source->size() == 10);
  CHECK(as_text(must(read_bytes(*source, 3, 4))) == "3456");
  CHECK(must(read_bytes(*source, 10, 0)).empty());
  CHECK(source->path() == folder.file("input.bin"));
}

TEST_CASE("file source: a range that is not inside is refused before memory is taken", "[core]") {
  const TemporaryFolder folder;
  const auto source = must(FileSource::open(spilled(folder, "0123456789")));

  for (const auto& [offset, size] : std::vector<std::pair<std::uint64_t, std::uint64_t>>{
           {0, 11}, {10, 1}, {11, 0}, {5, UINT64_MAX}, {UINT64_MAX, 1}, {0, UINT64_MAX}}) {
    INFO(offset << " " << size);
    const auto bytes = read_bytes(*source, offset, size);
    REQUIRE_FALSE(bytes);
    CHECK(bytes.error().kind == ErrorKind::input);
  }
}

TEST_CASE("file source: offsets beyond 4 GiB", "[core]") {
  const TemporaryFolder folder;
  const std::string path = folder.file("large.bin");
  constexpr std::uint64_t kOffset = (std::uint64_t{5} << 30U) + 17;
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT, 0600);
  REQUIRE(fd >= 0);
  REQUIRE(::pwrite(fd, "end", 3, static_cast<off_t>(kOffset)) == 3);
  ::close(fd);

  const auto source = must(FileSource::open(path));

  CHECK(source->size() == kOffset + 3);
  CHECK(as_text(must(read_bytes(*source, kOffset, 3))) == "end");
  CHECK_FALSE(read_bytes(*source, kOffset, 4));
}

TEST_CASE("file source: each reason not to open has its own words", "[core]") {
  const TemporaryFolder folder;
  const std::string file = spilled(folder, "x");
  const std::string pipe = folder.file("pipe");
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  REQUIRE(::symlink("loop", folder.file("loop").c_str()) == 0);

  struct Row {
    std::string path;
    std::string words;
    std::string hint;
  };
  const std::vector<Row> rows{
      {folder.file("absent.exe"), "does not exist", "spelling"},
      {folder.file("no/such/absent.exe"), "does not exist", "folder"},
      {folder.path(), "a folder", "pattern"},
      {file + "/below", "a file, not a folder", "path"},
      {"/dev/null", "a device", "copy"},
      {pipe, "a pipe", "copy"},
      {folder.file("loop"), "symbolic links", "links"},
      {folder.file(std::string(300, 'n')), "too long", "shorter"},
      {std::string("a\0b", 3), "zero byte", ""},
      {"", "empty", "name"},
  };
  for (const Row& row : rows) {
    INFO(printable(row.path));
    const auto source = FileSource::open(row.path);
    REQUIRE_FALSE(source);
    INFO(test::text_of(source.error()));
    CHECK(source.error().kind == ErrorKind::input);
    CHECK_THAT(source.error().message, Catch::Contains(row.words));
    CHECK_THAT(source.error().hint, Catch::Contains(row.hint));
  }
}

TEST_CASE("file source: a socket is said to be one", "[core]") {
  const TemporaryFolder folder;
  const std::string path = folder.file("s");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  REQUIRE(path.size() < sizeof address.sun_path);
  std::memcpy(static_cast<char*>(address.sun_path), path.c_str(), path.size() + 1);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  REQUIRE(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);

  const auto source = FileSource::open(path);
  ::close(fd);

  REQUIRE_FALSE(source);
  CHECK_THAT(source.error().message, Catch::Contains("a socket"));
}

TEST_CASE("file source: permission denied names the remedy", "[core]") {
  const TemporaryFolder folder;
  const std::string path = spilled(folder, "x");
  REQUIRE(::chmod(path.c_str(), 0) == 0);
  REQUIRE(::chmod(folder.path().c_str(), 0755) == 0);
  const auto is_as_wanted = [&] {
    const auto source = FileSource::open(path);
    return !source && source.error().message.find("permission denied") != std::string::npos &&
           !source.error().hint.empty();
  };
  if (::geteuid() != 0) {
    CHECK(is_as_wanted());
    return;
  }

  // Root may read everything, so a child that becomes nobody tries.
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const bool is_nobody = ::setgid(65534) == 0 && ::setuid(65534) == 0;
    ::_exit(is_nobody && is_as_wanted() ? 7 : 8);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 7);
}

TEST_CASE("file source: a file that shrinks while it is read is an input error", "[core]") {
  const TemporaryFolder folder;
  const std::string path = spilled(folder, "0123456789");
  const auto source = must(FileSource::open(path));

  REQUIRE(::truncate(path.c_str(), 4) == 0);
  const auto bytes = read_bytes(*source, 0, 10);

  REQUIRE_FALSE(bytes);
  CHECK(bytes.error().kind == ErrorKind::input);
  CHECK_THAT(bytes.error().message, Catch::Contains("became shorter"));
}

TEST_CASE("file source: its identity tells when the file was changed or replaced", "[core]") {
  const TemporaryFolder folder;
  const std::string path = spilled(folder, "0123456789");
  const auto source = must(FileSource::open(path));
  CHECK(must(source->identity_now()) == source->identity());

  SECTION("grown") {
    REQUIRE(::truncate(path.c_str(), 11) == 0);
    CHECK_FALSE(must(source->identity_now()) == source->identity());
  }
  SECTION("written again at another time") {
    const timespec times[2] = {{1, 0}, {1, 5}};
    REQUIRE(::utimensat(AT_FDCWD, path.c_str(), static_cast<const timespec*>(times), 0) == 0);
    CHECK_FALSE(must(source->identity_now()) == source->identity());
  }
  SECTION("gone") {
    REQUIRE(::unlink(path.c_str()) == 0);
    const auto now = source->identity_now();
    REQUIRE_FALSE(now);
    CHECK(now.error().kind == ErrorKind::input);
  }
}

TEST_CASE("read_file: larger than the limit is refused", "[core]") {
  const TemporaryFolder folder;
  const std::string path = spilled(folder, "0123456789");

  CHECK(must(read_file(path, 10)).size() == 10);
  const auto refused = read_file(path, 9);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::input);
  CHECK_THAT(refused.error().message, Catch::Contains("10 bytes"));
}

TEST_CASE("memory source: the same rules as a file", "[core]") {
  const MemorySource source(Bytes{1, 2, 3});

  CHECK(source.size() == 3);
  CHECK(must(read_bytes(source, 1, 2)) == Bytes{2, 3});
  Bytes out(2);
  const auto refused = source.read_at(2, out);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::input);
  CHECK_FALSE(source.read_at(UINT64_MAX, out));
}

TEST_CASE("file source: reads what is in holes and around them", "[core]") {
  const TemporaryFolder folder;
  const std::string path = spilled(folder, "head");
  constexpr std::uint64_t kTail = std::uint64_t{8} << 20U;
  const int file = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  REQUIRE(pwrite(file, "tail", 4, static_cast<off_t>(kTail)) == 4);
  REQUIRE(ftruncate(file, static_cast<off_t>(2 * kTail)) == 0);
  close(file);
  const auto source = must(FileSource::open(path));

  const Bytes all = must(read_bytes(*source, 0, source->size()));

  Bytes expected(static_cast<std::size_t>(2 * kTail), 0);
  std::memcpy(expected.data(), "head", 4);
  std::memcpy(expected.data() + kTail, "tail", 4);
  CHECK((all == expected));
  for (const std::uint64_t offset : {std::uint64_t{1} << 20U, kTail - (1U << 20U), kTail + 4096}) {
    INFO(offset);
    const Bytes part = must(read_bytes(*source, offset, std::uint64_t{1} << 20U));
    CHECK(std::equal(part.begin(), part.end(), expected.begin() + static_cast<long>(offset)));
  }
}

TEST_CASE("file source: a sparse file that became shorter is an error, not zeros", "[core]") {
  const TemporaryFolder folder;
  const std::string path = spilled(folder, "");
  REQUIRE(truncate(path.c_str(), 4 << 20) == 0);
  const auto source = must(FileSource::open(path));
  REQUIRE(truncate(path.c_str(), 1 << 20) == 0);

  const auto read = read_bytes(*source, 2 << 20, 1 << 20);

  REQUIRE_FALSE(read);
  CHECK(read.error().kind == ErrorKind::input);
}
