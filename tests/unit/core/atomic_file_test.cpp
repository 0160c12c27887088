// SPDX-License-Identifier: Apache-2.0
#include "core/atomic_file.hpp"

#include "core/text.hpp"
#include "support/catch.hpp"
#include "support/must.hpp"
#include "support/paths.hpp"

#include <fcntl.h>
#include <filesystem>
#include <set>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

using namespace signctl;
using signctl::test::must;
using signctl::test::TemporaryFolder;

namespace {

namespace fs = std::filesystem;

std::set<std::string> names_in(const std::string& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    names.insert(entry.path().filename().string());
  }
  return names;
}

std::string text_in(const std::string& path) {
  return std::string(as_text(test::slurp(path)));
}

void spill(const std::string& path, std::string_view text) {
  test::spill(path, as_bytes(text));
}

mode_t mode_of(const std::string& path) {
  struct stat status {};
  REQUIRE(::lstat(path.c_str(), &status) == 0);
  return status.st_mode & 07777;
}

Error create_failure(const std::string& path, Existing existing = Existing::replace) {
  const auto file = AtomicFile::create(path, existing);
  REQUIRE_FALSE(file);
  INFO(test::text_of(file.error()));
  CHECK(file.error().kind == ErrorKind::output);
  return file.error();
}

}  // namespace

TEST_CASE("atomic file: nothing is there before the commit, everything after it", "[core]") {
  const TemporaryFolder folder;
  const std::string target = folder.file("out.exe");
  AtomicFile file = must(AtomicFile::create(target, Existing::replace));

  must(file.write_at(0, as_bytes("hello")));
  must(file.write_at(7, as_bytes("world")));
  CHECK_FALSE(fs::exists(target));
  CHECK(fs::path(file.temporary_path()).parent_path() == folder.path());
  must(file.sync());
  must(file.commit());

  CHECK(text_in(target) == std::string("hello\0\0world", 12));
  CHECK(names_in(folder.path()) == std::set<std::string>{"out.exe"});
}

TEST_CASE("atomic file: discarded, it leaves the target and the folder as they were", "[core]") {
  const TemporaryFolder folder;
  spill(folder.file("out.exe"), "old");
  {
    AtomicFile file = must(AtomicFile::create(folder.file("out.exe"), Existing::replace));
    must(file.write_at(0, as_bytes("new content")));
    CHECK(names_in(folder.path()).size() == 2);
    AtomicFile moved = std::move(file);
    must(moved.sync());
  }
  CHECK(text_in(folder.file("out.exe")) == "old");
  CHECK(names_in(folder.path()) == std::set<std::string>{"out.exe"});
}

TEST_CASE("atomic file: nobody else may touch it before the commit", "[core]") {
  const TemporaryFolder folder;
  const AtomicFile file = must(AtomicFile::create(folder.file("out.exe"), Existing::replace));

  CHECK(mode_of(file.temporary_path()) == 0600);
}

TEST_CASE("atomic file: one that was swapped behind our back is not committed", "[core]") {
  const TemporaryFolder folder;
  AtomicFile file = must(AtomicFile::create(folder.file("out.exe"), Existing::replace));
  must(file.write_at(0, as_bytes("checked")));
  REQUIRE(::unlink(file.temporary_path().c_str()) == 0);

  SECTION("by another file") {
    spill(file.temporary_path(), "evil");
  }
  SECTION("by nothing") {}
  const auto committed = file.commit();

  REQUIRE_FALSE(committed);
  CHECK(committed.error().kind == ErrorKind::output);
  CHECK_FALSE(fs::exists(folder.file("out.exe")));
}

TEST_CASE("atomic file: a symbolic link stays one, its target gets the content", "[core]") {
  const TemporaryFolder folder;
  fs::create_directory(folder.file("real"));
  spill(folder.file("real/app.exe"), "old");
  fs::create_symlink("middle", folder.file("link"));
  fs::create_symlink("real/app.exe", folder.file("middle"));

  must(write_file(folder.file("link"), as_bytes("new"), Existing::replace));

  CHECK(fs::is_symlink(folder.file("link")));
  CHECK(fs::is_symlink(folder.file("middle")));
  CHECK_FALSE(fs::is_symlink(folder.file("real/app.exe")));
  CHECK(text_in(folder.file("real/app.exe")) == "new");
  CHECK(names_in(folder.file("real")) == std::set<std::string>{"app.exe"});
}

TEST_CASE("atomic file: a dangling link leads to a new file, a loop nowhere", "[core]") {
  const TemporaryFolder folder;
  fs::create_symlink("fresh.exe", folder.file("dangling"));
  fs::create_symlink("loop", folder.file("loop"));

  must(write_file(folder.file("dangling"), as_bytes("new"), Existing::replace));

  CHECK(text_in(folder.file("fresh.exe")) == "new");
  CHECK_THAT(create_failure(folder.file("loop")).message, Catch::Contains("symbolic links"));
}

TEST_CASE("atomic file: the mode of a replaced file is kept", "[core]") {
  const TemporaryFolder folder;
  spill(folder.file("out.exe"), "old");
  REQUIRE(::chmod(folder.file("out.exe").c_str(), 0754) == 0);

  must(write_file(folder.file("out.exe"), as_bytes("new"), Existing::replace));

  CHECK(mode_of(folder.file("out.exe")) == 0754);
}

TEST_CASE("atomic file: new files follow the umask, or are the owner's alone", "[core]") {
  const TemporaryFolder folder;
  const mode_t mask = ::umask(0);
  ::umask(mask);

  must(write_file(folder.file("a"), as_bytes("x"), Existing::replace));
  must(write_file(folder.file("b"), as_bytes("x"), Existing::replace, FileAccess::owner_only));
  must(write_file(folder.file("a"), as_bytes("x"), Existing::replace, FileAccess::owner_only));

  CHECK(mode_of(folder.file("b")) == 0600);
  CHECK(mode_of(folder.file("a")) == 0600);
  must(write_file(folder.file("c"), as_bytes("x"), Existing::replace));
  CHECK(mode_of(folder.file("c")) == (0666 & ~mask));
}

TEST_CASE("atomic file: a read-only target is refused, even for root", "[core]") {
  const TemporaryFolder folder;
  spill(folder.file("out.exe"), "old");
  REQUIRE(::chmod(folder.file("out.exe").c_str(), 0444) == 0);

  const Error error = create_failure(folder.file("out.exe"));

  CHECK_THAT(error.message, Catch::Contains("read-only"));
  CHECK_THAT(error.hint, Catch::Contains("chmod"));
  CHECK(names_in(folder.path()) == std::set<std::string>{"out.exe"});
}

TEST_CASE("atomic file: targets that are no files are refused", "[core]") {
  const TemporaryFolder folder;
  fs::create_directory(folder.file("sub"));

  CHECK_THAT(create_failure(folder.file("sub")).message, Catch::Contains("a folder"));
  CHECK_THAT(create_failure("/dev/null").message, Catch::Contains("a device"));
  CHECK_THAT(create_failure(folder.file("absent/out.exe")).message,
             Catch::Contains("does not exist"));
  create_failure("");
  create_failure(std::string("a\0b", 3));
}

TEST_CASE("atomic file: refuse means refuse, at the start and at the commit", "[core]") {
  const TemporaryFolder folder;
  const std::string target = folder.file("out.exe");

  SECTION("the target is there") {
    spill(target, "old");
    CHECK_THAT(create_failure(target, Existing::refuse).message, Catch::Contains("exists already"));
    CHECK(text_in(target) == "old");
  }
  SECTION("a dangling link is there") {
    fs::create_symlink("nowhere", target);
    create_failure(target, Existing::refuse);
  }
  SECTION("the target appears in between") {
    AtomicFile file = must(AtomicFile::create(target, Existing::refuse));
    must(file.write_at(0, as_bytes("new")));
    spill(target, "somebody else's");
    const auto committed = file.commit();
    REQUIRE_FALSE(committed);
    CHECK(committed.error().kind == ErrorKind::output);
    CHECK_THAT(committed.error().message, Catch::Contains("exists already"));
    CHECK(text_in(target) == "somebody else's");
  }
  SECTION("nothing is in the way") {
    must(write_file(target, as_bytes("new"), Existing::refuse));
    CHECK(text_in(target) == "new");
  }
  CHECK(names_in(folder.path()).size() == 1);
}

TEST_CASE("atomic file: a copy has the content, mode and extended attributes", "[core]") {
  const TemporaryFolder folder;
  const std::string from = folder.file("in.exe");
  Bytes content(3U << 20U);
  for (std::size_t i = 0; i < content.size(); ++i) {
    content[i] = static_cast<std::uint8_t>(i * 31U >> 3U);
  }
  test::spill(from, content);
  REQUIRE(::chmod(from.c_str(), 0751) == 0);
  const bool has_attributes = ::setxattr(from.c_str(), "user.signctl", "v", 1, 0) == 0;

  const auto source = must(FileSource::open(from));
  AtomicFile file = must(AtomicFile::create(folder.file("out.exe"), Existing::replace));
  must(file.copy_from(*source, source->size()));
  must(file.write_at(content.size(), as_bytes("tail")));
  must(file.sync());
  must(file.commit());

  Bytes expected = content;
  expected.insert(expected.end(), {'t', 'a', 'i', 'l'});
  CHECK((test::slurp(folder.file("out.exe")) == expected));
  CHECK(mode_of(folder.file("out.exe")) == 0751);
  if (!has_attributes) {
    WARN("SKIPPED: extended attributes (the file system of the temporary folder has none)");
    return;
  }
  char value[8] = {};
  CHECK(::getxattr(folder.file("out.exe").c_str(), "user.signctl", static_cast<char*>(value), 8) ==
        1);
  CHECK(value[0] == 'v');
}

TEST_CASE("atomic file: a copy of a part is exactly that part", "[core]") {
  const TemporaryFolder folder;
  spill(folder.file("in"), "0123456789");
  const auto source = must(FileSource::open(folder.file("in")));

  for (const std::uint64_t size : {0U, 1U, 9U, 10U}) {
    AtomicFile file = must(AtomicFile::create(folder.file("out"), Existing::replace));
    must(file.copy_from(*source, size));
    must(file.commit());
    CHECK(text_in(folder.file("out")) == std::string("0123456789").substr(0, size));
  }
}

TEST_CASE("atomic file: holes stay holes", "[core]") {
  const TemporaryFolder folder;
  const std::string from = folder.file("sparse");
  constexpr std::uint64_t kSize = std::uint64_t{6} << 30U;
  {
    const int fd = ::open(from.c_str(), O_WRONLY | O_CREAT, 0600);
    REQUIRE(::pwrite(fd, "begin", 5, 0) == 5);
    REQUIRE(::pwrite(fd, "middle", 6, off_t{1} << 32U) == 6);
    REQUIRE(::ftruncate(fd, static_cast<off_t>(kSize)) == 0);
    ::close(fd);
  }
  const auto source = must(FileSource::open(from));

  AtomicFile file = must(AtomicFile::create(folder.file("out"), Existing::replace));
  must(file.copy_from(*source, kSize));
  must(file.commit());

  const auto copy = must(FileSource::open(folder.file("out")));
  struct stat status {};
  REQUIRE(::stat(folder.file("out").c_str(), &status) == 0);
  CHECK(copy->size() == kSize);
  CHECK(status.st_blocks * 512 < (1 << 20));
  CHECK(as_text(must(read_bytes(*copy, 0, 6))) == std::string_view("begin\0", 6));
  CHECK(as_text(must(read_bytes(*copy, std::uint64_t{1} << 32U, 6))) == "middle");
}

TEST_CASE("atomic file: a source that became shorter is an input error", "[core]") {
  const TemporaryFolder folder;
  spill(folder.file("in"), "0123456789");
  const auto source = must(FileSource::open(folder.file("in")));
  REQUIRE(::truncate(folder.file("in").c_str(), 4) == 0);
  AtomicFile file = must(AtomicFile::create(folder.file("out"), Existing::replace));

  const auto copied = file.copy_from(*source, 10);

  REQUIRE_FALSE(copied);
  CHECK(copied.error().kind == ErrorKind::input);
  CHECK_THAT(copied.error().message, Catch::Contains("became shorter"));
}

TEST_CASE("atomic file: signing in place reads the old file and replaces it", "[core]") {
  const TemporaryFolder folder;
  spill(folder.file("app.exe"), "unsigned");
  const auto source = must(FileSource::open(folder.file("app.exe")));

  AtomicFile file = must(AtomicFile::create(folder.file("app.exe"), Existing::replace));
  must(file.copy_from(*source, 2));
  must(file.commit());

  CHECK(text_in(folder.file("app.exe")) == "un");
  CHECK(as_text(must(read_bytes(*source, 0, 8))) == "unsigned");
}

TEST_CASE("atomic file: resize cuts and extends, absurd sizes are errors", "[core]") {
  const TemporaryFolder folder;
  AtomicFile file = must(AtomicFile::create(folder.file("out"), Existing::replace));
  must(file.write_at(0, as_bytes("0123456789")));

  must(file.resize(3));
  must(file.resize(5));
  for (const auto& refused :
       {file.resize(UINT64_MAX), file.write_at(UINT64_MAX - 2, as_bytes("abcd"))}) {
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == ErrorKind::output);
  }
  must(file.commit());

  CHECK(text_in(folder.file("out")) == std::string("012\0\0", 5));
}

TEST_CASE("atomic file: what a dead run left an hour ago goes, the rest stays", "[core]") {
  const TemporaryFolder folder;
  // No process has this id: Linux ends at 2^22.
  const std::string old_dead = ".signctl-2147483000-00.tmp";
  const std::string young_dead = ".signctl-2147483000-01.tmp";
  const std::string old_alive = ".signctl-" + std::to_string(::getpid()) + "-02.tmp";
  const std::set<std::string> strangers{".signctl-cache", ".signctl-x-1.tmp", "signctl-1-1.tmp"};
  const timespec long_ago[2] = {{1'000'000'000, 0}, {1'000'000'000, 0}};
  for (const std::string& name : {old_dead, young_dead, old_alive}) {
    spill(folder.file(name), "x");
  }
  for (const std::string& name : strangers) {
    spill(folder.file(name), "x");
  }
  for (const std::string& name : names_in(folder.path())) {
    if (name != young_dead) {
      REQUIRE(::utimensat(
                  AT_FDCWD, folder.file(name).c_str(), static_cast<const timespec*>(long_ago), 0) ==
              0);
    }
  }

  must(write_file(folder.file("out"), as_bytes("x"), Existing::replace));

  std::set<std::string> expected = strangers;
  expected.insert({"out", young_dead, old_alive});
  CHECK(names_in(folder.path()) == expected);
}
