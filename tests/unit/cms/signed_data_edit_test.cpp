// SPDX-License-Identifier: Apache-2.0
#include "cms/signed_data.hpp"
#include "core/text.hpp"
#include "crypto/der.hpp"
#include "crypto/oids.hpp"
#include "fixtures.hpp"
#include "support/catch.hpp"
#include "support/cms_builder.hpp"
#include "support/must.hpp"

using namespace signctl;        // NOLINT(google-build-using-namespace): test
using namespace signctl::test;  // NOLINT(google-build-using-namespace): test

namespace {

constexpr std::string_view kFirst = "1.2.3.1";
constexpr std::string_view kSecond = "1.2.3.2";
constexpr std::string_view kThird = "1.2.3.3";

Bytes value(std::uint8_t fill, std::size_t size) {
  return der::octet_string(Bytes(size, fill));
}

Bytes signature_with(const std::vector<Bytes>& unsigned_attributes) {
  auto recipe = authenticode_recipe(rsa_signer(), indirect_data());
  recipe.signer.unsigned_attributes = unsigned_attributes;
  return build(recipe, rsa_signer().key);
}

Bytes signature_with_signed(const Bytes& extra) {
  auto recipe = authenticode_recipe(rsa_signer(), indirect_data());
  recipe.signer.attributes.push_back(extra);
  return build(recipe, rsa_signer().key);
}

std::vector<Bytes> nested_in(const Bytes& cms) {
  const auto data = must(cms::parse_signed_data(cms));
  std::vector<Bytes> values;
  for (const auto* attribute : data.signers.front().find_unsigned(oid::kSpcNestedSignature)) {
    values.insert(values.end(), attribute->values.begin(), attribute->values.end());
  }
  return values;
}

}  // namespace

TEST_CASE("unsigned attribute: setting one gives the bytes of building it in", "[cms]") {
  const auto size = GENERATE(0, 1, 100, 127, 128, 5000, 70000);
  const Bytes token = value(0x42, static_cast<std::size_t>(size));

  const auto edited = must(cms::with_unsigned_attribute(signature_with({}), kFirst, {token}));

  CHECK(to_hex(edited) == to_hex(signature_with({attribute(kFirst, {token})})));
}

TEST_CASE("unsigned attribute: removing the last one leaves no empty set", "[cms]") {
  const Bytes cms = signature_with({attribute(kFirst, {value(1, 300)})});

  const auto edited = must(cms::with_unsigned_attribute(cms, kFirst, {}));

  CHECK(to_hex(edited) == to_hex(signature_with({})));
}

TEST_CASE("unsigned attribute: removing what is not there changes nothing", "[cms]") {
  const auto cms = GENERATE(signature_with({}), signature_with({attribute(kFirst, {value(1, 3)})}));

  CHECK(must(cms::with_unsigned_attribute(cms, kSecond, {})) == cms);
}

TEST_CASE("unsigned attribute: the others stay as and where they are", "[cms]") {
  const Bytes first = attribute(kFirst, {value(1, 3), value(2, 3)});
  const Bytes second = attribute(kSecond, {value(1, 3)});
  const Bytes third = attribute(kThird, {value(1, 30)});
  const Bytes fresh = attribute(kSecond, {value(9, 10)});

  const auto replaced = must(cms::with_unsigned_attribute(
      signature_with({first, second, third}), kSecond, {value(9, 10)}));
  const auto added =
      must(cms::with_unsigned_attribute(signature_with({third, first}), kSecond, {value(9, 10)}));
  const auto merged = must(cms::with_unsigned_attribute(
      signature_with({second, first, second}), kSecond, {value(9, 10)}));

  // Sorted by encoding where the others are; their own order is theirs.
  CHECK(to_hex(replaced) == to_hex(signature_with({first, fresh, third})));
  CHECK(to_hex(added) == to_hex(signature_with({fresh, third, first})));
  CHECK(to_hex(merged) == to_hex(signature_with({first, fresh})));
}

TEST_CASE("unsigned attribute: only the first signer is edited", "[cms]") {
  auto recipe = authenticode_recipe(rsa_signer(), indirect_data());
  recipe.more_signers = {build_signer(recipe.signer, rsa_signer().key)};
  const Bytes cms = build(recipe, rsa_signer().key);
  recipe.signer.unsigned_attributes = {attribute(kFirst, {value(1, 1)})};

  const auto edited = must(cms::with_unsigned_attribute(cms, kFirst, {value(1, 1)}));

  CHECK(edited == build(recipe, rsa_signer().key));
}

TEST_CASE("unsigned attribute: the signature still verifies afterwards", "[cms]") {
  const auto edited =
      must(cms::with_unsigned_attribute(signature_with({}), kFirst, {value(1, 1000)}));

  const auto data = must(cms::parse_signed_data(edited));
  CHECK(describe(check_signer(data, data.signers[0], cms::Flavour::authenticode)) == "");
}

TEST_CASE("unsigned attribute: a sealed signature is left alone", "[cms]") {
  const auto* oid = GENERATE(&oid::kSpcSealingSignature, &oid::kSpcSealingTimestamp);
  const Bytes cms = signature_with({attribute(*oid, {value(1, 1)})});

  const auto edited = cms::with_unsigned_attribute(cms, kFirst, {value(1, 1)});
  const auto nested = cms::with_nested_signature(cms, signature_with({}));

  REQUIRE_FALSE(edited);
  CHECK(edited.error().kind == ErrorKind::unsupported);
  REQUIRE_FALSE(nested);
  CHECK(nested.error().kind == ErrorKind::unsupported);
}

TEST_CASE("nested signature: is refused where the primary intends to be sealed", "[cms]") {
  const Bytes cms = signature_with_signed(attribute(oid::kSpcIntentToSeal, {value(1, 1)}));

  const auto nested = cms::with_nested_signature(cms, signature_with({}));

  REQUIRE_FALSE(nested);
  CHECK(nested.error().kind == ErrorKind::unsupported);
  CHECK(cms::with_unsigned_attribute(cms, kFirst, {value(1, 1)}));
}

TEST_CASE("nested signature: is appended in order and comes out as it went in", "[cms]") {
  const Bytes primary = signature_with({attribute(kFirst, {value(1, 3)})});
  const Bytes one = signature_with({attribute(kSecond, {value(1, 1)})});
  const Bytes two = signature_with({});

  const Bytes with_one = must(cms::with_nested_signature(primary, one));
  const Bytes with_two = must(cms::with_nested_signature(with_one, two));

  CHECK(nested_in(primary).empty());
  CHECK(nested_in(with_one) == std::vector<Bytes>{one});
  CHECK(nested_in(with_two) == std::vector<Bytes>{one, two});
  CHECK(must(cms::with_unsigned_attribute(with_two, oid::kSpcNestedSignature, {})) == primary);
}

TEST_CASE("nested signature: eight are the limit", "[cms]") {
  Bytes cms = signature_with({});
  const Bytes nested = cms;
  for (int i = 0; i < 8; ++i) {
    cms = must(cms::with_nested_signature(cms, nested));
  }

  const auto ninth = cms::with_nested_signature(cms, nested);

  REQUIRE_FALSE(ninth);
  CHECK(ninth.error().kind == ErrorKind::unsupported);
}

TEST_CASE("nested signature: a second level is refused", "[cms]") {
  const Bytes plain = signature_with({});
  const Bytes nested = must(cms::with_nested_signature(plain, plain));

  const auto twice = cms::with_nested_signature(plain, nested);

  REQUIRE_FALSE(twice);
  CHECK(twice.error().kind == ErrorKind::unsupported);
}

TEST_CASE("nested signature: what is no signature is refused", "[cms]") {
  const Bytes plain = signature_with({});

  CHECK(cms::with_nested_signature(plain, Bytes{0x30, 0x00}).error().kind == ErrorKind::input);
  CHECK(cms::with_nested_signature(Bytes{}, plain).error().kind == ErrorKind::input);
  CHECK(cms::with_unsigned_attribute(Bytes{1}, kFirst, {}).error().kind == ErrorKind::input);
}
