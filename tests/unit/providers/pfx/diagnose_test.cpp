// SPDX-License-Identifier: Apache-2.0
#include "support/catch.hpp"
#include "support/fake_world.hpp"
#include "support/key_files.hpp"
#include "support/must.hpp"
#include "support/paths.hpp"

#include <signctl/provider.hpp>

#include <algorithm>
#include <filesystem>

#include <openssl/evp.h>

namespace signctl::test {
namespace {

using crypto::PrivateKey;

std::vector<Finding> diagnose(const ProviderSettings& settings) {
  FakeWorld fake;
  return find_provider("pfx")->diagnose(settings, fake.world());
}

ProviderSettings settings_for(const std::string& file, const std::string& password = "pw") {
  ProviderSettings settings;
  settings.values = {{"file", file}};
  settings.secrets.emplace("password", Secret(password));
  return settings;
}

/// "error pfx-expired" and so on, but for what is always there.
std::vector<std::string> found(const std::vector<Finding>& findings) {
  std::vector<std::string> result;
  for (const Finding& finding : findings) {
    INFO(finding.id << ": " << finding.message);
    CHECK_FALSE(finding.message.empty());
    CHECK_FALSE(finding.subject.empty());
    if (finding.id != "pfx-certificate") {
      result.push_back(std::string(severity_name(finding.severity)) + " " + finding.id);
    }
  }
  return result;
}

bool has_certificate_line(const std::vector<Finding>& findings) {
  return std::any_of(findings.begin(), findings.end(), [](const Finding& one) {
    return one.id == "pfx-certificate";
  });
}

/// A PFX that only its owner can read.
std::string private_pfx(const TemporaryFolder& folder, const crypto::KeyBundle& bundle) {
  const std::string path = folder.file("a.pfx");
  spill_pfx(path, bundle, "pw");
  using std::filesystem::perms;
  std::filesystem::permissions(path, perms::owner_read | perms::owner_write);
  return path;
}

std::vector<std::string> found_about(const crypto::CertificateTemplate& leaf,
                                     PrivateKey::Spec spec = PrivateKey::Spec::p256) {
  const TemporaryFolder folder;
  return found(diagnose(settings_for(private_pfx(folder, make_key_chain(spec, leaf).bundle()))));
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("pfx diagnose: a good file has nothing against it", "[providers][pfx]") {
  const TemporaryFolder folder;
  const auto chain = make_key_chain(PrivateKey::Spec::p256);

  const auto findings = diagnose(settings_for(private_pfx(folder, chain.bundle())));

  CHECK(found(findings).empty());
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].severity == Severity::info);
  CHECK(findings[0].message.find("EC P-256") != std::string::npos);
  CHECK(findings[0].message.find("2027-09-19") != std::string::npos);
}

TEST_CASE("pfx diagnose: nothing good is said of an expired certificate", "[providers][pfx]") {
  const TemporaryFolder folder;
  auto leaf = code_signing_leaf();
  const auto of = [&] {
    const auto bundle = make_key_chain(PrivateKey::Spec::p256, leaf).bundle();
    return diagnose(settings_for(private_pfx(folder, bundle)));
  };
  CHECK(has_certificate_line(of()));
  leaf.not_after = FakeWorld().clock.now() - std::chrono::hours(1);
  CHECK_FALSE(has_certificate_line(of()));
}

TEST_CASE("pfx diagnose: validity is judged by the clock it is given", "[providers][pfx]") {
  auto leaf = code_signing_leaf();

  leaf.not_after = day(-1);
  CHECK(found_about(leaf) == Texts{"error pfx-expired"});
  leaf.not_after = day(29);
  CHECK(found_about(leaf) == Texts{"warning pfx-expires-soon"});
  leaf.not_after = day(31);
  CHECK(found_about(leaf).empty());
  leaf.not_before = day(1);
  CHECK(found_about(leaf) == Texts{"error pfx-not-yet-valid"});
}

TEST_CASE("pfx diagnose: a certificate for something else is an error", "[providers][pfx]") {
  auto leaf = code_signing_leaf();

  leaf.extended_key_usage = "serverAuth";
  CHECK(found_about(leaf) == Texts{"error eku-wrong"});
  leaf.extended_key_usage = "";
  CHECK(found_about(leaf) == Texts{"error eku-missing"});
}

TEST_CASE("pfx diagnose: what the gate refuses is an error", "[providers][pfx]") {
  const TemporaryFolder folder;
  EVP_PKEY* short_key = EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{1024});
  REQUIRE(short_key != nullptr);
  const auto key = PrivateKey::adopt(short_key);
  const auto leaf = must(crypto::issue_certificate(code_signing_leaf(), key, nullptr));

  const auto findings = diagnose(settings_for(private_pfx(folder, {key, {leaf}})));

  CHECK(found(findings) == Texts{"error weak-key"});
}

TEST_CASE("pfx diagnose: a publicly trusted certificate is a warning", "[providers][pfx]") {
  auto leaf = code_signing_leaf();
  // CertificatePolicies with 2.23.140.1.4.1 and with 2.23.140.1.3.
  const auto policies =
      GENERATE(values<std::string>({"DER:300A3008060667810C010401", "DER:30093007060567810C0103"}));
  leaf.extra_extensions = {{"certificatePolicies", policies}};

  CHECK(found_about(leaf) == Texts{"warning pfx-public-trust"});
}

TEST_CASE("pfx diagnose: another policy says nothing about public trust", "[providers][pfx]") {
  auto leaf = code_signing_leaf();
  leaf.extra_extensions = {
      {"certificatePolicies", "DER:300A3008060667810C010201"}};  // 2.23.140.1.2.1

  CHECK(found_about(leaf).empty());
}

TEST_CASE("pfx diagnose: a missing intermediate is a warning", "[providers][pfx]") {
  const TemporaryFolder folder;
  const auto chain = make_key_chain(PrivateKey::Spec::p256);

  const auto findings = diagnose(settings_for(private_pfx(folder, {chain.key, {chain.leaf}})));

  CHECK(found(findings) == Texts{"warning pfx-chain-incomplete"});
}

TEST_CASE("pfx diagnose: a key that everybody can read is a warning", "[providers][pfx]") {
  const TemporaryFolder folder;
  const std::string path = private_pfx(folder, make_key_chain(PrivateKey::Spec::p256).bundle());
  using std::filesystem::perms;
  std::filesystem::permissions(path, perms::owner_read | perms::group_read | perms::others_read);

  CHECK(found(diagnose(settings_for(path))) == Texts{"warning pfx-file-mode"});
}

TEST_CASE("pfx diagnose: what keeps it from opening is one error", "[providers][pfx]") {
  const TemporaryFolder folder;
  const std::string path = private_pfx(folder, make_key_chain(PrivateKey::Spec::p256).bundle());

  CHECK(found(diagnose(settings_for(folder.file("nothing.pfx")))) == Texts{"error pfx-file"});
  CHECK(found(diagnose(settings_for(path, "hunter2"))) == Texts{"error pfx-password"});
  CHECK(found(diagnose(settings_for(""))) == Texts{"error pfx-settings"});
  for (const Finding& finding : diagnose(settings_for(path, "hunter2"))) {
    CHECK(finding.message.find("hunter2") == std::string::npos);
  }
}

}  // namespace signctl::test
