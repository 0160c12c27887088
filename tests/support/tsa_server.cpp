// SPDX-License-Identifier: Apache-2.0
#include "support/tsa_server.hpp"

#include "core/text.hpp"
#include "crypto/der.hpp"
#include "crypto/issue.hpp"
#include "crypto/oids.hpp"
#include "support/must.hpp"

#include <chrono>
#include <stdexcept>
#include <utility>

#include <openssl/ssl.h>

namespace signctl::test {

namespace {

constexpr const char* kHost = "127.0.0.1";

bool configure(SSL_CTX& context, const TlsSetup& tls) {
  const auto& chain = tls.identity.chain;
  // The lowest security level, so that old versions can be offered at all.
  bool good = SSL_CTX_set_cipher_list(&context, "ALL:@SECLEVEL=0") == 1 &&
              SSL_CTX_use_certificate(&context, chain.front().x509()) == 1 &&
              SSL_CTX_use_PrivateKey(&context, tls.identity.key.pkey()) == 1;
  for (std::size_t i = 1; i < chain.size(); ++i) {
    good = good && SSL_CTX_add1_chain_cert(&context, chain[i].x509()) == 1;
  }
  if (tls.newest_version != 0) {
    good = good && SSL_CTX_set_min_proto_version(&context, TLS1_VERSION) == 1 &&
           SSL_CTX_set_max_proto_version(&context, tls.newest_version) == 1;
  }
  if (tls.client_ca) {
    good = good &&
           X509_STORE_add_cert(SSL_CTX_get_cert_store(&context), tls.client_ca->x509()) == 1 &&
           SSL_CTX_add_client_CA(&context, tls.client_ca->x509()) == 1;
    SSL_CTX_set_verify(&context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
  return good;
}

int bind(httplib::Server& server) {
  server.set_keep_alive_timeout(1);
  const int port = server.is_valid() ? server.bind_to_any_port(kHost) : -1;
  if (port <= 0) {
    throw std::runtime_error("no server on a loopback port can be made");
  }
  return port;
}

std::thread listen(httplib::Server& server) {
  std::thread thread([&server] { server.listen_after_bind(); });
  while (!server.is_running()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return thread;
}

/// Answers on the socket itself.
class Blunt final : public httplib::Server {
 public:
  explicit Blunt(std::string answer) : answer_(std::move(answer)) {}

 private:
  bool process_and_close_socket(socket_t sock) override {
    std::string asked(4096, '\0');
    static_cast<void>(::recv(sock, asked.data(), asked.size(), 0));
    for (std::size_t at = 0; at < answer_.size();) {
      const auto sent = ::send(sock, answer_.data() + at, answer_.size() - at, MSG_NOSIGNAL);
      if (sent <= 0) {
        break;
      }
      at += static_cast<std::size_t>(sent);
    }
    ::shutdown(sock, SHUT_RDWR);
    return ::close(sock) == 0;
  }

  std::string answer_;
};

TimePoint real_now() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

crypto::KeyBundle self_signed(const crypto::CertificateTemplate& wanted) {
  auto key = must(crypto::PrivateKey::generate(crypto::PrivateKey::Spec::p256));
  auto certificate = must(crypto::issue_certificate(wanted, key, nullptr));
  return {std::move(key), {std::move(certificate)}};
}

}  // namespace

WebServer::WebServer(Answer answer) : server_(std::make_unique<httplib::Server>()) {
  base_ = "http://" + std::string(kHost) + ":";
  start(std::move(answer));
}

WebServer::WebServer(const TlsSetup& tls, Answer answer)
    : server_(std::make_unique<httplib::SSLServer>(
          [&tls](SSL_CTX& context) { return configure(context, tls); })),
      base_("https://localhost:") {
  start(std::move(answer));
}

void WebServer::start(Answer answer) {
  const auto handle = [this, answer = std::move(answer)](const httplib::Request& request,
                                                         httplib::Response& response) {
    ++requests_;
    answer(request, response);
  };
  server_->Get(".*", handle);
  server_->Post(".*", handle);
  server_->Put(".*", handle);
  server_->Delete(".*", handle);
  base_ += std::to_string(bind(*server_));
  thread_ = listen(*server_);
}

WebServer::~WebServer() {
  server_->stop();
  thread_.join();
}

RawServer::RawServer(std::string answer) : server_(std::make_unique<Blunt>(std::move(answer))) {
  base_ = "http://" + std::string(kHost) + ":" + std::to_string(bind(*server_)) + "/";
  thread_ = listen(*server_);
}

RawServer::~RawServer() {
  server_->stop();
  thread_.join();
}

crypto::KeyBundle tls_authority(const std::string& common_name) {
  crypto::CertificateTemplate wanted;
  wanted.subject = {{"CN", common_name}};
  wanted.not_before = real_now() - std::chrono::days(1);
  wanted.not_after = real_now() + std::chrono::days(10);
  wanted.ca = true;
  wanted.key_usage = "critical,keyCertSign,cRLSign";
  wanted.rehearsal = false;
  return self_signed(wanted);
}

crypto::KeyBundle tls_identity(const std::string& common_name, const crypto::KeyBundle* issuer) {
  crypto::CertificateTemplate wanted;
  wanted.subject = {{"CN", common_name}};
  wanted.not_before = real_now() - std::chrono::days(1);
  wanted.not_after = real_now() + std::chrono::days(10);
  wanted.key_usage = "critical,digitalSignature";
  wanted.extended_key_usage = "serverAuth,clientAuth";
  wanted.extra_extensions = {{"subjectAltName", "DNS:localhost,IP:127.0.0.1"}};
  wanted.rehearsal = false;
  auto key = must(crypto::PrivateKey::generate(crypto::PrivateKey::Spec::p256));
  auto certificate = must(crypto::issue_certificate(wanted, key, issuer));
  return {std::move(key), {std::move(certificate)}};
}

TsaQuery read_query(const std::string& body) {
  TsaQuery query;
  const der::Tlv outer = must(der::parse_whole(as_bytes(body), der::kSequence, "TimeStampReq"));
  der::Parser parser(outer.content);
  must(parser.small_integer("version"));
  const der::Tlv imprint = must(parser.expect(der::kSequence, "messageImprint"));
  der::Parser inside(imprint.content);
  query.alg = oid::digest_from(must(der::read_algorithm(inside, "hashAlgorithm")).oid).value();
  const ByteView digest = must(inside.expect(der::kOctetString, "hashedMessage")).content;
  query.imprint = Bytes(digest.begin(), digest.end());
  if (const auto policy = must(parser.optional(der::kOid, "reqPolicy"))) {
    query.policy = must(der::oid_text(policy->content));
  }
  if (const auto nonce = must(parser.optional(der::kInteger, "nonce"))) {
    query.nonce = Bytes(nonce->full.begin(), nonce->full.end());
  }
  return query;
}

TstRecipe truthful(const TsaQuery& query, TimePoint now) {
  TstRecipe info;
  info.alg = query.alg;
  info.imprint = query.imprint;
  info.policy = query.policy.empty() ? info.policy : query.policy;
  const Bytes time = der::generalized_time(now.time_since_epoch().count());
  info.time = std::string(as_text(time).substr(2));
  info.tail = query.nonce;
  return info;
}

crypto::KeyBundle make_tsa(TimePoint now, const std::string& usage) {
  crypto::CertificateTemplate wanted;
  wanted.subject = {{"CN", "Test TSA"}};
  wanted.not_before = now - std::chrono::days(1);
  wanted.not_after = now + std::chrono::days(1000);
  wanted.key_usage = "critical,digitalSignature";
  wanted.extended_key_usage = usage;
  return self_signed(wanted);
}

Bytes granted(const crypto::KeyBundle& authority, const TstRecipe& info) {
  const Bytes token = build(token_recipe(authority, tst_info(info)), authority.key);
  return der::sequence({der::sequence({der::integer(0)}), token});
}

Bytes rejected(unsigned status, unsigned failure_bit, const std::string& words) {
  // BIT STRING: the count of unused bits, then bit 0 as the highest (X.690, 8.6).
  Bytes bits(2 + failure_bit / 8, 0);
  bits[0] = static_cast<std::uint8_t>(7 - failure_bit % 8);
  bits.back() = static_cast<std::uint8_t>(0x80U >> (failure_bit % 8));
  const Bytes text = der::sequence({der::tlv(der::kUtf8String, as_bytes(words))});
  return der::sequence(
      {der::sequence({der::integer(status), text, der::tlv(der::kBitString, bits)})});
}

void set_reply(httplib::Response& response, const Bytes& reply) {
  response.set_content(std::string(as_text(reply)), "application/timestamp-reply");
}

}  // namespace signctl::test
