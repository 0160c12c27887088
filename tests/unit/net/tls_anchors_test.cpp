// SPDX-License-Identifier: Apache-2.0
#include "net/tls_anchors.hpp"

#include "core/text.hpp"
#include "support/catch.hpp"
#include "support/fake_world.hpp"
#include "support/must.hpp"
#include "support/paths.hpp"

#include <array>

namespace signctl::net {
namespace {

using test::FakeEnvironment;
using test::must;
using BuiltIn = TlsAnchors::BuiltIn;

/// Three files of which each says who it is.
struct Files {
  test::TemporaryFolder folder;
  std::string system = written("system");
  std::string chosen = written("chosen");
  std::string own = written("own");
  std::string absent = folder.file("absent");
  std::array<std::string_view, 2> bundles{absent, system};
  std::array<std::string_view, 1> no_bundles{absent};

  [[nodiscard]] std::string written(const std::string& name) const {
    const std::string path = folder.file(name);
    test::spill(path, as_bytes("-----BEGIN CERTIFICATE-----" + name));
    return path;
  }
};

bool has(const TlsAnchors& anchors, const std::string& name) {
  return anchors.pem.find("CERTIFICATE-----" + name) != std::string::npos;
}

}  // namespace

TEST_CASE("tls anchors: without a choice everything is left to the library", "[net]") {
  const Files files;

  const auto anchors = must(choose_tls_anchors(FakeEnvironment(), "", files.bundles));

  CHECK(anchors.built_in == BuiltIn::used);
  CHECK(anchors.pem.empty());
  CHECK(anchors.folder.empty());
}

TEST_CASE("tls anchors: a CA file is added to the system's bundle", "[net]") {
  const Files files;

  const auto anchors = must(choose_tls_anchors(FakeEnvironment(), files.own, files.bundles));

  CHECK(anchors.built_in == BuiltIn::used);
  CHECK(has(anchors, "system"));
  CHECK(has(anchors, "own"));
}

TEST_CASE("tls anchors: a CA file works on a machine without a bundle", "[net]") {
  const Files files;

  const auto anchors = must(choose_tls_anchors(FakeEnvironment(), files.own, files.no_bundles));

  CHECK(has(anchors, "own"));
}

TEST_CASE("tls anchors: SSL_CERT_FILE takes the place of the system's bundle", "[net]") {
  const Files files;
  const FakeEnvironment environment({{"SSL_CERT_FILE", files.chosen}});

  const auto anchors = must(choose_tls_anchors(environment, files.own, files.bundles));

  CHECK(anchors.built_in == BuiltIn::replaced);
  CHECK(has(anchors, "chosen"));
  CHECK(has(anchors, "own"));
  CHECK_FALSE(has(anchors, "system"));
}

TEST_CASE("tls anchors: SSL_CERT_DIR takes the place of the system's bundle", "[net]") {
  const Files files;
  const FakeEnvironment environment({{"SSL_CERT_DIR", std::string("/some/where")}});

  const auto anchors = must(choose_tls_anchors(environment, "", files.bundles));

  CHECK(anchors.built_in == BuiltIn::replaced);
  CHECK(anchors.folder == "/some/where");
  CHECK(anchors.pem.empty());
}

TEST_CASE("tls anchors: a file without a certificate is an error that names it", "[net]") {
  const Files files;
  const std::string junk = files.folder.file("junk.der");
  test::spill(junk, Bytes{0x30, 0x00});

  const auto own = choose_tls_anchors(FakeEnvironment(), junk, files.bundles);
  const auto chosen =
      choose_tls_anchors(FakeEnvironment({{"SSL_CERT_FILE", junk}}), "", files.bundles);
  const auto absent = choose_tls_anchors(FakeEnvironment(), files.absent, files.bundles);

  REQUIRE_FALSE(own);
  CHECK(own.error().kind == ErrorKind::input);
  CHECK(own.error().message == "ca_file " + junk + " holds no PEM certificate");
  REQUIRE_FALSE(chosen);
  CHECK(chosen.error().message == "SSL_CERT_FILE " + junk + " holds no PEM certificate");
  REQUIRE_FALSE(absent);
  CHECK(absent.error().kind == ErrorKind::input);
}

}  // namespace signctl::net
