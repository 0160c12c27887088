// SPDX-License-Identifier: Apache-2.0
// What is left when the process or the disk gives out in the middle of a write.

#include "core/atomic_file.hpp"
#include "core/text.hpp"
#include "support/catch.hpp"
#include "support/must.hpp"
#include "support/paths.hpp"

#include <csignal>
#include <filesystem>
#include <random>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace signctl;
using signctl::test::must;
using signctl::test::TemporaryFolder;

namespace {

namespace fs = std::filesystem;

/// Runs `body` in a child process and returns its wait status.
template <class Body>
int in_child(Body body) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    body();
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return status;
}

std::size_t temporaries_in(const std::string& folder) {
  std::size_t count = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    count += entry.path().filename().string().starts_with(".signctl-") ? 1U : 0U;
  }
  return count;
}

/// A size-limited file system of its own, when this process may mount one.
class SmallDisk {
 public:
  explicit SmallDisk(std::string path) : path_(std::move(path)) {
    fs::create_directory(path_);
    mounted_ = ::mount("tmpfs", path_.c_str(), "tmpfs", 0, "size=1m") == 0;
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  ~SmallDisk() {
    if (mounted_) {
      ::umount(path_.c_str());
    }
  }
  [[nodiscard]] bool mounted() const { return mounted_; }
  [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
  bool mounted_{false};
};

}  // namespace

TEST_CASE("atomic file: killed at any moment, the target is the old or the new file", "[core]") {
  const TemporaryFolder folder;
  const std::string target = folder.file("app.exe");
  const Bytes old_content(300'000, 'o');
  const Bytes new_content(400'000, 'n');
  std::mt19937 random(20261123);
  int old_seen = 0;
  int new_seen = 0;
  unsigned longest = 4000;  // microseconds

  for (int round = 0; round < 60; ++round) {
    // A busy machine may not get to a single rename in so short a time.
    longest = round % 8 == 7 && new_seen == 0 ? longest * 2 : longest;
    test::spill(target, old_content);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      for (;;) {
        static_cast<void>(write_file(target, new_content, Existing::replace));
      }
    }
    std::this_thread::sleep_for(std::chrono::microseconds(random() % longest));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);

    const Bytes found = test::slurp(target);
    old_seen += found == old_content ? 1 : 0;
    new_seen += found == new_content ? 1 : 0;
    REQUIRE((found == old_content || found == new_content));
  }

  CHECK(old_seen + new_seen == 60);
  CHECK(old_seen > 0);
  CHECK(new_seen > 0);
}

TEST_CASE("atomic file: a signal handler takes the temporary files away", "[core]") {
  const TemporaryFolder folder;
  const int status = in_child([&] {
    std::signal(SIGTERM, [](int) {
      remove_temporary_files_on_signal();
      ::_exit(7);
    });
    const AtomicFile first = must(AtomicFile::create(folder.file("a"), Existing::replace));
    const AtomicFile second = must(AtomicFile::create(folder.file("b"), Existing::replace));
    if (temporaries_in(folder.path()) == 2) {
      ::raise(SIGTERM);
    }
  });

  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 7);
  CHECK(temporaries_in(folder.path()) == 0);
}

TEST_CASE("atomic file: a forked child does not remove its parent's temporary files", "[core]") {
  const TemporaryFolder folder;
  const AtomicFile file = must(AtomicFile::create(folder.file("a"), Existing::replace));

  in_child([] { remove_temporary_files_on_signal(); });

  CHECK(temporaries_in(folder.path()) == 1);
}

TEST_CASE("atomic file: more of them than the list holds still work", "[core]") {
  const TemporaryFolder folder;
  std::vector<AtomicFile> files;
  for (int i = 0; i < 700; ++i) {
    files.push_back(must(AtomicFile::create(folder.file(std::to_string(i)), Existing::replace)));
  }
  CHECK(temporaries_in(folder.path()) == 700);

  files.clear();

  CHECK(temporaries_in(folder.path()) == 0);
}

TEST_CASE("atomic file: a full disk is said to be one and costs nothing", "[core]") {
  const TemporaryFolder folder;
  const SmallDisk disk(folder.file("disk"));
  if (!disk.mounted()) {
    WARN("SKIPPED: a full disk (this user may not mount a tmpfs)");
    return;
  }
  test::spill(disk.file("app.exe"), Bytes(400'000, 'o'));

  const auto written = write_file(disk.file("app.exe"), Bytes(900'000, 'n'), Existing::replace);

  REQUIRE_FALSE(written);
  INFO(test::text_of(written.error()));
  CHECK(written.error().kind == ErrorKind::output);
  CHECK_THAT(written.error().message, Catch::Contains("no space left on the device"));
  CHECK_THAT(written.error().hint, Catch::Contains("free"));
  CHECK((test::slurp(disk.file("app.exe")) == Bytes(400'000, 'o')));
  CHECK(temporaries_in(disk.path()) == 0);
}

TEST_CASE("atomic file: a full disk is noticed while copying as well", "[core]") {
  const TemporaryFolder folder;
  const SmallDisk disk(folder.file("disk"));
  if (!disk.mounted()) {
    WARN("SKIPPED: a full disk while copying (this user may not mount a tmpfs)");
    return;
  }
  // From another file system (read and written) and from the same one (by the kernel).
  test::spill(folder.file("in"), Bytes(2'000'000, 'n'));
  test::spill(disk.file("in"), Bytes(700'000, 'n'));
  for (const std::string& from : {folder.file("in"), disk.file("in")}) {
    const auto source = must(FileSource::open(from));
    AtomicFile file = must(AtomicFile::create(disk.file("out"), Existing::replace));

    const auto copied = file.copy_from(*source, source->size());

    REQUIRE_FALSE(copied);
    CHECK_THAT(copied.error().message, Catch::Contains("no space left on the device"));
  }
  CHECK(temporaries_in(disk.path()) == 0);
}

TEST_CASE("atomic file: a limit on file sizes is an output error", "[core]") {
  const TemporaryFolder folder;
  const int status = in_child([&] {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{100'000, 100'000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    const auto written = write_file(folder.file("out"), Bytes(200'000), Existing::replace);
    const bool as_wanted = !written && written.error().kind == ErrorKind::output &&
                           written.error().hint.find("ulimit -f") != std::string::npos;
    ::_exit(as_wanted ? 7 : 8);
  });

  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 7);
  CHECK(fs::is_empty(folder.path()));
}

TEST_CASE("atomic file: a read-only file system is said to be one", "[core]") {
  const TemporaryFolder folder;
  const SmallDisk disk(folder.file("disk"));
  if (!disk.mounted() ||
      ::mount("tmpfs", disk.path().c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, nullptr) != 0) {
    WARN("SKIPPED: a read-only file system (this user may not mount a tmpfs)");
    return;
  }

  const auto written = write_file(disk.file("out"), as_bytes("x"), Existing::replace);

  REQUIRE_FALSE(written);
  CHECK(written.error().kind == ErrorKind::output);
  CHECK_THAT(written.error().message, Catch::Contains("mounted read-only"));
}

TEST_CASE("atomic file: a folder that may not be written is an output error", "[core]") {
  if (::geteuid() == 0) {
    const TemporaryFolder folder;
    fs::create_directory(folder.file("closed"));
    REQUIRE(::chmod(folder.path().c_str(), 0755) == 0);
    const int status = in_child([&] {
      // Root may write anywhere, so the child becomes nobody.
      if (::setgid(65534) != 0 || ::setuid(65534) != 0) {
        ::_exit(9);
      }
      const auto written = write_file(folder.file("closed/out"), as_bytes("x"), Existing::replace);
      const bool as_wanted = !written && written.error().kind == ErrorKind::output &&
                             written.error().message.find("permission denied") != std::string::npos;
      ::_exit(as_wanted ? 7 : 8);
    });
    REQUIRE(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 7);
    return;
  }
  const TemporaryFolder folder;
  REQUIRE(::chmod(folder.path().c_str(), 0500) == 0);
  const auto written = write_file(folder.file("out"), as_bytes("x"), Existing::replace);
  ::chmod(folder.path().c_str(), 0700);
  REQUIRE_FALSE(written);
  CHECK_THAT(written.error().message, Catch::Contains("permission denied"));
}
