// SPDX-License-Identifier: Apache-2.0
#include "providers/pkcs11/objects.hpp"

#include "core/text.hpp"
#include "crypto/der.hpp"
#include "crypto/digest.hpp"
#include "providers/pkcs11/cryptoki.hpp"
#include "support/catch.hpp"
#include "support/key_files.hpp"
#include "support/must.hpp"

#include <algorithm>

namespace signctl::test {
namespace {

using namespace providers::pkcs11;  // NOLINT(google-build-using-namespace): test
using Spec = crypto::PrivateKey::Spec;

/// A key with its certificate, made once: RSA keys are slow to make.
const KeyChain& rsa() {
  static const KeyChain made = make_key_chain(Spec::rsa2048);
  return made;
}
const KeyChain& ec() {
  static const KeyChain made = make_key_chain(Spec::p256);
  return made;
}

/// The parts of a SubjectPublicKeyInfo: parameters of the algorithm, and the key.
struct PublicParts {
  Bytes parameters;
  Bytes key;
};

PublicParts parts_of(const crypto::Certificate& certificate) {
  const Bytes info = crypto::public_key_of(certificate);
  der::Parser outer(must(der::parse_whole(info, der::kSequence, "key")).content);
  der::Parser algorithm(must(outer.expect(der::kSequence, "algorithm")).content);
  must(algorithm.next("oid"));
  const ByteView parameters = algorithm.rest();
  const ByteView key = must(outer.expect(der::kBitString, "key")).content.subspan(1);
  return {Bytes(parameters.begin(), parameters.end()), Bytes(key.begin(), key.end())};
}

Object private_key(const KeyChain& chain, const std::string& label, const Bytes& id) {
  Object object;
  object.kind = ObjectClass::private_key;
  object.label = label;
  object.id = id;
  const PublicParts parts = parts_of(chain.leaf);
  if (chain.leaf.key().type == crypto::KeyType::ec) {
    object.key_type = ck::kKeyEc;
    object.ec_parameters = parts.parameters;
    return object;
  }
  object.key_type = ck::kKeyRsa;
  der::Parser numbers(must(der::parse_whole(parts.key, der::kSequence, "key")).content);
  const ByteView modulus = must(numbers.expect(der::kInteger, "modulus")).content;
  const ByteView exponent = must(numbers.expect(der::kInteger, "exponent")).content;
  object.modulus.assign(modulus.begin() + 1, modulus.end());
  object.exponent.assign(exponent.begin(), exponent.end());
  return object;
}

Object public_key(const KeyChain& chain, const Bytes& id) {
  Object object = private_key(chain, "", id);
  object.kind = ObjectClass::public_key;
  object.ec_point = der::octet_string(parts_of(chain.leaf).key);
  return object;
}

Object certificate(const crypto::Certificate& from, const std::string& label, const Bytes& id) {
  Object object;
  object.kind = ObjectClass::certificate;
  object.label = label;
  object.id = id;
  object.value = from.der();
  return object;
}

Wanted named(const std::string& key, const std::string& certificate_name = "") {
  Wanted wanted;
  wanted.key = key;
  wanted.certificate = certificate_name;
  return wanted;
}

std::string refusal(const std::vector<Object>& objects, const Wanted& wanted = {}) {
  const auto choice = choose(objects, {}, wanted, day(0));
  REQUIRE_FALSE(choice);
  CHECK(choice.error().kind == ErrorKind::config);
  return choice.error().message;
}

}  // namespace

TEST_CASE("pkcs11 objects: the public key of an RSA key is that of its certificate",
          "[providers][pkcs11][objects]") {
  const Object key = private_key(rsa(), "", {1});

  CHECK(public_key_of(key, {key}) == crypto::public_key_of(rsa().leaf));
}

TEST_CASE("pkcs11 objects: an EC key's point is with the public key of the same id",
          "[providers][pkcs11][objects]") {
  const Object key = private_key(ec(), "", {1});
  Object with_point = public_key(ec(), {1});
  CHECK(public_key_of(key, {key, with_point}) == crypto::public_key_of(ec().leaf));
  CHECK(public_key_of(key, {key, public_key(ec(), {2})}).empty());

  // Some modules leave the OCTET STRING around the point out.
  with_point.ec_point = parts_of(ec().leaf).key;
  CHECK(public_key_of(key, {key, with_point}) == crypto::public_key_of(ec().leaf));
}

TEST_CASE("pkcs11 objects: a bare point that could be an OCTET STRING is a point",
          "[providers][pkcs11][objects]") {
  const Object key = private_key(ec(), "", {1});
  Object with_point = public_key(ec(), {1});
  Bytes point = parts_of(ec().leaf).key;
  REQUIRE(point.size() == 65);
  point[1] = static_cast<std::uint8_t>(point.size() - 2);  // One key in 256 has such an X.
  with_point.ec_point = point;

  const Bytes found = public_key_of(key, {key, with_point});

  REQUIRE(found.size() > point.size());
  CHECK(std::equal(point.rbegin(), point.rend(), found.rbegin()));
}

TEST_CASE("pkcs11 objects: the only key with a certificate needs no name",
          "[providers][pkcs11][objects]") {
  const auto choice = must(choose({private_key(rsa(), "other", {9}),
                                   private_key(ec(), "sign", {1}),
                                   public_key(ec(), {1}),
                                   certificate(ec().leaf, "sign", {1})},
                                  {},
                                  {},
                                  day(0)));

  CHECK(choice.key.label == "sign");
  CHECK(choice.leaf == ec().leaf);
}

TEST_CASE("pkcs11 objects: a key is named by label or by id in any spelling",
          "[providers][pkcs11][objects]") {
  const std::vector<Object> objects{private_key(rsa(), "rsa", {0xA1, 0xB2}),
                                    certificate(rsa().leaf, "", {}),
                                    private_key(ec(), "ec", {0xC3}),
                                    public_key(ec(), {0xC3}),
                                    certificate(ec().leaf, "", {})};
  for (const char* name : {"rsa", "a1b2", "A1:B2", "0xa1b2", "a1 b2"}) {
    INFO(name);
    CHECK(must(choose(objects, {}, named(name), day(0))).leaf == rsa().leaf);
  }
  Wanted by_uri;
  by_uri.id = Bytes{0xC3};
  by_uri.label = "ec";
  CHECK(must(choose(objects, {}, by_uri, day(0))).leaf == ec().leaf);

  CHECK(refusal(objects).find("several keys on the token could sign: \"rsa\" (id a1b2, RSA 2048), "
                              "\"ec\" (id c3, EC)") != std::string::npos);
  CHECK(refusal(objects, named("nobody")).find("there are \"rsa\"") != std::string::npos);
}

TEST_CASE("pkcs11 objects: a certificate is named by label, id, thumbprint or common name",
          "[providers][pkcs11][objects]") {
  const std::vector<Object> objects{private_key(rsa(), "", {1}),
                                    certificate(rsa().leaf, "first", {1}),
                                    private_key(ec(), "", {2}),
                                    certificate(ec().leaf, "second", {2})};
  const Bytes& der = ec().leaf.der();
  for (const std::string& name : {std::string("second"),
                                  std::string("02"),
                                  to_hex(crypto::hash(DigestAlg::sha1, der)),
                                  to_hex(crypto::hash(DigestAlg::sha256, der))}) {
    INFO(name);
    CHECK(must(choose(objects, {}, named("", name), day(0))).leaf == ec().leaf);
  }
  const std::string subject = rsa().leaf.info().subject;
  const std::string common_name = subject.substr(subject.find("CN=") + 3);
  CHECK(must(choose(objects, {}, named("01", common_name), day(0))).leaf == rsa().leaf);
  CHECK_FALSE(choose(objects, {}, named("", common_name.substr(0, 3)), day(0)));
}

TEST_CASE("pkcs11 objects: a certificate for another key is not taken for its id",
          "[providers][pkcs11][objects]") {
  const std::vector<Object> objects{private_key(rsa(), "sign", {1}),
                                    certificate(ec().leaf, "sign", {1})};

  CHECK(refusal(objects).find("is for another key") != std::string::npos);
}

TEST_CASE("pkcs11 objects: of several certificates the newest that is valid is taken",
          "[providers][pkcs11][objects]") {
  const KeyChain& chain = rsa();
  const auto issue = [&](int from, int until) {
    crypto::CertificateTemplate wanted = code_signing_leaf();
    wanted.not_before = day(from);
    wanted.not_after = day(until);
    return must(crypto::issue_certificate(wanted, chain.key, nullptr));
  };
  const auto expired = issue(-400, -10);
  const auto older = issue(-300, 10);
  const auto newer = issue(-20, 300);
  const auto future = issue(20, 400);
  const std::vector<Object> objects{private_key(chain, "", {1}),
                                    certificate(future, "", {1}),
                                    certificate(older, "", {1}),
                                    certificate(newer, "", {1}),
                                    certificate(expired, "", {1})};

  CHECK(must(choose(objects, {}, {}, day(0))).leaf == newer);
  CHECK(must(choose({objects[0], objects[4]}, {}, {}, day(0))).leaf == expired);
}

TEST_CASE("pkcs11 objects: a certificate that the token lacks may come from a file",
          "[providers][pkcs11][objects]") {
  const std::vector<Object> objects{private_key(rsa(), "", {1})};
  const std::vector<crypto::Certificate> file{
      ec().leaf, rsa().root, rsa().intermediate, rsa().leaf};

  CHECK(must(choose(objects, file, {}, day(0))).leaf == rsa().leaf);
  CHECK(refusal(objects).find("no certificate belongs to key") != std::string::npos);
}

TEST_CASE("pkcs11 objects: keys that may not sign and attestation certificates do not count",
          "[providers][pkcs11][objects]") {
  Object key = private_key(rsa(), "", {1});
  key.may_sign = false;
  CHECK(refusal({key, certificate(rsa().leaf, "", {1})}).find("no private key that may sign") !=
        std::string::npos);

  key.may_sign = true;
  CHECK_FALSE(choose({key, certificate(rsa().leaf, "X.509 Certificate for PIV Attestation", {1})},
                     {},
                     {},
                     day(0)));
}

TEST_CASE("pkcs11 objects: garbage in a certificate or key is not an error of its own",
          "[providers][pkcs11][objects]") {
  Object broken = certificate(rsa().leaf, "", {1});
  broken.value.resize(broken.value.size() / 2);
  Object key = private_key(ec(), "\x1b[31mred", {1});
  key.ec_point = {0x04, 0xFF};

  CHECK(certificates_of({broken}).empty());
  const std::string message = refusal({key, broken});
  CHECK(message.find('\x1b') == std::string::npos);
}

}  // namespace signctl::test
