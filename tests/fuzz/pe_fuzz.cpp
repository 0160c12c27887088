// SPDX-License-Identifier: Apache-2.0
// Everything that reading a PE image can reach before its CMS is parsed.

#include "core/file.hpp"
#include "formats/pe/image_data.hpp"
#include "formats/pe/signable.hpp"

#include <signctl/format.hpp>

#include <array>
#include <cstdlib>
#include <memory>

namespace {

using namespace signctl;

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
  for (const Patch& patch : patches->patches) {
    require(patch.offset + patch.bytes.size() <= size + 4096);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes bytes(data, data + size);
  static_cast<void>(pe::parse_image_data(bytes));
  auto opened = pe::open_image(std::make_shared<MemorySource>(bytes));
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
  require(file.file_digests(algs).has_value());
  static_cast<void>(file.hash_pages());
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
