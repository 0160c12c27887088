// SPDX-License-Identifier: Apache-2.0
// What holds for every provider of this build.

#include "config/config.hpp"
#include "core/text.hpp"
#include "crypto/certificate.hpp"
#include "crypto/digest.hpp"
#include "crypto/keys.hpp"
#include "provider_fixture.hpp"
#include "support/catch.hpp"
#include "support/must.hpp"
#include "support/paths.hpp"

#include <signctl/provider.hpp>

#include <algorithm>
#include <filesystem>
#include <set>

namespace signctl::test {
namespace {

/// A provider with its fixture, which is made once: making keys is slow.
struct Subject {
  const Provider& provider;
  std::shared_ptr<ProviderFixture> fixture;

  [[nodiscard]] Result<std::unique_ptr<SigningSession>> open(
      const ProviderSettings& settings) const {
    return provider.open(settings, fixture->world());
  }
};

const std::vector<Subject>& subjects() {
  static const std::vector<Subject> all = [] {
    std::vector<Subject> made;
    for (const Provider* provider : builtin_providers()) {
      made.push_back({*provider, make_fixture(provider->name())});
    }
    return made;
  }();
  return all;
}

void check_no_secret(const Subject& subject, const std::string& text) {
  for (const std::string& secret : subject.fixture->secrets()) {
    INFO(text);
    CHECK(text.find(secret) == std::string::npos);
  }
}

}  // namespace

TEST_CASE("provider contract: every folder is in the table and has a fixture", "[contract]") {
  std::size_t folders = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(SIGNCTL_SOURCE_DIR "/src/providers")) {
    folders += entry.is_directory() && entry.path().filename() != "common" ? 1U : 0U;
  }

  CHECK(builtin_providers().size() == folders);
  for (const Subject& subject : subjects()) {
    INFO(subject.provider.name());
    CHECK(subject.fixture != nullptr);
  }
}

TEST_CASE("provider contract: names and aliases find their provider and no other", "[contract]") {
  std::set<std::string> names;
  for (const Provider* provider : builtin_providers()) {
    INFO(provider->name());
    CHECK(find_provider(provider->name()) == provider);
    CHECK(names.insert(std::string(provider->name())).second);
    for (const std::string_view alias : provider->aliases()) {
      CHECK(find_provider(alias) == provider);
      CHECK(names.insert(std::string(alias)).second);
    }
  }

  CHECK(find_provider("") == nullptr);
  CHECK(find_provider("nonsense") == nullptr);
}

TEST_CASE("provider contract: every setting is documented once", "[contract]") {
  for (const Provider* provider : builtin_providers()) {
    INFO(provider->name());
    CHECK_FALSE(provider->title().empty());
    CHECK_FALSE(provider->title().ends_with('.'));
    std::set<std::string> keys;
    for (const SettingSpec& spec : provider->settings()) {
      INFO(spec.key);
      CHECK(keys.insert(std::string(spec.key)).second);
      CHECK(spec.key != "provider");
      CHECK_FALSE(spec.help.empty());
      CHECK_FALSE(spec.help.ends_with('.'));
      CHECK(spec.help.find('\n') == std::string_view::npos);
      CHECK(spec.help.find('|') == std::string_view::npos);  // goes into Markdown tables
      CHECK_FALSE(spec.example.empty());
      if (spec.kind == SettingKind::secret) {
        CHECK(SecretRef::parse(spec.example).has_value());
      }
    }
    CHECK_FALSE(keys.empty());
  }
}

TEST_CASE("provider contract: required settings are asked for before the provider is opened",
          "[contract]") {
  for (const Subject& subject : subjects()) {
    INFO(subject.provider.name());
    for (const SettingSpec& spec : subject.provider.settings()) {
      if (!spec.required) {
        continue;
      }
      INFO(spec.key);
      config::Signer signer;
      signer.name = "contract";
      signer.provider = std::string(subject.provider.name());

      const auto settings = config::resolve(signer, "", subject.fixture->world().environment);

      REQUIRE_FALSE(settings);
      CHECK(settings.error().kind == ErrorKind::config);
    }
  }
}

TEST_CASE("provider contract: incomplete settings are config errors", "[contract]") {
  for (const Subject& subject : subjects()) {
    INFO(subject.provider.name());
    for (const ProviderSettings& settings : subject.fixture->incomplete()) {
      const auto session = subject.open(settings);

      REQUIRE_FALSE(session);
      INFO(text_of(session.error()));
      CHECK(session.error().kind == ErrorKind::config);
      check_no_secret(subject, text_of(session.error()));
    }
  }
}

TEST_CASE("provider contract: refused credentials are auth errors", "[contract]") {
  for (const Subject& subject : subjects()) {
    INFO(subject.provider.name());
    for (const ProviderSettings& settings : subject.fixture->wrong_credentials()) {
      const auto session = subject.open(settings);

      REQUIRE_FALSE(session);
      INFO(text_of(session.error()));
      CHECK(session.error().kind == ErrorKind::auth);
      CHECK_FALSE(session.error().hint.empty());
      check_no_secret(subject, text_of(session.error()));
    }
  }
}

TEST_CASE("provider contract: signatures verify with the first certificate of their chain",
          "[contract]") {
  for (const Subject& subject : subjects()) {
    for (const auto& [label, settings, digests] : subject.fixture->good()) {
      const auto session = must(subject.open(settings));
      for (const DigestAlg alg : digests) {
        INFO(subject.provider.name() << " " << label << " " << digest_name(alg));
        const Bytes digest = crypto::hash(alg, as_bytes("to be signed"));

        const SignedDigest result = must(session->sign(digest, alg));

        REQUIRE_FALSE(result.chain.empty());
        const auto leaf = must(crypto::Certificate::parse(result.chain.front()));
        CHECK(crypto::verify_digest(leaf, digest, alg, result.signature));
        const Bytes other = crypto::hash(alg, as_bytes("something else"));
        CHECK_FALSE(crypto::verify_digest(leaf, other, alg, result.signature));
      }
    }
  }
}

TEST_CASE("provider contract: the expected chain is the one that comes with the signature",
          "[contract]") {
  for (const Subject& subject : subjects()) {
    for (const auto& [label, settings, digests] : subject.fixture->good()) {
      INFO(subject.provider.name() << " " << label);
      const auto session = must(subject.open(settings));

      const auto expected = must(session->expected_chain());
      const auto result = must(session->sign(crypto::hash(digests.front(), {}), digests.front()));

      if (!expected.empty()) {  // Empty means that it cannot be known without signing.
        CHECK(expected == result.chain);
      }
    }
  }
}

TEST_CASE("provider contract: chains go up from the leaf and leave the root out", "[contract]") {
  for (const Subject& subject : subjects()) {
    for (const auto& [label, settings, digests] : subject.fixture->good()) {
      INFO(subject.provider.name() << " " << label);
      const auto session = must(subject.open(settings));
      const auto result = must(session->sign(crypto::hash(digests.front(), {}), digests.front()));

      for (std::size_t i = 0; i + 1 < result.chain.size(); ++i) {
        const auto lower = must(crypto::Certificate::parse(result.chain[i]));
        const auto upper = must(crypto::Certificate::parse(result.chain[i + 1]));
        CHECK(lower.signed_by(upper));
        CHECK_FALSE(upper.self_issued());
      }
    }
  }
}

TEST_CASE("provider contract: a digest of the wrong size is refused", "[contract]") {
  for (const Subject& subject : subjects()) {
    const auto good = subject.fixture->good();
    REQUIRE_FALSE(good.empty());
    const auto session = must(subject.open(good.back().settings));
    for (const DigestAlg alg : kAllDigests) {
      for (const std::size_t size : {std::size_t{0},
                                     std::size_t{20},
                                     digest_size(alg) - 1,
                                     digest_size(alg) + 1,
                                     2 * digest_size(alg)}) {
        INFO(subject.provider.name() << " " << digest_name(alg) << " " << size);
        CHECK_FALSE(session->sign(Bytes(size, 0x42), alg).has_value());
      }
    }
  }
}

TEST_CASE("provider contract: sha1 and md5 are not signed with", "[contract]") {
  for (const Subject& subject : subjects()) {
    const auto good = subject.fixture->good();
    REQUIRE_FALSE(good.empty());
    const auto session = must(subject.open(good.back().settings));
    for (const DigestAlg alg : {DigestAlg::md5, DigestAlg::sha1}) {
      INFO(subject.provider.name() << " " << digest_name(alg));

      const auto result = session->sign(crypto::hash(alg, {}), alg);

      REQUIRE_FALSE(result);
      CHECK(result.error().kind == ErrorKind::unsupported);
    }
  }
}

TEST_CASE("provider contract: sessions side by side do not disturb each other", "[contract]") {
  for (const Subject& subject : subjects()) {
    const auto good = subject.fixture->good();
    REQUIRE_FALSE(good.empty());
    INFO(subject.provider.name());
    const DigestAlg alg = good.front().digests.front();
    const Bytes digest = crypto::hash(alg, {});
    const auto first = must(subject.open(good.front().settings));
    auto second = must(subject.open(good.front().settings));

    const auto chain = must(second->sign(digest, alg)).chain;
    second.reset();

    CHECK(must(first->sign(digest, alg)).chain == chain);
  }
}

TEST_CASE("provider contract: what is examined and found good can be signed with at once",
          "[contract]") {
  for (const Subject& subject : subjects()) {
    for (const auto& [label, settings, digests] : subject.fixture->good()) {
      INFO(subject.provider.name() << " " << label);
      const Bytes digest = crypto::hash(digests.front(), as_bytes("to be signed"));

      const auto examination = subject.provider.examine(settings, subject.fixture->world());

      REQUIRE(examination.session != nullptr);
      const SignedDigest result = must(examination.session->sign(digest, digests.front()));
      const auto leaf = must(crypto::Certificate::parse(result.chain.front()));
      CHECK(crypto::verify_digest(leaf, digest, digests.front(), result.signature));
    }
  }
}

TEST_CASE("provider contract: diagnosis agrees with opening and keeps secrets", "[contract]") {
  for (const Subject& subject : subjects()) {
    INFO(subject.provider.name());
    const auto has_error = [&](const ProviderSettings& settings) {
      bool any = false;
      for (const Finding& finding : subject.provider.diagnose(settings, subject.fixture->world())) {
        INFO(finding.id << ": " << finding.message);
        CHECK_FALSE(finding.id.empty());
        CHECK_FALSE(finding.subject.empty());
        check_no_secret(subject, finding.message);
        any = any || finding.severity == Severity::error;
      }
      return any;
    };

    for (const auto& [label, settings, digests] : subject.fixture->good()) {
      INFO(label);
      CHECK_FALSE(has_error(settings));
    }
    for (const ProviderSettings& settings : subject.fixture->incomplete()) {
      CHECK(has_error(settings));
    }
    for (const ProviderSettings& settings : subject.fixture->wrong_credentials()) {
      CHECK(has_error(settings));
    }
  }
}

}  // namespace signctl::test
