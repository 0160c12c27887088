// SPDX-License-Identifier: Apache-2.0
#include "fake/server.hpp"

#include "core/text.hpp"
#include "fake/kms_wire.hpp"
#include "support/must.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <stdexcept>
#include <sys/socket.h>
#include <thread>

#include <httplib.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

namespace signctl::fake {

namespace {

constexpr std::string_view kControl = "/__control/";
constexpr std::size_t kHugeBody = std::size_t{64} << 20U;
/// One serves one connection for as long as that is open: more than any test's jobs.
constexpr std::size_t kThreads = 256;

struct FreeStore {
  void operator()(X509_STORE* store) const { X509_STORE_free(store); }
};

/// Asks for a client certificate, and ends the handshake over one that nobody here has issued.
void ask_for_certificate(SSL_CTX* context, Lab& lab, ClientCertificate wanted) {
  const std::unique_ptr<X509_STORE, FreeStore> store(X509_STORE_new());
  X509_STORE_add_cert(store.get(), lab.pki().client_authority().chain.front().x509());
  // The certificates of a rehearsal in the past or future are valid then.
  X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(store.get()),
                             lab.now().time_since_epoch().count());
  SSL_CTX_set1_verify_cert_store(context, store.get());
  SSL_CTX_add_client_CA(context, lab.pki().client_authority().chain.front().x509());
  const int required = wanted == ClientCertificate::required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | required, nullptr);
}

bool set_up_tls(SSL_CTX* context, Lab& lab, ClientCertificate wanted) {
  const crypto::KeyBundle& tls = lab.pki().tls();
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  // Sessions would let a client in without showing its certificate again.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
  ask_for_certificate(context, lab, wanted);
  return SSL_CTX_use_certificate(context, tls.chain.front().x509()) == 1 &&
         SSL_CTX_use_PrivateKey(context, tls.key.pkey()) == 1;
}

std::optional<crypto::Certificate> client_of(const httplib::Request& request) {
  if (request.ssl == nullptr) {
    return std::nullopt;
  }
  const X509* shown = SSL_get0_peer_certificate(request.ssl);
  if (shown == nullptr) {
    return std::nullopt;
  }
  Bytes der(static_cast<std::size_t>(std::max(i2d_X509(shown, nullptr), 0)));
  std::uint8_t* out = der.data();
  i2d_X509(shown, &out);
  return test::must(crypto::Certificate::parse(der));
}

/// "aas" of "/aas/sign".
std::string prefix_of(const std::string& path) {
  return path.substr(1, path.find('/', 1) - 1);
}

Request convert(const httplib::Request& from, const std::string& url) {
  Request request;
  request.method = from.method;
  const std::string prefix = prefix_of(from.path);
  request.path = from.path.substr(prefix.size() + 1);
  request.query.insert(from.params.begin(), from.params.end());
  for (const auto& [name, value] : from.headers) {
    request.headers[to_lower(name)] = value;
  }
  request.body = from.body;
  request.client = client_of(from);
  request.host = request.header("host");
  request.base_url = url + "/" + prefix;
  return request;
}

std::string content_type_of(const Response& response) {
  const auto found = response.headers.find("content-type");
  return found == response.headers.end() ? "application/octet-stream" : found->second;
}

/// Sends `part` of a body that is announced as `length`, then drops the connection.
void send_part(httplib::Response& to, const std::string& part, std::size_t length) {
  to.set_content_provider(
      length, "application/json", [part](std::size_t offset, std::size_t, httplib::DataSink& sink) {
        if (offset < part.size()) {
          sink.write(part.data() + offset, part.size() - offset);
          return true;
        }
        return false;
      });
}

void send_huge(httplib::Response& to) {
  to.set_content_provider(
      kHugeBody, "application/json", [](std::size_t, std::size_t length, httplib::DataSink& sink) {
        const std::string block(std::min<std::size_t>(length, 65536), ' ');
        return sink.write(block.data(), block.size());
      });
}

void send(httplib::Response& to, const Response& from) {
  to.status = from.status;
  for (const auto& [name, value] : from.headers) {
    if (name != "content-type") {
      to.set_header(name, value);
    }
  }
  to.set_content(from.body, content_type_of(from));
}

}  // namespace

namespace {

/// Lets so many requests a second through, evenly, and refuses the others as services do.
class Throttle {
 public:
  void set(std::string match, double per_second) {
    const std::lock_guard lock(mutex_);
    match_ = std::move(match);
    gap_ = per_second > 0 ? std::chrono::duration<double>(1 / per_second)
                          : std::chrono::duration<double>(0);
  }

  bool refuses(const std::string& request) {
    const std::lock_guard lock(mutex_);
    const auto now = std::chrono::steady_clock::now();
    if (gap_.count() <= 0 || request.find(match_) == std::string::npos) {
      return false;
    }
    if (now - last_ < gap_) {
      return true;
    }
    last_ = now;
    return false;
  }

 private:
  std::mutex mutex_;
  std::string match_;
  std::chrono::duration<double> gap_{0};
  std::chrono::steady_clock::time_point last_{};
};

}  // namespace

struct Server::Impl {
  struct Mounted {
    std::unique_ptr<Personality> personality;
    std::mutex mutex;
  };

  Lab& lab;
  std::unique_ptr<httplib::Server> http;
  std::map<std::string, Mounted> mounted{};
  std::string url{};
  std::thread thread{};
  Throttle throttle{};

  Response answer(const httplib::Request& request) {
    const auto found = mounted.find(prefix_of(request.path));
    if (found == mounted.end()) {
      return text_response(404, "no such personality");
    }
    const std::lock_guard lock(found->second.mutex);
    Response response = found->second.personality->handle(convert(request, url));
    // Services keep time, and clients correct theirs by it.
    response.headers.emplace("date", http_date(lab.now()));
    return response;
  }

  static std::string http_date(TimePoint time) {
    const std::time_t seconds = time.time_since_epoch().count();
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    std::array<char, 64> text{};
    std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    return text.data();
  }

  /// The faults that replace or follow the real answer.
  void misbehave(const Fault& fault, const httplib::Request& request, httplib::Response& to) {
    if (fault.kind == FaultKind::status) {
      send(to, {fault.status, fault.headers, fault.body});
      return;
    }
    if (fault.kind == FaultKind::html) {
      send(to, {200, {{"content-type", "text/html"}}, "<html><body>Welcome</body></html>"});
      return;
    }
    if (fault.kind == FaultKind::huge) {
      send_huge(to);
      return;
    }
    if (fault.kind == FaultKind::close && request.ssl != nullptr) {
      shutdown(SSL_get_fd(request.ssl), SHUT_RDWR);
      return;
    }
    std::this_thread::sleep_for(fault.delay);
    Response real = answer(request);
    if (fault.kind == FaultKind::malformed_json) {
      real.body.resize(real.body.size() - std::min<std::size_t>(real.body.size(), 3));
    }
    send(to, real);
    if (fault.kind == FaultKind::cut) {
      to.body.clear();
      send_part(to, real.body.substr(0, real.body.size() / 2), real.body.size());
    }
  }

  void serve(const httplib::Request& request, httplib::Response& to) {
    static constexpr std::array kTransport{FaultKind::status,
                                           FaultKind::html,
                                           FaultKind::huge,
                                           FaultKind::close,
                                           FaultKind::delay,
                                           FaultKind::malformed_json,
                                           FaultKind::cut};
    if (request.path.starts_with(kControl)) {
      send(to, control(request));
      return;
    }
    const auto fault = lab.take(kTransport, request.method + " " + request.path);
    if (!fault && throttle.refuses(request.method + " " + request.path)) {
      send(to, {429, {{"retry-after", "1"}}, ""});
    } else if (fault) {
      misbehave(*fault, request, to);
    } else {
      send(to, answer(request));
    }
    lab.record({request.method, request.path, to.status});
  }

  Response control(const httplib::Request& request) {
    const std::string verb = request.path.substr(kControl.size());
    if (request.method == "GET" && verb == "notes") {
      return json_response(200, lab.notes());
    }
    if (request.method == "GET" && verb == "secrets") {
      return json_response(200, secrets_given_out());
    }
    if (request.method == "GET" && verb == "log") {
      Json log = Json::array();
      for (const Served& one : lab.served()) {
        log.push_back({{"method", one.method}, {"path", one.path}, {"status", one.status}});
      }
      return json_response(200, log);
    }
    const Json body = Json::parse(request.body.empty() ? "{}" : request.body, nullptr, false);
    if (request.method != "POST" || !body.is_object()) {
      return text_response(400, "POST a JSON object, or GET /__control/log, notes or secrets");
    }
    if (verb == "rotate") {
      lab.rotate();
    } else if (verb == "reset") {
      lab.clear_faults();
      lab.forget();
    } else if (verb == "heal") {
      lab.clear_faults();
      throttle.set("", 0);
    } else if (verb == "throttle") {
      throttle.set(body.value("match", ""), body.value("per_second", 0.0));
    } else if (verb == "clock") {
      lab.set_clock_offset(std::chrono::seconds(body.value("offset_s", 0)));
    } else if (verb != "fault") {
      return text_response(404, "fault, throttle, heal, clock, rotate, reset or log");
    } else {
      return add_fault(body);
    }
    return json_response(200, Json::object());
  }

  Response add_fault(const Json& body) {
    const auto kind = find_fault(body.value("kind", "status"));
    if (!kind) {
      return text_response(400, "unknown kind of fault");
    }
    Fault fault;
    fault.kind = *kind;
    fault.match = body.value("match", "");
    if (is_lie(fault.kind) && !fault.match.empty()) {
      return text_response(400, "a lie is told with the next signature and takes no match");
    }
    fault.times = body.value("times", 1);
    fault.status = body.value("status", 503);
    fault.headers = body.value("headers", fault.headers);
    fault.body = body.value("body", "");
    fault.delay = std::chrono::milliseconds(body.value("delay_ms", 0));
    lab.add(std::move(fault));
    return json_response(200, Json::object());
  }
};

Server::Server(Lab& lab, const std::vector<std::string>& names, ServerOptions options)
    : impl_(new Impl{lab, nullptr}) {
  if (options.transport == Transport::https) {
    impl_->http = std::make_unique<httplib::SSLServer>(
        [&](SSL_CTX& context) { return set_up_tls(&context, lab, options.client); });
  } else {
    impl_->http = std::make_unique<httplib::Server>();
  }
  for (const std::string& name : names) {
    const auto rows = personalities();
    const auto row =
        std::find_if(rows.begin(), rows.end(), [&](const auto& one) { return one.name == name; });
    if (row == rows.end()) {
      throw std::invalid_argument("there is no personality " + name);
    }
    impl_->mounted[name].personality = row->make(lab);
  }
  httplib::Server& http = *impl_->http;
  http.new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
  http.set_keep_alive_max_count(1'000'000);
  http.set_keep_alive_timeout(1);  // Stopping waits for idle connections.
  http.set_tcp_nodelay(true);
  const auto serve = [impl = impl_.get()](const httplib::Request& request,
                                          httplib::Response& response) {
    impl->serve(request, response);
  };
  http.Get(".*", serve).Post(".*", serve).Put(".*", serve).Delete(".*", serve);
  // The library's queue of five makes the sixth of several clients that come at once wait a second
  // for TCP to try again.
  socket_t listening = INVALID_SOCKET;
  http.set_socket_options([&listening](socket_t made) {
    listening = made;
    httplib::default_socket_options(made);
  });
  const int port = options.port == 0
                       ? http.bind_to_any_port("127.0.0.1")
                       : (http.bind_to_port("127.0.0.1", options.port) ? options.port : -1);
  if (port < 0) {
    throw std::runtime_error("no port to listen on");
  }
  if (::listen(listening, SOMAXCONN) != 0) {
    throw std::runtime_error("cannot listen");
  }
  impl_->url = std::string(options.transport == Transport::https ? "https" : "http") +
               "://127.0.0.1:" + std::to_string(port);
  impl_->thread = std::thread([&http] { http.listen_after_bind(); });
  while (!http.is_running()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

Server::~Server() {
  impl_->http->stop();
  impl_->thread.join();
}

const std::string& Server::url() const {
  return impl_->url;
}

std::string Server::url(std::string_view name) const {
  return impl_->url + "/" + std::string(name);
}

Json Server::settings(std::string_view name) const {
  const auto found = impl_->mounted.find(std::string(name));
  if (found == impl_->mounted.end()) {
    throw std::invalid_argument("not served: " + std::string(name));
  }
  return found->second.personality->settings(url(name));
}

}  // namespace signctl::fake
