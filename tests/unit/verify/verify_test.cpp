// SPDX-License-Identifier: Apache-2.0
#include "verify/verify.hpp"

#include "cms/signed_data.hpp"
#include "core/text.hpp"
#include "crypto/der.hpp"
#include "crypto/digest.hpp"
#include "crypto/oids.hpp"
#include "fake_file.hpp"
#include "support/catch.hpp"
#include "support/cms_builder.hpp"
#include "support/issued.hpp"
#include "support/must.hpp"
#include "verify/timestamp_check.hpp"

#include <algorithm>
#include <chrono>

using namespace signctl;
using namespace signctl::test;
using crypto::Certificate;
using crypto::KeyBundle;

namespace {

constexpr std::string_view kText = "the file";
const Bytes kFile(kText.begin(), kText.end());

const KeyBundle& root() {
  static const KeyBundle made = issue(ca_named("Root"));
  return made;
}

const KeyBundle& signer() {
  static const KeyBundle made = issue(leaf_for("codeSigning", "Signer"), &root());
  return made;
}

const KeyBundle& lifetime_signer() {
  static const KeyBundle made =
      issue(leaf_for("codeSigning,1.3.6.1.4.1.311.10.3.13", "Lifetime"), &root());
  return made;
}

const KeyBundle& authority() {
  static const KeyBundle made = issue(leaf_for("critical,timeStamping", "Authority"), &root());
  return made;
}

std::string der_time(TimePoint at) {
  std::string text;
  for (const char c : to_iso8601(at)) {
    if ((c >= '0' && c <= '9') || c == 'Z') {
      text += c;
    }
  }
  return text;
}

/// Options with the root as anchor.
verify::Options judged(TimePoint now) {
  return {anchors_of({root().chain[0]}), false, now};
}

Bytes sign_with(const KeyBundle& identity, DigestAlg content_alg = DigestAlg::sha256) {
  return build(authenticode_recipe(identity, content_over(kFile, content_alg)), identity.key);
}

struct Stamp {
  TimePoint at{};
  Bytes tail{};
  std::vector<Bytes> more_certificates{};
  std::vector<Bytes> crls{};
  std::vector<Bytes> unsigned_attributes{};
  bool flip_signature{false};
};

/// A token over the signature in `cms`.
Bytes token_over(const Bytes& cms, const Stamp& stamp, const KeyBundle& by = authority()) {
  const auto data = must(cms::parse_signed_data(cms));
  TstRecipe tst;
  tst.imprint = crypto::hash(DigestAlg::sha256, data.signers.front().signature);
  tst.time = der_time(stamp.at);
  tst.tail = stamp.tail;
  CmsRecipe recipe = token_recipe(by, tst_info(tst));
  recipe.certificates.insert(
      recipe.certificates.end(), stamp.more_certificates.begin(), stamp.more_certificates.end());
  recipe.crls = stamp.crls;
  recipe.signer.unsigned_attributes = stamp.unsigned_attributes;
  if (stamp.flip_signature) {
    const Bytes other = crypto::hash(DigestAlg::sha256, kFile);
    recipe.signer.signature = must(by.key.sign_digest(other, DigestAlg::sha256));
  }
  return build(recipe, by.key);
}

Bytes with_stamps(const Bytes& cms, const std::vector<Bytes>& tokens) {
  return must(cms::with_unsigned_attribute(cms, oid::kSpcRfc3161Timestamp, tokens));
}

Bytes stamped(const Bytes& cms, const Stamp& stamp, const KeyBundle& by = authority()) {
  return with_stamps(cms, {token_over(cms, stamp, by)});
}

Report verify_all(const std::vector<Bytes>& signatures, const verify::Options& options) {
  FakeFile file(kFile, signatures);
  return must(verify::verify_file(file, options));
}

Report verify_one(const Bytes& cms, TimePoint now) {
  return verify_all({cms}, judged(now));
}

bool has(const Report& report, const std::string& id, const std::string& subject) {
  for (const Finding& finding : report.findings) {
    if (finding.id == id && finding.subject == subject) {
      return true;
    }
  }
  return false;
}

/// Ids of the errors; `later:` in front of those of the second judgement.
std::string errors(const Report& report) {
  return ids_of(report.findings);
}

}  // namespace

TEST_CASE("a good signature without a timestamp is good until its leaf expires", "[unit][verify]") {
  const Report report = verify_one(sign_with(signer()), issued_day(0));

  INFO(text_of(report.findings));
  CHECK(errors(report) == "later:certificate-expired");
  REQUIRE(report.signatures.size() == 1);
  const SignatureInfo& info = report.signatures[0];
  CHECK(info.label == "signature 1");
  CHECK(info.chain.trusted);
  CHECK(info.digest_hex == info.computed_digest_hex);
  CHECK_FALSE(info.timestamp);
  CHECK(info.signed_attributes.size() == 4);
  CHECK(info.signature_algorithm == "EC P-256 with sha256");
  CHECK(report.hashed_ranges.size() == 1);
  CHECK(report.facts.size() == 1);
  CHECK(report.judged_at == issued_day(0));
}

TEST_CASE("a good signature with a good timestamp outlives its leaf", "[unit][verify]") {
  const Bytes cms = stamped(sign_with(signer()), {issued_day(0)});
  for (const int now : {0, 99, 101, 900}) {
    const Report report = verify_one(cms, issued_day(now));

    INFO("day " << now << "\n" << text_of(report.findings));
    CHECK(errors(report).empty());
    REQUIRE(report.signatures[0].timestamp);
    CHECK(report.signatures[0].timestamp->valid);
    CHECK(report.signatures[0].timestamp->time == issued_day(0));
    CHECK(report.signatures[0].timestamp->chain.trusted);
  }
}

TEST_CASE("an untimestamped signature fails after its leaf has expired", "[unit][verify]") {
  SECTION("and there is no second judgement any more") {
    const Report report = verify_one(sign_with(signer()), issued_day(102));
    CHECK(errors(report) == "certificate-expired");
  }
  SECTION("an unauthenticated or own signing time does not help (TS-10)") {
    CmsRecipe recipe = authenticode_recipe(signer(), content_over(kFile));
    recipe.signer.attributes.push_back(attribute(
        oid::kSigningTime, {der::tlv(der::kGeneralizedTime, as_bytes(der_time(issued_day(0))))}));
    std::sort(recipe.signer.attributes.begin(), recipe.signer.attributes.end());
    const Report report = verify_one(build(recipe, signer().key), issued_day(102));
    INFO(text_of(report.findings));
    CHECK(errors(report).find("certificate-expired") != std::string::npos);
  }
}

TEST_CASE("a broken timestamp is an error, and never a fall back to now", "[unit][verify]") {
  Stamp stamp{issued_day(0)};
  stamp.flip_signature = true;
  const Bytes cms = stamped(sign_with(signer()), stamp);
  SECTION("TS-7: the leaf is still valid") {
    const Report report = verify_one(cms, issued_day(1));
    INFO(text_of(report.findings));
    CHECK(has(report, "timestamp-signature", "signature 1 timestamp"));
    CHECK_FALSE(report.signatures[0].timestamp->valid);
  }
  SECTION("TS-8: the leaf has expired") {
    const Report report = verify_one(cms, issued_day(102));
    INFO(text_of(report.findings));
    CHECK(errors(report) == "certificate-expired timestamp-signature");
  }
}

TEST_CASE("a timestamp of another signature does not count (TS-1)", "[unit][verify]") {
  const Bytes first = sign_with(signer());
  const Bytes second = sign_with(lifetime_signer());
  const Report report =
      verify_one(with_stamps(first, {token_over(second, {issued_day(0)})}), issued_day(0));
  INFO(text_of(report.findings));
  CHECK(has(report, "timestamp-imprint", "signature 1 timestamp"));
  CHECK(errors(report) == "later:certificate-expired timestamp-imprint");
}

TEST_CASE("a timestamp that cannot be read is an error", "[unit][verify]") {
  const Report report =
      verify_one(with_stamps(sign_with(signer()), {der::octet_string(kFile)}), issued_day(0));
  INFO(text_of(report.findings));
  CHECK(has(report, "timestamp-structure", "signature 1 timestamp"));
}

TEST_CASE("the timestamp must be within the leaf's validity and not ahead of the clock (TS-6)",
          "[unit][verify]") {
  SECTION("ahead of the clock") {
    const Report report = verify_one(
        stamped(sign_with(signer()), {issued_day(0) + std::chrono::minutes(6)}), issued_day(0));
    INFO(text_of(report.findings));
    CHECK(errors(report) == "later:certificate-expired timestamp-future");
  }
  SECTION("ahead by less than the tolerance") {
    const Report report = verify_one(
        stamped(sign_with(signer()), {issued_day(0) + std::chrono::minutes(4)}), issued_day(0));
    INFO(text_of(report.findings));
    CHECK(errors(report).empty());
  }
  SECTION("after the leaf expired") {
    auto long_lived = leaf_for("critical,timeStamping", "Long Authority");
    long_lived.not_after = issued_day(900);
    const KeyBundle by = issue(long_lived, &root());
    const Report report =
        verify_one(stamped(sign_with(signer()), {issued_day(101)}, by), issued_day(102));
    INFO(text_of(report.findings));
    CHECK(errors(report) == "certificate-expired timestamp-outside-validity");
  }
  SECTION("an accuracy that reaches past the leaf's end") {
    Stamp stamp{issued_day(100) - std::chrono::seconds(30)};
    stamp.tail = der::sequence({der::integer(60)});
    const Report report = verify_one(stamped(sign_with(signer()), stamp), issued_day(102));
    INFO(text_of(report.findings));
    CHECK(errors(report) == "timestamp-outside-validity");
  }
}

TEST_CASE("only one timestamp is allowed (TS-9, TS-15)", "[unit][verify]") {
  const Bytes cms = sign_with(signer());
  SECTION("two values") {
    const Report report = verify_one(
        with_stamps(cms, {token_over(cms, {issued_day(0)}), token_over(cms, {issued_day(-1)})}),
        issued_day(0));
    INFO(text_of(report.findings));
    CHECK(has(report, "timestamp-duplicate", "signature 1 timestamp"));
    CHECK_FALSE(report.signatures[0].timestamp->valid);
  }
  SECTION("both kinds") {
    const Bytes both = must(cms::with_unsigned_attribute(
        stamped(cms, {issued_day(0)}), oid::kCounterSignature, {der::sequence({})}));
    const Report report = verify_one(both, issued_day(0));
    INFO(text_of(report.findings));
    CHECK(has(report, "timestamp-duplicate", "signature 1 timestamp"));
  }
}

TEST_CASE("anchors of the two purposes are apart (TS-11)", "[unit][verify]") {
  const KeyBundle stamp_root = issue(ca_named("Stamp Root"));
  const KeyBundle by = issue(leaf_for("critical,timeStamping", "Other Authority"), &stamp_root);
  const Bytes cms = stamped(sign_with(signer()), {issued_day(0)}, by);
  const auto with = [&](const std::vector<Certificate>& code,
                        const std::vector<Certificate>& time) {
    return verify_all({cms}, {anchors_of(code, time), false, issued_day(0)});
  };

  CHECK(errors(with({root().chain[0]}, {stamp_root.chain[0]})).empty());
  const Report swapped = with({stamp_root.chain[0]}, {root().chain[0]});
  INFO(text_of(swapped.findings));
  CHECK_FALSE(swapped.signatures[0].chain.trusted);
  CHECK_FALSE(swapped.signatures[0].timestamp->valid);
}

TEST_CASE("an authority without the right purpose cannot stamp (TS-3)", "[unit][verify]") {
  const Report report =
      verify_one(stamped(sign_with(signer()), {issued_day(0)}, signer()), issued_day(0));
  INFO(text_of(report.findings));
  CHECK(has(report, "timestamp-eku", "signature 1 timestamp"));
  CHECK_FALSE(report.signatures[0].timestamp->valid);
}

TEST_CASE("the authority's own expiry after the stamp does not matter", "[unit][verify]") {
  auto brief = leaf_for("critical,timeStamping", "Brief Authority");
  brief.not_after = issued_day(1);
  const KeyBundle by = issue(brief, &root());
  const Report report =
      verify_one(stamped(sign_with(signer()), {issued_day(0)}, by), issued_day(500));
  INFO(text_of(report.findings));
  CHECK(errors(report).empty());
}

TEST_CASE("a lifetime signing leaf gains nothing from a timestamp (TS-13)", "[unit][verify]") {
  const Bytes cms = stamped(sign_with(lifetime_signer()), {issued_day(0)});
  SECTION("while it is valid, the second judgement warns") {
    const Report report = verify_one(cms, issued_day(1));
    INFO(text_of(report.findings));
    CHECK(errors(report) == "later:certificate-expired");
  }
  SECTION("after it has expired") {
    const Report report = verify_one(cms, issued_day(102));
    INFO(text_of(report.findings));
    CHECK(errors(report) == "certificate-expired");
  }
}

TEST_CASE("a token with an attribute certificate passes (TS-14)", "[unit][verify]") {
  Stamp stamp{issued_day(0)};
  stamp.more_certificates = {der::tlv(der::context(1), der::sequence({der::integer(1)}))};
  const Report report = verify_one(stamped(sign_with(signer()), stamp), issued_day(0));
  INFO(text_of(report.findings));
  CHECK(errors(report).empty());
}

TEST_CASE("a token under another attribute is no timestamp (TS-12)", "[unit][verify]") {
  const Bytes cms = sign_with(signer());
  const Bytes odd = must(cms::with_unsigned_attribute(
      cms, "1.2.840.113549.1.9.16.2.14", {token_over(cms, {issued_day(0)})}));
  const Report report = verify_one(odd, issued_day(0));
  INFO(text_of(report.findings));
  CHECK_FALSE(report.signatures[0].timestamp);
  CHECK(has(report, "unsigned-attribute-unknown", "signature 1"));
}

TEST_CASE("a changed file is found, with both digests", "[unit][verify]") {
  Bytes changed = kFile;
  changed[0] ^= 1U;
  FakeFile file(changed, {sign_with(signer())});
  const Report report = must(verify::verify_file(file, judged(issued_day(0))));
  INFO(text_of(report.findings));
  CHECK(has(report, "digest-mismatch", "signature 1"));
  const std::string text = text_of(report.findings);
  CHECK(text.find(report.signatures[0].digest_hex) != std::string::npos);
  CHECK(text.find(report.signatures[0].computed_digest_hex) != std::string::npos);
}

TEST_CASE("content digested with another algorithm than the signer's is refused",
          "[unit][verify]") {
  const Report sha384 = verify_one(sign_with(signer(), DigestAlg::sha384), issued_day(0));
  INFO(text_of(sha384.findings));
  CHECK(has(sha384, "cms-digest-algorithms", "signature 1"));
  const Report sha1 = verify_one(sign_with(signer(), DigestAlg::sha1), issued_day(0));
  INFO(text_of(sha1.findings));
  CHECK(has(sha1, "weak-digest", "signature 1"));
  const Report md5 = verify_one(sign_with(signer(), DigestAlg::md5), issued_day(0));
  CHECK(has(md5, "forbidden-digest", "signature 1"));
}

TEST_CASE("nested signatures are each judged on their own", "[unit][verify]") {
  const Bytes good = sign_with(signer());
  const Bytes foreign =
      build(authenticode_recipe(signer(), content_over(as_bytes("other"))), signer().key);
  SECTION("CMS-14: a broken primary is not saved by a good nested one") {
    const Report report =
        verify_one(must(cms::with_nested_signature(foreign, good)), issued_day(0));
    INFO(text_of(report.findings));
    CHECK(has(report, "digest-mismatch", "signature 1"));
    CHECK_FALSE(has(report, "digest-mismatch", "signature 1.1"));
    REQUIRE(report.signatures.size() == 2);
    CHECK(report.signatures[1].label == "signature 1.1");
    CHECK(report.signatures[1].depth == 1);
  }
  SECTION("a broken nested one is reported under its own label") {
    const Report report =
        verify_one(must(cms::with_nested_signature(good, foreign)), issued_day(0));
    CHECK(has(report, "digest-mismatch", "signature 1.1"));
    CHECK_FALSE(has(report, "digest-mismatch", "signature 1"));
  }
  SECTION("identical ones, and digests of both from one pass") {
    FakeFile file(kFile, {must(cms::with_nested_signature(good, good)), good});
    const Report report = must(verify::verify_file(file, judged(issued_day(0))));
    INFO(text_of(report.findings));
    CHECK(report.signatures.size() == 3);
    CHECK(report.signatures[2].label == "signature 2");
    CHECK(errors(report) == "later:certificate-expired");
    CHECK(file.passes == 1);
  }
  SECTION("CMS-15: deeper than one level") {
    const Bytes inner = must(cms::with_nested_signature(good, good));
    const Report report = verify_one(
        must(cms::with_unsigned_attribute(good, oid::kSpcNestedSignature, {inner})), issued_day(0));
    INFO(text_of(report.findings));
    CHECK(has(report, "nested-depth", "signature 1.1"));
    CHECK(report.signatures.size() == 2);
  }
  SECTION("CMS-15: more than eight") {
    const Report report =
        verify_one(must(cms::with_unsigned_attribute(
                       good, oid::kSpcNestedSignature, std::vector<Bytes>(9, good))),
                   issued_day(0));
    CHECK(has(report, "nested-count", "signature 1"));
    CHECK(report.signatures.size() == 9);
  }
  SECTION("nonsense in the attribute") {
    const Report report =
        verify_one(must(cms::with_unsigned_attribute(
                       good, oid::kSpcNestedSignature, {der::octet_string(kFile)})),
                   issued_day(0));
    CHECK(has(report, "cms-malformed", "signature 1.1"));
  }
}

TEST_CASE("what cannot be parsed is a finding, not an error of the whole", "[unit][verify]") {
  const Report report =
      verify_all({der::octet_string(kFile), sign_with(signer())}, judged(issued_day(0)));
  INFO(text_of(report.findings));
  CHECK(has(report, "cms-malformed", "signature 1"));
  CHECK(report.signatures.size() == 2);
  CHECK(report.signatures[1].chain.trusted);
}

TEST_CASE("content that is not SpcIndirectData is refused (CMS-2)", "[unit][verify]") {
  CmsRecipe recipe = authenticode_recipe(signer(), content_over(kFile));
  recipe.content_type = oid::kTstInfo;
  attribute_named(recipe.signer.attributes, oid::kContentType) =
      attribute(oid::kContentType, {der::oid(oid::kTstInfo)});
  std::sort(recipe.signer.attributes.begin(), recipe.signer.attributes.end());
  const Report report = verify_one(build(recipe, signer().key), issued_day(0));
  INFO(text_of(report.findings));
  CHECK(has(report, "content-malformed", "signature 1"));
}

TEST_CASE("an unsigned file says so, after its container's findings", "[unit][verify]") {
  FakeFile file(kFile, {});
  file.container = {{"pe-data-after-table", Severity::error, "", "bytes follow"}};
  const Report report = must(verify::verify_file(file, judged(issued_day(0))));
  CHECK(errors(report) == "pe-data-after-table unsigned");
  CHECK(has(report, "pe-data-after-table", "file"));
  CHECK(report.signatures.empty());
}

TEST_CASE("unsigned bytes are named, and refused when there are many (CMS-17)", "[unit][verify]") {
  const Bytes good = sign_with(signer());
  const auto with = [&](std::size_t size, int count) {
    Bytes cms = good;
    for (int i = 0; i < count; ++i) {
      cms = must(cms::with_unsigned_attribute(
          cms, "1.2.3.4." + std::to_string(i), {der::octet_string(Bytes(size, 0x41))}));
    }
    return verify_one(cms, issued_day(0));
  };
  CHECK(ids_of(with(100, 1).findings, Severity::warning).find("unsigned-attribute-unknown") !=
        std::string::npos);
  CHECK(errors(with(100, 1)).find("unsigned-stuffing") == std::string::npos);
  CHECK(errors(with(5000, 1)).find("unsigned-stuffing") != std::string::npos);
  // Cut into pieces it is no less.
  CHECK(errors(with(1000, 5)).find("unsigned-stuffing") != std::string::npos);
}

TEST_CASE("a surplus certificate is named, and refused when it is large", "[unit][verify]") {
  const auto with = [](const Certificate& surplus) {
    CmsRecipe recipe = authenticode_recipe(signer(), content_over(kFile));
    recipe.certificates.push_back(surplus.der());
    return verify_one(build(recipe, signer().key), issued_day(0));
  };
  const Report small = with(issue(ca_named("Nobody's")).chain[0]);
  INFO(text_of(small.findings));
  CHECK(has(small, "certificate-surplus", "signature 1"));
  CHECK(errors(small) == "later:certificate-expired");

  auto stuffed = ca_named("Stuffed");
  stuffed.extra_extensions = {{"nsComment", std::string(5000, 'x')}};
  CHECK(errors(with(issue(stuffed).chain[0])).find("unsigned-stuffing") != std::string::npos);
}

TEST_CASE("many small surplus certificates are refused as well", "[unit][verify]") {
  const auto with = [](int count) {
    CmsRecipe recipe = authenticode_recipe(signer(), content_over(kFile));
    for (int i = 0; i < count; ++i) {
      auto padded = ca_named("Padded " + std::to_string(i));
      padded.extra_extensions = {{"nsComment", std::string(3000, 'x')}};
      recipe.certificates.push_back(issue(padded).chain[0].der());
    }
    return verify_one(build(recipe, signer().key), issued_day(0));
  };
  CHECK(errors(with(3)) == "later:certificate-expired");
  CHECK(errors(with(12)).find("unsigned-stuffing") != std::string::npos);
}

TEST_CASE("revocation lists, other certificates and seals are no hiding place (CMS-17)",
          "[unit][verify]") {
  const Bytes filler = der::octet_string(Bytes(5000, 0x41));
  SECTION("revocation lists") {
    CmsRecipe recipe = authenticode_recipe(signer(), content_over(kFile));
    recipe.crls.push_back(der::sequence({filler}));
    CHECK(
        errors(verify_one(build(recipe, signer().key), issued_day(0))).find("unsigned-stuffing") !=
        std::string::npos);
  }
  SECTION("certificates of another kind") {
    CmsRecipe recipe = authenticode_recipe(signer(), content_over(kFile));
    recipe.certificates.push_back(der::tlv(der::context(3), filler));
    CHECK(
        errors(verify_one(build(recipe, signer().key), issued_day(0))).find("unsigned-stuffing") !=
        std::string::npos);
  }
  SECTION("a seal has room, but not for anything") {
    const auto sealed = [](std::size_t size) {
      return verify_one(must(cms::with_unsigned_attribute(sign_with(signer()),
                                                          oid::kSpcSealingSignature,
                                                          {der::octet_string(Bytes(size, 0x41))})),
                        issued_day(0));
    };
    CHECK(errors(sealed(20'000)) == "later:certificate-expired");
    CHECK(errors(sealed(70'000)).find("unsigned-stuffing") != std::string::npos);
  }
}

TEST_CASE("a token has room for revocation lists, but not for anything", "[unit][verify]") {
  const auto filler = [](std::size_t size) { return der::octet_string(Bytes(size, 0x41)); };
  const auto with = [](const Stamp& stamp) {
    return errors(verify_one(stamped(sign_with(signer()), stamp), issued_day(0)));
  };
  Stamp lists{issued_day(0)};
  lists.crls = {der::sequence({filler(20'000)})};
  CHECK(with(lists).empty());
  lists.crls.push_back(der::sequence({filler(50'000)}));
  CHECK(with(lists).find("unsigned-stuffing") != std::string::npos);

  Stamp attributes{issued_day(0)};
  attributes.unsigned_attributes = {attribute("1.2.3.4", {filler(70'000)})};
  CHECK(with(attributes).find("unsigned-stuffing") != std::string::npos);

  const Bytes token = token_over(sign_with(signer()), attributes);
  const auto objections = verify::objections_to_token(token, judged(issued_day(0)));
  REQUIRE(objections.size() == 1);
  CHECK(objections[0].id == "unsigned-stuffing");

  // Less is told all the same.
  Stamp small{issued_day(0)};
  small.crls = {der::sequence({filler(100)})};
  small.unsigned_attributes = {attribute("1.2.3.4", {filler(10)})};
  const Report report = verify_one(stamped(sign_with(signer()), small), issued_day(0));
  CHECK(has(report, "unsigned-attribute-unknown", "signature 1 timestamp"));
  CHECK(has(report, "timestamp-extras", "signature 1 timestamp"));
  CHECK(errors(report).empty());
}

TEST_CASE("an attribute without a value is none", "[unit][verify]") {
  CmsRecipe recipe = authenticode_recipe(signer(), content_over(kFile));
  recipe.signer.unsigned_attributes = {attribute(oid::kSpcRfc3161Timestamp, {})};
  const Report report = verify_one(build(recipe, signer().key), issued_day(0));
  CHECK(errors(report).find("cms-malformed") != std::string::npos);
}

TEST_CASE("a token's certificates outside its chain are no hiding place either", "[unit][verify]") {
  const auto with = [](int count, std::size_t size) {
    Stamp stamp{issued_day(0)};
    for (int i = 0; i < count; ++i) {
      auto padded = ca_named("Padded " + std::to_string(i));
      padded.extra_extensions = {{"nsComment", std::string(size, 'x')}};
      stamp.more_certificates.push_back(issue(padded).chain[0].der());
    }
    return verify_one(stamped(sign_with(signer()), stamp), issued_day(0));
  };
  CHECK(errors(with(1, 100)).empty());

  for (const Report& report : {with(1, 5000), with(12, 3000)}) {
    INFO(text_of(report.findings));
    CHECK(has(report, "unsigned-stuffing", "signature 1 timestamp"));
    CHECK(errors(report) == "unsigned-stuffing");
  }
}

TEST_CASE("of the embedded certificates the signer's own alone is trusted when asked",
          "[unit][verify]") {
  const auto store = anchors_of({});
  SECTION("a root embedded above a leaf is no anchor") {
    CmsRecipe recipe = authenticode_recipe(signer(), content_over(kFile));
    recipe.certificates.push_back(root().chain[0].der());
    const Report report = verify_all({build(recipe, signer().key)}, {store, true, issued_day(0)});
    INFO(text_of(report.findings));
    CHECK(errors(report).find("chain-untrusted") != std::string::npos);
    CHECK_FALSE(report.signatures[0].chain.trusted);
  }
  SECTION("a self-signed leaf is one, without the rehearsal mark as well") {
    const KeyBundle own = issue(leaf_for("codeSigning", "Own"));
    const Report report = verify_all({sign_with(own)}, {store, true, issued_day(0)});
    INFO(text_of(report.findings));
    CHECK(errors(report) == "later:certificate-expired");
    CHECK(report.signatures[0].chain.trusted);
  }
}

TEST_CASE("the signer itself is trusted only when asked", "[unit][verify]") {
  auto wanted = leaf_for("codeSigning", "Rehearsal");
  wanted.rehearsal = true;
  const KeyBundle own = issue(wanted);
  const Bytes cms = sign_with(own);
  const auto store = anchors_of({});

  const Report refused = verify_all({cms}, {store, false, issued_day(0)});
  CHECK(errors(refused).find("chain-untrusted") != std::string::npos);

  const Report accepted = verify_all({cms}, {store, true, issued_day(0)});
  INFO(text_of(accepted.findings));
  CHECK(errors(accepted) == "later:certificate-expired");
  CHECK(accepted.signatures[0].chain.certificates[0].rehearsal);

  SECTION("an authority only with the rehearsal mark") {
    for (const bool marked : {false, true}) {
      auto tsa = leaf_for("critical,timeStamping", "Self-signed Authority");
      tsa.rehearsal = marked;
      const Report report =
          verify_all({stamped(cms, {issued_day(0)}, issue(tsa))}, {store, true, issued_day(0)});
      INFO("marked " << marked << "\n" << text_of(report.findings));
      CHECK(report.signatures[0].timestamp->valid == marked);
    }
  }
}

TEST_CASE("every report says that revocation was not looked up", "[unit][verify]") {
  const Report report = verify_one(sign_with(signer()), issued_day(0));
  CHECK(has(report, "revocation-not-checked", "file"));
  CHECK(has(report, "ecdsa-leaf", "signature 1"));
}
