// SPDX-License-Identifier: Apache-2.0
// Microsoft's metadata.json as settings.
#include "providers/trusted_signing/metadata.hpp"

#include "core/text.hpp"
#include "support/catch.hpp"
#include "support/must.hpp"
#include "support/paths.hpp"

namespace signctl::providers::trusted_signing {
namespace {

using test::must;

struct Given {
  test::TemporaryFolder folder;
  ProviderSettings settings;

  explicit Given(const std::string& json) {
    test::spill(folder.file("metadata.json"), as_bytes(json));
    settings.values["metadata"] = folder.file("metadata.json");
  }
  [[nodiscard]] Error refusal() const {
    const auto place = place_of(settings);
    return place ? Error{ErrorKind::internal, "was accepted"} : place.error();
  }
};

constexpr const char* kComplete = R"({"Endpoint": "https://weu.codesigning.azure.net/",
  "CodeSigningAccountName": "contoso", "CertificateProfileName": "public",
  "CorrelationId": "1b0a3b3f-7f1a-4c43-9c1e-5a0f4f0f7f0a", "ExcludeCredentials": []})";

}  // namespace

TEST_CASE("metadata.json: says which profile signs", "[providers]") {
  for (const std::string mark : {"", "\xEF\xBB\xBF"}) {
    const Given given(mark + kComplete);

    const Place place = must(place_of(given.settings));

    CHECK(place.endpoint == "https://weu.codesigning.azure.net/");
    CHECK(place.account == "contoso");
    CHECK(place.profile == "public");
    CHECK(place.correlation_id == "1b0a3b3f-7f1a-4c43-9c1e-5a0f4f0f7f0a");
  }
}

TEST_CASE("metadata.json: goes together with settings that say the same or what it does not",
          "[providers]") {
  Given given(R"({"Endpoint": "https://weu.codesigning.azure.net/"})");
  given.settings.values["endpoint"] = "https://weu.codesigning.azure.net/";
  given.settings.values["account"] = "contoso";
  given.settings.values["profile"] = "public";
  CHECK(must(place_of(given.settings)).profile == "public");

  given.settings.values["endpoint"] = "https://eus.codesigning.azure.net/";
  const Error error = given.refusal();

  CHECK(error.kind == ErrorKind::config);
  CHECK(error.message.find("eus") != std::string::npos);
  CHECK(error.message.find("weu") != std::string::npos);
}

TEST_CASE("metadata.json: what is wrong with it is an error of the config", "[providers]") {
  for (const char* json : {"",
                           "[]",
                           "not JSON",
                           R"({"Endpoint": "https://weu.codesigning.azure.net/"})",
                           R"({"Endpoint": 1})",
                           R"({"Endpont": "https://weu.codesigning.azure.net/"})"}) {
    INFO(json);
    const Error error = Given(json).refusal();
    CHECK(error.kind == ErrorKind::config);
    CHECK(!error.hint.empty());
  }
  Given missing(kComplete);
  missing.settings.values["metadata"] += ".none";
  CHECK(missing.refusal().kind == ErrorKind::input);
}

TEST_CASE("metadata.json: without it the three settings are needed", "[providers]") {
  const auto place = place_of({});

  REQUIRE_FALSE(place);
  CHECK(place.error().kind == ErrorKind::config);
  CHECK(place.error().hint.find("metadata.json") != std::string::npos);
}

}  // namespace signctl::providers::trusted_signing
