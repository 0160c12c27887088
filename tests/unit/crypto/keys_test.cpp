// SPDX-License-Identifier: Apache-2.0
#include "crypto/keys.hpp"

#include "core/text.hpp"
#include "crypto/digest.hpp"
#include "crypto/issue.hpp"
#include "support/catch.hpp"
#include "support/issued.hpp"
#include "support/must.hpp"
#include "tools.hpp"

#include <memory>

#include <openssl/evp.h>

namespace signctl::crypto {
namespace {

using test::must;
using test::shell;
using Spec = PrivateKey::Spec;

struct Named {
  Spec spec;
  std::string name;
  std::string description;
};

KeyBundle made(Spec spec) {
  return test::issue(test::leaf_for("codeSigning"), nullptr, spec);
}

}  // namespace

TEST_CASE("keys: every kind signs with every digest, and the signature verifies", "[crypto]") {
  const auto row = GENERATE(values<Named>({{Spec::rsa2048, "rsa2048", "RSA 2048"},
                                           {Spec::rsa3072, "rsa3072", "RSA 3072"},
                                           {Spec::rsa4096, "rsa4096", "RSA 4096"},
                                           {Spec::p256, "p256", "EC P-256"},
                                           {Spec::p384, "p384", "EC P-384"},
                                           {Spec::p521, "p521", "EC P-521"}}));
  const KeyBundle bundle = made(row.spec);
  const Certificate& certificate = bundle.chain.front();
  CHECK(find_key_spec(row.name) == row.spec);
  CHECK(certificate.info().key == row.description);
  CHECK(bundle.key.matches(certificate));
  for (const DigestAlg alg :
       {DigestAlg::sha1, DigestAlg::sha256, DigestAlg::sha384, DigestAlg::sha512}) {
    const Bytes digest = hash(alg, as_bytes("text"));
    const Bytes signature = must(bundle.key.sign_digest(digest, alg));
    CHECK(verify_digest(certificate, digest, alg, signature));

    Bytes wrong = signature;
    wrong.back() ^= 1U;
    CHECK_FALSE(verify_digest(certificate, digest, alg, wrong));
    CHECK_FALSE(verify_digest(certificate, hash(alg, as_bytes("tex")), alg, signature));
    CHECK_FALSE(verify_digest(certificate, digest, alg, {}));
    CHECK_FALSE(verify_digest(certificate, ByteView(digest).first(16), alg, signature));
    const Bytes longer(signature.size() + 1, 1);
    CHECK_FALSE(verify_digest(certificate, digest, alg, longer));
  }
}

TEST_CASE("keys: openssl verifies our signatures, PSS among them", "[crypto]") {
  if (!test::has_openssl("openssl verifies our signatures")) {
    return;
  }
  const test::TemporaryFolder folder;
  const auto spec = GENERATE(Spec::rsa2048, Spec::p384);
  const KeyBundle bundle = made(spec);
  test::spill(folder.file("text"), as_bytes("text"));
  test::spill(folder.file("cert.pem"), as_bytes(to_pem(bundle.chain)));
  const std::string key = folder.file("public.pem");
  REQUIRE(
      shell("openssl x509 -noout -pubkey -in " + folder.file("cert.pem") + " > " + key).status ==
      0);
  const Bytes digest = hash(DigestAlg::sha256, as_bytes("text"));
  const std::string check =
      "openssl dgst -sha256 -verify " + key + " -signature " + folder.file("signature") + " ";

  test::spill(folder.file("signature"), must(bundle.key.sign_digest(digest, DigestAlg::sha256)));
  CHECK(shell(check + folder.file("text")).status == 0);

  if (spec == Spec::rsa2048) {
    const Bytes pss = must(bundle.key.sign_digest_pss(digest, DigestAlg::sha256));
    test::spill(folder.file("signature"), pss);
    CHECK(shell(check + "-sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32 " +
                folder.file("text"))
              .status == 0);
    CHECK_FALSE(verify_digest(bundle.chain.front(), digest, DigestAlg::sha256, pss));
  }
}

TEST_CASE("keys: a digest of the wrong size and PSS with EC are refused", "[crypto]") {
  const KeyBundle bundle = made(Spec::p256);

  const auto short_one = bundle.key.sign_digest(Bytes(20, 1), DigestAlg::sha256);
  const auto pss = bundle.key.sign_digest_pss(Bytes(32, 1), DigestAlg::sha256);

  REQUIRE_FALSE(short_one);
  CHECK(short_one.error().kind == ErrorKind::internal);
  REQUIRE_FALSE(pss);
  CHECK(pss.error().kind == ErrorKind::unsupported);
}

TEST_CASE("keys: other kinds than RSA and EC do not sign", "[crypto]") {
  EVP_PKEY* raw = EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
  REQUIRE(raw != nullptr);
  const PrivateKey key = PrivateKey::adopt(raw);

  const auto signature = key.sign_digest(Bytes(32, 1), DigestAlg::sha256);

  CHECK(key.facts().type == KeyType::other);
  REQUIRE_FALSE(signature);
  CHECK(signature.error().kind == ErrorKind::unsupported);
}

TEST_CASE("keys: only its own certificate matches a key", "[crypto]") {
  const KeyBundle one = made(Spec::p256);
  const KeyBundle two = made(Spec::p256);
  const KeyBundle rsa = made(Spec::rsa2048);

  CHECK_FALSE(one.key.matches(two.chain.front()));
  CHECK_FALSE(one.key.matches(rsa.chain.front()));
  const Bytes digest(32, 3);
  const Bytes signature = must(one.key.sign_digest(digest, DigestAlg::sha256));
  CHECK_FALSE(verify_digest(two.chain.front(), digest, DigestAlg::sha256, signature));
  CHECK_FALSE(verify_digest(rsa.chain.front(), digest, DigestAlg::sha256, signature));
  CHECK(public_key_of(one.chain.front()) != public_key_of(two.chain.front()));
  CHECK_FALSE(find_key_spec("rsa1024"));
}

TEST_CASE("keys: a bare RSA signature is only good for the function that asks for it", "[crypto]") {
  const KeyBundle bundle = made(Spec::rsa2048);
  const Bytes digest(32, 9);
  const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(
      EVP_PKEY_CTX_new(bundle.key.pkey(), nullptr), EVP_PKEY_CTX_free);
  Bytes bare(256);
  std::size_t size = bare.size();
  REQUIRE(EVP_PKEY_sign_init(context.get()) == 1);
  REQUIRE(EVP_PKEY_sign(context.get(), bare.data(), &size, digest.data(), digest.size()) == 1);

  CHECK(verify_bare_rsa(bundle.chain.front(), digest, bare));
  CHECK_FALSE(verify_digest(bundle.chain.front(), digest, DigestAlg::sha256, bare));
  CHECK_FALSE(verify_bare_rsa(bundle.chain.front(), Bytes(32, 8), bare));
  CHECK_FALSE(verify_bare_rsa(made(Spec::p256).chain.front(), digest, bare));
}

}  // namespace signctl::crypto
