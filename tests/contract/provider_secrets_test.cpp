// SPDX-License-Identifier: Apache-2.0
// What is sent to a service stays there, whatever the service does.

#include "core/text.hpp"
#include "crypto/digest.hpp"
#include "provider_fixture.hpp"
#include "support/catch.hpp"
#include "support/must.hpp"

#include <signctl/provider.hpp>

#include <set>
#include <string>

#include <nlohmann/json.hpp>

namespace signctl::test {
namespace {

/// Lets some requests through, and then repeats in its refusals all that it is sent, in the shapes
/// that services write errors in.
class Parrot final : public HttpClient {
 public:
  Parrot(HttpClient& service, int good, int status)
      : service_(service), good_(good), status_(status) {}

  Result<HttpResponse> send(const HttpRequest& request) override {
    if (good_-- > 0) {
      return service_.send(request);
    }
    std::string heard(as_text(request.body));
    for (const auto& [name, value] : request.headers) {
      heard.append(" ").append(value);
      const std::string last = value.substr(value.rfind(' ') + 1);
      if (to_lower(name) == "authorization" && last.find('=') == last.npos) {
        credentials.insert(last);
      }
    }
    const nlohmann::json answer{
        {"errors", {heard}},
        {"error", status_ % 2 == 0 ? nlohmann::json{{"message", heard}} : nlohmann::json(heard)},
        {"error_description", heard},
        {"message", heard},
        {"Message", heard}};
    const std::string text = answer.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    HttpResponse response;
    response.status = status_;
    response.headers = {{"content-type", "application/json"}, {"x-request-id", heard}};
    response.body.assign(text.begin(), text.end());
    return response;
  }

  std::set<std::string> credentials;  ///< That came in headers.

 private:
  HttpClient& service_;
  int good_;
  int status_;
};

}  // namespace

TEST_CASE("provider contract: a service that repeats what it is sent gives no secret away",
          "[contract]") {
  for (const Provider* provider : builtin_providers()) {
    const auto fixture = make_fixture(provider->name());
    const ProviderSettings settings = fixture->good().front().settings;
    for (const int status : {400, 401, 403, 500}) {
      for (int good = 0; good < 4; ++good) {
        INFO(provider->name() << " " << status << " after " << good);
        const World real = fixture->world();
        Parrot parrot(real.http, good, status);
        const World world{real.clock, real.environment, parrot};

        const auto session = provider->open(settings, world);
        const auto result =
            session ? (*session)->sign(crypto::hash(DigestAlg::sha256, {}), DigestAlg::sha256)
                    : session.error();
        std::string said = result ? "" : text_of(result.error());
        for (const Finding& finding : provider->diagnose(settings, world)) {
          said += "\n" + finding.message;
        }

        INFO(said);
        for (const std::string& secret : fixture->secrets()) {
          CHECK(said.find(secret) == std::string::npos);
        }
        for (const std::string& secret : parrot.credentials) {
          CHECK(said.find(secret) == std::string::npos);
        }
      }
    }
  }
}

}  // namespace signctl::test
