// SPDX-License-Identifier: Apache-2.0
// Private keys in the forms that openssl writes.
#include "support/key_files.hpp"

#include "core/text.hpp"
#include "crypto/digest.hpp"
#include "crypto/keys.hpp"
#include "support/catch.hpp"
#include "support/must.hpp"
#include "tools.hpp"

namespace signctl::crypto {
namespace {

using test::must;
using test::text_of;
using Spec = PrivateKey::Spec;

struct KeyFile {
  test::TemporaryFolder folder;
  test::KeyChain chain;

  explicit KeyFile(Spec spec) : chain(test::make_key_chain(spec)) {
    test::spill_pem(folder.file("key.pem"), chain.key);
  }

  /// What `openssl COMMAND` makes of the key.
  [[nodiscard]] Bytes converted(const std::string& command) const {
    const auto result = test::shell("openssl " + command + " -in " + folder.file("key.pem") +
                                    " -out " + folder.file("out"));
    INFO(command << ": " << result.output);
    REQUIRE(result.status == 0);
    return test::slurp(folder.file("out"));
  }

  void check_same(const Result<PrivateKey>& read) const {
    if (!read) {
      FAIL(text_of(read.error()));
    }
    CHECK(read->matches(chain.leaf));
    // The public half says nothing about the private numbers.
    const Bytes digest = hash(DigestAlg::sha256, as_bytes("data"));
    const Bytes signature = must(read->sign_digest(digest, DigestAlg::sha256));
    CHECK(verify_digest(chain.leaf, digest, DigestAlg::sha256, signature));
  }
};

ErrorKind kind_of(const Result<PrivateKey>& read) {
  REQUIRE_FALSE(read);
  INFO(text_of(read.error()));
  CHECK(text_of(read.error()).find("hunter2") == std::string::npos);
  return read.error().kind;
}

}  // namespace

TEST_CASE("key files: every plain form is read", "[crypto]") {
  if (!test::has_openssl("every plain form is read")) {
    return;
  }
  const KeyFile rsa(Spec::rsa2048);
  for (const char* command : {"pkcs8 -topk8 -nocrypt -outform PEM",
                              "pkcs8 -topk8 -nocrypt -outform DER",
                              "rsa -traditional -outform PEM",
                              "rsa -traditional -outform DER"}) {
    INFO(command);
    rsa.check_same(read_private_key(rsa.converted(command), Secret()));
    rsa.check_same(read_private_key(rsa.converted(command), Secret("not needed")));
  }
  const KeyFile ec(Spec::p384);
  for (const char* command : {"pkcs8 -topk8 -nocrypt -outform PEM",
                              "pkcs8 -topk8 -nocrypt -outform DER",
                              "ec -outform PEM",
                              "ec -outform DER"}) {
    INFO(command);
    ec.check_same(read_private_key(ec.converted(command), Secret()));
  }
}

TEST_CASE("key files: encrypted ones want the right password", "[crypto]") {
  if (!test::has_openssl("encrypted ones want the right password")) {
    return;
  }
  const auto command = GENERATE(values<std::string>({
      "pkcs8 -topk8 -outform PEM -passout pass:hunter2",
      "pkcs8 -topk8 -outform DER -passout pass:hunter2",
      "pkcs8 -topk8 -v2 aes-256-cbc -scrypt -outform PEM -passout pass:hunter2",
      "pkcs8 -topk8 -v1 PBE-SHA1-3DES -outform PEM -passout pass:hunter2",
      "pkcs8 -topk8 -v1 PBE-MD5-DES -provider legacy -provider default -passout pass:hunter2",
      "pkcs8 -topk8 -v1 PBE-SHA1-RC2-40 -provider legacy -provider default -outform DER "
      "-passout pass:hunter2",
      "ec -aes256 -outform PEM -passout pass:hunter2",
  }));
  const KeyFile file(Spec::p256);
  INFO(command);
  const Bytes key = file.converted(command);

  file.check_same(read_private_key(key, Secret("hunter2")));
  const auto wrong = read_private_key(key, Secret("hunter3"));
  CHECK(kind_of(wrong) == ErrorKind::auth);
  CHECK(wrong.error().message == "the password of the private key is wrong");
  const auto missing = read_private_key(key, Secret());
  CHECK(kind_of(missing) == ErrorKind::auth);
  CHECK(missing.error().message == "the private key is encrypted and no password is given");
}

TEST_CASE("key files: the key is found among other things", "[crypto]") {
  const KeyFile file(Spec::p256);
  const std::string key(as_text(test::slurp(file.folder.file("key.pem"))));
  const std::string certificate = to_pem(std::vector{file.chain.leaf});

  file.check_same(read_private_key(as_bytes(certificate + key), Secret()));
  file.check_same(
      read_private_key(as_bytes("Bag Attributes\n  x: y\n" + key + certificate), Secret()));
}

TEST_CASE("key files: all keys of a PEM text are read, in their order", "[crypto]") {
  const KeyFile first(GENERATE(Spec::p256, Spec::rsa2048));
  const KeyFile second(Spec::p384);
  const std::string both = std::string(must(to_pem(first.chain.key)).reveal()) +
                           to_pem(std::vector{first.chain.leaf}) +
                           std::string(must(to_pem(second.chain.key)).reveal());

  const auto keys = must(read_private_keys(as_bytes(both), Secret()));

  REQUIRE(keys.size() == 2);
  CHECK(keys[0].matches(first.chain.leaf));
  CHECK(keys[1].matches(second.chain.leaf));
  first.check_same(read_private_key(as_bytes(both), Secret()));
}

TEST_CASE("key files: a second key that cannot be read is not passed over", "[crypto]") {
  const KeyFile file(Spec::p256);
  const std::string key(must(to_pem(file.chain.key)).reveal());
  const std::string broken = "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n";
  std::string many;
  for (int i = 0; i < 101; ++i) {
    many += key;
  }

  CHECK(kind_of(read_private_key(as_bytes(key + broken), Secret())) == ErrorKind::input);
  CHECK(kind_of(read_private_key(as_bytes(many), Secret())) == ErrorKind::input);
}

TEST_CASE("key files: an unknown cipher is told from a wrong password", "[crypto]") {
  if (!test::has_openssl("an unknown cipher is told from a wrong password")) {
    return;
  }
  const KeyFile file(Spec::rsa2048);
  // openssl's own form takes its cipher from the default provider alone, which has no DES.
  const Bytes key = file.converted(
      "rsa -traditional -des -provider legacy -provider default -passout pass:hunter2");

  CHECK(kind_of(read_private_key(key, Secret("hunter2"))) == ErrorKind::unsupported);
}

TEST_CASE("key files: a key for several primes is read as well", "[crypto]") {
  if (!test::has_openssl("a key for several primes is read as well")) {
    return;
  }
  const test::TemporaryFolder folder;
  const std::string path = folder.file("key.pem");
  const auto made = test::shell("openssl genrsa -primes 3 -out " + path + " 2048");
  INFO(made.output);
  REQUIRE(made.status == 0);

  CHECK(must(read_private_key(test::slurp(path), Secret())).facts().bits == 2048);
}

TEST_CASE("key files: what holds no private key is refused as input", "[crypto]") {
  const KeyFile file(GENERATE(Spec::p256, Spec::rsa2048));
  const Bytes pem = test::slurp(file.folder.file("key.pem"));
  const std::string certificate = to_pem(std::vector{file.chain.leaf});

  CHECK(kind_of(read_private_key({}, Secret())) == ErrorKind::input);
  CHECK(kind_of(read_private_key(as_bytes(certificate), Secret())) == ErrorKind::input);
  CHECK(kind_of(read_private_key(file.chain.leaf.der(), Secret())) == ErrorKind::input);
  CHECK(kind_of(read_private_key(public_key_of(file.chain.leaf), Secret())) == ErrorKind::input);
  for (std::size_t size = 0; size + 30 < pem.size(); size += 7) {
    INFO(size);
    CHECK(kind_of(read_private_key(ByteView(pem).first(size), Secret())) == ErrorKind::input);
  }
}

TEST_CASE("key files: our own PEM comes back", "[crypto]") {
  const KeyFile file(Spec::p521);
  const Secret pem = must(to_pem(file.chain.key));

  CHECK(pem.reveal().starts_with("-----BEGIN PRIVATE KEY-----"));
  file.check_same(read_private_key(as_bytes(pem.reveal()), Secret()));
}

}  // namespace signctl::crypto
