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
#include <atomic>
#include <cstdio>
#include <fcntl.h>
#include <memory>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
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

bool is_untrusted(const Result<HttpResponse>& response) {
  if (response) {
    return false;
  }
  INFO(text_of(response.error()));
  CHECK(response.error().kind == ErrorKind::config);
  CHECK_FALSE(response.error().may_be_done);
  CHECK(response.error().hint.find("checking cannot be turned off") != std::string::npos);
  return response.error().message.find("is not trusted") != std::string::npos;
}

std::shared_ptr<const ClientIdentity> shown(const KeyBundle& bundle) {
  auto identity = std::make_shared<ClientIdentity>();
  identity->certificates_pem = crypto::to_pem(bundle.chain);
  identity->key_pem = must(crypto::to_pem(bundle.key));
  return identity;
}

/// What a server does with a client that shows a certificate.
enum class Manner {
  refuses,      ///< Ends the handshake with an alert.
  hangs_up,     ///< Resets the connection in the handshake, without an alert or before it is read.
  resets_later  ///< Takes the certificate, and resets the connection when something is asked.
};

/// Behaves to its first connection in one manner and to all that follow in another.
class Moody {
 public:
  Moody(Manner first, Manner later) : first_(first), later_(later) {
    const KeyBundle identity = tls_identity("server", &authority());
    server_ = std::make_unique<httplib::SSLServer>([&](SSL_CTX& context) {
      SSL_CTX_set_verify(&context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
      SSL_CTX_set_cert_verify_callback(&context, judge, this);
      return SSL_CTX_use_certificate(&context, identity.chain.front().x509()) == 1 &&
             SSL_CTX_use_PrivateKey(&context, identity.key.pkey()) == 1;
    });
    server_->Post("/", [this](const httplib::Request& request, httplib::Response&) {
      ++requests_;
      reset(SSL_get_fd(request.ssl));
    });
    port_ = server_->bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { server_->listen_after_bind(); });
    while (!server_->is_running()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  Moody(const Moody&) = delete;
  Moody& operator=(const Moody&) = delete;
  ~Moody() {
    server_->stop();
    thread_.join();
  }

  [[nodiscard]] std::string url() const { return "https://localhost:" + std::to_string(port_); }
  [[nodiscard]] int connections() const { return connections_; }
  [[nodiscard]] int requests() const { return requests_; }

 private:
  static int judge(X509_STORE_CTX* store, void* self) {
    auto& moody = *static_cast<Moody*>(self);
    const Manner manner = moody.connections_++ == 0 ? moody.first_ : moody.later_;
    if (manner == Manner::hangs_up) {
      const auto* ssl = static_cast<const SSL*>(
          X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
      reset(SSL_get_fd(ssl));
    }
    X509_STORE_CTX_set_error(store, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
    return manner == Manner::resets_later ? 1 : 0;
  }

  /// The descriptor stays one that its owner may write to and close.
  static void reset(int socket) {
    const linger at_once{1, 0};
    setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    const int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    dup2(nothing, socket);
    close(nothing);
  }

  Manner first_;
  Manner later_;
  std::atomic<int> connections_{0};
  std::atomic<int> requests_{0};
  std::unique_ptr<httplib::SSLServer> server_;
  int port_{0};
  std::thread thread_;
};

/// What becomes of a POST with a client certificate.
Error failure_at(const Moody& server) {
  const Anchors anchors;
  const FakeEnvironment environment;
  HttpRequest request;
  request.method = "POST";
  request.url = server.url();
  request.ca_file = anchors.right;
  request.client = shown(tls_identity("client", &authority()));
  const auto response = make_http_client(environment)->send(request);
  return response ? Error{ErrorKind::internal, "was answered"} : response.error();
}

}  // namespace

TEST_CASE("tls: a server under an unknown CA is refused", "[net]") {
  const WebServer server(TlsSetup{tls_identity("server", &authority())}, answer);
  const Anchors anchors;

  CHECK(is_untrusted(ask(server.url(), "")));
  CHECK(ask(server.url(), "").error().hint.find("ca_file") != std::string::npos);
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

  const auto response = ask(server.url(), anchors.right);

  CHECK(is_untrusted(response));
  CHECK(response.error().message.find("for another host name") != std::string::npos);
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

  const auto response = ask(server.url(), anchors.right);

  CHECK(is_untrusted(response));
  CHECK(response.error().message.find("it has expired") != std::string::npos);
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
  const auto refused = ask(server.url(), anchors.right, environment, wrong);
  const auto missing = ask(server.url(), anchors.right, environment);

  REQUIRE_FALSE(refused);
  INFO(text_of(refused.error()));
  CHECK(refused.error().kind == ErrorKind::auth);
  CHECK(refused.error().message == server.url() + ": the server refuses the client certificate");
  REQUIRE_FALSE(missing);
  INFO(text_of(missing.error()));
  CHECK(missing.error().kind == ErrorKind::auth);
  CHECK(missing.error().message == server.url() + ": the server wants a client certificate");
}

TEST_CASE("tls: a reset that has overtaken the alert is looked into, and is auth", "[net]") {
  const Moody server(Manner::hangs_up, Manner::refuses);

  const Error error = failure_at(server);

  INFO(text_of(error));
  CHECK(error.kind == ErrorKind::auth);
  CHECK(error.message == server.url() + ": the server refuses the client certificate");
  CHECK(server.connections() == 2);
  CHECK(server.requests() == 0);
}

TEST_CASE("tls: a server that hangs up over a certificate without a word gives a hint", "[net]") {
  const Moody server(Manner::hangs_up, Manner::hangs_up);

  const Error error = failure_at(server);

  INFO(text_of(error));
  CHECK(error.kind == ErrorKind::network);
  CHECK(error.hint.find("when it is shown the client certificate") != std::string::npos);
  CHECK(server.connections() == 2);
}

TEST_CASE("tls: a reset after the certificate was taken is the network's, asked once", "[net]") {
  const Moody server(Manner::resets_later, Manner::resets_later);

  const Error error = failure_at(server);

  INFO(text_of(error));
  CHECK(error.kind == ErrorKind::network);
  CHECK(error.hint.empty());
  CHECK(server.connections() == 2);
  CHECK(server.requests() == 1);
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
