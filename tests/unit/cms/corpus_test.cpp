// SPDX-License-Identifier: Apache-2.0
// Not a test: writes the seeds below tests/fuzz/corpus anew. Run with
// `test_unit_cms "fuzz seeds: are written"`; hidden from ordinary runs because it writes to the
// source tree.

#include "cms/authenticode.hpp"
#include "cms/signed_data.hpp"
#include "cms/timestamp_token.hpp"
#include "core/text.hpp"
#include "crypto/der.hpp"
#include "crypto/digest.hpp"
#include "crypto/oids.hpp"
#include "fixtures.hpp"
#include "support/catch.hpp"
#include "support/cms_builder.hpp"
#include "support/must.hpp"
#include "support/paths.hpp"

using namespace signctl;        // NOLINT(google-build-using-namespace): test
using namespace signctl::test;  // NOLINT(google-build-using-namespace): test

TEST_CASE("fuzz seeds: are written", "[.][seeds]") {
  const std::string folder = std::string(SIGNCTL_SOURCE_DIR) + "/tests/fuzz/corpus/cms/";
  auto recipe = authenticode_recipe(ec_signer(), indirect_data());
  recipe.certificates.resize(1);
  const Bytes plain = build(recipe, ec_signer().key);
  TstRecipe tst;
  tst.imprint = crypto::hash(DigestAlg::sha256, Bytes(64, 1));
  tst.tail = der::sequence({der::integer(1)});
  auto token_parts = token_recipe(ec_signer(), tst_info(tst));
  token_parts.certificates = {ec_signer().chain.front().der(),
                              der::tlv(der::context(1), der::null())};
  const Bytes token = build(token_parts, ec_signer().key);
  const Bytes status = der::sequence({der::integer(0)});
  auto counter = token_recipe(ec_signer(), Bytes{0x30, 0x00}).signer;
  drop_attribute(counter.attributes, oid::kSigningCertificateV2);
  counter.attributes.push_back(
      attribute(oid::kSigningTime, {der::tlv(der::kUtcTime, as_bytes("140102030405Z"))}));
  const Bytes counter_value = build_signer(counter, ec_signer().key);

  spill(folder + "plain", plain);
  spill(folder + "token", token);
  spill(folder + "stamped",
        must(cms::with_unsigned_attribute(plain, oid::kSpcRfc3161Timestamp, {token})));
  spill(folder + "countersigned",
        must(cms::with_unsigned_attribute(plain, oid::kCounterSignature, {counter_value})));
  spill(folder + "nested", must(cms::with_nested_signature(plain, plain)));
  spill(folder + "response", der::sequence({status, token}));
  spill(folder + "indirect-data", indirect_data());
  spill(folder + "signer-info", counter_value);
  const std::string der_folder = std::string(SIGNCTL_SOURCE_DIR) + "/tests/fuzz/corpus/der/";
  spill(der_folder + "attributes",
        cms::encode_signed_attributes(
            cms::SignedAttributesSpec{"1.2.3", Bytes(32, 1), {"name", "http://a"}, 1}));
  spill(der_folder + "tst-info", tst_info(tst));

  CHECK(slurp(folder + "nested").size() < 4096);
}
