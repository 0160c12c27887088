// SPDX-License-Identifier: Apache-2.0
// TLS against real servers on loopback ports.
#include "core/text.hpp"
#include "crypto/issue.hpp"
#include "net/http_client.hpp"
#include "support/catch.hpp"
#include "support/fake_world.hpp"
#include "support/must.hpp"
#include "support/paths.hpp"
#include "support/tsa_server.hpp"

#include <array>
#include <cstdio>
#include <string>
#include <vector>

#include <openssl/ssl.h>
#include <openssl/x509.h>

namespace signctl::net {
namespace {

using crypto::KeyBundle;
using test::FakeEnvironment;
using test::must;
using test::text_of;
using test::tls_authority;
using test::tls_identity;
using test::TlsSetup;
using test::WebServer;

const KeyBundle& authority() {
  static const KeyBundle made = tls_authority("Test TLS CA");
  return made;
}

void answer(const httplib::Request& /*request*/, httplib::Response& response) {
  response.set_content("secure", "text/plain");
}

/// Files with the CA, and with another one.
struct Anchors {
  test::TemporaryFolder folder;
  std::string right = folder.file("right.pem");
  std::string wrong = folder.file("wrong.pem");

  Anchors() {
    test::spill(right, as_bytes(crypto::to_pem(authority().chain)));
    test::spill(wrong, as_bytes(crypto::to_pem(tls_authority("Another CA").chain)));
  }

  /// A folder that names `certificate` by its subject hash.
  [[nodiscard]] std::string hashed(const crypto::Certificate& certificate) const {
    const unsigned long hash = X509_subject_name_hash(certificate.x509());
    std::array<char, 16> name{};
    static_cast<void>(std::snprintf(name.data(), name.size(), "%08lx.0", hash));
    test::spill(folder.file(name.data()), as_bytes(crypto::to_pem({certificate})));
    return folder.path();
  }
};

Result<HttpResponse> ask(const std::string& url,
                         const std::string& ca_file,
                         const Environment& environment = FakeEnvironment(),
                         std::shared_ptr<const ClientIdentity> client = nullptr) {
  HttpRequest request;
  request.url = url;
  request.ca_file = ca_file;
  request.client = std::move(client);
  request.timeout = std::chrono::seconds(20);
  return make_http_client(environment)->send(request);
}

/// With TLS 1.3 a server that refuses a certificate closes while the request is on its way, and the
/// reset that follows may overtake the alert. A retry sees it sooner or later.
Result<HttpResponse> ask_till_told(const std::string& url,
                                   const std::string& ca_file,
                                   const std::shared_ptr<const ClientIdentity>& client) {
  auto response = ask(url, ca_file, FakeEnvironment(), client);
  for (int i = 0; i < 50 && !response && is_transient(response.error().kind); ++i) {
    response = ask(url, ca_file, FakeEnvironment(), client);
  }
  return response;
}

bool is_untrusted(const Result<HttpResponse>& response) {
  if (response) {
    return false;
  }
  INFO(text_of(response.error()));
  CHECK(response.error().kind == ErrorKind::network);
  return response.error().message.find("is not trusted") != std::string::npos;
}

std::shared_ptr<const ClientIdentity> shown(const KeyBundle& bundle) {
  auto identity = std::make_shared<ClientIdentity>();
  identity->certificates_pem = crypto::to_pem(bundle.chain);
  identity->key_pem = must(crypto::to_pem(bundle.key));
  return identity;
}

}  // namespace

TEST_CASE("tls: a server under an unknown CA is refused", "[net]") {
  const WebServer server(TlsSetup{tls_identity("server", &authority())}, answer);
  const Anchors anchors;

  CHECK(is_untrusted(ask(server.url(), "")));
  CHECK(is_untrusted(ask(server.url(), anchors.wrong)));
  CHECK(server.requests() == 0);
}

TEST_CASE("tls: a CA file makes the server trusted", "[net]") {
  const WebServer server(TlsSetup{tls_identity("server", &authority())}, answer);
  const Anchors anchors;

  CHECK(as_text(must(ask(server.url(), anchors.right)).body) == "secure");
  std::string loud = server.url();
  loud.replace(0, 5, "HTTPS");
  CHECK(must(ask(loud, anchors.right)).status == 200);
}

TEST_CASE("tls: SSL_CERT_FILE makes the server trusted", "[net]") {
  const WebServer server(TlsSetup{tls_identity("server", &authority())}, answer);
  const Anchors anchors;

  CHECK(must(ask(server.url(), "", FakeEnvironment({{"SSL_CERT_FILE", anchors.right}}))).status ==
        200);
  CHECK(is_untrusted(ask(server.url(), "", FakeEnvironment({{"SSL_CERT_FILE", anchors.wrong}}))));
  CHECK(must(ask(server.url(), anchors.right, FakeEnvironment({{"SSL_CERT_FILE", anchors.wrong}})))
            .status == 200);
}

TEST_CASE("tls: SSL_CERT_DIR makes the server trusted", "[net]") {
  const WebServer server(TlsSetup{tls_identity("server", &authority())}, answer);
  const Anchors anchors;
  const FakeEnvironment environment({{"SSL_CERT_DIR", anchors.hashed(authority().chain.front())}});
  const Anchors others;
  const FakeEnvironment wrong(
      {{"SSL_CERT_DIR", others.hashed(tls_authority("Another CA").chain.front())}});

  CHECK(must(ask(server.url(), "", environment)).status == 200);
  CHECK(must(ask(server.url(), anchors.wrong, environment)).status == 200);
  CHECK(is_untrusted(ask(server.url(), "", wrong)));
}

TEST_CASE("tls: the name of the host must be in the certificate", "[net]") {
  KeyBundle identity = tls_identity("server", nullptr);
  crypto::CertificateTemplate wanted;
  wanted.subject = {{"CN", "localhost"}};
  wanted.not_before = authority().chain.front().not_before();
  wanted.not_after = authority().chain.front().not_after();
  wanted.extra_extensions = {{"subjectAltName", "DNS:other.example"}};
  identity.chain = {must(crypto::issue_certificate(wanted, identity.key, &authority()))};
  const WebServer server(TlsSetup{identity}, answer);
  const Anchors anchors;

  CHECK(is_untrusted(ask(server.url(), anchors.right)));
}

TEST_CASE("tls: an expired certificate is refused", "[net]") {
  KeyBundle identity = tls_identity("server", nullptr);
  crypto::CertificateTemplate wanted;
  wanted.subject = {{"CN", "localhost"}};
  wanted.not_before = authority().chain.front().not_before() - std::chrono::days(9);
  wanted.not_after = authority().chain.front().not_before();
  wanted.extra_extensions = {{"subjectAltName", "DNS:localhost"}};
  identity.chain = {must(crypto::issue_certificate(wanted, identity.key, &authority()))};
  const WebServer server(TlsSetup{identity}, answer);
  const Anchors anchors;

  CHECK(is_untrusted(ask(server.url(), anchors.right)));
}

TEST_CASE("tls: 1.2 is the oldest version that is spoken", "[net]") {
  const Anchors anchors;
  const KeyBundle identity = tls_identity("server", &authority());
  const WebServer old(TlsSetup{identity, {}, TLS1_1_VERSION}, answer);
  const WebServer new_enough(TlsSetup{identity, {}, TLS1_2_VERSION}, answer);

  const auto response = ask(old.url(), anchors.right);

  REQUIRE_FALSE(response);
  INFO(text_of(response.error()));
  CHECK(response.error().kind == ErrorKind::network);
  CHECK(response.error().message.find("TLS 1.2 is the least") != std::string::npos);
  CHECK(must(ask(new_enough.url(), anchors.right)).status == 200);
}

TEST_CASE("tls: the right client certificate is let in, a wrong or missing one is auth", "[net]") {
  const auto version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  const Anchors anchors;
  const KeyBundle clients = tls_authority("Client CA");
  const KeyBundle strangers = tls_authority("Strangers' CA");
  const WebServer server(
      TlsSetup{tls_identity("server", &authority()), clients.chain.front(), version}, answer);
  const FakeEnvironment environment;
  const auto right = shown(tls_identity("client", &clients));
  const auto wrong = shown(tls_identity("client", &strangers));

  CHECK(must(ask(server.url(), anchors.right, environment, right)).status == 200);
  const auto refused = ask_till_told(server.url(), anchors.right, wrong);
  const auto missing = ask_till_told(server.url(), anchors.right, nullptr);

  REQUIRE_FALSE(refused);
  INFO(text_of(refused.error()));
  CHECK(refused.error().kind == ErrorKind::auth);
  CHECK(refused.error().message == server.url() + ": the server refuses the client certificate");
  REQUIRE_FALSE(missing);
  INFO(text_of(missing.error()));
  CHECK(missing.error().kind == ErrorKind::auth);
  CHECK(missing.error().message == server.url() + ": the server wants a client certificate");
}

TEST_CASE("tls: a client key that is another's or no key at all is auth, and not shown", "[net]") {
  const Anchors anchors;
  const KeyBundle clients = tls_authority("Client CA");
  const WebServer server(TlsSetup{tls_identity("server", &authority()), clients.chain.front()},
                         answer);
  const auto right = shown(tls_identity("client", &clients));
  const auto other = shown(tls_identity("client", &clients));
  const auto keys = std::vector{other->key_pem, Secret("hunter2")};
  for (const Secret& key : keys) {
    auto mixed = std::make_shared<ClientIdentity>(*right);
    mixed->key_pem = key;

    const auto response = ask(server.url(), anchors.right, FakeEnvironment(), mixed);

    REQUIRE_FALSE(response);
    INFO(text_of(response.error()));
    CHECK(response.error().kind == ErrorKind::auth);
    CHECK(text_of(response.error()).find("hunter2") == std::string::npos);
    CHECK(text_of(response.error()).find("PRIVATE") == std::string::npos);
  }
  CHECK(server.requests() == 0);
}

TEST_CASE("tls: one client does not carry trust or identity from request to request", "[net]") {
  const Anchors anchors;
  const KeyBundle clients = tls_authority("Client CA");
  const WebServer server(TlsSetup{tls_identity("server", &authority()), clients.chain.front()},
                         answer);
  const FakeEnvironment environment;
  const auto client = make_http_client(environment);
  HttpRequest request;
  request.url = server.url();
  request.ca_file = anchors.right;
  request.client = shown(tls_identity("client", &clients));
  REQUIRE(must(client->send(request)).status == 200);

  HttpRequest nameless = request;
  nameless.client = nullptr;
  HttpRequest untrusting = request;
  untrusting.ca_file.clear();

  CHECK_FALSE(client->send(nameless));
  CHECK(is_untrusted(client->send(untrusting)));
  CHECK(must(client->send(request)).status == 200);
}

}  // namespace signctl::net
