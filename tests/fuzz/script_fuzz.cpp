// SPDX-License-Identifier: Apache-2.0
// Everything that reading a script can reach before its CMS is parsed. The first byte selects the
// dialect.

#include "core/file.hpp"
#include "formats/script/dialect.hpp"
#include "formats/script/signable.hpp"

#include <signctl/format.hpp>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <utility>

namespace {

using namespace signctl;

void require(bool condition) {
  if (!condition) {
    std::abort();
  }
}

Bytes applied(const PatchSet& patches, const Bytes& bytes) {
  require(patches.keep <= bytes.size() && patches.moves.empty());
  Bytes result(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(patches.keep));
  for (const Patch& patch : patches.patches) {
    require(patch.offset == result.size());
    result.insert(result.end(), patch.bytes.begin(), patch.bytes.end());
  }
  return result;
}

Result<std::unique_ptr<Signable>> reopened(const Bytes& bytes, const script::Dialect& dialect) {
  return script::open_script(std::make_shared<MemorySource>(bytes), dialect);
}

/// Of a script with a misplaced or misshapen block, what is left need not be a script.
bool has_errors(Signable& file) {
  const auto findings = file.container_findings().value();
  return std::any_of(findings.begin(), findings.end(), [](const Finding& one) {
    return one.severity == Severity::error;
  });
}

/// What was embedded is found again, over the same digest, and can be taken off.
void check_round_trip(Signable& file, const Bytes& bytes, const script::Dialect& dialect) {
  const std::array algs{DigestAlg::sha256};
  const Bytes signature{0x30, 0x02, 0x05, 0x00};
  const auto content = file.content_to_sign(DigestAlg::sha256);
  const auto patches = file.embed(std::array{signature});
  require(content.has_value() == patches.has_value());
  if (!patches) {
    return;
  }
  require(file.check_content(content->econtent).value().empty());
  const Bytes written = applied(*patches, bytes);
  const auto again = reopened(written, dialect);
  if (!again && !dialect.before.empty()) {
    return;  // What stood in front of the block makes up a marker with it; the engine refuses that.
  }
  require(again.has_value());
  const auto signatures = (*again)->signatures();
  require(signatures && signatures->size() == 1 && signatures->front().cms == signature);
  require((*again)->file_digests(algs).value().front() == content->file_digest);
  const Bytes bare = applied((*again)->strip().value(), written);
  const auto unsigned_again = reopened(bare, dialect);
  require(unsigned_again && (*unsigned_again)->signatures().value().empty());
  require(file.signatures().value().empty() ? bare == bytes : bare.size() < bytes.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const auto dialects = script::dialects();
  const script::Dialect& dialect = dialects[data[0] % dialects.size()];
  const Bytes bytes(data + 1, data + size);
  auto opened = script::open_script(std::make_shared<MemorySource>(bytes), dialect);
  if (!opened) {
    return 0;
  }
  Signable& file = **opened;
  const auto ranges = file.hashed_ranges();
  require(ranges.has_value());
  std::uint64_t position = 0;
  for (const HashedRange& range : *ranges) {
    require(range.begin >= position && range.begin <= range.end && range.end <= bytes.size());
    position = range.end;
  }
  static_cast<void>(file.facts());
  if (!has_errors(file)) {
    check_round_trip(file, bytes, dialect);
  }
  return 0;
}
