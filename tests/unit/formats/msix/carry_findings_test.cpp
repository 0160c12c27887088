// SPDX-License-Identifier: Apache-2.0
// The block map of a package is compared with the files once a run, unless the draft is not what
// was signed.
#include "core/file.hpp"
#include "core/patched_source.hpp"
#include "crypto/prefix_hash.hpp"
#include "formats/msix/signable.hpp"
#include "support/catch.hpp"
#include "support/msix_package.hpp"
#include "support/must.hpp"

#include <signctl/carries_findings.hpp>

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

using namespace signctl;        // NOLINT(google-build-using-namespace): test
using namespace signctl::test;  // NOLINT(google-build-using-namespace): test

namespace {

/// Counts the readings that a certain byte was part of.
class WatchedSource final : public ByteSource {
 public:
  WatchedSource(Bytes bytes, std::uint64_t watched) : bytes_(std::move(bytes)), watched_(watched) {}
  [[nodiscard]] std::uint64_t size() const override { return bytes_.size(); }
  Result<void> read_at(std::uint64_t offset, std::span<std::uint8_t> out) const override {
    count_ += offset <= watched_ && watched_ < offset + out.size() ? 1 : 0;
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset), out.size(), out.begin());
    return ok();
  }
  [[nodiscard]] int count() const { return count_; }

 private:
  Bytes bytes_;
  std::uint64_t watched_;
  mutable int count_{0};
};

struct Looked {
  int readings{};  ///< Of the first byte of the package's file, by digests and findings.
  std::vector<std::string> ids;
};

Bytes signed_by(Signable& package, const Bytes& unsigned_bytes) {
  const std::array signatures{Bytes{0x30, 0x02, 0x05, 0x00}};
  const auto made = must(PatchedSource::make(std::make_shared<MemorySource>(unsigned_bytes),
                                             must(package.embed(signatures))));
  return must(read_bytes(*made, 0, made->size()));
}

/// Opens `draft` as one that was made from `original`, and looks through it as the gate does.
Looked look(const Bytes& draft, std::uint64_t first_byte, const Signable* original) {
  const auto source = std::make_shared<WatchedSource>(draft, first_byte);
  const auto opened = must(msix::open_package(source));
  if (original != nullptr) {
    dynamic_cast<CarriesFindings&>(*opened).carry_findings(*original);
  }
  const int before = source->count();
  const std::array algs{DigestAlg::sha256};
  static_cast<void>(must(opened->file_digests(algs)));
  Looked looked;
  for (const Finding& one : must(opened->container_findings())) {
    looked.ids.push_back(one.id);
  }
  looked.readings = source->count() - before;
  return looked;
}

std::uint64_t place_of(const Bytes& bytes, std::string_view what) {
  return static_cast<std::uint64_t>(
      std::search(bytes.begin(), bytes.end(), what.begin(), what.end()) - bytes.begin());
}

struct Release {
  explicit Release(const ZipSpec& spec) : bytes(make_zip(spec)), package(must(open_copy())) {}
  [[nodiscard]] Result<std::unique_ptr<Signable>> open_copy() const {
    return msix::open_package(std::make_shared<MemorySource>(bytes));
  }
  Bytes bytes;
  std::unique_ptr<Signable> package;
};

bool has(const std::vector<std::string>& ids, std::string_view id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

}  // namespace

TEST_CASE("msix: what was found before signing holds for the draft with the same digests",
          "[formats][msix]") {
  Release release(msix_package());
  static_cast<void>(must(release.package->content_to_sign(DigestAlg::sha256)));
  const Bytes draft = signed_by(*release.package, release.bytes);
  const std::uint64_t at = place_of(draft, "hello");

  const Looked alone = look(draft, at, nullptr);
  const Looked carried = look(draft, at, release.package.get());

  CHECK(carried.ids == alone.ids);
  CHECK(carried.readings == alone.readings - 1);
}

TEST_CASE("msix: a draft that is not what was signed is looked through", "[formats][msix]") {
  Release release(msix_package());
  static_cast<void>(must(release.package->content_to_sign(DigestAlg::sha256)));
  Bytes draft = signed_by(*release.package, release.bytes);
  const std::uint64_t at = place_of(draft, "hello");
  draft[at] = 'j';

  CHECK(has(look(draft, at, release.package.get()).ids, "msix-block-map"));
}

TEST_CASE("msix: nothing is carried over from a package that was not signed, nor to moved files",
          "[formats][msix]") {
  SECTION("never asked what to sign") {
    Release release(msix_package());
    const Bytes draft = signed_by(*release.package, release.bytes);
    const std::uint64_t at = place_of(draft, "hello");
    CHECK(look(draft, at, release.package.get()).readings == look(draft, at, nullptr).readings);
  }
  SECTION("signing moves the files, because the content types come first") {
    ZipSpec spec = msix_package();
    std::rotate(spec.files.begin(), spec.files.end() - 1, spec.files.end());
    Release release(spec);
    static_cast<void>(must(release.package->content_to_sign(DigestAlg::sha256)));
    const Bytes draft = signed_by(*release.package, release.bytes);
    const std::uint64_t at = place_of(draft, "hello");
    REQUIRE(at != place_of(release.bytes, "hello"));
    CHECK(look(draft, at, release.package.get()).readings == look(draft, at, nullptr).readings);
  }
}

TEST_CASE("msix: a hash of the first bytes is gone on with, where it fits", "[formats][msix]") {
  const Bytes bytes = make_zip(msix_package());
  const std::uint64_t at = place_of(bytes, "hello");
  const std::array algs{DigestAlg::sha256};
  const auto plain = must(msix::open_package(std::make_shared<MemorySource>(bytes)));
  const Bytes expected = must(plain->file_digests(algs)).front();
  const std::uint64_t settled = dynamic_cast<crypto::HashesFromStart&>(*plain).settled_prefix();
  REQUIRE(settled == place_of(bytes, "[Content_Types].xml") - 30);

  const auto computed = [&](DigestAlg alg, std::uint64_t length, Bytes hashed) {
    const auto source = std::make_shared<WatchedSource>(bytes, at);
    const auto opened = must(msix::open_package(source));
    crypto::PrefixHash prefix{alg, length, crypto::Hasher(alg)};
    prefix.state.update(hashed);
    dynamic_cast<crypto::HashesFromStart&>(*opened).start_from(std::move(prefix));
    return must(opened->file_digests(algs)).front();
  };
  const Bytes head(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(settled));
  Bytes changed = head;
  changed[at] = 'j';
  CHECK(computed(DigestAlg::sha256, settled, head) == expected);
  CHECK(computed(DigestAlg::sha256, settled, changed) != expected);
  CHECK(computed(DigestAlg::sha512, settled, head) == expected);
  CHECK(computed(DigestAlg::sha256, bytes.size(), bytes) == expected);
}
