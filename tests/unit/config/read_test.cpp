// SPDX-License-Identifier: Apache-2.0
#include "config/config.hpp"
#include "support/catch.hpp"
#include "support/must.hpp"
#include "support/paths.hpp"

#include <chrono>
#include <filesystem>
#include <map>
#include <string>

namespace signctl::test {

using namespace std::chrono_literals;

namespace {

std::string vector_path(const std::string& name) {
  return SIGNCTL_SOURCE_DIR "/tests/vectors/config/good/" + name;
}

}  // namespace

TEST_CASE("config: every value of a full document arrives", "[config]") {
  const auto config = must(config::load(vector_path("everything.yaml")));

  CHECK(config.sign.signer == std::vector<std::string>{"release", "dev"});
  CHECK(config.sign.digest == DigestAlg::sha384);
  CHECK(config.sign.description == "Contoso Studio");
  CHECK(config.sign.url == "https://contoso.example/");
  CHECK(config.sign.page_hashes);
  CHECK_FALSE(config.sign.complete_chain);
  CHECK(config.sign.if_signed == config::ExistingSignature::skip_valid);
  CHECK(config.sign.timestamp_servers ==
        std::vector<std::string>{"http://timestamp.acs.microsoft.com",
                                 "http://timestamp.digicert.com"});
  CHECK(config.sign.timestamp_digest == DigestAlg::sha512);
  CHECK(config.sign.jobs == 8);
  CHECK(config.sign.retry.attempts == 3);
  CHECK(config.sign.retry.initial == 250ms);
  CHECK(config.sign.retry.max == 10s);
  CHECK(config.sign.retry.deadline == 2h);
  REQUIRE(config.steps.size() == 2);
  CHECK(config.steps[0].name == "binaries");
  CHECK(config.steps[0].files == std::vector<std::string>{"publish/**/*.exe", "publish/**/*.dll"});
  CHECK(config.steps[0].exclude == std::vector<std::string>{"publish/**/vc_redist*"});
  CHECK(config.steps[0].allow_empty);
  CHECK(config.steps[1].files == std::vector<std::string>{"dist/setup.exe"});
  CHECK_FALSE(config.steps[1].allow_empty);
  CHECK(config.steps[1].origin.line == 35);
  CHECK(config.gate.timestamp == TimestampRule::optional);
  CHECK(config.gate.trust == std::vector<std::string>{"system", "file:certs/ca.pem"});
  CHECK(config.gate.nested == NestedRule::report);
  CHECK(config.gate.revocation == "off");
  const IdentityRule& identity = config.gate.identity;
  CHECK(identity.subject ==
        std::map<std::string, std::string>{{"CN", "Contoso Ltd"}, {"O", "Contoso Ltd"}});
  CHECK(identity.eku == std::vector<std::string>{"1.3.6.1.5.5.7.3.3", "1.3.6.1.4.1.311.97.1.0"});
  CHECK(identity.sha256_thumbprint ==
        "abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789");
  CHECK(identity.issuer_cn == "Contoso Issuing CA");
}

TEST_CASE("config: what is not said keeps the strict default", "[config]") {
  const auto config = must(config::parse("version: 1", "signctl.yaml"));

  CHECK(config.sign.digest == DigestAlg::sha256);
  CHECK(config.sign.if_signed == config::ExistingSignature::fail);
  CHECK(config.sign.jobs == 8);
  CHECK(config.sign.retry.attempts == 6);
  CHECK(config.gate.timestamp == TimestampRule::required);
  CHECK(config.gate.trust == std::vector<std::string>{"system"});
  CHECK(config.gate.revocation == "soft");
  CHECK(config.gate.identity.empty());
  CHECK(config.sign.signer.empty());
}

TEST_CASE("config: the documented defaults are the ones in the code", "[config]") {
  const auto said = must(config::parse(R"(version: 1
sign:
  digest: sha256
  page-hashes: false
  complete-chain: true
  if-signed: fail
  timestamp: { digest: sha256 }
  jobs: 8
  retry: { attempts: 6, initial: 500ms, max: 30s, deadline: 15m }
gate: { timestamp: required, trust: [system], revocation: soft }
)",
                                       "signctl.yaml"));
  const auto unsaid = must(config::parse("version: 1", "signctl.yaml"));

  CHECK(said.sign.digest == unsaid.sign.digest);
  CHECK(said.sign.page_hashes == unsaid.sign.page_hashes);
  CHECK(said.sign.complete_chain == unsaid.sign.complete_chain);
  CHECK(said.sign.if_signed == unsaid.sign.if_signed);
  CHECK(said.sign.timestamp_digest == unsaid.sign.timestamp_digest);
  CHECK(said.sign.jobs == unsaid.sign.jobs);
  CHECK(said.sign.retry.attempts == unsaid.sign.retry.attempts);
  CHECK(said.sign.retry.initial == unsaid.sign.retry.initial);
  CHECK(said.sign.retry.max == unsaid.sign.retry.max);
  CHECK(said.sign.retry.deadline == unsaid.sign.retry.deadline);
  CHECK(said.gate.timestamp == unsaid.gate.timestamp);
  CHECK(said.gate.trust == unsaid.gate.trust);
  CHECK(said.gate.revocation == unsaid.gate.revocation);
}

TEST_CASE("config: a quota is a number for a signer that there is", "[config]") {
  const std::string signers = "version: 1\nsigners: {a: {provider: pfx}, b: {provider: pfx}}\n";
  const auto read = [&](const std::string& quota) {
    return config::parse(signers + "limits: {quota: " + quota + "}\n", "signctl.yaml");
  };

  CHECK(must(read("{a: 0, b: 412}")).limits.quota ==
        std::map<std::string, int>{{"a", 0}, {"b", 412}});
  CHECK_THAT(read("{c: 5}").error().message, Catch::Contains("which is not in signers"));
  CHECK_THAT(read("{a: many}").error().message, Catch::Contains("must be a whole number"));
  CHECK_THAT(read("{a: -1}").error().message, Catch::Contains("must be from 0"));
  CHECK_THAT(read("5").error().message, Catch::Contains("names to numbers"));
}

TEST_CASE("config: the only signer there is signs", "[config]") {
  const auto one = must(config::parse("{version: 1, signers: {a: {provider: pfx}}}", "c.yaml"));
  const auto two = must(
      config::parse("{version: 1, signers: {a: {provider: pfx}, b: {provider: pfx}}}", "c.yaml"));

  CHECK(one.sign.signer == std::vector<std::string>{"a"});
  CHECK(one.origins.at("sign.signer") == "default");
  CHECK(two.sign.signer.empty());
}

TEST_CASE("config: origins tell where each value stands", "[config]") {
  const auto config = must(config::parse(R"(version: 1
signers:
  dev:
    provider: pfx
    password: env:P
sign:
  signer: dev
  timestamp:
    servers:
      - http://a.example/
steps:
  - name: one
    files: ["*.exe"]
gate:
  identity: { subject: { CN: Me } }
)",
                                         "ci/signctl.yaml"));

  CHECK(config.origins.at("version") == "ci/signctl.yaml:1:10");
  CHECK(config.origins.at("signers.dev.provider") == "ci/signctl.yaml:4:15");
  CHECK(config.origins.at("signers.dev.password") == "ci/signctl.yaml:5:15");
  CHECK(config.origins.at("sign.signer") == "ci/signctl.yaml:7:11");
  CHECK(config.origins.at("sign.timestamp.servers") == "ci/signctl.yaml:10:7");
  CHECK(config.origins.at("sign.digest") == "default");
  CHECK(config.origins.at("sign.retry.deadline") == "default");
  CHECK(config.origins.at("steps[0].files") == "ci/signctl.yaml:13:12");
  CHECK(config.origins.at("steps[0].allow-empty") == "default");
  CHECK(config.origins.at("gate.identity.subject.CN") == "ci/signctl.yaml:15:30");
  CHECK(config.signers.at("dev").origin.line == 3);
}

TEST_CASE("config: its folder is that of the file", "[config]") {
  CHECK(must(config::parse("version: 1", "a/b/signctl.yaml")).folder == "a/b");
  CHECK(must(config::parse("version: 1", "signctl.yaml")).folder.empty());
}

TEST_CASE("config: the folder of a local timestamp authority is relative to the config",
          "[config]") {
  const auto config = must(config::parse(
      "{version: 1, sign: {timestamp: {servers: ['dev:', 'dev:ca', 'dev:/ca']}}}", "a/c.yaml"));

  CHECK(config.sign.timestamp_servers == std::vector<std::string>{"dev:", "dev:a/ca", "dev:/ca"});
}

TEST_CASE("config: a file over a megabyte is refused unread", "[config]") {
  const TemporaryFolder folder;
  const Bytes large(1'000'001, '#');
  spill(folder.file("signctl.yaml"), large);

  const auto config = config::load(folder.file("signctl.yaml"));

  REQUIRE_FALSE(config);
  CHECK(config.error().kind == ErrorKind::input);
}

TEST_CASE("config: a missing file is an input error", "[config]") {
  const auto config = config::load("/nonexistent/signctl.yaml");

  REQUIRE_FALSE(config);
  CHECK(config.error().kind == ErrorKind::input);
}

TEST_CASE("config: the nearest signctl file upward is found", "[config]") {
  const TemporaryFolder folder;
  const std::string deep = folder.file("a/b/c");
  std::filesystem::create_directories(deep);
  spill(folder.file("signctl.json"), {});
  spill(folder.file("a/signctl.yml"), {});
  std::filesystem::create_directories(folder.file("a/b/signctl.yaml"));  // a folder is no config

  CHECK(config::find_config(deep) == folder.file("a/signctl.yml"));
  CHECK(config::find_config(folder.path()) == folder.file("signctl.json"));
}

TEST_CASE("config: in one folder yaml comes before yml and json", "[config]") {
  const TemporaryFolder folder;
  spill(folder.file("signctl.json"), {});
  spill(folder.file("signctl.yml"), {});
  CHECK(config::find_config(folder.path()) == folder.file("signctl.yml"));

  spill(folder.file("signctl.yaml"), {});

  CHECK(config::find_config(folder.path() + "/") == folder.file("signctl.yaml"));
}

TEST_CASE("config: gate.nested says what becomes of files inside", "[config]") {
  const auto nested = [](const std::string& rule) {
    return must(config::parse("version: 1\ngate:\n  nested: " + rule + "\n", "signctl.yaml"))
        .gate.nested;
  };

  CHECK(nested("require-signed") == NestedRule::require_signed);
  CHECK(nested("report") == NestedRule::report);
  CHECK(nested("off") == NestedRule::off);
  CHECK(must(config::parse("version: 1\n", "signctl.yaml")).gate.nested == NestedRule::off);
  CHECK_FALSE(config::parse("version: 1\ngate:\n  nested: all\n", "signctl.yaml"));
}

}  // namespace signctl::test
