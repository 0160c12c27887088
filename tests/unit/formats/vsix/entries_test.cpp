// SPDX-License-Identifier: Apache-2.0
// What the headers of a package's entries hold besides names and bytes, which no signature covers.
#include "formats/vsix/entries.hpp"

#include "core/byte_reader.hpp"
#include "core/file.hpp"
#include "support/catch.hpp"
#include "support/issued.hpp"
#include "support/must.hpp"
#include "support/zip_builder.hpp"

using namespace signctl;        // NOLINT(google-build-using-namespace): test
using namespace signctl::test;  // NOLINT(google-build-using-namespace): test

namespace {

/// A field of an extra field.
Bytes field(std::uint16_t id, const Bytes& content) {
  Bytes bytes;
  put_le(bytes, id);
  put_le(bytes, static_cast<std::uint16_t>(content.size()));
  bytes.insert(bytes.end(), content.begin(), content.end());
  return bytes;
}

struct Headers {
  Bytes local{};    ///< Extra fields.
  Bytes central{};  ///< The same in the directory.
  Bytes comment{};
  std::uint32_t attributes{0};
};

void poke(Bytes& bytes, std::size_t at, std::uint64_t value, std::size_t octets) {
  for (std::size_t i = 0; i < octets; ++i) {
    bytes[at + i] = static_cast<std::uint8_t>(value >> (8 * i));
  }
}

void insert(Bytes& bytes, std::size_t at, const Bytes& more) {
  bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(at), more.begin(), more.end());
}

/// An archive of one entry, with these headers.
Bytes archive_with(const Headers& headers) {
  constexpr std::size_t kNameSize = 9;  // hello.txt
  Bytes bytes = make_zip();
  const std::size_t central = bytes.size() - 22 - 46 - kNameSize;
  poke(bytes, central + 30, headers.central.size(), 2);
  poke(bytes, central + 32, headers.comment.size(), 2);
  poke(bytes, central + 38, headers.attributes, 4);
  insert(bytes, central + 46 + kNameSize, headers.comment);
  insert(bytes, central + 46 + kNameSize, headers.central);
  poke(bytes, 28, headers.local.size(), 2);
  insert(bytes, 30 + kNameSize, headers.local);
  const std::size_t end = bytes.size() - 22;
  poke(bytes, end + 12, 46 + kNameSize + headers.central.size() + headers.comment.size(), 4);
  poke(bytes, end + 16, central + headers.local.size(), 4);
  return bytes;
}

std::string ids_with(const Headers& headers) {
  const MemorySource source(archive_with(headers));
  const auto archive = must(zip::read_archive(source, zip::Strictness::package));
  return ids_of(must(vsix::check_entries(source, archive)));
}

}  // namespace

TEST_CASE("vsix: what packers write into headers is no objection", "[formats][vsix]") {
  CHECK(ids_with({}).empty());
  CHECK(
      ids_with({field(0x5455, Bytes(13, 1)), field(0x5455, Bytes(5, 1)), {}, 0x81A40000}).empty());
  CHECK(ids_with({{}, field(0x000A, Bytes(32, 1)), {}, 0x20}).empty());
  Bytes growth{0x28, 0xA0, 0, 2};
  growth.resize(1000);
  CHECK(ids_with({field(0xA220, growth), {}, {}, 0}).empty());
  CHECK(ids_with({field(0x9999, Bytes(60, 1)), {}, {}, 0}).empty());
}

TEST_CASE("vsix: headers that rename, hide or turn into links are found", "[formats][vsix]") {
  const Bytes path = field(0x7075, {1, 0, 0, 0, 0, 'e', 'v', 'i', 'l'});
  CHECK(ids_with({path, {}, {}, 0}) == "vsix-entry-name");
  CHECK(ids_with({{}, path, {}, 0}) == "vsix-entry-name");
  CHECK(ids_with({path, path, {}, 0}) == "vsix-entry-name");
  CHECK(ids_with({field(0x9999, Bytes(3000, 1)), {}, {}, 0}) == "vsix-entry-data");
  CHECK(ids_with({{}, field(0x5455, Bytes(3000, 1)), {}, 0}) == "vsix-entry-data");
  CHECK(ids_with({{}, field(0xA220, Bytes(3000, 1)), {}, 0}) == "vsix-entry-data");
  CHECK(ids_with({{}, {}, Bytes(65, 'c'), 0}) == "vsix-entry-data");
  CHECK(ids_with({{}, {}, {}, 0xA1FF0000}) == "vsix-entry-type");
  CHECK(ids_with({{}, {}, {}, 0x41ED0010}) == "vsix-entry-type");
  CHECK(ids_with({{}, {}, {}, 0x10}) == "vsix-entry-type");
}
