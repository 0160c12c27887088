// SPDX-License-Identifier: Apache-2.0
#include "core/file.hpp"
#include "core/patched_source.hpp"
#include "core/text.hpp"
#include "crypto/digest.hpp"
#include "formats/msix/publisher.hpp"
#include "formats/msix/signable.hpp"
#include "support/catch.hpp"
#include "support/must.hpp"
#include "support/paths.hpp"
#include "support/zip_builder.hpp"

#include <array>
#include <filesystem>
#include <iostream>

using namespace signctl;        // NOLINT(google-build-using-namespace): test
using namespace signctl::test;  // NOLINT(google-build-using-namespace): test

namespace {

Bytes text(const std::string& value) {
  return {value.begin(), value.end()};
}

struct Lie {
  std::string size{"5"};
  std::string lfh{"35"};
  std::string hash{to_base64(crypto::hash(DigestAlg::sha256, as_bytes("hello")))};
  std::string more{};
};

const std::string kManifest =
    "<Package xmlns=\"urn:m\"><Identity Name=\"A\" Publisher=\"CN=A\" "
    "Version=\"1.0.0.0\"/></Package>";

/// A package of one stored file, and of its manifest.
ZipSpec package(const Lie& lie = {}) {
  const std::string manifest_hash = to_base64(crypto::hash(DigestAlg::sha256, as_bytes(kManifest)));
  const std::string map =
      "<BlockMap xmlns=\"http://schemas.microsoft.com/appx/2010/blockmap\" "
      "HashMethod=\"http://www.w3.org/2001/04/xmlenc#sha256\"><File Name=\"a.bin\" Size=\"" +
      lie.size + "\" LfhSize=\"" + lie.lfh + "\"><Block Hash=\"" + lie.hash +
      "\"/></File><File Name=\"AppxManifest.xml\" Size=\"" + std::to_string(kManifest.size()) +
      "\" LfhSize=\"46\"><Block Hash=\"" + manifest_hash + "\"/></File>" + lie.more + "</BlockMap>";
  ZipSpec spec;
  spec.files = {{"a.bin", text("hello")},
                {"AppxManifest.xml", text(kManifest)},
                {"AppxBlockMap.xml", text(map)},
                {"[Content_Types].xml",
                 text("<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/"
                      "content-types\"></Types>")}};
  return spec;
}

Result<std::unique_ptr<Signable>> try_open(Bytes bytes) {
  return msix::open_package(std::make_shared<MemorySource>(std::move(bytes)));
}

std::vector<std::string> ids(const ZipSpec& spec) {
  std::vector<std::string> found;
  for (const Finding& one : must(must(try_open(make_zip(spec)))->container_findings())) {
    found.push_back(one.id);
  }
  return found;
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
  CHECK(ids(package()).empty());
  CHECK(ids(package({"6"})) == Ids{"msix-block-map"});
  CHECK(ids(package({"5", "36"})) == Ids{"msix-block-map"});
  CHECK(ids(package({"5", "35", to_base64(Bytes(32))})) == Ids{"msix-block-map"});
  CHECK(ids(package({"5", "35", "AAAA"})) == Ids{"msix-block-map"});
  Lie missing;
  missing.more = "<File Name=\"b\" Size=\"0\" LfhSize=\"31\"/>";
  CHECK(ids(package(missing)) == Ids{"msix-block-map-missing"});
  ZipSpec unlisted = package();
  unlisted.files.push_back({"b.bin", {'b'}});
  CHECK(ids(unlisted) == Ids{"msix-block-map-unlisted"});
  ZipSpec not_last = package();
  not_last.files.insert(not_last.files.begin(),
                        {"AppxSignature.p7x", {'P', 'K', 'C', 'X', 0x30, 0, 7}});
  CHECK(ids(not_last) ==
        Ids{"msix-signature-not-last", "msix-signature-trailing", "msix-content-types"});
}

TEST_CASE("msix: packages that readers understand differently are refused", "[formats][msix]") {
  ZipSpec two = package();
  two.files.push_back({"AppxMetadata/AppxBundleManifest.xml", {'x'}});
  CHECK_FALSE(try_open(make_zip(two)));
  ZipSpec spelt = package();
  spelt.files[2].name = "appxblockmap.xml";
  CHECK_FALSE(try_open(make_zip(spelt)));
  ZipSpec entity = package();
  entity.files[1].bytes = text("<!DOCTYPE a [<!ENTITY b \"c\">]>" + kManifest);
  CHECK_FALSE(try_open(make_zip(entity)));
}

TEST_CASE("msix: no prefix of a package is a package", "[formats][msix]") {
  const Bytes whole = make_zip(package());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    INFO(size);
    CHECK_FALSE(try_open(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size))));
  }
}

TEST_CASE("msix: what was embedded can be taken off", "[formats][msix]") {
  const auto source = std::make_shared<MemorySource>(make_zip(package()));
  const auto plain = must(msix::open_package(source));
  const auto content = must(plain->content_to_sign(DigestAlg::sha256, PageHashes::off));
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
  const auto other = plain->content_to_sign(DigestAlg::sha512, PageHashes::off);
  REQUIRE_FALSE(other);
  CHECK(other.error().kind == ErrorKind::unsupported);
}
