// SPDX-License-Identifier: Apache-2.0
#include "core/file.hpp"
#include "core/patched_source.hpp"
#include "core/text.hpp"
#include "crypto/digest.hpp"
#include "formats/common/zip_inflate.hpp"
#include "formats/msix/publisher.hpp"
#include "formats/msix/signable.hpp"
#include "support/catch.hpp"
#include "support/cms_builder.hpp"
#include "support/issued.hpp"
#include "support/msix_package.hpp"
#include "support/must.hpp"
#include "support/paths.hpp"
#include "support/zip_builder.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <iostream>

using namespace signctl;        // NOLINT(google-build-using-namespace): test
using namespace signctl::test;  // NOLINT(google-build-using-namespace): test

namespace {

Result<std::unique_ptr<Signable>> try_open(Bytes bytes) {
  return msix::open_package(std::make_shared<MemorySource>(std::move(bytes)));
}

std::vector<std::string> ids_of(Bytes package) {
  std::vector<std::string> found;
  for (const Finding& one : must(must(try_open(std::move(package)))->container_findings())) {
    found.push_back(one.id);
  }
  return found;
}

std::vector<std::string> ids(const ZipSpec& spec) {
  return ids_of(make_zip(spec));
}

}  // namespace

TEST_CASE("msix: the table of signtool's package is what the file has", "[formats][msix]") {
  const std::string path =
      std::string(SIGNCTL_SOURCE_DIR) + "/../shared/testdata/jsign/minimal-signed-by-signtool.msix";
  if (!std::filesystem::exists(path)) {
    std::cerr << "SKIPPED: signtool's package (" << path << " is not there)\n";
    return;
  }
  const auto file = must(try_open(slurp(path)));
  const std::array algs{DigestAlg::sha256};
  const std::string table = to_hex(must(file->file_digests(algs)).front());
  CHECK(table.starts_with("4150505841585043fcabfd6de4b9ca863b926166b191a201f95c39970b516fd6"));
  const Bytes cms = must(file->signatures()).front().cms;
  CHECK(to_hex(cms).find(table) != std::string::npos);
  CHECK(must(file->container_findings()).empty());
}

TEST_CASE("msix: the block map is believed in nothing", "[formats][msix]") {
  using Ids = std::vector<std::string>;
  CHECK(ids(msix_package()).empty());
  CHECK(ids(msix_package({"6"})) == Ids{"msix-block-map"});
  CHECK(ids(msix_package({"5", "36"})) == Ids{"msix-block-map"});
  CHECK(ids(msix_package({"5", "35", to_base64(Bytes(32))})) == Ids{"msix-block-map"});
  CHECK(ids(msix_package({"5", "35", "AAAA"})) == Ids{"msix-block-map"});
  Lie missing;
  missing.more = "<File Name=\"b\" Size=\"0\" LfhSize=\"31\"/>";
  CHECK(ids(msix_package(missing)) == Ids{"msix-block-map-missing"});
  ZipSpec unlisted = msix_package();
  unlisted.files.push_back({"b.bin", {'b'}});
  CHECK(ids(unlisted) == Ids{"msix-block-map-unlisted"});
  ZipSpec not_last = msix_package();
  not_last.files.insert(not_last.files.begin(),
                        {"AppxSignature.p7x", {'P', 'K', 'C', 'X', 0x30, 0, 7}});
  CHECK(ids(not_last) ==
        Ids{"msix-signature-not-last", "msix-signature-trailing", "msix-content-types"});
}

TEST_CASE("msix: packages that readers understand differently are refused", "[formats][msix]") {
  ZipSpec two = msix_package();
  two.files.push_back({"AppxMetadata/AppxBundleManifest.xml", {'x'}});
  CHECK_FALSE(try_open(make_zip(two)));
  ZipSpec spelt = msix_package();
  spelt.files[2].name = "appxblockmap.xml";
  CHECK_FALSE(try_open(make_zip(spelt)));
  ZipSpec entity = msix_package();
  entity.files[1].bytes = text("<!DOCTYPE a [<!ENTITY b \"c\">]>" + kManifest);
  CHECK_FALSE(try_open(make_zip(entity)));
}

TEST_CASE("msix: no prefix of a package is a package", "[formats][msix]") {
  const Bytes whole = make_zip(msix_package());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    INFO(size);
    CHECK_FALSE(try_open(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size))));
  }
}

TEST_CASE("msix: what was embedded can be taken off", "[formats][msix]") {
  const auto source = std::make_shared<MemorySource>(make_zip(msix_package()));
  const auto plain = must(msix::open_package(source));
  const auto content = must(plain->content_to_sign(DigestAlg::sha256));
  const std::array signatures{Bytes{0x30, 0x02, 0x05, 0x00}};
  const auto signed_source = must(PatchedSource::make(source, must(plain->embed(signatures))));
  const auto made = must(msix::open_package(signed_source));
  const std::array algs{DigestAlg::sha256};
  CHECK(must(made->file_digests(algs)).front() == content.file_digest);
  CHECK(must(made->signatures()).front().cms == signatures.front());
  CHECK(must(made->container_findings()).empty());
  const auto bare =
      must(msix::open_package(must(PatchedSource::make(signed_source, must(made->strip())))));
  CHECK(must(bare->signatures()).empty());
  CHECK(must(bare->container_findings()).empty());
  const auto other = plain->content_to_sign(DigestAlg::sha512);
  REQUIRE_FALSE(other);
  CHECK(other.error().kind == ErrorKind::unsupported);
}

TEST_CASE("msix: nothing hides in the directory's entry of the signature", "[formats][msix]") {
  using Ids = std::vector<std::string>;
  const auto source = std::make_shared<MemorySource>(make_zip(msix_package()));
  const auto plain = must(msix::open_package(source));
  must(plain->content_to_sign(DigestAlg::sha256));
  const std::array signatures{Bytes{0x30, 0x02, 0x05, 0x00}};
  const auto made = must(PatchedSource::make(source, must(plain->embed(signatures))));
  const Bytes whole = must(read_bytes(*made, 0, made->size()));
  CHECK(ids_of(whole).empty());
  // The signature's is the last entry of the directory, and the end record follows.
  const Bytes mark{0x50, 0x4B, 0x01, 0x02};
  const auto header = static_cast<std::size_t>(
      std::find_end(whole.begin(), whole.end(), mark.begin(), mark.end()) - whole.begin());
  const std::size_t end = whole.size() - 22;
  const auto with_more = [&](std::size_t length_at, Bytes more) {
    Bytes changed = whole;
    changed[header + length_at] = static_cast<std::uint8_t>(more.size());
    changed[end + 12] = static_cast<std::uint8_t>(changed[end + 12] + more.size());
    REQUIRE(changed[end + 12] >= more.size());
    changed.insert(changed.begin() + static_cast<std::ptrdiff_t>(end), more.begin(), more.end());
    return changed;
  };
  CHECK(ids_of(with_more(32, {'x'})) == Ids{"msix-signature-entry"});
  CHECK(ids_of(with_more(30, {0x75, 0x70, 0, 0})) == Ids{"msix-signature-entry"});
  CHECK(ids_of(with_more(30, {1, 0, 0, 0})).empty());
  for (const std::size_t at : std::initializer_list<std::size_t>{36, 38, 39, 41}) {
    INFO(at);
    Bytes changed = whole;
    changed[header + at] = 0x10;
    CHECK(ids_of(changed) == Ids{"msix-signature-entry"});
  }
}

TEST_CASE("msix: entries that share bytes are refused", "[formats][msix]") {
  // The record of another file inside the bytes of the first: who reads by the directory finds one
  // that no block map vouches for.
  ZipSpec inner;
  inner.files = {{"b.bin", text("evil")}};
  const Bytes archive = make_zip(inner);
  const std::size_t record = 30 + 5 + 4;
  ZipSpec hidden = msix_package();
  hidden.files[0].bytes.assign(archive.begin(), archive.begin() + record);
  hidden.files.push_back({"b.bin", text("evil")});
  hidden.files.back().offset = 30 + 5;
  const auto opened = try_open(make_zip(hidden));
  REQUIRE_FALSE(opened);
  CHECK(opened.error().kind == ErrorKind::input);
  CHECK(opened.error().message == "entry \"a.bin\": its data reach into the next record");

  // One record under two names.
  ZipSpec shared = msix_package();
  shared.files.push_back({"b.bin", text("hello")});
  shared.files.back().offset = 0;
  CHECK_FALSE(try_open(make_zip(shared)));
  // A record that is the directory.
  ZipSpec beyond = msix_package();
  beyond.files[0].offset = static_cast<std::uint32_t>(make_zip(msix_package()).size() - 100);
  CHECK_FALSE(try_open(make_zip(beyond)));
}

TEST_CASE("msix: a local header that says something else than the directory is refused",
          "[formats][msix]") {
  struct Lie {
    std::string what;
    std::size_t offset;  // In the first local header, or in its entry in the directory.
    std::uint8_t value;
  };
  const auto lie = GENERATE(values<Lie>({{"flags", 6, 0x02},
                                         {"method", 8, 0x08},
                                         {"CRC-32", 14, 0x01},
                                         {"packed size", 18, 0x04},
                                         {"size", 22, 0x04},
                                         {"name", 30, 'b'},
                                         {"length of the name", 26, 0x04},
                                         {"length of the extra field", 28, 0x04}}));
  INFO(lie.what);
  const Bytes whole = make_zip(msix_package());
  Bytes local = whole;
  REQUIRE(local[lie.offset] != lie.value);
  local[lie.offset] = lie.value;
  const auto refused = try_open(local);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::input);

  const Bytes central{0x50, 0x4B, 0x01, 0x02};
  Bytes listed = whole;
  const auto header = std::search(listed.begin(), listed.end(), central.begin(), central.end());
  REQUIRE(header != listed.end());
  const std::size_t shift = lie.offset == 30 ? 16 : 2;
  *(header + static_cast<std::ptrdiff_t>(lie.offset + shift)) = lie.value;
  CHECK_FALSE(try_open(listed));
}

TEST_CASE("msix: bytes that belong to no entry are refused", "[formats][msix]") {
  ZipSpec before = msix_package();
  before.prefix = text("#!/bin/sh");
  CHECK_FALSE(try_open(make_zip(before)));
  ZipSpec behind = msix_package();
  behind.trailing = text("x");
  CHECK_FALSE(try_open(make_zip(behind)));
  ZipSpec comment = msix_package();
  comment.comment = "x";
  CHECK_FALSE(try_open(make_zip(comment)));
  ZipSpec miscounted = msix_package();
  miscounted.count = 3;
  CHECK_FALSE(try_open(make_zip(miscounted)));
}

namespace {

/// The files of a package in stored order, as tests/fuzz/msix_fuzz.cpp reads them.
Bytes listed(const ByteSource& source) {
  const auto archive = must(zip::read_archive(source, zip::Strictness::package));
  Bytes out;
  for (const zip::Entry& entry : archive.entries) {
    const Bytes bytes = must(zip::unpack_small(source, entry, 60'000));
    out.insert(out.end(), entry.name.begin(), entry.name.end());
    out.push_back('\n');
    out.push_back(static_cast<std::uint8_t>(bytes.size()));
    out.push_back(static_cast<std::uint8_t>(bytes.size() >> 8U));
    out.insert(out.end(), bytes.begin(), bytes.end());
  }
  return out;
}

}  // namespace

// Not a test: writes the seeds in tests/fuzz/corpus/msix anew.
TEST_CASE("msix corpus: write the fuzzing seeds", "[.][corpus]") {
  const std::string folder = std::string(SIGNCTL_SOURCE_DIR) + "/tests/fuzz/corpus/msix/";
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  REQUIRE_FALSE(error);
  const auto source = std::make_shared<MemorySource>(make_zip(msix_package()));
  spill(folder + "unsigned", listed(*source));

  const auto plain = must(msix::open_package(source));
  const auto content = must(plain->content_to_sign(DigestAlg::sha256));
  const auto identity = issue(leaf_for("codeSigning", "A"));
  const std::array signatures{build(authenticode_recipe(identity, content.econtent), identity.key)};
  spill(folder + "signed",
        listed(*must(PatchedSource::make(source, must(plain->embed(signatures))))));

  ZipSpec bundle;
  const Bytes inner = make_zip(msix_package());
  const std::string manifest =
      "<Bundle xmlns=\"http://schemas.microsoft.com/appx/2013/bundle\"><Identity Name=\"A\" "
      "Publisher=\"CN=A\" Version=\"1.0.0.0\"/><Packages><Package FileName=\"a.msix\" "
      "Offset=\"36\" Size=\"" +
      std::to_string(inner.size()) + "\"/></Packages></Bundle>";
  const std::string map =
      "<BlockMap xmlns=\"http://schemas.microsoft.com/appx/2010/blockmap\" "
      "HashMethod=\"http://www.w3.org/2001/04/xmlenc#sha256\"><File "
      "Name=\"AppxMetadata\\AppxBundleManifest.xml\" Size=\"" +
      std::to_string(manifest.size()) + "\" LfhSize=\"65\"><Block Hash=\"" +
      to_base64(crypto::hash(DigestAlg::sha256, as_bytes(manifest))) + "\"/></File></BlockMap>";
  bundle.files = {{"a.msix", inner},
                  {"AppxMetadata/AppxBundleManifest.xml", text(manifest)},
                  {"AppxBlockMap.xml", text(map)},
                  {"[Content_Types].xml", msix_package().files[3].bytes}};
  const auto bundled = std::make_shared<MemorySource>(make_zip(bundle));
  CHECK(must(must(msix::open_package(bundled))->container_findings()).empty());
  spill(folder + "bundle", listed(*bundled));
}
