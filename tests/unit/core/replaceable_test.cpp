// SPDX-License-Identifier: Apache-2.0
#include "core/replaceable.hpp"

#include "core/text.hpp"
#include "support/catch.hpp"
#include "support/must.hpp"
#include "support/paths.hpp"

#include <filesystem>
#include <sys/stat.h>

using namespace signctl;
using signctl::test::must;
using signctl::test::TemporaryFolder;

namespace {

namespace fs = std::filesystem;

std::string refusal(const std::string& path, MissingFolder folder = MissingFolder::refuse) {
  const auto checked = check_replaceable(path, folder);
  REQUIRE_FALSE(checked);
  CHECK(checked.error().kind == ErrorKind::output);
  return checked.error().message;
}

}  // namespace

TEST_CASE("replaceable: a new file and an ordinary one are, and stay as they are", "[core]") {
  const TemporaryFolder folder;
  test::spill(folder.file("old.exe"), as_bytes("old"));

  must(check_replaceable(folder.file("new.exe")));
  must(check_replaceable(folder.file("old.exe")));

  CHECK_FALSE(fs::exists(folder.file("new.exe")));
  CHECK(as_text(test::slurp(folder.file("old.exe"))) == "old");
}

TEST_CASE("replaceable: a link is as what it leads to", "[core]") {
  const TemporaryFolder folder;
  fs::create_directory(folder.file("sub"));
  fs::create_symlink("sub", folder.file("to-folder"));
  fs::create_symlink("absent/new.exe", folder.file("to-nowhere"));
  fs::create_symlink("new.exe", folder.file("to-new"));

  CHECK_THAT(refusal(folder.file("to-folder")), Catch::Contains("a folder"));
  CHECK_THAT(refusal(folder.file("to-nowhere")), Catch::Contains("does not exist"));
  must(check_replaceable(folder.file("to-new")));
}

TEST_CASE("replaceable: a read-only file is not, even for root", "[core]") {
  const TemporaryFolder folder;
  test::spill(folder.file("old.exe"), as_bytes("old"));
  REQUIRE(::chmod(folder.file("old.exe").c_str(), 0444) == 0);

  CHECK_THAT(refusal(folder.file("old.exe")), Catch::Contains("read-only"));
}

TEST_CASE("replaceable: a folder that is yet to be made needs one that there is", "[core]") {
  const TemporaryFolder folder;
  test::spill(folder.file("file"), as_bytes("x"));

  CHECK_THAT(refusal(folder.file("a/b/new.exe")), Catch::Contains("does not exist"));
  must(check_replaceable(folder.file("a/b/new.exe"), MissingFolder::will_be_made));
  refusal(folder.file("file/new.exe"), MissingFolder::will_be_made);
}
