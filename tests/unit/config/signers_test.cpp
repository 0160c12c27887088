// SPDX-License-Identifier: Apache-2.0
#include "config/config.hpp"
#include "config/tables.hpp"
#include "support/catch.hpp"
#include "support/fake_world.hpp"
#include "support/must.hpp"
#include "support/paths.hpp"

namespace signctl::test {
namespace {

config::Signer only_signer(const std::string& yaml, const std::string& file = "signctl.yaml") {
  return must(config::parse(yaml, file)).signers.begin()->second;
}

std::vector<std::string> described(const config::Signer& signer, const std::string& key) {
  std::vector<std::string> texts;
  for (const SecretRef& reference : signer.secrets.at(key)) {
    texts.push_back(reference.describe());
  }
  return texts;
}

}  // namespace

TEST_CASE("config signers: secrets are kept as references in order", "[config]") {
  const auto signer = only_signer(
      "{version: 1, signers: {dev: {provider: pfx, password: [env:NEW, stdin, env:OLD]}}}");

  CHECK(described(signer, "password") == std::vector<std::string>{"env:NEW", "stdin", "env:OLD"});
  CHECK(signer.values.empty());
}

TEST_CASE("config signers: the file of a secret is relative to the config", "[config]") {
  const std::string yaml =
      "{version: 1, signers: {dev: {provider: pfx, password: ['file:pw', 'file:/pw']}}}";

  CHECK(described(only_signer(yaml, "ci/signctl.yaml"), "password") ==
        std::vector<std::string>{"file:ci/pw", "file:/pw"});
  CHECK(described(only_signer(yaml, "signctl.yaml"), "password").front() == "file:pw");
}

TEST_CASE("config signers: one of an unknown provider cannot be used", "[config]") {
  const FakeEnvironment environment;
  config::Signer signer;
  signer.provider = "esinger";

  const auto settings = config::resolve(signer, "", environment);

  REQUIRE_FALSE(settings);
  CHECK(settings.error().kind == ErrorKind::config);
  CHECK(settings.error().hint == "did you mean \"esigner\"?");
}

TEST_CASE("config signers: a literal secret of any provider is refused", "[config]") {
  struct Case {
    std::string provider;
    std::string key;
  };
  std::vector<Case> cases{{"artifact-signing", "client_secret"}, {"digicert-one", "api_key"}};
  for (const Provider* provider : builtin_providers()) {
    for (const SettingSpec& spec : provider->settings()) {
      if (spec.kind == SettingKind::secret) {
        cases.push_back({std::string(provider->name()), std::string(spec.key)});
      }
    }
  }
  const auto given = GENERATE_COPY(from_range(cases));
  INFO(given.provider << "." << given.key);

  const auto config = config::parse(
      "{version: 1, signers: {s: {provider: " + given.provider + ", " + given.key + ": hunter2}}}",
      "f");

  REQUIRE_FALSE(config);
  CHECK(config.error().kind == ErrorKind::config);
  CHECK(config.error().message.find("must be a reference, not the secret itself") !=
        std::string::npos);
  CHECK(config.error().hint == "use env:NAME, file:PATH, exec:COMMAND or stdin");
  CHECK(text_of(config.error()).find("hunter2") == std::string::npos);
}

TEST_CASE("config signers: a secret inside another setting is refused and not shown", "[config]") {
  const std::string setting =
      GENERATE("provider: pkcs11, uri: 'pkcs11:token=x?pin-value=hunter2'",
               "provider: pkcs11, uri: 'PKCS11:token=x;Pin-Value=hunter2'",
               "provider: vault, address: 'https://me:hunter2@vault.example/'");
  INFO(setting);

  const auto config = config::parse("{version: 1, signers: {s: {" + setting + "}}}", "f");

  REQUIRE_FALSE(config);
  CHECK(config.error().kind == ErrorKind::config);
  CHECK(config.error().message.find("has a PIN or password in it") != std::string::npos);
  CHECK(text_of(config.error()).find("hunter2") == std::string::npos);
}

TEST_CASE("config signers: flags make the same signer as the config", "[config]") {
  const auto signer = must(config::signer_from_flags(
      "pfx", {"file=a=b.pfx", "password=env:NEW", "password=env:OLD", "max_parallel=3"}));

  CHECK(signer.provider == "pfx");
  CHECK(signer.values.at("file") == "a=b.pfx");
  CHECK(signer.values.at("max_parallel") == "3");
  CHECK(described(signer, "password") == std::vector<std::string>{"env:NEW", "env:OLD"});
  CHECK(signer.origin.line == 0);
}

TEST_CASE("config signers: wrong flags are refused without showing values", "[config]") {
  struct Case {
    std::vector<std::string> pairs;
    std::string message;
    std::string hint;
  };
  const auto wrong = GENERATE(values<Case>({
      {{"hunter2"}, "-p needs key=value", "for example -p file=dev.pfx"},
      {{"=hunter2"}, "-p needs key=value", "for example -p file=dev.pfx"},
      {{"file="}, "-p needs key=value, and \"file\" has no value", "for example -p file=dev.pfx"},
      {{"pasword=hunter2"},
       "provider pfx has no setting \"pasword\"",
       "did you mean \"password\"?"},
      {{"password=hunter2"},
       "-p password must be a reference, not the secret itself",
       "use env:NAME, file:PATH, exec:COMMAND or stdin"},
      {{"max_parallel=hunter2"}, "-p max_parallel must be a whole number", ""},
      {{"file=a", "file=b"}, "-p file is given twice", ""},
  }));
  INFO(wrong.pairs.front());

  const auto signer = config::signer_from_flags("pfx", wrong.pairs);

  REQUIRE_FALSE(signer);
  CHECK(signer.error().kind == ErrorKind::usage);
  CHECK(signer.error().message == wrong.message);
  CHECK(signer.error().hint == wrong.hint);
}

TEST_CASE("config signers: a provider flag is checked like a config's", "[config]") {
  const auto misspelt = config::signer_from_flags("pfxx", {});

  REQUIRE_FALSE(misspelt);
  CHECK(misspelt.error().kind == ErrorKind::usage);
  CHECK(misspelt.error().hint == "did you mean \"pfx\"?");
}

TEST_CASE("config signers: resolving fetches secrets and places paths", "[config]") {
  const FakeEnvironment environment(
      std::map<std::string, std::string>{{"OLD", "the old password"}});
  const auto signer = only_signer(
      "{version: 1, signers: {dev: {provider: pfx, file: dev.pfx, chain: /etc/chain.pem, "
      "password: [env:NEW, env:OLD], max_parallel: 2}}}");

  const auto settings = must(config::resolve(signer, "ci", environment));

  CHECK(settings.get("file") == "ci/dev.pfx");
  CHECK(settings.get("chain") == "/etc/chain.pem");
  CHECK(settings.get("max_parallel") == "2");
  CHECK(settings.get("key").empty());
  CHECK(settings.secrets.at("password").reveal() == "the old password");
}

TEST_CASE("config signers: max_parallel is told apart from no limit", "[config]") {
  CHECK(config::max_parallel(must(config::signer_from_flags("pfx", {"max_parallel=3"}))) == 3);
  CHECK(config::max_parallel(must(config::signer_from_flags("pfx", {}))) == 0);
}

TEST_CASE("config signers: paths from flags stay relative to the working directory", "[config]") {
  const FakeEnvironment environment;
  const auto signer = must(config::signer_from_flags("pfx", {"file=dev.pfx"}));

  CHECK(must(config::resolve(signer, "", environment)).get("file") == "dev.pfx");
}

TEST_CASE("config signers: a secret that cannot be had is an auth error", "[config]") {
  const FakeEnvironment environment;
  const auto signer =
      only_signer("{version: 1, signers: {dev: {provider: pfx, password: env:UNSET}}}");

  const auto settings = config::resolve(signer, "", environment);

  REQUIRE_FALSE(settings);
  CHECK(settings.error().kind == ErrorKind::auth);
  INFO(text_of(settings.error()));
  CHECK(text_of(settings.error()).find("UNSET") != std::string::npos);
  CHECK(text_of(settings.error()).find("signer \"dev\"") != std::string::npos);
}

}  // namespace signctl::test
