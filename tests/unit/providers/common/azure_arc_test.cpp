// SPDX-License-Identifier: Apache-2.0
#include "core/text.hpp"
#include "providers/common/azure_login.hpp"
#include "support/catch.hpp"
#include "support/fake_world.hpp"
#include "support/must.hpp"
#include "support/paths.hpp"

#include <algorithm>
#include <filesystem>
#include <vector>

namespace signctl::test {
namespace {

namespace azure = providers::azure;

/// The Arc agent: 401 with the name of a file, then a token for whoever knows what is in it.
class Agent final : public HttpClient {
 public:
  Result<HttpResponse> send(const HttpRequest& request) override {
    asked.push_back(request);
    HttpResponse response;
    const auto given = request.headers.find("Authorization");
    const bool good = request.url ==
                          "http://127.0.0.1:40342/metadata/identity/oauth2/token"
                          "?api-version=2020-06-01&resource=https%3A%2F%2Fx.example" &&
                      request.headers.count("Metadata") == 1;
    if (good && given == request.headers.end()) {
      response.status = 401;
      response.headers["www-authenticate"] = "Basic realm=" + realm;
      return response;
    }
    const bool knows = good && given->second == "Basic arc-secret";
    response.status = knows ? 200 : 400;
    response.body.assign(answer.begin(), answer.end());
    return response;
  }

  std::string realm;
  std::string answer{R"({"access_token":"arc-token","expires_in":"3600"})"};
  std::vector<HttpRequest> asked;
};

struct Machine {
  TemporaryFolder folder;
  FakeClock clock{TimePoint{std::chrono::seconds{1'795'435'200}}};
  FakeEnvironment environment{
      {{"IDENTITY_ENDPOINT", "http://127.0.0.1:40342/metadata/identity/oauth2/token"},
       {"IMDS_ENDPOINT", "http://127.0.0.1:40342"},
       {"ProgramData", folder.path()}}};
  Agent agent;
  std::string tokens{folder.path() + "/AzureConnectedMachineAgent/Tokens"};

  Machine() {
    std::filesystem::create_directories(tokens);
    agent.realm = file(tokens + "/1.key", "arc-secret");
  }
  static std::string file(const std::string& path, std::string_view content) {
    spill(path, as_bytes(content));
    return path;
  }
  Result<azure::AccessToken> token(const std::string& client = "") {
    ProviderSettings settings;
    settings.values = {{"auth", "managed-identity"}, {"client_id", client}};
    SIGNCTL_TRY(const auto login,
                azure::choose_login(settings, {clock, environment, agent}, "https://x.example"),
                "");
    return login.fetch();
  }
  [[nodiscard]] bool has_sent_anything() const {
    return std::any_of(agent.asked.begin(), agent.asked.end(), [](const HttpRequest& one) {
      return one.headers.count("Authorization") == 1;
    });
  }
};

}  // namespace

TEST_CASE("azure: an Arc machine proves itself with the agent's secret", "[providers][common]") {
  Machine machine;
  CHECK(must(machine.token()).text.reveal() == "arc-token");
  CHECK(machine.agent.asked.size() == 2);
}

TEST_CASE("azure: no other file of the machine is sent to what calls itself the Arc agent",
          "[providers][common]") {
  Machine machine;
  SECTION("another folder") {
    machine.agent.realm = Machine::file(machine.folder.file("private.key"), "mine");
  }
  SECTION("another kind of file") {
    machine.agent.realm = Machine::file(machine.tokens + "/notes.txt", "mine");
  }
  SECTION("a way out of the folder") {
    static_cast<void>(Machine::file(machine.folder.file("private.key"), "mine"));
    machine.agent.realm = machine.tokens + "/../../private.key";
  }
  SECTION("a link out of the folder") {
    static_cast<void>(Machine::file(machine.folder.file("private.key"), "mine"));
    std::error_code failed;
    std::filesystem::create_symlink(
        machine.folder.file("private.key"), machine.tokens + "/link.key", failed);
    machine.agent.realm = machine.tokens + "/link.key";
  }
  SECTION("too much") {
    machine.agent.realm = Machine::file(machine.tokens + "/2.key", std::string(5000, 'a'));
  }
  SECTION("nothing") {
    machine.agent.realm = "";
  }
  const auto token = machine.token();
  REQUIRE_FALSE(token);
  CHECK(token.error().kind == ErrorKind::auth);
  CHECK_FALSE(machine.has_sent_anything());
}

TEST_CASE("azure: an Arc machine is known by its agent where no variable tells",
          "[providers][common]") {
  Machine machine;
  machine.environment = FakeEnvironment(
      {{"ProgramFiles", machine.folder.path()}, {"ProgramData", machine.folder.path()}});
  static_cast<void>(
      Machine::file(machine.folder.path() + "/AzureConnectedMachineAgent/himds.exe", ""));

  CHECK(must(machine.token()).text.reveal() == "arc-token");
}

TEST_CASE("azure: the end of a token is read as numbers alone", "[providers][common]") {
  Machine machine;
  machine.agent.answer = R"({"access_token":"arc-token","expires_on":"1795438800"})";
  CHECK(must(machine.token()).expires == TimePoint{std::chrono::seconds{1'795'438'800}});

  machine.agent.answer =
      R"({"access_token":"arc-token","expires_on":"11/26/2026 13:00:00 PM +00:00"})";
  CHECK_FALSE(must(machine.token()).expires);
}

TEST_CASE("azure: an Arc machine has one identity", "[providers][common]") {
  Machine machine;
  const auto token = machine.token("11111111-2222-3333-4444-555555555555");
  REQUIRE_FALSE(token);
  CHECK(token.error().kind == ErrorKind::config);
}

}  // namespace signctl::test
