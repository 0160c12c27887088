// SPDX-License-Identifier: Apache-2.0
// Everything that reading a cabinet can reach: as a file to sign, and as a container of files.

#include "core/file.hpp"
#include "formats/cab/signable.hpp"
#include "formats/common/cabinet.hpp"

#include <signctl/format.hpp>

#include <array>
#include <cstdlib>
#include <memory>

namespace {

using namespace signctl;

/// Unpacking is slow; what is larger tells nothing more.
constexpr std::uint64_t kMostUnpacked = std::uint64_t{1} << 20U;

void require(bool condition) {
  if (!condition) {
    std::abort();
  }
}

/// Edits that were proposed must make sense.
void check_patches(const Result<PatchSet>& patches, std::uint64_t size) {
  if (!patches) {
    return;
  }
  require(patches->keep <= size);
  for (const Move& move : patches->moves) {
    require(move.from <= size && move.size <= size - move.from);
  }
  for (const Patch& patch : patches->patches) {
    require(patch.offset + patch.bytes.size() <= size + 70'000);
  }
}

void unpack(const std::shared_ptr<const ByteSource>& source) {
  const auto cabinet = formats::Cabinet::open(source);
  if (!cabinet) {
    return;
  }
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < (*cabinet)->members().size(); ++i) {
    total += (*cabinet)->members()[i].size;
    if (total > kMostUnpacked) {
      return;
    }
    const auto member = (*cabinet)->open_member(i);
    require(!member || (*member)->size() == (*cabinet)->members()[i].size);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto source = std::make_shared<MemorySource>(Bytes(data, data + size));
  unpack(source);
  auto opened = cab::open_cabinet(source);
  if (!opened) {
    return 0;
  }
  Signable& file = **opened;
  const auto ranges = file.hashed_ranges();
  require(ranges.has_value());
  std::uint64_t position = 0;
  for (const HashedRange& range : *ranges) {
    require(range.begin >= position && range.begin <= range.end && range.end <= size);
    position = range.end;
  }
  static_cast<void>(file.signatures());
  static_cast<void>(file.container_findings());
  static_cast<void>(file.facts());
  const std::array algs{DigestAlg::sha256, DigestAlg::sha1};
  static_cast<void>(file.file_digests(algs));
  const auto content = file.content_to_sign(DigestAlg::sha256);
  if (content) {
    const auto findings = file.check_content(content->econtent);
    require(findings.has_value() && findings->empty());
  }
  const std::array signatures{Bytes{0x30, 0x02, 0x05, 0x00}};
  check_patches(file.embed(signatures), size);
  check_patches(file.strip(), size);
  return 0;
}
