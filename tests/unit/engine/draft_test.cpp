// SPDX-License-Identifier: Apache-2.0
// A draft that is read back while it is being filled: what comes of it, and that nothing waits for
// ever.
#include "engine/draft.hpp"

#include "core/patched_source.hpp"
#include "core/text.hpp"
#include "support/catch.hpp"
#include "support/msix_package.hpp"
#include "support/must.hpp"
#include "support/paths.hpp"
#include "support/pe_builder.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <thread>
#include <vector>

using namespace signctl;        // NOLINT(google-build-using-namespace): test
using namespace signctl::test;  // NOLINT(google-build-using-namespace): test
using engine::CopyProgress;
using engine::Draft;
using engine::OpenedFile;

namespace {

namespace fs = std::filesystem;

/// Large enough to be copied by a thread and to be read ahead.
Bytes large_image(std::uint32_t overlay) {
  PeSpec spec;
  spec.sections = {{".text", 0x400, 0x900000}};
  spec.overlay = overlay;
  return make_pe(spec);
}

/// A file of 9 MiB comes first, then what signing changes.
Bytes large_package() {
  ZipSpec spec = msix_package();
  spec.files.insert(spec.files.begin(), {"big.bin", Bytes(0x900000, 0x42)});
  return make_zip(spec);
}

struct Subject {
  std::string name;
  Bytes bytes;
};

std::vector<Subject> subjects() {
  return {{"app.exe", large_image(0)}, {"odd.exe", large_image(5)}, {"app.msix", large_package()}};
}

Bytes patched(const Bytes& bytes, const PatchSet& edits) {
  const auto source = must(PatchedSource::make(std::make_shared<MemorySource>(bytes), edits));
  return must(read_bytes(*source, 0, source->size()));
}

Bytes digest_of(Signable& file) {
  const std::array algs{DigestAlg::sha256};
  return must(file.file_digests(algs)).front();
}

std::size_t files_in(const std::string& folder) {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

PatchSet edits_of(const OpenedFile& opened) {
  const std::vector<Bytes> signatures{fake_signature(1000)};
  return must(opened.signable->embed(signatures));
}

/// The draft after the edits, opened as the gate does.
OpenedFile edited(Draft& draft, const OpenedFile& opened, const PatchSet& edits) {
  must(draft.apply(edits));
  OpenedFile written = must(engine::open_draft(draft.path(), opened));
  must(draft.carry_over_to(*written.signable));
  return written;
}

}  // namespace

TEST_CASE("draft: read back while filled, it has the bytes and the digest of the whole",
          "[engine]") {
  for (const Subject& subject : subjects()) {
    const TemporaryFolder folder;
    const std::string path = folder.file(subject.name);
    spill(path, subject.bytes);
    const OpenedFile opened = must(engine::open_file(path));
    const PatchSet edits = edits_of(opened);

    Draft draft = must(Draft::begin_read_back(opened, path, DigestAlg::sha256));
    const OpenedFile written = edited(draft, opened, edits);
    const Bytes carried = digest_of(*written.signable);
    must(draft.commit());

    INFO(subject.name);
    CHECK((slurp(path) == patched(subject.bytes, edits)));
    const OpenedFile again = must(engine::open_file(path));
    CHECK(to_hex(carried) == to_hex(digest_of(*again.signable)));
    CHECK(files_in(folder.path()) == 1);
  }
}

TEST_CASE("draft: a draft that is not what was read fails by its digest", "[engine]") {
  for (const Subject& subject : subjects()) {
    const TemporaryFolder folder;
    const std::string path = folder.file(subject.name);
    spill(path, subject.bytes);
    const OpenedFile opened = must(engine::open_file(path));
    const PatchSet edits = edits_of(opened);
    const auto future = must(PatchedSource::make(opened.source, edits));
    const Bytes before = digest_of(*must(opened.format->open(future)));
    // As if the copy went wrong: the input is another one by the time it is copied.
    Bytes other = subject.bytes;
    other[0x100000] ^= 1U;
    spill(path, other);

    Draft draft = must(Draft::begin_read_back(opened, path, DigestAlg::sha256));
    const OpenedFile written = edited(draft, opened, edits);

    INFO(subject.name);
    CHECK(to_hex(digest_of(*written.signable)) != to_hex(before));
  }
}

TEST_CASE("draft: what was read back counts for nothing where edits touched it", "[engine]") {
  const TemporaryFolder folder;
  const std::string path = folder.file("app.msix");
  spill(path, large_package());
  const OpenedFile opened = must(engine::open_file(path));
  PatchSet edits = edits_of(opened);
  edits.patches.insert(edits.patches.begin(), Patch{0x100000, Bytes{0x43}});

  Draft draft = must(Draft::begin_read_back(opened, path, DigestAlg::sha256));
  const OpenedFile written = edited(draft, opened, edits);
  const Bytes carried = digest_of(*written.signable);

  const OpenedFile again = must(engine::open_draft(draft.path(), opened));
  CHECK(to_hex(carried) == to_hex(digest_of(*again.signable)));
}

TEST_CASE("draft: given up at any moment, it leaves nothing and waits for nobody", "[engine]") {
  const TemporaryFolder folder;
  const std::string path = folder.file("app.exe");
  const Bytes image = large_image(0);
  spill(path, image);
  const OpenedFile opened = must(engine::open_file(path));
  for (int microseconds = 0; microseconds < 5000; microseconds += 500) {
    const Draft draft = must(Draft::begin_read_back(opened, path, DigestAlg::sha256));
    std::this_thread::sleep_for(std::chrono::microseconds(microseconds));
  }
  CHECK(files_in(folder.path()) == 1);
  CHECK((slurp(path) == image));
}

TEST_CASE("draft: an input that became shorter ends the copy and whoever waits for it",
          "[engine]") {
  const TemporaryFolder folder;
  const std::string path = folder.file("app.exe");
  spill(path, large_image(0));
  const OpenedFile opened = must(engine::open_file(path));
  fs::resize_file(path, 0x10000);

  Draft draft = must(Draft::begin_read_back(opened, path, DigestAlg::sha256));
  const auto filled = draft.fill();

  REQUIRE_FALSE(filled);
  CHECK(filled.error().kind == ErrorKind::input);
}

TEST_CASE("copy progress: waits for what comes, and not for what does not", "[engine]") {
  CopyProgress progress;
  std::atomic<bool> seen{false};
  std::thread waiter([&] { seen = progress.wait_for(100); });
  progress.reached(0);
  progress.reached(99);
  CHECK(progress.wait_for(99));
  CHECK_FALSE(seen);
  progress.reached(100);
  waiter.join();
  CHECK(seen);

  std::thread disappointed([&] { seen = progress.wait_for(101); });
  progress.stop();
  disappointed.join();
  CHECK_FALSE(seen);
  CHECK(progress.wait_for(100));
}
