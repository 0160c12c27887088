// SPDX-License-Identifier: Apache-2.0
// Made, examined and damaged without the command line. tests/interop/formats/vsix.py has xmlsec1
// and the whole tool.

#include "core/file.hpp"
#include "core/patched_source.hpp"
#include "core/text.hpp"
#include "formats/vsix/names.hpp"
#include "formats/vsix/package.hpp"
#include "formats/vsix/relationships.hpp"
#include "formats/vsix/signable.hpp"
#include "support/catch.hpp"
#include "support/issued.hpp"
#include "support/must.hpp"
#include "support/zip_builder.hpp"

#include <map>

using namespace signctl;        // NOLINT(google-build-using-namespace): test
using namespace signctl::test;  // NOLINT(google-build-using-namespace): test

namespace {

const std::string kTypes =
    "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\">"
    "<Default Extension=\"vsixmanifest\" ContentType=\"text/xml\"/>"
    "<Default Extension=\"txt\" ContentType=\"text/plain\"/></Types>";

Bytes from_text(std::string_view text) {
  return {text.begin(), text.end()};
}

/// Files of a package, [Content_Types].xml among them.
using Files = std::vector<std::pair<std::string, std::string>>;

Files plain_files() {
  return {{"extension.vsixmanifest", "<PackageManifest/>"},
          {"a.txt", "hello"},
          {"[Content_Types].xml", kTypes}};
}

std::shared_ptr<const ByteSource> packed(const Files& files) {
  ZipSpec spec;
  spec.files.clear();
  for (const auto& [name, text] : files) {
    ZipFile file;
    file.name = name;
    file.bytes = from_text(text);
    spec.files.push_back(std::move(file));
  }
  return std::make_shared<MemorySource>(make_zip(spec));
}

/// Unpacks, for changing one file and packing again. Only stored entries come out of packed().
Files unpacked(const std::shared_ptr<const ByteSource>& source) {
  auto opened = must(vsix::open_package(source));
  Files files;
  const auto members = must(opened->members());
  for (std::size_t i = 0; i < members.size(); ++i) {
    const auto bytes = must(opened->open_member(i));
    files.emplace_back(members[i].path,
                       std::string(as_text(must(read_bytes(*bytes, 0, bytes->size())))));
  }
  files.emplace_back("[Content_Types].xml",
                     std::string(as_text(must(vsix::Package::read(source)).types().text())));
  return files;
}

const crypto::KeyBundle& identity(crypto::PrivateKey::Spec spec) {
  static std::map<crypto::PrivateKey::Spec, crypto::KeyBundle> known;
  const auto at = known.find(spec);
  return at != known.end()
             ? at->second
             : known.emplace(spec, issue(leaf_for("codeSigning"), nullptr, spec)).first->second;
}

std::shared_ptr<const ByteSource> signed_package(
    const std::shared_ptr<const ByteSource>& source,
    DigestAlg alg = DigestAlg::sha256,
    crypto::PrivateKey::Spec spec = crypto::PrivateKey::Spec::rsa2048,
    ByteView token = {}) {
  auto opened = must(vsix::open_package(source));
  const auto draft = must(
      opened->scheme()->prepare({alg, "", "", {identity(spec).chain[0].der()}, issued_day(0)}));
  std::vector<Bytes> values;
  for (const Bytes& digest : draft.to_be_signed) {
    values.push_back(must(identity(spec).key.sign_digest(digest, alg)));
  }
  const Bytes envelope = must(opened->scheme()->assemble(draft, values, token));
  return must(PatchedSource::make(source, must(opened->embed({&envelope, 1}))));
}

/// Everything that is found of a package's one signature.
SchemeFacts facts_of(const std::shared_ptr<const ByteSource>& source) {
  auto opened = must(vsix::open_package(source));
  const auto stored = must(opened->signatures());
  REQUIRE(stored.size() == 1);
  return must(opened->scheme()->examine(stored.front().cms));
}

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  const auto at = text.find(what);
  REQUIRE(at != std::string::npos);
  return text.replace(at, what.size(), with);
}

}  // namespace

TEST_CASE("vsix: what was signed examines without objection", "[formats][vsix]") {
  const auto alg = GENERATE(DigestAlg::sha256, DigestAlg::sha384, DigestAlg::sha512);
  const auto spec = GENERATE(crypto::PrivateKey::Spec::rsa2048, crypto::PrivateKey::Spec::p521);

  const auto facts = facts_of(signed_package(packed(plain_files()), alg, spec));

  INFO(text_of(facts.findings));
  CHECK(facts.findings.empty());
  CHECK(facts.alg == alg);
  CHECK(facts.signer == identity(spec).chain[0].der());
  CHECK(facts.claimed_digest == facts.computed_digest);
  CHECK(facts.timestamp_tokens.empty());
}

TEST_CASE("vsix: the same input, key and time give the same bytes", "[formats][vsix]") {
  const auto source = packed(plain_files());
  const auto first = signed_package(source);
  const auto second = signed_package(source);

  REQUIRE(first->size() == second->size());
  CHECK(must(read_bytes(*first, 0, first->size())) == must(read_bytes(*second, 0, second->size())));
}

TEST_CASE("vsix: a signature comes off with everything that came with it", "[formats][vsix]") {
  auto files = plain_files();
  const bool has_relationships = GENERATE(false, true);
  if (has_relationships) {
    files.insert(files.begin(),
                 {"_rels/.rels",
                  std::string(as_text(vsix::relationships_text({{"R1", "urn:x", "/a.txt", {}}})))});
    files.back().second = replaced(kTypes,
                                   "<Default",
                                   "<Default Extension=\"rels\" ContentType=\"" +
                                       std::string(vsix::kRelationshipsType) + "\"/><Default");
  }
  const auto before = packed(files);
  const auto whole = signed_package(before);
  auto opened = must(vsix::open_package(whole));
  CHECK(must(opened->members()).size() == 6);

  const auto bare = must(PatchedSource::make(whole, must(opened->strip())));

  CHECK(must(must(vsix::open_package(bare))->signatures()).empty());
  CHECK(unpacked(bare) == unpacked(before));
}

TEST_CASE("vsix: signing again replaces the old signature", "[formats][vsix]") {
  const auto once = signed_package(packed(plain_files()));
  const auto twice = signed_package(once, DigestAlg::sha256, crypto::PrivateKey::Spec::p256);

  const auto facts = facts_of(twice);
  INFO(text_of(facts.findings));
  CHECK(facts.findings.empty());
  CHECK(facts.signer == identity(crypto::PrivateKey::Spec::p256).chain[0].der());
}

TEST_CASE("vsix: a timestamp joins, and is exchanged, without touching what is signed",
          "[formats][vsix]") {
  const auto whole = signed_package(packed(plain_files()));
  auto opened = must(vsix::open_package(whole));
  Bytes envelope = must(opened->signatures()).front().cms;

  for (const Bytes& token : {Bytes{0x30, 0x00}, Bytes{0x30, 0x01, 0x05}}) {
    envelope = must(opened->scheme()->with_timestamp(envelope, token));
    const auto stamped = must(PatchedSource::make(whole, must(opened->embed({&envelope, 1}))));
    const auto facts = facts_of(stamped);

    INFO(text_of(facts.findings));
    CHECK(facts.findings.empty());
    CHECK(facts.timestamp_tokens == std::vector<Bytes>{token});
    CHECK(as_text(envelope).find('\n') == std::string_view::npos);
  }
}

TEST_CASE("vsix: a lie anywhere is found", "[formats][vsix]") {
  struct Lie {
    std::string file;
    std::string what;
    std::string with;
    std::string id;
  };
  const auto lie = GENERATE(values<Lie>({
      {"a.txt", "hello", "Hello", "digest-mismatch"},
      {".psdsxs", "/a.txt?", "/b.txt?", "digest-mismatch"},
      {".psdsxs", "/a.txt?", "/b.txt?", "vsix-part-missing"},
      {".psdsxs", "/a.txt?", "/b.txt?", "vsix-unsigned-part"},
      {".psdsxs", "?ContentType=text/plain", "?ContentType=text/html", "vsix-content-type"},
      {".psdsxs", "?ContentType=text/plain", "?Type=text/plain", "vsix-reference"},
      {".psdsxs", "<SignatureValue>", "<SignatureValue>AAAA", "signature"},
      {".psdsxs", "rsa-sha256", "rsa-sha512", "signature"},
      {".psdsxs", "rsa-sha256", "hmac-sha256", "vsix-algorithm"},
      {".psdsxs", "rsa-sha256", "rsa-sha1", "weak-digest"},
      {".psdsxs", "xmlenc#sha256", "xmlenc#md4", "vsix-algorithm"},
      {".psdsxs", "URI=\"#idPackageObject\"", "URI=\"\"", "vsix-structure"},
      {".psdsxs", "Id=\"idPackageObject\"", "Id=\"other\"", "vsix-structure"},
      {".psdsxs", "<KeyInfo>", "<x/><KeyInfo>", "vsix-structure"},
      {".psdsxs", "</Signature>", "<Object/></Signature>", "vsix-structure"},
      {".psdsxs", "<X509Certificate>", "<X509Certificate>AAAA", "vsix-certificate"},
      {".psdsxs", "<X509Certificate>", "<X509Certificate>AAAA", "signer-certificate"},
      {".psdsxs", "<DigestMethod", "<Transforms/><DigestMethod", "vsix-transform"},
      {".psdsxs",
       "?ContentType=text/plain\">",
       "?ContentType=text/plain\"><Transforms><Transform Algorithm=\"urn:x\"/></Transforms>",
       "vsix-transform"},
      {".psdsxs",
       "?ContentType=text/plain\">",
       "?ContentType=text/plain\"><Transforms/><Transforms/>",
       "vsix-algorithm"},
  }));
  INFO(lie.file << ": " << lie.what << " -> " << lie.with);
  auto files = unpacked(signed_package(packed(plain_files())));
  for (auto& [name, text] : files) {
    if (name.ends_with(lie.file)) {
      text = replaced(text, lie.what, lie.with);
    }
  }

  const auto facts = facts_of(packed(files));

  INFO(text_of(facts.findings));
  CHECK((" " + ids_of(facts.findings) + " ").find(" " + lie.id + " ") != std::string::npos);
}

TEST_CASE("vsix: what is added is not covered", "[formats][vsix]") {
  const std::string name = GENERATE(std::string("b.txt"),
                                    std::string("package/services/digital-signature/b.txt"),
                                    std::string("untyped"));
  auto files = unpacked(signed_package(packed(plain_files())));
  files.insert(files.begin(), {name, "new"});

  CHECK(ids_of(facts_of(packed(files)).findings) == "vsix-unsigned-part");
}

TEST_CASE("vsix: every prefix is refused", "[formats][vsix]") {
  const auto source = signed_package(packed(plain_files()));
  const Bytes whole = must(read_bytes(*source, 0, source->size()));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Bytes part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    INFO(size);
    CHECK_FALSE(vsix::open_package(std::make_shared<MemorySource>(part)));
  }
}

TEST_CASE("vsix: packages that readers could understand differently are refused",
          "[formats][vsix]") {
  struct Case {
    std::string what;
    Files more;
    std::string types;
  };
  const std::string origin = std::string(as_text(
      vsix::relationships_text({{"R1", std::string(vsix::kOriginRelationship), "/a.txt", {}}})));
  const auto one = GENERATE_COPY(values<Case>({
      {"no content types", {}, ""},
      {"content types of another kind", {}, "<Types/>"},
      {"two Defaults", {}, replaced(kTypes, "vsixmanifest", "TXT")},
      {"a part twice", {{"%61.txt", "b"}}, kTypes},
      {"a hidden separator", {{"a%2Fb.txt", "b"}}, kTypes},
      {"relationships that are no XML", {{"_rels/.rels", "x"}}, kTypes},
      {"an origin of another type", {{"_rels/.rels", origin}}, kTypes},
      {"an entity", {{"_rels/.rels", "<!DOCTYPE a [<!ENTITY b 'c'>]>" + origin}}, kTypes},
  }));
  INFO(one.what);
  Files files{{"extension.vsixmanifest", "<PackageManifest/>"}, {"a.txt", "hello"}};
  files.insert(files.end(), one.more.begin(), one.more.end());
  if (!one.types.empty()) {
    files.emplace_back("[Content_Types].xml", one.types);
  }

  CHECK_FALSE(vsix::open_package(packed(files)));
}

TEST_CASE("vsix: a file without a content type stops the signing", "[formats][vsix]") {
  auto files = plain_files();
  files.insert(files.begin(), {"untyped", "text"});
  auto opened = must(vsix::open_package(packed(files)));

  const auto draft =
      opened->scheme()->prepare({DigestAlg::sha256,
                                 "",
                                 "",
                                 {identity(crypto::PrivateKey::Spec::rsa2048).chain[0].der()},
                                 issued_day(0)});

  REQUIRE_FALSE(draft);
  CHECK(draft.error().kind == ErrorKind::input);
}

TEST_CASE("vsix: names of parts", "[formats][vsix]") {
  CHECK(must(vsix::part_key("A b/%C3%84.TXT")) == "/a b/\xC3\x84.txt");
  CHECK(vsix::part_uri("A b/\xC3\x84%41[1]") == "/A%20b/%C3%84%41%5B1%5D");
  CHECK(vsix::part_uri("100%") == "/100%25");
  CHECK(vsix::relationships_name("a/b.c") == "a/_rels/b.c.rels");
  CHECK(vsix::target_key("/a/b/c", "../d.TXT") == "/a/d.txt");
  CHECK(vsix::target_key("/a/b/c", "/x/./y") == "/x/y");
  CHECK(vsix::target_key("/a", "../b").empty());
  CHECK(vsix::target_key("/a", "http://x/b").empty());
}

TEST_CASE("vsix: the relationships transform sorts and says the mode", "[formats][vsix]") {
  // The example of ECMA-376, part 2, in its spirit: attributes in canonical order, by Id.
  CHECK(as_text(vsix::transformed({{"b", "t2", "x&y", {}}, {"a", "t1", "z", "External"}})) ==
        "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">"
        "<Relationship Id=\"a\" Target=\"z\" TargetMode=\"External\" Type=\"t1\"></Relationship>"
        "<Relationship Id=\"b\" Target=\"x&amp;y\" TargetMode=\"Internal\" Type=\"t2\">"
        "</Relationship></Relationships>");
}
