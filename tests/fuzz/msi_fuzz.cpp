// SPDX-License-Identifier: Apache-2.0
// Everything that reading and editing a compound file can reach before its CMS is parsed.

#include "core/file.hpp"
#include "formats/msi/compound_file.hpp"
#include "formats/msi/edit.hpp"
#include "formats/msi/signable.hpp"

#include <signctl/format.hpp>

#include <algorithm>
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

Bytes patched(const Bytes& input, const PatchSet& patches) {
  require(patches.keep <= input.size());
  Bytes output(input.begin(), input.begin() + static_cast<std::ptrdiff_t>(patches.keep));
  const auto put = [&output](std::uint64_t at, const std::uint8_t* from, std::uint64_t size) {
    require(at + size < (std::uint64_t{1} << 28U));
    output.resize(std::max<std::size_t>(output.size(), static_cast<std::size_t>(at + size)), 0);
    std::copy_n(from, size, output.begin() + static_cast<std::ptrdiff_t>(at));
  };
  for (const Move& move : patches.moves) {
    require(move.from + move.size <= input.size());
    put(move.to, input.data() + move.from, move.size);
  }
  for (const Patch& patch : patches.patches) {
    put(patch.offset, patch.bytes.data(), patch.bytes.size());
  }
  return output;
}

/// What was edited must be readable and hash the same.
void check_edit(const Bytes& bytes, std::size_t signature_size) {
  const auto before = msi::CompoundFile::open(std::make_shared<MemorySource>(bytes));
  msi::SignatureStreams streams;
  if (signature_size != 0) {
    streams.prehash = Bytes(32, 1);
    streams.signature = Bytes(signature_size, 2);
  }
  const auto patches = msi::edit_signatures(**before, streams);
  auto old_file = msi::open_installer(std::make_shared<MemorySource>(bytes));
  const auto editable = (*old_file)->strip();
  if (!patches || !editable) {
    return;
  }
  auto file = msi::open_installer(std::make_shared<MemorySource>(patched(bytes, *patches)));
  require(file.has_value());
  const auto stored = (*file)->signatures();
  require(stored.has_value() && stored->size() == (signature_size == 0 ? 0 : 1));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes bytes(data, data + size);
  auto opened = msi::open_installer(std::make_shared<MemorySource>(bytes));
  if (!opened) {
    return 0;
  }
  Signable& file = **opened;
  static_cast<void>(file.hashed_ranges());
  static_cast<void>(file.signatures());
  static_cast<void>(file.container_findings());
  static_cast<void>(file.facts());
  static_cast<void>(file.members());
  const std::array algs{DigestAlg::sha256, DigestAlg::sha1};
  static_cast<void>(file.file_digests(algs));
  const auto content = file.content_to_sign(DigestAlg::sha256);
  if (content) {
    const auto findings = file.check_content(content->econtent);
    require(findings.has_value());
    // MsiDigitalSignatureEx comes with the signature, so in an unsigned file it is missing.
    require(std::all_of(findings->begin(), findings->end(), [](const Finding& finding) {
      return finding.id == "msi-prehash-removed";
    }));
  }
  for (const std::size_t signature : {0U, 100U, 5000U}) {
    check_edit(bytes, signature);
  }
  return 0;
}
