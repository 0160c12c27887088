// SPDX-License-Identifier: Apache-2.0
// The files that Windows and OpenSSL 1 exported for two decades.
#include "crypto/digest.hpp"
#include "support/catch.hpp"
#include "support/fake_world.hpp"
#include "support/key_files.hpp"
#include "support/must.hpp"
#include "support/paths.hpp"

#include <signctl/provider.hpp>

#include <cstdlib>
#include <iostream>

namespace signctl::test {

TEST_CASE("pfx: a legacy RC2 and 3DES file signs like a modern one", "[providers][pfx]") {
  if (std::system("openssl version >/dev/null 2>&1") != 0) {
    std::cerr << "SKIPPED: a legacy RC2 and 3DES file signs (no openssl command)\n";
    return;
  }
  const auto options = GENERATE(values<std::string>(
      {"-legacy", "-legacy -keypbe PBE-SHA1-RC2-40 -certpbe PBE-SHA1-RC2-40", "-legacy -nomac"}));
  const auto spec = GENERATE(crypto::PrivateKey::Spec::rsa2048, crypto::PrivateKey::Spec::p256);
  const TemporaryFolder folder;
  const KeyChain chain = make_key_chain(spec);
  spill_pem(folder.file("key.pem"), chain.key);
  spill_pem(folder.file("leaf.pem"), {chain.leaf});
  spill_pem(folder.file("rest.pem"), {chain.root, chain.intermediate});
  INFO(options);
  REQUIRE(std::system(("openssl pkcs12 -export " + options + " -passout pass:pw -inkey " +
                       folder.file("key.pem") + " -in " + folder.file("leaf.pem") + " -certfile " +
                       folder.file("rest.pem") + " -out " + folder.file("old.pfx"))
                          .c_str()) == 0);
  FakeWorld fake;
  ProviderSettings settings;
  settings.values = {{"file", folder.file("old.pfx")}};
  settings.secrets.emplace("password", Secret("pw"));

  const auto session = must(find_provider("pfx")->open(settings, fake.world()));
  const Bytes digest = crypto::hash(DigestAlg::sha256, Bytes{1, 2, 3});
  const auto made = must(session->sign(digest, DigestAlg::sha256));
  settings.secrets.at("password") = Secret("wrong");
  const auto refused = find_provider("pfx")->open(settings, fake.world());

  CHECK(must(session->expected_chain()) ==
        std::vector<Bytes>{chain.leaf.der(), chain.intermediate.der()});
  CHECK(crypto::verify_digest(chain.leaf, digest, DigestAlg::sha256, made.signature));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::auth);
}

}  // namespace signctl::test
