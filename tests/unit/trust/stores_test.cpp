// SPDX-License-Identifier: Apache-2.0
#include "trust/stores.hpp"

#include "core/text.hpp"
#include "crypto/certificate.hpp"
#include "support/catch.hpp"
#include "support/fake_world.hpp"
#include "support/issued.hpp"
#include "support/must.hpp"
#include "support/paths.hpp"

#include <array>
#include <cstdio>
#include <filesystem>

#include <openssl/x509.h>

using namespace signctl;
using namespace signctl::test;
using crypto::Certificate;
using crypto::KeyBundle;

namespace {

const KeyBundle& root() {
  static const KeyBundle made = issue(ca_named("Store Root"));
  return made;
}

const KeyBundle& second() {
  static const KeyBundle made = issue(ca_named("Second Root"));
  return made;
}

void spill_text(const std::string& path, const std::string& text) {
  spill(path, as_bytes(text));
}

void make_folder(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
}

std::vector<Anchor> ask(const TrustStore& store,
                        const Certificate& certificate,
                        TrustPurpose purpose = TrustPurpose::code_signing) {
  return must(store.anchors_named(certificate.subject_der(), purpose));
}

/// Only those anchors that come from below `folder`: the machine may have lists of its own.
std::size_t count_from(const std::vector<Anchor>& anchors, const std::string& folder) {
  std::size_t count = 0;
  for (const Anchor& anchor : anchors) {
    count += anchor.source.find(folder) != std::string::npos ? 1U : 0U;
  }
  return count;
}

std::string hashed_name(const Certificate& certificate, int number) {
  std::array<char, 32> text{};
  static_cast<void>(std::snprintf(text.data(),
                                  text.size(),
                                  "%08lx.%d",
                                  X509_subject_name_hash(certificate.x509()) & 0xFFFFFFFFUL,
                                  number));
  return text.data();
}

}  // namespace

TEST_CASE("a trusted file gives its anchors for both purposes", "[unit][trust]") {
  const TemporaryFolder folder;
  const std::string path = folder.file("roots.pem");
  spill_text(path, crypto::to_pem({root().chain[0], second().chain[0]}));

  const auto store = must(trust::make_store({false, {path}, {}}, FakeEnvironment()));

  for (const auto purpose : {TrustPurpose::code_signing, TrustPurpose::time_stamping}) {
    const auto anchors = ask(*store, root().chain[0], purpose);
    REQUIRE(anchors.size() == 1);
    CHECK(anchors[0].certificate == root().chain[0].der());
    CHECK(anchors[0].source == "trusted file " + path);
    CHECK_FALSE(anchors[0].tls_list);
  }
  CHECK(ask(*store, issue(ca_named("Nobody")).chain[0]).empty());
}

TEST_CASE("a file for time stamping gives no anchor for code signing", "[unit][trust]") {
  const TemporaryFolder folder;
  const std::string path = folder.file("tsa.der");
  spill(path, root().chain[0].der());

  const auto store = must(trust::make_store({false, {}, {path}}, FakeEnvironment()));

  CHECK(ask(*store, root().chain[0], TrustPurpose::code_signing).empty());
  CHECK(ask(*store, root().chain[0], TrustPurpose::time_stamping).size() == 1);
}

TEST_CASE("a trusted file that is absent or empty is an error with its path", "[unit][trust]") {
  const TemporaryFolder folder;
  const std::string empty = folder.file("empty.pem");
  spill_text(empty, "no certificate in here\n");
  for (const std::string& path : {folder.file("absent.pem"), empty}) {
    for (const bool for_time : {false, true}) {
      trust::TrustOptions options;
      (for_time ? options.tsa_files : options.files) = {path};

      const auto store = trust::make_store(options, FakeEnvironment());

      REQUIRE_FALSE(store);
      INFO(test::text_of(store.error()));
      CHECK(store.error().kind == ErrorKind::input);
      CHECK(test::text_of(store.error()).find(path) != std::string::npos);
    }
  }
}

TEST_CASE("nothing is trusted unless asked for", "[unit][trust]") {
  const auto store = must(trust::make_store({}, FakeEnvironment()));
  CHECK(ask(*store, root().chain[0]).empty());
  CHECK(store->describe() == "no trust anchors");
}

#ifndef _WIN32

TEST_CASE("SSL_CERT_FILE is used as chosen anchors, not as a TLS list", "[unit][trust]") {
  const TemporaryFolder folder;
  const std::string path = folder.file("chosen.pem");
  spill_text(path, "# comment\n" + crypto::to_pem({second().chain[0], root().chain[0]}));
  const FakeEnvironment environment({{"SSL_CERT_FILE", path}});

  const auto store = trust::system_store(environment);

  const auto anchors = ask(*store, root().chain[0]);
  REQUIRE(count_from(anchors, folder.path()) == 1);
  CHECK(anchors[0].certificate == root().chain[0].der());
  CHECK_FALSE(anchors[0].tls_list);
  CHECK(store->describe().find("TLS list") == std::string::npos);
}

TEST_CASE("SSL_CERT_FILE without a certificate is an error", "[unit][trust]") {
  const TemporaryFolder folder;
  const std::string empty = folder.file("empty.pem");
  spill_text(empty, "nothing\n");
  for (const std::string& path : {empty, folder.file("absent.pem")}) {
    const FakeEnvironment environment({{"SSL_CERT_FILE", path}});
    const auto anchors =
        trust::system_store(environment)
            ->anchors_named(root().chain[0].subject_der(), TrustPurpose::code_signing);
    REQUIRE_FALSE(anchors);
    INFO(test::text_of(anchors.error()));
    CHECK(test::text_of(anchors.error()).find(path) != std::string::npos);
  }
}

TEST_CASE("SSL_CERT_DIR is looked up by subject hash, collisions included", "[unit][trust]") {
  const TemporaryFolder folder;
  const std::string first = folder.file("first");
  const std::string other = folder.file("other");
  make_folder(first);
  make_folder(other);
  const KeyBundle namesake = issue(ca_named("Store Root"));
  spill_text(first + "/" + hashed_name(root().chain[0], 0), crypto::to_pem({namesake.chain[0]}));
  spill_text(first + "/" + hashed_name(root().chain[0], 1), crypto::to_pem({root().chain[0]}));
  spill_text(other + "/" + hashed_name(second().chain[0], 0), crypto::to_pem({second().chain[0]}));
  // Never opened: its name is the hash of nothing that is asked for.
  spill_text(other + "/00000000.0", "no certificate");
  const FakeEnvironment environment({{"SSL_CERT_DIR", first + ":" + other}});

  const auto store = trust::system_store(environment);

  CHECK(count_from(ask(*store, root().chain[0]), first) == 2);
  CHECK(count_from(ask(*store, second().chain[0]), other) == 1);
}

TEST_CASE("the newest .NET SDK's lists serve one purpose each", "[unit][trust]") {
  const TemporaryFolder folder;
  const auto lists = [&](const std::string& version) {
    return folder.path() + "/sdk/" + version + "/trustedroots";
  };
  for (const std::string version : {"9.0.305", "10.0.100"}) {
    make_folder(lists(version));
  }
  make_folder(folder.path() + "/sdk/NuGetFallbackFolder");
  spill_text(lists("9.0.305") + "/codesignctl.pem", crypto::to_pem({second().chain[0]}));
  spill_text(lists("10.0.100") + "/codesignctl.pem", crypto::to_pem({root().chain[0]}));
  spill_text(lists("10.0.100") + "/timestampctl.pem", crypto::to_pem({second().chain[0]}));
  const FakeEnvironment environment({{"DOTNET_ROOT", folder.path()}});

  const auto store = trust::system_store(environment);

  using P = TrustPurpose;
  CHECK(count_from(ask(*store, root().chain[0], P::code_signing), "10.0.100") == 1);
  CHECK(count_from(ask(*store, root().chain[0], P::time_stamping), "10.0.100") == 0);
  CHECK(count_from(ask(*store, second().chain[0], P::time_stamping), "10.0.100") == 1);
  CHECK(count_from(ask(*store, second().chain[0], P::code_signing), "9.0.305") == 0);
}

#endif
