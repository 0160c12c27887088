// SPDX-License-Identifier: Apache-2.0
#include "core/text.hpp"
#include "crypto/digest.hpp"
#include "fake/aws_kms.hpp"
#include "fake/rig.hpp"
#include "support/catch.hpp"
#include "support/issued.hpp"
#include "support/must.hpp"

#include <atomic>
#include <thread>

namespace signctl::test {
namespace {

using fake::with;
using fake::with_secret;

/// A rig of its own for each test, with a key and without credentials.
struct Bare {
  fake::Rig rig{{"aws-kms"}};
  ProviderSettings settings = [this] {
    auto made =
        with(with(rig.settings("aws-kms"), "key_id", "p256"), "chain", rig.chain_file("p256"));
    made.values.erase("access_key_id");
    made.secrets.clear();
    return made;
  }();

  Result<std::unique_ptr<SigningSession>> open() {
    return find_provider("aws-kms")->open(settings, rig.world());
  }
  Error refusal() {
    const auto session = open();
    return session ? Error{ErrorKind::internal, "was opened"} : session.error();
  }
  void set(const std::string& key, const std::string& value) { settings.values[key] = value; }
};

Result<SignedDigest> sign(SigningSession& session) {
  return session.sign(crypto::hash(DigestAlg::sha256, as_bytes("content")), DigestAlg::sha256);
}

}  // namespace

TEST_CASE("aws login: variables of either name hold the access key", "[providers][aws_kms]") {
  Bare bare;
  bare.rig.variables.set("AWS_ACCESS_KEY", fake::aws::kAccessKey);
  bare.rig.variables.set("AWS_SECRET_KEY", fake::aws::kSecretKey);

  must(sign(*must(bare.open())));
}

TEST_CASE("aws login: half an access key is a config error", "[providers][aws_kms]") {
  Bare bare;
  bare.set("access_key_id", fake::aws::kAccessKey);

  CHECK(bare.refusal().kind == ErrorKind::config);
}

TEST_CASE("aws login: an identity token from a file takes on the role", "[providers][aws_kms]") {
  Bare bare;
  bare.set("role_arn", fake::aws::kRole);
  bare.set("web_identity_token_file",
           bare.rig.file("token", fake::aws::identity_token(bare.rig.lab) + "\n"));

  must(sign(*must(bare.open())));

  CHECK(bare.rig.lab.count("POST /aws-kms/sts/") == 1);
}

TEST_CASE("aws login: a trust policy that says no is shown the token's claims",
          "[providers][aws_kms]") {
  Bare bare;
  bare.set("role_arn", fake::aws::kRole);
  const std::string token =
      fake::aws::identity_token(bare.rig.lab, "sts.amazonaws.com", "repo:contoso/fork:ref:x");
  bare.set("web_identity_token_file", bare.rig.file("token", token));

  const Error error = bare.refusal();

  INFO(text_of(error));
  CHECK(error.kind == ErrorKind::auth);
  CHECK(error.hint.find("repo:contoso/fork:ref:x") != std::string::npos);
  CHECK(text_of(error).find(token) == std::string::npos);
  CHECK(text_of(error).find(token.substr(token.rfind('.') + 1)) == std::string::npos);
}

TEST_CASE("aws login: on GitHub the job's identity token takes on the role",
          "[providers][aws_kms]") {
  Bare bare;
  bare.set("role_arn", fake::aws::kRole);
  bare.rig.http->reroute("https://token.example/", bare.rig.server->url("aws-kms") + "/");
  bare.rig.variables.set("ACTIONS_ID_TOKEN_REQUEST_URL",
                         "https://token.example/github?api-version=2.0");
  bare.rig.variables.set("ACTIONS_ID_TOKEN_REQUEST_TOKEN", fake::aws::kGithubBearer);

  must(sign(*must(bare.open())));

  bare.rig.variables.set("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "");
  const Error error = bare.refusal();
  CHECK(error.kind == ErrorKind::auth);
  CHECK(error.hint.find("id-token: write") != std::string::npos);
}

TEST_CASE("aws login: the container's agent is asked with its token", "[providers][aws_kms]") {
  Bare bare;
  bare.rig.http->reroute("http://169.254.170.2/", bare.rig.server->url("aws-kms") + "/");
  bare.rig.variables.set("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/container/credentials");
  CHECK(bare.refusal().kind == ErrorKind::auth);

  bare.rig.variables.set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
                         bare.rig.file("agent", std::string(fake::aws::kContainerToken) + "\n"));

  must(sign(*must(bare.open())));
}

TEST_CASE("aws login: an agent at a full address must be near or spoken to by TLS",
          "[providers][aws_kms]") {
  Bare bare;
  bare.rig.variables.set("AWS_CONTAINER_AUTHORIZATION_TOKEN", fake::aws::kContainerToken);
  bare.rig.variables.set("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://10.0.0.1/credentials");
  CHECK(bare.refusal().kind == ErrorKind::config);

  for (const std::string origin : {"http://169.254.170.23", "http://[fd00:ec2::23]"}) {
    INFO(origin);
    bare.rig.http->reroute(origin + "/", bare.rig.server->url("aws-kms") + "/");
    bare.rig.variables.set("AWS_CONTAINER_CREDENTIALS_FULL_URI", origin + "/container/credentials");
    must(sign(*must(bare.open())));
  }
}

TEST_CASE("aws login: the instance is asked by IMDSv2", "[providers][aws_kms]") {
  Bare bare;
  bare.rig.http->reroute("http://169.254.169.254/", bare.rig.server->url("aws-kms") + "/imds/");

  must(sign(*must(bare.open())));

  CHECK(bare.rig.lab.count("PUT /aws-kms/imds/latest/api/token") == 1);
}

TEST_CASE("aws login: nothing at all is a credential error", "[providers][aws_kms]") {
  Bare bare;
  bare.rig.http->reroute("http://169.254.169.254/", "http://127.0.0.1:1/");

  const Error error = bare.refusal();

  CHECK(error.kind == ErrorKind::auth);
  CHECK(error.message.find("no AWS credentials were found") != std::string::npos);

  bare.rig.variables.set("AWS_EC2_METADATA_DISABLED", "true");
  CHECK(bare.refusal().kind == ErrorKind::auth);
}

TEST_CASE("aws login: profiles hold keys, roles and commands", "[providers][aws_kms]") {
  Bare bare;
  const std::string keys = std::string("aws_access_key_id = ") + fake::aws::kAccessKey +
                           "\naws_secret_access_key = " + fake::aws::kSecretKey + "\n";
  const std::string printed = bare.rig.file(
      "printed.json",
      std::string("{\n \"Version\": 1,\n \"AccessKeyId\": \"") + fake::aws::kAccessKey +
          "\",\n \"SecretAccessKey\": \"" + fake::aws::kSecretKey + "\"\n}\n");
  bare.rig.variables.set("AWS_SHARED_CREDENTIALS_FILE", bare.rig.file("s", "[keys]\n" + keys));
  bare.rig.variables.set(
      "AWS_CONFIG_FILE",
      bare.rig.file("c",
                    std::string("[profile role]\nsource_profile = keys\nrole_arn = ") +
                        fake::aws::kRole +
                        "\n[profile loop]\nsource_profile = loop\nrole_arn = x"
                        "\n[profile mfa]\nsource_profile = keys\nrole_arn = x\nmfa_serial = y"
                        "\n[profile sso]\nsso_session = corp"
                        "\n[profile empty]\nregion = eu-central-1"
                        "\n[profile process]\ncredential_process = cat '" +
                        printed + "'\n[profile broken]\ncredential_process = echo '{}'\n"));
  for (const std::string name : {"keys", "role", "process"}) {
    INFO(name);
    bare.set("profile", name);
    must(sign(*must(bare.open())));
  }

  const auto kind_of = [&](const std::string& name) {
    bare.set("profile", name);
    return bare.refusal().kind;
  };
  CHECK(kind_of("nobody") == ErrorKind::config);
  CHECK(kind_of("loop") == ErrorKind::config);
  CHECK(kind_of("mfa") == ErrorKind::config);
  CHECK(kind_of("sso") == ErrorKind::config);
  CHECK(kind_of("empty") == ErrorKind::auth);
  CHECK(kind_of("broken") == ErrorKind::auth);
}

TEST_CASE("aws login: a profile that is named beats the variables' access key",
          "[providers][aws_kms]") {
  Bare bare;
  bare.set("access_key_id", fake::aws::kAccessKey);
  bare.settings = with_secret(bare.settings, "secret_access_key", fake::aws::kSecretKey);
  bare.rig.variables.set("AWS_CONFIG_FILE", bare.rig.file("c", "[profile p]\nregion = x\n"));
  bare.set("profile", "p");
  CHECK(bare.refusal().kind == ErrorKind::auth);  // It holds no credentials, and is the one asked.

  bare.rig.variables.set("AWS_PROFILE", "p");  // Now it is the variable that names it.
  must(bare.open());
}

TEST_CASE("aws login: credentials are renewed before they end", "[providers][aws_kms]") {
  Bare bare;
  bare.set("role_arn", fake::aws::kRole);
  const auto write_token = [&] {
    bare.set("web_identity_token_file",
             bare.rig.file("token", fake::aws::identity_token(bare.rig.lab)));
  };
  write_token();
  const auto session = must(bare.open());
  bare.rig.clock.sleep_for(std::chrono::minutes{50});
  must(sign(*session));
  CHECK(bare.rig.lab.count("POST /aws-kms/sts/") == 1);

  bare.rig.clock.sleep_for(std::chrono::minutes{6});
  write_token();
  must(sign(*session));

  CHECK(bare.rig.lab.count("POST /aws-kms/sts/") == 2);
}

TEST_CASE("aws login: credentials that end early are had again once", "[providers][aws_kms]") {
  Bare bare;
  bare.set("role_arn", fake::aws::kRole);
  bare.set("web_identity_token_file",
           bare.rig.file("token", fake::aws::identity_token(bare.rig.lab)));
  const auto session = must(bare.open());
  fake::Fault expired;
  expired.match = "POST /aws-kms/";
  expired.status = 400;
  expired.body = R"({"__type":"ExpiredTokenException","message":"expired"})";
  bare.rig.lab.add(expired);

  must(sign(*session));

  CHECK(bare.rig.lab.count("POST /aws-kms/sts/") == 2);
}

TEST_CASE("aws login: workers at the same time log in once", "[providers][aws_kms]") {
  Bare bare;
  bare.set("role_arn", fake::aws::kRole);
  bare.set("web_identity_token_file",
           bare.rig.file("token", fake::aws::identity_token(bare.rig.lab)));
  const auto first = must(bare.open());
  std::vector<std::thread> workers;
  std::atomic<int> good{0};
  for (int i = 0; i < 8; ++i) {
    workers.emplace_back([&] {
      const auto session = first->another();
      for (int j = 0; j < 4; ++j) {
        good += session && sign(**session) ? 1 : 0;
      }
    });
  }
  for (std::thread& worker : workers) {
    worker.join();
  }

  CHECK(good == 32);
  CHECK(bare.rig.lab.count("POST /aws-kms/sts/") == 1);
}

}  // namespace signctl::test
