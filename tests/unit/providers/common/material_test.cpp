// SPDX-License-Identifier: Apache-2.0
#include "providers/common/material.hpp"

#include "core/text.hpp"
#include "crypto/digest.hpp"
#include "providers/common/rest.hpp"
#include "support/catch.hpp"
#include "support/issued.hpp"
#include "support/must.hpp"
#include "support/paths.hpp"

#include <algorithm>
#include <tuple>

namespace signctl::test {
namespace {

using crypto::Certificate;
using crypto::KeyBundle;
using crypto::PrivateKey;

/// r and s of a DER signature, each of the curve's size.
Bytes raw_of(const Bytes& der, std::size_t size) {
  Bytes raw;
  std::size_t at = der[1] == 0x81 ? 3 : 2;
  for (int i = 0; i < 2; ++i) {
    const std::size_t length = der[at + 1];
    Bytes number(der.begin() + static_cast<long>(at) + 2,
                 der.begin() + static_cast<long>(at + 2 + length));
    at += 2 + length;
    while (number.size() > size) {
      number.erase(number.begin());
    }
    raw.resize(raw.size() + size - number.size());
    raw.insert(raw.end(), number.begin(), number.end());
  }
  return raw;
}

}  // namespace

TEST_CASE("chain: the leaf is found in any order, the root left out", "[providers][common]") {
  const KeyBundle root = issue(ca_named("Root"));
  const KeyBundle middle = issue(ca_named("Middle"), &root);
  const KeyBundle leaf = issue(leaf_for("codeSigning"), &middle);
  std::vector<Certificate> pool{
      root.chain.front(), leaf.chain.front(), middle.chain.front(), leaf.chain.front()};
  const std::vector<Bytes> expected{leaf.chain.front().der(), middle.chain.front().der()};
  for (int turn = 0; turn < 4; ++turn) {
    std::rotate(pool.begin(), pool.begin() + 1, pool.end());

    const auto chain = must(providers::chain_of(pool));

    CHECK(chain.leaf == leaf.chain.front());
    CHECK(chain.der == expected);
  }
}

TEST_CASE("chain: none and two leaves are errors", "[providers][common]") {
  const KeyBundle root = issue(ca_named("Root"));
  const KeyBundle one = issue(leaf_for("codeSigning", "One"), &root);
  const KeyBundle two = issue(leaf_for("codeSigning", "Two"), &root);

  CHECK_FALSE(providers::chain_of({}));
  CHECK_FALSE(providers::chain_of({one.chain.front(), two.chain.front()}));
}

TEST_CASE("chain: a file completes what the service gives, whose leaf wins",
          "[providers][common]") {
  const TemporaryFolder folder;
  const KeyBundle root = issue(ca_named("Root"));
  const KeyBundle leaf = issue(leaf_for("codeSigning"), &root);
  spill(folder.file("chain.pem"), as_bytes(crypto::to_pem(leaf.chain)));
  ProviderSettings settings;

  CHECK(providers::chain_with_file(settings, {}).error().kind == ErrorKind::config);
  settings.values["chain"] = folder.file("chain.pem");
  CHECK(must(providers::chain_with_file(settings, {})).leaf == leaf.chain.front());
  CHECK(must(providers::chain_with_file(settings, {leaf.chain.front()})).leaf ==
        leaf.chain.front());
  settings.values["chain"] = folder.file("absent.pem");
  CHECK(providers::chain_with_file(settings, {}).error().kind == ErrorKind::input);
}

TEST_CASE("signature: raw and DER forms are told apart by verifying", "[providers][common]") {
  for (const auto& [spec, alg, size] :
       {std::tuple{PrivateKey::Spec::p256, DigestAlg::sha256, 32U},
        std::tuple{PrivateKey::Spec::p384, DigestAlg::sha384, 48U},
        std::tuple{PrivateKey::Spec::p521, DigestAlg::sha512, 66U}}) {
    const KeyBundle signer = issue(leaf_for("codeSigning"), nullptr, spec);
    const Certificate& leaf = signer.chain.front();
    const Bytes digest = crypto::hash(alg, as_bytes("text"));
    const Bytes der = must(signer.key.sign_digest(digest, alg));
    const Bytes raw = raw_of(der, size);

    CHECK(must(providers::checked_signature(leaf, digest, alg, der)) == der);
    CHECK(must(providers::checked_signature(leaf, digest, alg, raw)) == der);

    Bytes wrong = raw;
    wrong.back() ^= 1U;
    const auto refused = providers::checked_signature(leaf, digest, alg, wrong);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == ErrorKind::provider);
  }
  CHECK_FALSE(providers::ecdsa_to_der({}));
  CHECK_FALSE(providers::ecdsa_to_der(Bytes(63)));
  CHECK_FALSE(providers::ecdsa_to_der(Bytes(134)));
}

TEST_CASE("key: a SubjectPublicKeyInfo belongs to its certificate alone", "[providers][common]") {
  const KeyBundle one = issue(leaf_for("codeSigning", "One"));
  const KeyBundle two = issue(leaf_for("codeSigning", "Two"));
  const Bytes spki = crypto::public_key_of(one.chain.front());

  CHECK(providers::is_key_of(spki, one.chain.front()));
  CHECK_FALSE(providers::is_key_of(spki, two.chain.front()));
  CHECK(must(providers::key_family(one.chain.front())) == providers::KeyFamily::p256);
}

TEST_CASE("client identity: from a file or from base64", "[providers][common]") {
  const TemporaryFolder folder;
  const KeyBundle client = issue(leaf_for("clientAuth"));
  const Bytes file = must(crypto::write_pkcs12(client, Secret("pw"), "client"));
  spill(folder.file("client.p12"), file);
  ProviderSettings settings;
  settings.secrets["client_certificate_password"] = Secret("pw");

  CHECK(must(providers::load_client_identity({}, "")).identity == nullptr);
  const auto from_text = must(providers::load_client_identity(settings, to_base64(file)));
  CHECK(from_text.chain.front() == client.chain.front());
  CHECK_FALSE(from_text.identity->key_pem.empty());
  CHECK(providers::load_client_identity(settings, "!").error().kind == ErrorKind::auth);

  settings.values["client_certificate"] = folder.file("client.p12");
  CHECK(must(providers::load_client_identity(settings, "")).identity != nullptr);
  settings.secrets["client_certificate_password"] = Secret("hunter2");
  const auto wrong = providers::load_client_identity(settings, "");
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().kind == ErrorKind::auth);
  CHECK_FALSE(wrong.error().hint.empty());
  CHECK(text_of(wrong.error()).find("hunter2") == std::string::npos);
}

TEST_CASE("findings: life of a certificate and skew of a clock", "[providers][common]") {
  const KeyBundle leaf = issue(leaf_for("codeSigning"));
  const auto severity_on = [&](int day) {
    return providers::expiry_findings("signing certificate", leaf.chain.front(), issued_day(day))
        .front()
        .severity;
  };
  CHECK(severity_on(0) == Severity::info);
  CHECK(severity_on(80) == Severity::warning);
  CHECK(severity_on(101) == Severity::error);
  CHECK(severity_on(-101) == Severity::error);

  const TimePoint now = issued_day(0);
  const auto skew = [&](int seconds) {
    return providers::clock_finding("Fake", now + std::chrono::seconds(seconds), now).severity;
  };
  CHECK(skew(59) == Severity::info);
  CHECK(skew(-61) == Severity::warning);
  CHECK(skew(301) == Severity::error);
}

}  // namespace signctl::test
