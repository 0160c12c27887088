// SPDX-License-Identifier: Apache-2.0
#include "pe_test.hpp"
#include "support/catch.hpp"
#include "support/paths.hpp"

#include <filesystem>

using namespace signctl;        // NOLINT(google-build-using-namespace): test
using namespace signctl::test;  // NOLINT(google-build-using-namespace): test

namespace {

/// A sparse file: a small image with zeros behind it up to `size`.
void make_sparse(const std::string& path, std::uint64_t size) {
  spill(path, make_pe());
  std::error_code error;
  std::filesystem::resize_file(path, size, error);
  REQUIRE_FALSE(error);
}

}  // namespace

TEST_CASE("pe size: a sparse file of 5 GiB is refused at once", "[formats][pe]") {
  const TemporaryFolder folder;
  make_sparse(folder.file("huge.exe"), 5ULL << 30U);

  const auto file = pe::open_image(must(FileSource::open(folder.file("huge.exe"))));

  REQUIRE_FALSE(file);
  CHECK(file.error().kind == ErrorKind::unsupported);
}

TEST_CASE("pe size: a signature that would take a file over 4 GiB is refused", "[formats][pe]") {
  const TemporaryFolder folder;
  make_sparse(folder.file("large.exe"), 0xFFFF'FFF0);
  const auto file = must(pe::open_image(must(FileSource::open(folder.file("large.exe")))));

  const auto patches = file->embed(std::vector<Bytes>{fake_signature(1000)});

  REQUIRE_FALSE(patches);
  CHECK(patches.error().kind == ErrorKind::unsupported);
  // And said before anything is hashed or signed.
  const auto content = file->content_to_sign(DigestAlg::sha256);
  REQUIRE_FALSE(content);
  CHECK(content.error().message == patches.error().message);
}

// Several seconds in a debug build: run it by name.
TEST_CASE("pe size: offsets over 2 GiB work", "[formats][pe]") {
  const TemporaryFolder folder;
  const std::uint64_t size = 3ULL << 30U;
  make_sparse(folder.file("large.exe"), size);
  const auto file = must(pe::open_image(must(FileSource::open(folder.file("large.exe")))));

  const Bytes digest = digest_of(*file);
  const auto patches = must(file->embed(std::vector<Bytes>{fake_signature(1000)}));

  CHECK(digest.size() == 32);
  CHECK(patches.keep == size);
  CHECK(patches.patches.back().offset == size);
}
