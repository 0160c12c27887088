// SPDX-License-Identifier: Apache-2.0
// Everything that reading an archive can reach, and what exchanging a member makes of it.

#include "core/file.hpp"
#include "core/patched_source.hpp"
#include "formats/common/zip_archive.hpp"
#include "formats/common/zip_inflate.hpp"
#include "formats/common/zip_kind.hpp"
#include "formats/zip/signable.hpp"

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

void check_layout(const zip::Archive& archive) {
  std::uint64_t position = 0;
  for (const std::size_t index : archive.in_file_order()) {
    const zip::Entry& entry = archive.entries[index];
    require(entry.local_offset >= position && entry.data_offset > entry.local_offset);
    require(entry.end_offset >= entry.data_offset + entry.packed_size);
    position = entry.end_offset;
  }
  require(position <= archive.directory_offset && archive.directory_offset <= archive.file_size);
}

void unpack_all(Signable& file) {
  const auto members = file.members();
  require(members.has_value());
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < members->size(); ++i) {
    total += (*members)[i].size;
    if (total > kMostUnpacked) {
      return;
    }
    const auto member = file.open_member(i);
    require(!member || (*member)->size() == (*members)[i].size);
  }
}

/// What an exchange makes must be an archive with as many members, and the new bytes in place.
void exchange_first(Signable& file, const std::shared_ptr<const ByteSource>& source) {
  const std::size_t count = file.members()->size();
  if (count == 0) {
    return;
  }
  const Bytes other{'n', 'e', 'w'};
  const std::array replacements{Replacement{0, std::make_shared<MemorySource>(other)}};
  auto edits = file.exchange_members(replacements);
  require(edits.has_value());
  const auto packed = PatchedSource::make(source, std::move(*edits));
  require(packed.has_value());
  const auto again = zip::open_archive(*packed);
  require(again.has_value() && (*again)->members()->size() == count);
  const auto member = (*again)->open_member(0);
  require(member.has_value());
  const auto bytes = read_bytes(**member, 0, (*member)->size());
  require(bytes.has_value() && *bytes == other);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto source = std::make_shared<MemorySource>(Bytes(data, data + size));
  require(!zip::kinds_of(*source).empty());
  const auto package = zip::read_archive(*source, zip::Strictness::package);
  const auto archive = zip::read_archive(*source, zip::Strictness::archive);
  require(!package || archive.has_value());
  if (!archive) {
    return 0;
  }
  check_layout(*archive);
  auto file = zip::open_archive(source);
  require(file.has_value());
  require((*file)->facts().has_value());
  unpack_all(**file);
  exchange_first(**file, source);
  return 0;
}
