// SPDX-License-Identifier: Apache-2.0
#include "formats/common/zip_edit.hpp"

#include "core/file.hpp"
#include "core/patched_source.hpp"
#include "core/source_part.hpp"
#include "formats/common/zip_inflate.hpp"
#include "support/catch.hpp"
#include "support/must.hpp"
#include "support/paths.hpp"
#include "support/zip_builder.hpp"

#include <cstdlib>
#include <fstream>
#include <map>
#include <string>

using namespace signctl;        // NOLINT(google-build-using-namespace): test
using namespace signctl::test;  // NOLINT(google-build-using-namespace): test
using zip::Archive;
using zip::Edit;
using zip::Strictness;

namespace {

using Files = std::map<std::string, Bytes>;

/// Hardly to be compressed, the same every time.
Bytes noise(std::size_t size) {
  Bytes bytes(size);
  std::uint32_t seed = 1;
  for (std::uint8_t& byte : bytes) {
    seed = seed * 1664525U + 1013904223U;
    byte = static_cast<std::uint8_t>(seed >> 24U);
  }
  return bytes;
}

Bytes all_of(const ByteSource& source) {
  return must(read_bytes(source, 0, source.size()));
}

Files contents(const std::shared_ptr<const ByteSource>& source) {
  Files files;
  const Archive archive = must(zip::read_archive(*source, Strictness::package));
  for (const zip::Entry& entry : archive.entries) {
    files[entry.name] = all_of(*must(zip::open_entry(source, entry)));
  }
  return files;
}

/// Two independent readers must find exactly `files` in the archive.
void check_with_others(const Bytes& archive, const Files& files) {
  const TemporaryFolder folder;
  spill(folder.file("x.zip"), archive);
  const std::string script = folder.file("check.py");
  std::ofstream out(script);
  out << "import sys, zipfile\nz = zipfile.ZipFile(sys.argv[1])\nassert z.testzip() is None\n"
      << "assert sorted(z.namelist()) == sorted([";
  int number = 0;
  std::string reads;
  for (const auto& [name, bytes] : files) {
    const std::string path = folder.file("f" + std::to_string(number++));
    spill(path, bytes);
    out << "'" << name << "',";
    reads += "assert z.read('" + name + "') == open('" + path + "', 'rb').read()\n";
  }
  out << "])\n" << reads;
  out.close();
  CHECK(std::system(("python3 " + script + " " + folder.file("x.zip")).c_str()) == 0);
  // 1 is a warning: an archive without entries.
  CHECK(std::system(("unzip -tqq " + folder.file("x.zip") + " >/dev/null").c_str()) == 0);
}

struct Opened {
  std::shared_ptr<const ByteSource> source;
  Archive archive;
};

Opened opened(const ZipSpec& spec) {
  auto source = std::make_shared<MemorySource>(make_zip(spec));
  Archive archive = must(zip::read_archive(*source, Strictness::archive));
  return {std::move(source), std::move(archive)};
}

std::shared_ptr<const ByteSource> applied(const Opened& from, const Edit& edit) {
  return must(PatchedSource::make(from.source, must(edit.finish())));
}

ZipSpec sample(bool zip64) {
  ZipSpec spec;
  spec.files = {{"first.txt", {'1'}},
                {"big.bin", noise(200'000), true, 0, 16},
                {"wide.bin", noise(1000), true, 0, 24, true},
                {"last.txt", {'l'}}};
  spec.zip64 = zip64;
  return spec;
}

}  // namespace

TEST_CASE("zip edit: nothing changed gives the same bytes", "[formats][zip]") {
  for (const bool zip64 : {false, true}) {
    ZipSpec spec = sample(zip64);
    spec.comment = "kept";
    const Opened from = opened(spec);
    CHECK(all_of(*applied(from, Edit(*from.source, from.archive))) == make_zip(spec));
  }
}

TEST_CASE("zip edit: replacing, dropping and appending are read by others", "[formats][zip]") {
  const Bytes large = noise(300'000);
  const auto large_source = std::make_shared<MemorySource>(large);
  for (const bool zip64 : {false, true}) {
    const Opened from = opened(sample(zip64));
    Edit edit(*from.source, from.archive);
    edit.replace(0, must(zip::deflate_source(*large_source)));
    edit.drop(1);
    edit.replace_at_end(2, must(zip::store(large_source)));
    edit.append("new.txt", zip::deflate(Bytes{'n', 'e', 'w'}));
    edit.append("\xC3\xBC.txt", zip::store(Bytes{'u'}));
    const auto result = applied(from, edit);

    const Files expected{{"first.txt", large},
                         {"wide.bin", large},
                         {"last.txt", {'l'}},
                         {"new.txt", {'n', 'e', 'w'}},
                         {"\xC3\xBC.txt", {'u'}}};
    CHECK(contents(result) == expected);
    check_with_others(all_of(*result), expected);

    const Archive archive = must(zip::read_archive(*result, Strictness::package));
    CHECK(archive.zip64_end.empty() != zip64);
    CHECK(archive.entries.back().local_offset == must(edit.last_record_offset()));
    CHECK(all_of(*applied(from, edit)) == all_of(*result));
  }
}

TEST_CASE("zip edit: records that stay keep their bytes", "[formats][zip]") {
  const Opened from = opened(sample(false));
  Edit edit(*from.source, from.archive);
  edit.replace(0, zip::store(noise(5000)));
  const auto result = applied(from, edit);
  const Archive after = must(zip::read_archive(*result, Strictness::package));
  for (const std::size_t i : {1U, 2U, 3U}) {
    const zip::Entry& a = from.archive.entries[i];
    const zip::Entry& b = after.entries[i];
    CHECK(a.local_offset != b.local_offset);
    CHECK(must(read_bytes(*from.source, a.local_offset, a.end_offset - a.local_offset)) ==
          must(read_bytes(*result, b.local_offset, b.end_offset - b.local_offset)));
  }
  // Everything dropped: an empty archive.
  Edit none(*from.source, from.archive);
  for (std::size_t i = 0; i < from.archive.entries.size(); ++i) {
    none.drop(i);
  }
  CHECK(contents(applied(from, none)).empty());
}

TEST_CASE("zip edit: bytes that belong to no entry go", "[formats][zip]") {
  ZipSpec spec = sample(false);
  spec.prefix = {'P', 'K', 3, 'j', 'u', 'n', 'k', '!'};
  const Opened from = opened(spec);
  const auto result = applied(from, Edit(*from.source, from.archive));
  CHECK(result->size() == from.source->size() - spec.prefix.size());
  CHECK(all_of(*result) == make_zip(sample(false)));
}

TEST_CASE("zip edit: ZIP64 records are written where values need them", "[formats][zip]") {
  // 70000 entries do not fit the 16 bits of the plain record.
  ZipSpec spec;
  const Opened from = opened(spec);
  Edit edit(*from.source, from.archive);
  for (int i = 0; i < 70'000; ++i) {
    edit.append("f" + std::to_string(i), zip::Content{std::make_shared<MemorySource>(Bytes{})});
  }
  const auto result = applied(from, edit);
  const Archive archive = must(zip::read_archive(*result, Strictness::package));
  CHECK(archive.entries.size() == 70'001);
  CHECK_FALSE(archive.zip64_end.empty());
  const TemporaryFolder folder;
  spill(folder.file("x.zip"), all_of(*result));
  CHECK(std::system(("python3 -c \"import sys, zipfile; "
                     "assert len(zipfile.ZipFile(sys.argv[1]).namelist()) == 70001\" " +
                     folder.file("x.zip"))
                        .c_str()) == 0);
}

TEST_CASE("zip deflate: blocks can be unpacked one by one", "[formats][zip]") {
  const Bytes bytes = noise(150'000);
  const auto made = must(zip::deflate_blocks(MemorySource(bytes), 65536));
  REQUIRE(made.packed_sizes.size() == 3);
  std::uint64_t sum = 0;
  for (const std::uint32_t size : made.packed_sizes) {
    sum += size;
  }
  CHECK(sum + 2 == made.content.packed->size());

  const Opened from = opened(ZipSpec{});
  Edit edit(*from.source, from.archive);
  edit.append("blocks.bin", made.content);
  const auto result = applied(from, edit);
  CHECK(contents(result).at("blocks.bin") == bytes);
  check_with_others(all_of(*result), contents(result));
}

TEST_CASE("patched source: is what the edits would write", "[core]") {
  const auto input = std::make_shared<MemorySource>(Bytes{'0', '1', '2', '3', '4', '5'});
  const auto other = std::make_shared<MemorySource>(Bytes{'a', 'b', 'c', 'd'});
  const auto text = [&](const PatchSet& patches) {
    const Bytes bytes = all_of(*must(PatchedSource::make(input, patches)));
    return std::string(bytes.begin(), bytes.end());
  };
  CHECK(text({6, {}}) == "012345");
  CHECK(text({0, {}}).empty());
  CHECK(text({3, {{1, {'x'}}}}) == "0x2");
  CHECK(text({2, {{3, {'x', 'y'}}}}) == std::string("01\0xy", 5));
  CHECK(text({1, {{5, {'Z'}}}, {{3, 1, 3, nullptr}, {1, 4, 2, other}}}) == "0345bZ");
  CHECK(text({6, {{1, {'p', 'q'}}, {2, {'r'}}}, {{0, 3, 2, nullptr}}}) == "0pr015");
  // Read in every way.
  const auto made = must(PatchedSource::make(input, {2, {{4, {'x', 'y'}}}, {{0, 6, 4, other}}}));
  const Bytes whole = all_of(*made);
  for (std::uint64_t from = 0; from <= whole.size(); ++from) {
    for (std::uint64_t size = 0; size <= whole.size() - from; ++size) {
      const Bytes part = must(read_bytes(*made, from, size));
      CHECK(
          std::equal(part.begin(), part.end(), whole.begin() + static_cast<std::ptrdiff_t>(from)));
    }
  }
  CHECK_FALSE(read_bytes(*made, whole.size(), 1));
  CHECK_FALSE(PatchedSource::make(input, {7, {}}));
  CHECK_FALSE(PatchedSource::make(input, {0, {}, {{4, 0, 3, nullptr}}}));
  CHECK_FALSE(PatchedSource::make(input, {0, {}, {{0, 0, 5, other}}}));
}

TEST_CASE("source part: is a range of another", "[core]") {
  const auto input = std::make_shared<MemorySource>(Bytes{'0', '1', '2', '3'});
  const auto part = must(SourcePart::of(input, 1, 2));
  CHECK(all_of(*part) == Bytes{'1', '2'});
  CHECK_FALSE(read_bytes(*part, 1, 2));
  CHECK(must(SourcePart::of(input, 4, 0))->size() == 0);
  CHECK_FALSE(SourcePart::of(input, 3, 2));
  CHECK_FALSE(SourcePart::of(input, 5, 0));
}
