// SPDX-License-Identifier: Apache-2.0
#include "core/text.hpp"
#include "crypto/digest.hpp"
#include "crypto/handles.hpp"
#include "support/catch.hpp"
#include "support/fake_world.hpp"
#include "support/key_files.hpp"
#include "support/must.hpp"
#include "support/paths.hpp"

#include <signctl/provider.hpp>

#include <openssl/evp.h>

namespace signctl::test {
namespace {

using crypto::PrivateKey;

const KeyChain& chain() {
  static const KeyChain made = make_key_chain(PrivateKey::Spec::p256);
  return made;
}

Result<std::unique_ptr<SigningSession>> open(const ProviderSettings& settings) {
  FakeWorld fake;
  return find_provider("pfx")->open(settings, fake.world());
}

ProviderSettings with_password(std::map<std::string, std::string> values,
                               const std::string& password) {
  ProviderSettings settings;
  settings.values = std::move(values);
  settings.secrets.emplace("password", Secret(password));
  return settings;
}

std::vector<Bytes> leaf_and_intermediate() {
  return {chain().leaf.der(), chain().intermediate.der()};
}

Error refusal(const ProviderSettings& settings) {
  const auto session = open(settings);
  return session ? Error{ErrorKind::internal, "was opened"} : session.error();
}

std::string pem_of(const PrivateKey& key) {
  return std::string(must(crypto::to_pem(key)).reveal());
}

void free_bags(STACK_OF(PKCS12_SAFEBAG)* bags) {
  sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
}
void free_safes(STACK_OF(PKCS7)* safes) {
  sk_PKCS7_pop_free(safes, PKCS7_free);
}

/// A PFX with two identities, as Windows exports them: password "pw".
Bytes pfx_of_two(const KeyChain& first, const KeyChain& second) {
  constexpr int kIterations = 10;
  STACK_OF(PKCS12_SAFEBAG)* bags = nullptr;
  for (const KeyChain* one : {&first, &second}) {
    REQUIRE(PKCS12_add_cert(&bags, one->leaf.x509()) != nullptr);
    REQUIRE(PKCS12_add_key(&bags, one->key.pkey(), 0, kIterations, NID_aes_256_cbc, "pw") !=
            nullptr);
  }
  const crypto::Handle<STACK_OF(PKCS12_SAFEBAG), free_bags> owned_bags(bags);
  STACK_OF(PKCS7)* safes = nullptr;
  REQUIRE(PKCS12_add_safe(&safes, bags, -1, 0, nullptr) == 1);
  const crypto::Handle<STACK_OF(PKCS7), free_safes> owned_safes(safes);
  const crypto::Pkcs12Handle made(PKCS12_add_safes(safes, 0));
  REQUIRE(PKCS12_set_mac(made.get(), "pw", -1, nullptr, 0, kIterations, EVP_sha256()) == 1);
  std::uint8_t* der = nullptr;
  const int size = i2d_PKCS12(made.get(), &der);
  const crypto::MemoryHandle owner(der);
  REQUIRE(size > 0);
  return {der, der + size};
}

}  // namespace

TEST_CASE("pfx: the chain comes leaf first and without the root", "[providers][pfx]") {
  const TemporaryFolder folder;
  auto bundle = chain().bundle();
  bundle.chain = {chain().leaf, chain().root, chain().intermediate};
  spill_pfx(folder.file("a.pfx"), bundle, "pw");

  const auto session = must(open(with_password({{"file", folder.file("a.pfx")}}, "pw")));

  CHECK(must(session->expected_chain()) == leaf_and_intermediate());
}

TEST_CASE("pfx: a self-signed certificate is its own chain", "[providers][pfx]") {
  const TemporaryFolder folder;
  const auto key = must(PrivateKey::generate(PrivateKey::Spec::p256));
  const auto leaf = must(crypto::issue_certificate(code_signing_leaf(), key, nullptr));
  spill_pfx(folder.file("a.pfx"), {key, {leaf}}, "pw");

  const auto session = must(open(with_password({{"file", folder.file("a.pfx")}}, "pw")));

  CHECK(must(session->expected_chain()) == std::vector<Bytes>{leaf.der()});
}

TEST_CASE("pfx: the chain setting completes the chain", "[providers][pfx]") {
  const TemporaryFolder folder;
  spill_pfx(folder.file("a.pfx"), {chain().key, {chain().leaf}}, "pw");
  spill_pem(folder.file("chain.pem"), {chain().root, chain().intermediate});

  const auto session = must(open(
      with_password({{"file", folder.file("a.pfx")}, {"chain", folder.file("chain.pem")}}, "pw")));

  CHECK(must(session->expected_chain()) == leaf_and_intermediate());
}

TEST_CASE("pfx: PEM files work, the leaf wherever it stands", "[providers][pfx]") {
  const TemporaryFolder folder;
  spill_pem(folder.file("key.pem"), chain().key);
  spill_pem(folder.file("certificate.pem"), {chain().root, chain().intermediate, chain().leaf});
  ProviderSettings settings;
  settings.values = {{"key", folder.file("key.pem")},
                     {"certificate", folder.file("certificate.pem")}};

  const auto session = must(open(settings));

  CHECK(must(session->expected_chain()) == leaf_and_intermediate());
}

TEST_CASE("pfx: one PEM file may hold key and certificates", "[providers][pfx]") {
  const TemporaryFolder folder;
  spill_pem(folder.file("key.pem"), chain().key);
  Bytes both = slurp(folder.file("key.pem"));
  const std::string certificates = crypto::to_pem({chain().leaf, chain().intermediate});
  both.insert(both.end(), certificates.begin(), certificates.end());
  spill(folder.file("both.pem"), both);
  ProviderSettings settings;
  settings.values = {{"file", folder.file("both.pem")}};

  CHECK(must(must(open(settings))->expected_chain()) == leaf_and_intermediate());
}

TEST_CASE("pfx: an encrypted PEM key needs its password", "[providers][pfx]") {
  const TemporaryFolder folder;
  spill_pem(folder.file("key.pem"), chain().key, "correct horse");
  spill_pem(folder.file("certificate.pem"), {chain().leaf});
  const std::map<std::string, std::string> files{{"key", folder.file("key.pem")},
                                                 {"certificate", folder.file("certificate.pem")}};
  ProviderSettings none;
  none.values = files;

  CHECK(open(with_password(files, "correct horse")).has_value());
  const Error wrong = refusal(with_password(files, "hunter2"));
  const Error missing = refusal(none);

  CHECK(wrong.kind == ErrorKind::auth);
  CHECK(missing.kind == ErrorKind::auth);
  CHECK(missing.hint ==
        "the file is encrypted: set password to env:NAME, file:PATH, exec:COMMAND or stdin");
}

TEST_CASE("pfx: a wrong password is an auth error that names the file", "[providers][pfx]") {
  const TemporaryFolder folder;
  spill_pfx(folder.file("a.pfx"), chain().bundle(), "correct horse");
  ProviderSettings none;
  none.values = {{"file", folder.file("a.pfx")}};

  const Error wrong = refusal(with_password({{"file", folder.file("a.pfx")}}, "hunter2"));
  const Error missing = refusal(none);

  CHECK(wrong.kind == ErrorKind::auth);
  CHECK(text_of(wrong).find("a.pfx") != std::string::npos);
  CHECK(text_of(wrong).find("hunter2") == std::string::npos);
  CHECK_FALSE(wrong.hint.empty());
  CHECK(missing.kind == ErrorKind::auth);
  CHECK(missing.hint.find("set password") != std::string::npos);
}

TEST_CASE("pfx: a file without a password opens without one", "[providers][pfx]") {
  const TemporaryFolder folder;
  spill_pfx(folder.file("a.pfx"), chain().bundle(), "");
  ProviderSettings settings;
  settings.values = {{"file", folder.file("a.pfx")}};

  const auto session = open(settings);

  if (!session) {
    FAIL_CHECK(text_of(session.error()));
  }
}

TEST_CASE("pfx: missing and malformed files are input errors", "[providers][pfx]") {
  const TemporaryFolder folder;
  spill(folder.file("garbage.pfx"), as_bytes("MZ this is no PKCS#12"));
  spill(folder.file("empty.pfx"), {});
  spill_pfx(folder.file("good.pfx"), chain().bundle(), "pw");
  struct Case {
    std::string what;
    std::map<std::string, std::string> values;
  };
  const std::vector<Case> cases{
      {"no such file", {{"file", folder.file("nothing.pfx")}}},
      {"a folder", {{"file", folder.path()}}},
      {"garbage", {{"file", folder.file("garbage.pfx")}}},
      {"an empty file", {{"file", folder.file("empty.pfx")}}},
      {"no such chain", {{"file", folder.file("good.pfx")}, {"chain", folder.file("nothing.pem")}}},
      {"a chain that is garbage",
       {{"file", folder.file("good.pfx")}, {"chain", folder.file("garbage.pfx")}}},
  };

  for (const Case& given : cases) {
    INFO(given.what);
    const Error error = refusal(with_password(given.values, "pw"));
    INFO(text_of(error));
    CHECK(error.kind == ErrorKind::input);
  }
}

TEST_CASE("pfx: every prefix of a PFX is refused", "[providers][pfx]") {
  const TemporaryFolder folder;
  spill_pfx(folder.file("good.pfx"), {chain().key, {chain().leaf}}, "pw");
  const Bytes whole = slurp(folder.file("good.pfx"));

  for (std::size_t length = 0; length < whole.size(); length += 13) {
    INFO(length);
    spill(folder.file("cut.pfx"), ByteView(whole).first(length));
    CHECK_FALSE(open(with_password({{"file", folder.file("cut.pfx")}}, "pw")).has_value());
  }
}

TEST_CASE("pfx: contradicting settings are config errors", "[providers][pfx]") {
  struct Case {
    std::map<std::string, std::string> values;
    std::string message;
  };
  const auto wrong = GENERATE(values<Case>({
      {{}, "pfx: neither \"file\" nor \"key\" and \"certificate\" is given"},
      {{{"key", "k.pem"}}, "pfx: \"key\" is given without \"certificate\""},
      {{{"certificate", "c.pem"}}, "pfx: \"certificate\" is given without \"key\""},
      {{{"file", "f.pfx"}, {"key", "k.pem"}}, "pfx: \"file\" and \"key\" exclude each other"},
      {{{"file", "f.pfx"}, {"max_parallel", "0"}}, "pfx: \"max_parallel\" must be at least 1"},
  }));

  const Error error = refusal(with_password(wrong.values, "pw"));

  CHECK(error.kind == ErrorKind::config);
  CHECK(error.message == wrong.message);
}

TEST_CASE("pfx: a key without its certificate is a config error", "[providers][pfx]") {
  const TemporaryFolder folder;
  const auto other = must(PrivateKey::generate(PrivateKey::Spec::p256));
  spill_pem(folder.file("key.pem"), other);
  spill_pem(folder.file("certificate.pem"), {chain().leaf, chain().intermediate});
  ProviderSettings settings;
  settings.values = {{"key", folder.file("key.pem")},
                     {"certificate", folder.file("certificate.pem")}};

  const Error error = refusal(settings);

  CHECK(error.kind == ErrorKind::config);
  CHECK(error.message.find("belongs to none of the certificates") != std::string::npos);
}

TEST_CASE("pfx: PEM with two keys takes the one that has a certificate", "[providers][pfx]") {
  const TemporaryFolder folder;
  const auto other = make_key_chain(PrivateKey::Spec::p256);
  const std::string keys = pem_of(other.key) + pem_of(chain().key);
  const std::string certificates = crypto::to_pem({chain().leaf, chain().intermediate});
  spill(folder.file("keys.pem"), as_bytes(keys));
  spill(folder.file("certificates.pem"), as_bytes(certificates));
  spill(folder.file("all.pem"), as_bytes(keys + certificates));

  for (const auto& files : std::vector<std::map<std::string, std::string>>{
           {{"file", folder.file("all.pem")}},
           {{"key", folder.file("keys.pem")}, {"certificate", folder.file("certificates.pem")}}}) {
    CHECK(must(must(open(with_password(files, "")))->expected_chain()) == leaf_and_intermediate());
  }
}

TEST_CASE("pfx: which of two identities signs is not left to their order", "[providers][pfx]") {
  const TemporaryFolder folder;
  auto template_of_other = code_signing_leaf();
  template_of_other.subject = {{"CN", "the other publisher"}};
  const auto other = make_key_chain(PrivateKey::Spec::p384, template_of_other);
  const std::string certificates = crypto::to_pem({other.leaf, chain().leaf, chain().intermediate});
  spill(folder.file("certificates.pem"), as_bytes(certificates));
  spill_pem(folder.file("leaf.pem"), {chain().leaf});
  const std::map<std::string, std::string> file{{"file", folder.file("all.pem")}};
  const std::map<std::string, std::string> pair{{"key", folder.file("keys.pem")},
                                                {"certificate", folder.file("certificates.pem")}};
  auto picked = file;
  picked["certificate"] = folder.file("leaf.pem");

  for (const std::string& keys :
       {pem_of(other.key) + pem_of(chain().key), pem_of(chain().key) + pem_of(other.key)}) {
    spill(folder.file("keys.pem"), as_bytes(keys));
    spill(folder.file("all.pem"), as_bytes(keys + certificates));
    for (const auto& files : {file, pair}) {
      const Error error = refusal(with_password(files, ""));
      INFO(text_of(error));
      CHECK(error.kind == ErrorKind::config);
      CHECK(error.message.find(" holds 2 keys with certificates: ") != std::string::npos);
      CHECK(error.message.find("CN=the other publisher (" + other.leaf.info().sha1_hex + ")") !=
            std::string::npos);
      CHECK(error.message.find(chain().leaf.info().sha1_hex) != std::string::npos);
    }
    CHECK(must(must(open(with_password(picked, "")))->expected_chain()) == leaf_and_intermediate());
  }
}

TEST_CASE("pfx: a PFX with two identities says so until one is named", "[providers][pfx]") {
  const TemporaryFolder folder;
  const auto other = make_key_chain(PrivateKey::Spec::p384);
  spill(folder.file("two.pfx"), pfx_of_two(other, chain()));
  spill_pem(folder.file("leaf.pem"), {chain().leaf});
  const std::map<std::string, std::string> file{{"file", folder.file("two.pfx")}};
  auto picked = file;
  picked["certificate"] = folder.file("leaf.pem");

  const Error error = refusal(with_password(file, "pw"));

  INFO(text_of(error));
  CHECK(error.kind == ErrorKind::config);
  CHECK(error.message.find(" holds 2 keys with certificates: ") != std::string::npos);
  CHECK(must(must(open(with_password(picked, "pw")))->expected_chain()).front() ==
        chain().leaf.der());
}

TEST_CASE("pfx: the same key twice is one key", "[providers][pfx]") {
  const TemporaryFolder folder;
  spill(folder.file("a.pem"),
        as_bytes(pem_of(chain().key) + pem_of(chain().key) + crypto::to_pem({chain().leaf})));

  CHECK(open(with_password({{"file", folder.file("a.pem")}}, "")).has_value());
}

TEST_CASE("pfx: a key that Windows cannot verify is unsupported", "[providers][pfx]") {
  const TemporaryFolder folder;
  EVP_PKEY* ed25519 = EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
  REQUIRE(ed25519 != nullptr);
  spill_pem(folder.file("key.pem"), PrivateKey::adopt(ed25519));
  spill_pem(folder.file("certificate.pem"), {chain().leaf});
  ProviderSettings settings;
  settings.values = {{"key", folder.file("key.pem")},
                     {"certificate", folder.file("certificate.pem")}};

  const Error error = refusal(settings);

  INFO(text_of(error));
  CHECK(error.kind == ErrorKind::unsupported);
}

TEST_CASE("pfx: an expired certificate opens, for the gate to judge", "[providers][pfx]") {
  const TemporaryFolder folder;
  auto expired = code_signing_leaf();
  expired.not_after = day(-1);
  const auto old = make_key_chain(PrivateKey::Spec::p256, expired);
  spill_pfx(folder.file("old.pfx"), old.bundle(), "pw");

  CHECK(open(with_password({{"file", folder.file("old.pfx")}}, "pw")).has_value());
}

TEST_CASE("pfx: legacy digests are not signed", "[providers][pfx]") {
  const TemporaryFolder folder;
  spill_pfx(folder.file("a.pfx"), chain().bundle(), "pw");
  const auto session = must(open(with_password({{"file", folder.file("a.pfx")}}, "pw")));
  const auto alg = GENERATE(DigestAlg::md5, DigestAlg::sha1);

  const auto result = session->sign(crypto::hash(alg, as_bytes("x")), alg);

  REQUIRE_FALSE(result);
  CHECK(result.error().kind == ErrorKind::unsupported);
}

}  // namespace signctl::test
