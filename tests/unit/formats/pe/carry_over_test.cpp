// SPDX-License-Identifier: Apache-2.0
// What a later object may believe of an earlier one over the same file: nothing that an edit
// touched.
#include "formats/pe/carry_over.hpp"

#include "pe_test.hpp"
#include "support/catch.hpp"

#include <signctl/carries_digests.hpp>

using namespace signctl;        // NOLINT(google-build-using-namespace): test
using namespace signctl::test;  // NOLINT(google-build-using-namespace): test

namespace {

/// Counts the bytes that are read from it.
class CountingSource final : public ByteSource {
 public:
  explicit CountingSource(Bytes bytes) : bytes_(std::move(bytes)) {}
  [[nodiscard]] std::uint64_t size() const override { return bytes_.size(); }
  Result<void> read_at(std::uint64_t offset, std::span<std::uint8_t> out) const override {
    count_ += out.size();
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset), out.size(), out.begin());
    return ok();
  }
  [[nodiscard]] std::uint64_t count() const { return count_; }

 private:
  Bytes bytes_;
  mutable std::uint64_t count_{0};
};

constexpr std::uint32_t kSection = 0x40000;

std::vector<Bytes> one_signature(std::size_t size) {
  return {fake_signature(size)};
}

PeSpec large_image(std::uint32_t overlay) {
  PeSpec spec;
  spec.sections = {{".text", 0x400, kSection}};
  spec.overlay = overlay;
  return spec;
}

struct Carried {
  bool some{false};
  Bytes digest;
  std::uint64_t bytes_read{};  ///< For the digest and the container's findings.
};

/// Carries over from `before` to `after`, as if `edits` had led from one to the other.
Carried carry(const Bytes& before, const Bytes& after, const PatchSet& edits) {
  const auto earlier = open(before);
  static_cast<void>(digest_of(*earlier));
  const auto source = std::make_shared<CountingSource>(after);
  const auto later = must(pe::open_image(source));
  Carried carried;
  carried.some = must(dynamic_cast<CarriesDigests&>(*later).carry_over(*earlier, edits));
  const std::uint64_t start = source->count();
  carried.digest = digest_of(*later);
  CHECK(ids_of(must(later->container_findings())) == Ids{});
  carried.bytes_read = source->count() - start;
  return carried;
}

}  // namespace

TEST_CASE("pe carry over: after a signature was embedded the content is not read again",
          "[formats][pe]") {
  for (const std::uint32_t overlay : {0U, 3U, 8U}) {
    const Bytes image = make_pe(large_image(overlay));
    const PatchSet edits = must(open(image)->embed(one_signature(1000)));
    const Bytes result = apply_patches(image, edits);

    const Carried carried = carry(image, result, edits);

    INFO("overlay of " << overlay);
    CHECK(carried.some);
    CHECK(to_hex(carried.digest) == digest_hex_of(result));
    CHECK(carried.bytes_read < kSection / 8);
  }
}

TEST_CASE("pe carry over: replacing a signature counts as well", "[formats][pe]") {
  const Bytes image = signed_pe(large_image(0));
  const PatchSet edits = must(open(image)->embed(one_signature(2000)));
  const Bytes result = apply_patches(image, edits);

  const Carried carried = carry(image, result, edits);

  CHECK(carried.some);
  CHECK(to_hex(carried.digest) == digest_hex_of(result));
}

TEST_CASE("pe carry over: an edit of what the digest covers ends it", "[formats][pe]") {
  const Bytes image = make_pe(large_image(3));
  const PatchSet good = must(open(image)->embed(one_signature(1000)));
  const auto fields = fields_of(image);
  const std::uint64_t end = image.size();
  for (const Patch& extra : {Patch{0, {'M'}},
                             Patch{fields.checksum - 1, {0}},
                             Patch{fields.checksum + 3, {0, 0}},
                             Patch{0x500, {0x11}},
                             Patch{end - 1, {0x11}}}) {
    PatchSet edits = good;
    edits.patches.push_back(extra);
    Bytes result = apply_patches(image, edits);
    fix_checksum(result);

    const Carried carried = carry(image, result, edits);

    INFO("edit at " << extra.offset);
    CHECK_FALSE(carried.some);
    CHECK(to_hex(carried.digest) == digest_hex_of(result));
    CHECK(carried.bytes_read > kSection);
  }
}

TEST_CASE("pe carry over: padding that is not zero ends it", "[formats][pe]") {
  const Bytes image = make_pe(large_image(3));
  PatchSet edits = must(open(image)->embed(one_signature(1000)));
  edits.patches.push_back({image.size(), {1}});
  Bytes result = apply_patches(image, edits);
  fix_checksum(result);

  const Carried carried = carry(image, result, edits);

  CHECK_FALSE(carried.some);
  CHECK(to_hex(carried.digest) == digest_hex_of(result));
}

TEST_CASE("pe carry over: fewer bytes kept, bytes moved or another layout end it",
          "[formats][pe]") {
  const Bytes image = make_pe(large_image(0));
  const PatchSet good = must(open(image)->embed(one_signature(1000)));
  const Bytes result = apply_patches(image, good);

  PatchSet shorter = good;
  shorter.keep -= 8;
  CHECK_FALSE(carry(image, result, shorter).some);

  PatchSet moved = good;
  moved.moves.push_back({0x400, 0x800, 16});
  CHECK_FALSE(carry(image, result, moved).some);

  PeSpec other = large_image(0);
  other.pe_offset = 0x1A0;
  CHECK_FALSE(carry(make_pe(other), result, good).some);
}
