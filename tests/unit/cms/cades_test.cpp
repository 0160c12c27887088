// SPDX-License-Identifier: Apache-2.0
#include "cms/cades.hpp"

#include "cms/signed_data.hpp"
#include "core/text.hpp"
#include "crypto/der.hpp"
#include "crypto/digest.hpp"
#include "crypto/oids.hpp"
#include "support/catch.hpp"
#include "support/cms_builder.hpp"
#include "support/issued.hpp"
#include "support/must.hpp"

#include <algorithm>

using namespace signctl;        // NOLINT(google-build-using-namespace): test
using namespace signctl::test;  // NOLINT(google-build-using-namespace): test

namespace {

const crypto::KeyBundle& identity() {
  static const crypto::KeyBundle made =
      issue(leaf_for("codeSigning"), nullptr, crypto::PrivateKey::Spec::rsa2048);
  return made;
}

cms::CadesAttributesSpec spec_at(TimePoint time) {
  return {oid::kData,
          Bytes(32, 7),
          DigestAlg::sha256,
          identity().chain.front(),
          time,
          oid::kProofOfOrigin};
}

bool contains(const Bytes& whole, std::string_view hex) {
  const Bytes part = from_hex(hex).value();
  return std::search(whole.begin(), whole.end(), part.begin(), part.end()) != whole.end();
}

/// One SignerInfo with `attributes`, not really signed.
cms::SignerInfo signer_with(const std::vector<Bytes>& attributes) {
  CmsRecipe recipe = authenticode_recipe(identity(), der::sequence({}));
  recipe.signer.attributes = attributes;
  return must(cms::parse_signed_data(build(recipe, identity().key))).signers.front();
}

}  // namespace

TEST_CASE("cades: the attributes are those of NuGet's clients", "[unit][cms]") {
  const Bytes set = cms::encode_cades_attributes(spec_at(issued_day(0)));

  // contentType: id-data.
  CHECK(contains(set, "301806092a864886f70d010903310b06092a864886f70d010701"));
  // signingTime: UTCTime 260601000000Z.
  CHECK(contains(set, "301c06092a864886f70d010905310f170d3236303630313030303030305a"));
  // commitmentTypeIndication: a SEQUENCE with the type alone.
  CHECK(contains(set, "301e060b2a864886f70d0109100210310f300d060b2a864886f70d0109100601"));
  // signingCertificateV2: SHA-256 named although it is the default, without parameters.
  CHECK(contains(set,
                 "300b06096086480165030402010420" +
                     to_hex(crypto::hash(DigestAlg::sha256, identity().chain.front().der()))));
  der::Parser parser(must(der::parse_whole(set, der::kSet, "attributes")).content);
  std::vector<Bytes> members;
  while (!parser.at_end()) {
    const ByteView one = must(parser.next("attribute")).full;
    members.emplace_back(one.begin(), one.end());
  }
  CHECK(members.size() == 5);
  CHECK(std::is_sorted(members.begin(), members.end()));
  CHECK(cms::check_cades_attributes(signer_with(members), identity().chain.front()).empty());
}

TEST_CASE("cades: years that two digits do not tell are written in full", "[unit][cms]") {
  const auto year = [](int y) {
    return TimePoint(std::chrono::sys_days(std::chrono::year_month_day(
        std::chrono::year(y), std::chrono::January, std::chrono::day(2))));
  };
  struct Case {
    int year;
    std::string text;
  };
  const auto one = GENERATE(values<Case>({{1950, "170d3530303130323030303030305a"},
                                          {2049, "170d3439303130323030303030305a"},
                                          {2050, "180f32303530303130323030303030305a"},
                                          {1949, "180f31393439303130323030303030305a"}}));
  INFO(one.year);
  CHECK(contains(cms::encode_cades_attributes(spec_at(year(one.year))), one.text));
}

TEST_CASE("cades: a new SignedData in plain CMS names its signer by key identifier",
          "[unit][cms]") {
  cms::SignedDataParts parts;
  parts.form = cms::Form::cms;
  parts.content_type = oid::kData;
  parts.econtent = der::octet_string(as_bytes("text"));
  auto spec = spec_at(issued_day(0));
  spec.message_digest = crypto::hash(DigestAlg::sha256, as_bytes("text"));
  parts.signed_attributes_set = cms::encode_cades_attributes(spec);
  parts.signature = must(identity().key.sign_digest(
      crypto::hash(DigestAlg::sha256, parts.signed_attributes_set), DigestAlg::sha256));
  parts.chain = identity().chain;

  const auto data = must(cms::parse_signed_data(cms::encode_signed_data(parts)));

  const cms::SignerInfo& signer = data.signers.front();
  CHECK(data.version == 3);
  CHECK(signer.version == 3);
  CHECK_FALSE(signer.by_issuer_and_serial);
  CHECK(signer.subject_key_id == cms::subject_key_id(identity().chain.front()));
  CHECK_FALSE(signer.subject_key_id.empty());
  CHECK(data.content_in_octet_string);
  CHECK(cms::check_signer(data, signer, cms::Flavour::cms).empty());
  // The same is no Authenticode.
  CHECK(ids_of(cms::check_signer(data, signer, cms::Flavour::authenticode)) ==
        "cms-octet-string cms-version signer-certificate");
}

TEST_CASE("cades: commitments are read wherever they stand", "[unit][cms]") {
  const Bytes origin = der::sequence({der::oid(oid::kProofOfOrigin)});
  const Bytes receipt = der::sequence({der::oid(oid::kProofOfReceipt), der::sequence({})});

  CHECK(must(cms::read_commitment_types(signer_with({attribute("1.2.3", {der::null()})}))).empty());
  CHECK(must(cms::read_commitment_types(
            signer_with({attribute(oid::kCommitmentType, {origin, receipt})}))) ==
        std::vector<std::string>{std::string(oid::kProofOfOrigin),
                                 std::string(oid::kProofOfReceipt)});
  CHECK_FALSE(
      cms::read_commitment_types(signer_with({attribute(oid::kCommitmentType, {der::null()})})));
}
