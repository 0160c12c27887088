// SPDX-License-Identifier: Apache-2.0
#include "formats/common/zip_archive.hpp"

#include "core/file.hpp"
#include "formats/common/zip_inflate.hpp"
#include "formats/common/zip_kind.hpp"
#include "support/catch.hpp"
#include "support/must.hpp"
#include "support/paths.hpp"
#include "support/zip_builder.hpp"

#include <cstdlib>
#include <fstream>
#include <string>

using namespace signctl;        // NOLINT(google-build-using-namespace): test
using namespace signctl::test;  // NOLINT(google-build-using-namespace): test
using zip::Archive;
using zip::Strictness;

namespace {

Bytes numbered(std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) {
    bytes[i] = static_cast<std::uint8_t>(i * 7U ^ i >> 9U);
  }
  return bytes;
}

Bytes from_string(std::string_view text) {
  return {text.begin(), text.end()};
}

Result<Archive> read(const Bytes& bytes, Strictness strictness = Strictness::archive) {
  return zip::read_archive(MemorySource(bytes), strictness);
}

/// What reading and unpacking everything says; empty when all is well.
std::string trouble(const Bytes& bytes, Strictness strictness = Strictness::archive) {
  const auto source = std::make_shared<MemorySource>(bytes);
  const auto archive = zip::read_archive(*source, strictness);
  if (!archive) {
    CHECK_FALSE(archive.error().message.empty());
    return archive.error().message;
  }
  for (const zip::Entry& entry : archive->entries) {
    const auto result =
        zip::unpack(*source, entry, [](ByteView /*block*/) { return Result<void>(ok()); });
    if (!result) {
      return result.error().message;
    }
  }
  return "";
}

std::string trouble(const ZipSpec& spec, Strictness strictness = Strictness::archive) {
  return trouble(make_zip(spec), strictness);
}

bool says(const std::string& text, std::string_view part) {
  INFO(text);
  CHECK(text.find(part) != std::string::npos);
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("zip: stored and deflated entries, descriptors and ZIP64 come out as they went in",
          "[formats][zip]") {
  ZipSpec spec;
  const Bytes big = numbered(300'000);
  spec.files = {{"a.bin", big},
                {"dir/b.bin", big, true},
                {"c12", big, true, 0, 12},
                {"c16", big, true, 0, 16},
                {"c20", big, true, 0, 20},
                {"c24", big, true, 0, 24},
                {"wide", big, true, 0, 0, true},
                {"wide24", big, true, 0, 24, true},
                {"folder/", {}},
                {"empty", {}, true}};
  for (const bool zip64 : {false, true}) {
    spec.zip64 = zip64;
    const Bytes bytes = make_zip(spec);
    const auto source = std::make_shared<MemorySource>(bytes);
    for (const Strictness strictness : {Strictness::archive, Strictness::package}) {
      const Archive archive = must(zip::read_archive(*source, strictness));
      REQUIRE(archive.entries.size() == spec.files.size());
      CHECK(archive.zip64_end.empty() != zip64);
      for (std::size_t i = 0; i < spec.files.size(); ++i) {
        INFO(spec.files[i].name);
        CHECK(archive.entries[i].name == spec.files[i].name);
        CHECK(archive.entries[i].size == spec.files[i].bytes.size());
        const auto opened = must(zip::open_entry(source, archive.entries[i]));
        CHECK(must(read_bytes(*opened, 0, opened->size())) == spec.files[i].bytes);
        CHECK(must(zip::unpack_small(*source, archive.entries[i], 400'000)) == spec.files[i].bytes);
      }
      CHECK(archive.find("dir/b.bin") == 1U);
      CHECK_FALSE(archive.find("dir/B.bin"));
      CHECK(archive.entries[8].is_folder());
    }
    CHECK(zip::looks_like_zip(bytes));
  }
  CHECK(trouble(ZipSpec{{}}).empty());
}

TEST_CASE("zip: what Python and Info-ZIP write is read", "[formats][zip]") {
  const TemporaryFolder folder;
  const std::string script = folder.file("make.py");
  std::ofstream(script) << R"(
import sys, zipfile
class Pipe:                        # cannot be sought in: data descriptors
    def __init__(self, path): self.file = open(path, 'wb')
    def write(self, data): return self.file.write(data)
    def flush(self): self.file.flush()
folder = sys.argv[1]
data = bytes(i * 31 % 251 for i in range(200000))
for name, out in (('plain.zip', open(folder + '/plain.zip', 'wb')), ('piped.zip', Pipe(folder + '/piped.zip'))):
    with zipfile.ZipFile(out, 'w', zipfile.ZIP_DEFLATED) as z:
        z.writestr('sub/data.bin', data)
        z.writestr('\u00fcber.txt', 'x', zipfile.ZIP_STORED)
        with z.open('forced.bin', 'w', force_zip64=True) as f: f.write(data)
        z.comment = b'made by Python'
with zipfile.ZipFile(folder + '/bz.zip', 'w', zipfile.ZIP_BZIP2) as z:
    z.writestr('a', data)
)";
  if (std::system(("python3 " + script + " " + folder.path()).c_str()) != 0) {
    FAIL("python3 could not make the archives");
  }
  for (const char* name : {"plain.zip", "piped.zip"}) {
    INFO(name);
    const Bytes bytes = slurp(folder.file(name));
    CHECK(trouble(bytes) == "");
    const Archive archive = must(read(bytes));
    REQUIRE(archive.entries.size() == 3);
    CHECK(archive.entries[0].size == 200'000);
    CHECK(zip::display_name(archive.entries[1]) ==
          "\xC3\xBC"
          "ber.txt");
    CHECK(says(trouble(bytes, Strictness::package), "comment"));
  }
  CHECK(says(trouble(slurp(folder.file("bz.zip"))), "method 12"));
}

TEST_CASE("zip: every truncation is refused", "[formats][zip]") {
  ZipSpec spec;
  spec.files = {{"a.txt", numbered(100), true, 0, 16}, {"b", numbered(40), false, 0, 0, true}};
  for (const bool zip64 : {false, true}) {
    spec.zip64 = zip64;
    const Bytes whole = make_zip(spec);
    REQUIRE(trouble(whole).empty());
    for (std::size_t size = 0; size < whole.size(); ++size) {
      INFO(size);
      CHECK_FALSE(read(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size))));
    }
  }
}

TEST_CASE("zip: a changed octet is noticed or changes no content", "[formats][zip]") {
  ZipSpec spec;
  const Bytes content = numbered(60);
  spec.files = {{"a.txt", content, true, 0, 16}, {"b.txt", content}};
  const Bytes whole = make_zip(spec);
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const unsigned mask : {0x01U, 0x80U, 0xFFU}) {
      Bytes bytes = whole;
      bytes[at] = static_cast<std::uint8_t>(bytes[at] ^ mask);
      const auto source = std::make_shared<MemorySource>(bytes);
      const auto archive = zip::read_archive(*source, Strictness::archive);
      if (!archive) {
        continue;
      }
      INFO(at << " " << mask);
      REQUIRE(archive->entries.size() == 2);
      for (const zip::Entry& entry : archive->entries) {
        const auto unpacked = zip::unpack_small(*source, entry, 1000);
        CHECK((!unpacked || *unpacked == content));
      }
    }
  }
}

TEST_CASE("zip: names that leave their folder or are there twice are refused", "[formats][zip]") {
  for (const char* name :
       {"../x", "a/../../x", "..", "a\\..\\x", "/abs", "\\abs", "C:x", "c:/x", "a\nb", ""}) {
    INFO(name);
    CHECK_FALSE(trouble(ZipSpec{{{name, {'x'}}}}).empty());
  }
  CHECK(trouble(ZipSpec{{{"a..b/..c", {'x'}}}}).empty());
  CHECK(says(trouble(ZipSpec{{{"a", {'x'}}, {"a", {'y'}}}}), "another entry has that name"));
  const ZipSpec case_only{{{"a", {'x'}}, {"A", {'y'}}}};
  CHECK(trouble(case_only).empty());
  CHECK(says(trouble(case_only, Strictness::package), "another entry has that name"));
  for (const char* name : {"a\\b", "a//b", "./a"}) {
    INFO(name);
    CHECK_FALSE(trouble(ZipSpec{{{name, {'x'}}}}, Strictness::package).empty());
  }
}

TEST_CASE("zip: headers that contradict each other are refused", "[formats][zip]") {
  ZipSpec spec;
  spec.files[0].local_name = "other.txt";
  CHECK(says(trouble(spec), "local header has the name"));

  ZipSpec overlapping{{{"a", numbered(50)}, {"b", numbered(50)}}};
  overlapping.files[1].offset = 0;
  CHECK_FALSE(trouble(overlapping).empty());
  overlapping.files[1].name = "a2";
  overlapping.files[1].local_name = "a";
  CHECK_FALSE(trouble(overlapping).empty());

  ZipSpec outside;
  outside.files[0].offset = 4000;
  CHECK_FALSE(trouble(outside).empty());

  ZipSpec wrong_crc;
  wrong_crc.files[0].crc = 1;
  CHECK(says(trouble(wrong_crc), "CRC-32"));

  ZipSpec count;
  count.count = 2;
  CHECK(says(trouble(count), "counts 2 entries"));
  ZipSpec parts;
  parts.disk = 1;
  CHECK(says(trouble(parts), "several parts"));
}

TEST_CASE("zip: what lies around an archive", "[formats][zip]") {
  ZipSpec prefixed;
  prefixed.prefix = from_string("PK\x03 and more");
  CHECK(trouble(prefixed).empty());
  CHECK(says(trouble(prefixed, Strictness::package), "precede the first entry"));

  ZipSpec trailing;
  trailing.trailing = {0, 1, 2};
  CHECK(says(trouble(trailing), "3 bytes follow the end"));

  ZipSpec commented;
  commented.comment = "hi";
  CHECK(trouble(commented).empty());
  // An archive in the comment of another: which one a reader sees depends on how it searches.
  const Bytes inner = make_zip(ZipSpec{});
  commented.comment.assign(inner.begin(), inner.end());
  CHECK(says(trouble(commented), "two end records"));
}

TEST_CASE("zip: an entry that the directory does not list is refused", "[formats][zip]") {
  const Bytes whole = make_zip();
  const auto record =
      ByteView(whole).first(static_cast<std::size_t>(must(read(whole)).directory_offset));
  for (const std::size_t padding : {std::size_t{0}, std::size_t{65506}, std::size_t{200000}}) {
    INFO(padding);
    ZipSpec spec;
    spec.prefix.resize(padding);
    spec.prefix.insert(spec.prefix.end(), record.begin(), record.end());
    CHECK(says(trouble(spec), "the directory does not list"));

    // The entry that is listed is the last one, or the first.
    Bytes behind = whole;
    behind.insert(behind.begin() + static_cast<std::ptrdiff_t>(record.size()),
                  spec.prefix.begin(),
                  spec.prefix.end());
    const auto moved = static_cast<std::uint32_t>(record.size() + spec.prefix.size());
    for (std::size_t i = 0; i < 4; ++i) {
      behind[behind.size() - 6 + i] = static_cast<std::uint8_t>(moved >> (8 * i));
    }
    CHECK(says(trouble(behind), "the directory does not list"));
  }
}

TEST_CASE("zip: bombs and lies about size are refused", "[formats][zip]") {
  ZipSpec spec{{{"zeros", Bytes(3'000'000), true}}};
  CHECK(trouble(spec).empty());
  spec.files[0].size = 2'999'999;
  CHECK(says(trouble(spec), "more than the 2999999 bytes"));
  spec.files[0].size = 3'000'001;
  CHECK(says(trouble(spec), "it unpacks to 3000000 bytes and claims 3000001"));
  spec.files[0].size = 0xFFFFFFF0;
  CHECK(says(trouble(spec), "more than deflate can hold"));

  // Within what deflate can hold, but nothing that anybody packs.
  ZipSpec bomb{{{"zeros", Bytes(1'000'000), true}}};
  bomb.files[0].size = 1'000'000;
  const auto source = std::make_shared<MemorySource>(make_zip(bomb));
  zip::Entry entry = must(zip::read_archive(*source, Strictness::archive)).entries[0];
  entry.size = std::uint64_t{129} << 20U;
  const auto opened = zip::open_entry(source, entry);
  REQUIRE_FALSE(opened);
  CHECK(opened.error().kind == ErrorKind::input);
  CHECK_FALSE(zip::unpack_small(*source, entry, 1000));

  ZipSpec stored;
  stored.files[0].size = 4;
  CHECK(says(trouble(stored), "two sizes differ"));
}

TEST_CASE("zip: encryption and unknown methods are said", "[formats][zip]") {
  ZipSpec spec;
  spec.files[0].flags = 1;
  CHECK(says(trouble(spec), "is encrypted"));
  CHECK(read(make_zip(spec)).has_value());
  CHECK(says(trouble(spec, Strictness::package), "is encrypted"));
  const auto source = std::make_shared<MemorySource>(make_zip(spec));
  const auto opened = zip::open_entry(source, must(read(make_zip(spec))).entries[0]);
  REQUIRE_FALSE(opened);
  CHECK(opened.error().kind == ErrorKind::unsupported);
  spec.files[0].flags = 0;
  spec.files[0].method = 99;
  CHECK(says(trouble(spec), "method 99"));
}

TEST_CASE("zip: packages are told from plain archives by their names", "[formats][zip]") {
  const auto kinds = [](std::vector<std::string> names) {
    ZipSpec spec;
    spec.files.clear();
    for (std::string& name : names) {
      spec.files.push_back({std::move(name), {'x'}});
    }
    std::string text;
    for (const std::string_view kind : zip::kinds_of(MemorySource(make_zip(spec)))) {
      text += std::string(kind) + " ";
    }
    return text;
  };
  CHECK(kinds({"a.txt"}) == "zip ");
  CHECK(kinds({"[Content_Types].xml", "word/document.xml"}) == "zip ");
  CHECK(kinds({"AppxManifest.xml", "[Content_Types].xml"}) == "msix ");
  CHECK(kinds({"appxmanifest.XML", "[content_types].xml"}) == "msix ");
  CHECK(kinds({"AppxMetadata/AppxBundleManifest.xml"}) == "msix ");
  CHECK(kinds({"x.nuspec", "[Content_Types].xml"}) == "nuget ");
  CHECK(kinds({"sub/x.nuspec", "[Content_Types].xml"}) == "zip ");
  CHECK(kinds({"extension.vsixmanifest", "[Content_Types].xml"}) == "vsix ");
  CHECK(zip::kinds_of(MemorySource(from_string("nothing"))).front() == "zip");
}
