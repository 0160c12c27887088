// SPDX-License-Identifier: Apache-2.0
#include "core/file.hpp"
#include "core/text.hpp"
#include "crypto/der.hpp"
#include "crypto/digest.hpp"
#include "formats/cat/catalog.hpp"
#include "formats/cat/ctl.hpp"
#include "formats/cat/signable.hpp"
#include "support/cat_builder.hpp"
#include "support/catch.hpp"
#include "support/cms_builder.hpp"
#include "support/issued.hpp"
#include "support/must.hpp"
#include "support/paths.hpp"
#include "support/pe_builder.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <iostream>

using namespace signctl;        // NOLINT(google-build-using-namespace): test
using namespace signctl::test;  // NOLINT(google-build-using-namespace): test

namespace {

constexpr std::string_view kCodeSigningUsage = "1.3.6.1.5.5.7.3.3";

std::unique_ptr<Signable> open(const Bytes& bytes) {
  return must(cat::open_catalog(MemorySource(bytes)));
}

CatSpec two_members() {
  CatSpec spec;
  spec.members = {{DigestAlg::sha256, crypto::hash(DigestAlg::sha256, as_bytes("a"))},
                  {DigestAlg::sha1, crypto::hash(DigestAlg::sha1, as_bytes("a"))}};
  spec.members[0].name = "a.inf";
  return spec;
}

/// A catalog signed by the tests' own builder.
Bytes signed_cat(const CatSpec& spec) {
  const auto identity = issue(leaf_for(std::string(kCodeSigningUsage)));
  CmsRecipe recipe = authenticode_recipe(identity, make_ctl(spec));
  recipe.content_type = "1.3.6.1.4.1.311.10.1";
  return build(recipe, identity.key);
}

Bytes applied(const Bytes& input, const Result<PatchSet>& patches) {
  return apply_patches(input, must(Result<PatchSet>(patches)));
}

std::string finding_ids(const Bytes& bytes) {
  return ids_of(must(open(bytes)->container_findings()), Severity::info);
}

std::string fact(Signable& file, std::string_view name) {
  for (const FileFact& one : must(file.facts())) {
    if (one.name == name) {
      return one.value;
    }
  }
  return "";
}

}  // namespace

TEST_CASE("cat: the jsign sample is read as its makers describe it", "[formats][cat]") {
  const std::string path =
      std::string(SIGNCTL_SOURCE_DIR) + "/../shared/testdata/jsign/cat/wineyes.cat";
  if (!std::filesystem::exists(path)) {
    std::cerr << "SKIPPED: jsign's catalog (" << path << " is not there)\n";
    return;
  }
  const Bytes bytes = slurp(path);
  const auto file = open(bytes);

  CHECK(must(file->signatures()).empty());
  CHECK(fact(*file, "catalog version") == "2");
  CHECK(fact(*file, "made") == "2022-08-26T16:20:11Z");
  const auto members = must(file->vouched_files());
  REQUIRE(members.size() == 2);
  CHECK(to_hex(members[0].digest) ==
        "7bb369df020cea757619e1c1d678dbca06b638f2cc45b740b5eacfc21e76b160");
  CHECK(members[0].alg == DigestAlg::sha256);
  CHECK(to_hex(members[1].tag) == "d27ec498912807ddfc4bec2be4f62c42814836f3");
  CHECK_FALSE(members[1].alg);
  // An unsigned catalog is what removal makes, byte for byte.
  CHECK(cat::encode_unsigned(must(cat::read_catalog(MemorySource(bytes))).content) == bytes);
}

TEST_CASE("cat: both versions are read", "[formats][cat]") {
  CatSpec spec = two_members();
  spec.version = GENERATE(1, 2);
  INFO(spec.version);
  const auto file = open(make_cat(spec));

  CHECK(fact(*file, "catalog version") == std::to_string(spec.version));
  CHECK(fact(*file, "members") == "2");
  CHECK(fact(*file, "attribute") == "OSAttr = 2:10.0");
  CHECK(fact(*file, "member") ==
        "sha256 " + to_hex(spec.members[0].digest) + " flat file or cabinet, a.inf");
  const auto members = must(file->vouched_files());
  REQUIRE(members.size() == 2);
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(members[i].tag == spec.members[i].digest);
    CHECK(members[i].digest == spec.members[i].digest);
    CHECK(members[i].alg == spec.members[i].alg);
  }
  CHECK(members[0].name == "a.inf");
}

TEST_CASE("cat: a label of version 1 that is no hash names nothing", "[formats][cat]") {
  // Ten UTF-16 units are as long as a SHA-1.
  CatSpec spec;
  spec.version = 1;
  CatMember member{DigestAlg::sha1, crypto::hash(DigestAlg::sha1, as_bytes("a"))};
  member.tag = Bytes{0xAB, 0xCD};
  spec.members = {member};
  CHECK(must(open(make_cat(spec))->vouched_files()).front().tag.empty());
}

TEST_CASE("cat: another kind of list vouches for no file", "[formats][cat]") {
  CatSpec spec = two_members();
  spec.usage = "1.3.6.1.4.1.311.10.3.9";  // A root list.
  const auto file = open(make_cat(spec));
  CHECK(must(file->vouched_files()).empty());
  CHECK(fact(*file, "usage") == spec.usage);
}

TEST_CASE("cat: the list is the content to sign, and its octets are what is hashed",
          "[formats][cat]") {
  const Bytes list = make_ctl(two_members());
  const Bytes bytes = make_cat(two_members());
  const auto file = open(bytes);
  const SigningContent content = must(file->content_to_sign(DigestAlg::sha384));

  CHECK(content.econtent == list);
  CHECK(content.content_type == "1.3.6.1.4.1.311.10.1");
  CHECK(file->profile().content_type == "1.3.6.1.4.1.311.10.1");
  const auto octets = must(der::parse_whole(list, der::kSequence, "list")).content;
  CHECK(content.file_digest == crypto::hash(DigestAlg::sha384, octets));
  const auto ranges = must(file->hashed_ranges());
  REQUIRE(ranges.size() == 1);
  const Bytes covered(bytes.begin() + static_cast<std::ptrdiff_t>(ranges[0].begin),
                      bytes.begin() + static_cast<std::ptrdiff_t>(ranges[0].end));
  CHECK(crypto::hash(DigestAlg::sha384, covered) == content.file_digest);
  const SigningContent parsed = must(file->parse_content(list, DigestAlg::sha384));
  CHECK(parsed.file_digest == content.file_digest);
  CHECK(parsed.alg == DigestAlg::sha384);
  CHECK_FALSE(file->hash_pages());
}

TEST_CASE("cat: embedding replaces the file, removal brings the unsigned one back",
          "[formats][cat]") {
  const CatSpec spec = two_members();
  const Bytes plain = make_cat(spec);
  const Bytes made = signed_cat(spec);
  const std::array signatures{made};
  CHECK(applied(plain, open(plain)->embed(signatures)) == made);

  const auto file = open(made);
  REQUIRE(must(file->signatures()).size() == 1);
  CHECK(must(file->signatures()).front().cms == made);
  CHECK(finding_ids(made).empty());
  CHECK(applied(made, file->strip()) == plain);
  CHECK(applied(plain, open(plain)->strip()) == plain);
}

TEST_CASE("cat: a signature over another list is refused", "[formats][cat]") {
  CatSpec other = two_members();
  other.members.pop_back();
  const auto file = open(make_cat(two_members()));
  const std::array signatures{signed_cat(other)};

  const auto patches = file->embed(signatures);

  REQUIRE_FALSE(patches);
  CHECK(patches.error().kind == ErrorKind::input);
  CHECK(must(file->check_content(make_ctl(other))).front().id == "cat-other-list");
  CHECK(must(file->check_content(make_ctl(two_members()))).empty());
}

TEST_CASE("cat: members that contradict each other or themselves are found", "[formats][cat]") {
  CatSpec spec = two_members();
  SECTION("named twice") {
    spec.members.push_back(spec.members[0]);
    CHECK(finding_ids(make_cat(spec)) == "cat-duplicate-member");
    CHECK(open(make_cat(spec))->content_to_sign(DigestAlg::sha256));
  }
  SECTION("CAT-2: named twice with different digests") {
    CatMember second = spec.members[0];
    second.tag = second.digest;
    second.digest = crypto::hash(DigestAlg::sha256, as_bytes("b"));
    spec.members.push_back(second);
    CHECK(finding_ids(make_cat(spec)) == "cat-conflicting-members cat-member-digest");
    CHECK_FALSE(open(make_cat(spec))->content_to_sign(DigestAlg::sha256));
  }
  SECTION("trailing bytes") {
    Bytes bytes = make_cat(spec);
    bytes.push_back(0);
    CHECK(finding_ids(bytes) == "cat-data-after-signature");
    CHECK_FALSE(open(bytes)->content_to_sign(DigestAlg::sha256));
    CHECK_FALSE(open(bytes)->strip());
  }
}

TEST_CASE("cat: every prefix and every changed byte is taken calmly", "[formats][cat]") {
  const Bytes good = signed_cat(two_members());
  for (std::size_t size = 0; size < good.size(); ++size) {
    const Bytes cut(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size));
    CHECK_FALSE(cat::open_catalog(MemorySource(cut)));
  }
  for (std::size_t i = 0; i < good.size(); ++i) {
    Bytes bytes = good;
    bytes[i] ^= 0xFFU;
    const auto file = cat::open_catalog(MemorySource(bytes));
    CHECK((!file || (*file)->container_findings()));
  }
}

TEST_CASE("cat: lists that lie about their structure are refused", "[formats][cat]") {
  const auto refused = [](const Bytes& list) { return !cat::parse_ctl(list); };
  CHECK(refused({}));
  CHECK(refused({0x30, 0x00}));
  CHECK(refused({0x04, 0x00}));
  Bytes two_digests = make_ctl(two_members());
  CHECK_FALSE(refused(two_digests));
  two_digests.push_back(0);
  CHECK(refused(two_digests));
}

TEST_CASE("cat: a catalog is known by its content", "[formats][cat]") {
  CHECK(cat::starts_like_catalog(make_cat(two_members())));
  CHECK(cat::starts_like_catalog(signed_cat(two_members())));
  CHECK_FALSE(cat::starts_like_catalog(Bytes{}));
  const Bytes whole = make_cat(two_members());
  CHECK_FALSE(cat::starts_like_catalog(Bytes(whole.begin(), whole.begin() + 30)));
}
