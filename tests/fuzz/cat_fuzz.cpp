// SPDX-License-Identifier: Apache-2.0
// Everything that reading a catalog can reach before its signature is checked.

#include "core/file.hpp"
#include "formats/cat/catalog.hpp"
#include "formats/cat/ctl.hpp"
#include "formats/cat/signable.hpp"

#include <signctl/format.hpp>

#include <array>
#include <cstdlib>

namespace {

using namespace signctl;

void require(bool condition) {
  if (!condition) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes bytes(data, data + size);
  static_cast<void>(cat::parse_ctl(bytes));
  const bool looks = cat::starts_like_catalog(bytes);
  auto opened = cat::open_catalog(MemorySource(bytes));
  if (!opened) {
    return 0;
  }
  require(looks);
  Signable& file = **opened;
  const auto ranges = file.hashed_ranges();
  require(ranges && ranges->size() == 1 && ranges->front().end <= size);
  require(file.container_findings().has_value());
  require(file.facts().has_value() && file.vouched_files().has_value());
  const auto signatures = file.signatures();
  require(signatures.has_value() && signatures->size() <= 1);
  const auto content = file.content_to_sign(DigestAlg::sha256);
  if (content) {
    require(file.check_content(content->econtent)->empty());
    const auto parsed = file.parse_content(content->econtent, DigestAlg::sha256);
    require(parsed && parsed->file_digest == content->file_digest);
  }
  if (const auto patches = file.strip(); patches && !patches->patches.empty()) {
    // What removal makes must be a catalog without a signature.
    const auto again = cat::open_catalog(MemorySource(patches->patches.front().bytes));
    require(again && (*again)->signatures()->empty());
  }
  return 0;
}
