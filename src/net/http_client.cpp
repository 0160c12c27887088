// SPDX-License-Identifier: Apache-2.0
#define CURL_DISABLE_TYPECHECK
#include "net/http_client.hpp"

#include "core/stop.hpp"
#include "core/text.hpp"
#include "crypto/anchor_store.hpp"
#include "net/curl_api.hpp"
#include "net/tls_anchors.hpp"
#include "net/transfer_error.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace signctl::net {

namespace {

constexpr std::size_t kMaxHeaders = 100;
constexpr std::size_t kMaxHeaderBytes = 256U << 10U;
/// Servers hang up on an idle connection after 5 s or more, and libcurl 7.88 does not see it when
/// the TLS of the server says goodbye. What is sent there is lost, and nobody can tell how far.
constexpr long kLongestIdleSeconds = 3;

struct FreeList {
  const CurlApi* api{};
  void operator()(curl_slist* list) const { api->slist_free_all(list); }
};
using HeaderList = std::unique_ptr<curl_slist, FreeList>;

struct CloseHandle {
  const CurlApi* api{};
  void operator()(CURL* handle) const { api->easy_cleanup(handle); }
};
using EasyHandle = std::unique_ptr<CURL, CloseHandle>;

/// What the callbacks of one transfer share.
struct Transfer {
  ByteView unsent;  ///< What libcurl has not taken yet of the request's body.
  HttpResponse response;
  std::array<char, CURL_ERROR_SIZE> detail{};  ///< libcurl's own words on a failure.
  std::size_t limit{};
  std::size_t header_bytes{0};
  bool headers_complete{false};
  std::string refusal;  ///< Why we gave it up ourselves.
  std::optional<std::chrono::steady_clock::time_point> stop_seen;
  bool stopped{false};
};

/// Gives the body once. What libcurl cannot wind back it cannot send again by itself: a request
/// whose answer is lost on a connection that was used before may have been carried out.
std::size_t give_body(char* data, std::size_t size, std::size_t count, void* argument) {
  ByteView& unsent = static_cast<Transfer*>(argument)->unsent;
  if (unsent.empty()) {
    return CURL_READFUNC_ABORT;  // The length is known: only a second attempt asks for more.
  }
  const std::size_t bytes = std::min(unsent.size(), size * count);
  std::copy_n(unsent.begin(), bytes, data);
  unsent = unsent.subspan(bytes);
  return bytes;
}

std::size_t take_body(char* data, std::size_t size, std::size_t count, void* argument) {
  auto& transfer = *static_cast<Transfer*>(argument);
  const std::size_t bytes = size * count;
  if (bytes > transfer.limit - std::min(transfer.limit, transfer.response.body.size())) {
    transfer.refusal = "the answer is longer than " + std::to_string(transfer.limit) + " bytes";
    return 0;  // Fewer than offered: libcurl gives the transfer up.
  }
  transfer.response.body.insert(transfer.response.body.end(), data, data + bytes);
  return bytes;
}

/// Called at least once a second. Who wants to stop gets the answers that are on their way, and
/// does not wait for a server that has fallen silent.
int watch_for_stop(void* argument,
                   curl_off_t /*down*/,
                   curl_off_t /*down_now*/,
                   curl_off_t /*up*/,
                   curl_off_t /*up_now*/) {
  constexpr std::chrono::seconds kGrace{3};
  if (!stop_requested()) {
    return 0;
  }
  auto& transfer = *static_cast<Transfer*>(argument);
  const auto now = std::chrono::steady_clock::now();
  transfer.stop_seen = transfer.stop_seen.value_or(now);
  transfer.stopped = now - *transfer.stop_seen >= kGrace;
  return transfer.stopped ? 1 : 0;
}

std::size_t take_header(char* data, std::size_t size, std::size_t count, void* argument) {
  auto& transfer = *static_cast<Transfer*>(argument);
  const std::string_view line(data, size * count);
  const std::size_t colon = line.find(':');
  transfer.header_bytes += line.size();
  if (transfer.header_bytes > kMaxHeaderBytes) {
    transfer.refusal =
        "the headers of the answer are longer than " + std::to_string(kMaxHeaderBytes) + " bytes";
    return 0;
  }
  if (line.starts_with("HTTP/")) {
    // A new status line, after a 100 Continue or a proxy's answer: what came before is not ours.
    transfer.response.headers.clear();
    transfer.headers_complete = false;
  } else if (line == "\r\n" || line == "\n") {
    transfer.headers_complete = true;
  } else if (colon != std::string_view::npos && transfer.response.headers.size() < kMaxHeaders) {
    std::string_view value = line.substr(colon + 1);
    while (!value.empty() && std::isspace(static_cast<unsigned char>(value.front())) != 0) {
      value.remove_prefix(1);
    }
    while (!value.empty() && std::isspace(static_cast<unsigned char>(value.back())) != 0) {
      value.remove_suffix(1);
    }
    transfer.response.headers[to_lower(line.substr(0, colon))] = std::string(value);
  }
  return size * count;
}

long milliseconds_of(std::chrono::milliseconds time) {
  return static_cast<long>(
      std::min<std::int64_t>(time.count(), std::numeric_limits<std::int32_t>::max()));
}

/// Collects what libcurl says of alerts. CURLOPT_ERRORBUFFER would keep its first words alone.
int take_alerts(CURL* /*handle*/, curl_infotype kind, char* data, std::size_t size, void* alerts) {
  const std::string_view text(data, size);
  if (kind == CURLINFO_TEXT && text.find(" alert ") != std::string_view::npos) {
    static_cast<std::string*>(alerts)->append(text);
  }
  return 0;
}

/// What comes on a connection that nothing is asked on: CURLE_AGAIN for nothing, CURLE_OK for an
/// orderly end.
CURLcode first_word(const CurlApi& api, CURL* handle, std::chrono::milliseconds patience) {
  constexpr std::chrono::milliseconds kPause{5};
  std::array<char, 64> ignored{};
  std::size_t received = 0;
  CURLcode code = CURLE_AGAIN;
  for (std::chrono::milliseconds waited{0}; code == CURLE_AGAIN && waited < patience;
       waited += kPause) {
    std::this_thread::sleep_for(kPause);
    code = api.easy_recv(handle, ignored.data(), ignored.size(), &received);
  }
  return code;
}

class CurlClient final : public HttpClient {
 public:
  explicit CurlClient(const Environment& environment) : environment_(environment) {}

  Result<HttpResponse> send(const HttpRequest& request) override {
    const std::string host = host_of(request.url);
    if (host.empty()) {
      return Error{ErrorKind::unsupported,
                   without_secrets(request.url) + ": not an http or https URL"};
    }
    SIGNCTL_TRY(const CurlApi* api, curl_api(), "");
    CURL* handle = handle_of_this_thread(*api, request.ca_file);
    if (handle == nullptr) {
      return Error{ErrorKind::internal, "libcurl gives no handle"};
    }
    api->easy_reset(handle);
    Transfer transfer;
    transfer.limit = request.max_response_bytes;
    SIGNCTL_TRY(const HeaderList headers, make_headers(*api, request), "");
    configure(*api, handle, request, transfer);
    api->easy_setopt(handle, CURLOPT_HTTPHEADER, headers.get());
    if (to_lower(request.url).starts_with("https:")) {
      SIGNCTL_CHECK(configure_tls(*api, handle, request), "");
    }
    const auto started = std::chrono::steady_clock::now();
    const CURLcode code = api->easy_perform(handle);
    if (transfer.stopped) {
      return Error{ErrorKind::interrupted,
                   without_secrets(request.url) + ": no answer yet when asked to stop"};
    }
    if (code != CURLE_OK || !transfer.refusal.empty() || !transfer.headers_complete) {
      Error error = failure_of(*api, code, request, transfer);
      const bool no_answer = is_transient(error.kind) || !transfer.refusal.empty();
      error.may_be_done = no_answer && was_asked(*api, handle);
      return error;
    }
    long status = 0;
    api->easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
    transfer.response.status = static_cast<int>(status);
    transfer.response.elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::steady_clock::now() - started);
    return std::move(transfer.response);
  }

 private:
  /// Why there is no complete answer.
  Error failure_of(const CurlApi& api,
                   CURLcode code,
                   const HttpRequest& request,
                   const Transfer& transfer) {
    if (!transfer.refusal.empty()) {
      // There was an answer, and the next will be like it.
      return {ErrorKind::provider, without_secrets(request.url) + ": " + transfer.refusal};
    }
    if (code == CURLE_OK) {
      // libcurl 7.88 takes a connection that ends amid the headers for an answer without a body.
      return transfer_error(api, CURLE_PARTIAL_FILE, request, "");
    }
    Error error = transfer_error(api, code, request, transfer.detail.data());
    return transfer.header_bytes == 0 && was_reset(code, transfer.detail.data())
               ? reason_of_reset(api, request, std::move(error))
               : error;
  }

  /// Whether the request, or a part of it, has been sent to the server. What a proxy was asked, to
  /// lead there, counts among what was sent, but not when it did not.
  static bool was_asked(const CurlApi& api, CURL* handle) {
    constexpr long kLedThere = 200;
    long sent = 0;
    long by_proxy = 0;
    api.easy_getinfo(handle, CURLINFO_REQUEST_SIZE, &sent);
    api.easy_getinfo(handle, CURLINFO_HTTP_CONNECTCODE, &by_proxy);
    return sent > 0 && (by_proxy == 0 || by_proxy == kLedThere);
  }

  /// One for each ca_file too: which anchors a connection was held against, libcurl does not know
  /// when they are shared, and would use it again for a request with others.
  CURL* handle_of_this_thread(const CurlApi& api, const std::string& ca_file) {
    const std::lock_guard lock(mutex_);
    auto [entry, made] = handles_.try_emplace(
        std::pair(std::this_thread::get_id(), ca_file), nullptr, CloseHandle{&api});
    if (made) {
      entry->second.reset(api.easy_init());
    }
    return entry->second.get();
  }

  static Result<HeaderList> make_headers(const CurlApi& api, const HttpRequest& request) {
    HeaderList list(nullptr, FreeList{&api});
    const auto add = [&](const std::string& line) {
      curl_slist* longer = api.slist_append(list.get(), line.c_str());
      if (longer != nullptr) {
        static_cast<void>(list.release());
        list.reset(longer);
      }
    };
    for (const auto& [name, value] : request.headers) {
      std::string line = name;
      line.append(": ").append(value);
      if (line.find_first_of("\r\n") != std::string::npos) {
        return Error{ErrorKind::internal, "a line break in the header " + name};
      }
      add(line);
    }
    add("Expect:");  // No 100-continue round trip for small bodies.
    return list;
  }

  static void configure(const CurlApi& api,
                        CURL* handle,
                        const HttpRequest& request,
                        Transfer& transfer) {
    const auto set = api.easy_setopt;
    set(handle, CURLOPT_URL, request.url.c_str());
    set(handle, CURLOPT_PROTOCOLS_STR, "http,https");
    set(handle, CURLOPT_FOLLOWLOCATION, 0L);
    set(handle, CURLOPT_NOSIGNAL, 1L);
    set(handle, CURLOPT_SSL_VERIFYPEER, 1L);
    set(handle, CURLOPT_SSL_VERIFYHOST, 2L);
    set(handle, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    set(handle, CURLOPT_USERAGENT, "signctl/" SIGNCTL_VERSION);
    // Zero would be no limit at all.
    set(handle, CURLOPT_CONNECTTIMEOUT_MS, std::max(1L, milliseconds_of(request.connect_timeout)));
    set(handle, CURLOPT_TIMEOUT_MS, std::max(1L, milliseconds_of(request.timeout)));
    if (is_local_host(host_of(request.url))) {
      set(handle, CURLOPT_PROXY, "");  // None, whatever the environment says.
    }
    set(handle, CURLOPT_WRITEFUNCTION, take_body);
    set(handle, CURLOPT_WRITEDATA, &transfer);
    set(handle, CURLOPT_HEADERFUNCTION, take_header);
    set(handle, CURLOPT_HEADERDATA, &transfer);
    set(handle, CURLOPT_ERRORBUFFER, transfer.detail.data());
    set(handle, CURLOPT_NOPROGRESS, 0L);
    set(handle, CURLOPT_XFERINFOFUNCTION, watch_for_stop);
    set(handle, CURLOPT_XFERINFODATA, &transfer);
    if (request.method == "POST") {
      transfer.unsent = request.body;
      set(handle, CURLOPT_POST, 1L);
      set(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
      set(handle, CURLOPT_READFUNCTION, give_body);
      set(handle, CURLOPT_READDATA, &transfer);
      set(handle, CURLOPT_MAXAGE_CONN, kLongestIdleSeconds);
    } else if (request.method == "HEAD") {
      set(handle, CURLOPT_NOBODY, 1L);  // Or libcurl waits for a body that never comes.
    } else if (request.method != "GET") {
      if (!request.body.empty()) {
        set(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
        set(handle, CURLOPT_POSTFIELDS, request.body.data());
      }
      set(handle, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    }
  }

  /// With TLS 1.3 a server judges the client's certificate while the request is on its way to it,
  /// and the reset that answers the request discards the alert that says what was wrong. Who
  /// connects again and asks nothing gets to read it; no request is made twice.
  ///
  /// @param reset  What there is to say without this, and afterwards when nothing else was learnt.
  Error reason_of_reset(const CurlApi& api, const HttpRequest& request, Error reset) {
    constexpr std::chrono::milliseconds kLeast{500};
    constexpr std::chrono::milliseconds kMost{2000};
    const EasyHandle handle(api.easy_init(), CloseHandle{&api});
    Transfer transfer;
    if (handle == nullptr || !to_lower(request.url).starts_with("https:")) {
      return reset;
    }
    configure(api, handle.get(), request, transfer);
    if (!configure_tls(api, handle.get(), request)) {
      return reset;
    }
    std::string alerts;
    api.easy_setopt(handle.get(), CURLOPT_VERBOSE, 1L);
    api.easy_setopt(handle.get(), CURLOPT_DEBUGFUNCTION, take_alerts);
    api.easy_setopt(handle.get(), CURLOPT_DEBUGDATA, &alerts);
    api.easy_setopt(handle.get(), CURLOPT_CONNECT_ONLY, 1L);
    const auto started = std::chrono::steady_clock::now();
    CURLcode code = api.easy_perform(handle.get());
    if (code == CURLE_OK) {
      // The alert is one round trip away, and connecting has taken two at least.
      const auto connecting = std::chrono::duration_cast<std::chrono::milliseconds>(
          std::chrono::steady_clock::now() - started);
      code = first_word(api, handle.get(), std::clamp(connecting * 2, kLeast, kMost));
    }
    if (is_about_our_certificate(code, alerts)) {
      return transfer_error(api, code, request, alerts);
    }
    const bool hung_up = code == CURLE_OK || code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR ||
                         code == CURLE_SSL_CONNECT_ERROR;
    if (request.client && hung_up) {
      reset.hint =
          "the server hangs up when it is shown the client certificate: check that it is the right "
          "one for this host and not expired";
    }
    return reset;
  }

  /// What counts for one ca_file, for as long as the client lives.
  struct Anchors {
    TlsAnchors chosen;
    std::shared_ptr<X509_STORE> store;  ///< All of them, decoded; empty for libcurl to read them.
    const CurlApi* api{};
  };

  static Result<std::shared_ptr<X509_STORE>> decode(const CurlApi::TlsStore& openssl,
                                                    const TlsAnchors& chosen) {
    if (!chosen.pem.empty() || !chosen.folder.empty()) {
      return crypto::make_anchor_store(openssl.functions, chosen.pem, chosen.folder);
    }
    SIGNCTL_TRY(const std::string system, read_system_bundle(), "");
    return crypto::make_anchor_store(openssl.functions, system, "");
  }

  /// Read once: the list of a system is long, and requests and threads are many.
  Result<Anchors*> anchors_with(const CurlApi& api, const std::string& ca_file) {
    const std::lock_guard lock(mutex_);
    auto known = anchors_.find(ca_file);
    if (known == anchors_.end()) {
      Anchors anchors{{}, {}, &api};
      SIGNCTL_TRY(anchors.chosen, choose_tls_anchors(environment_, ca_file), "");
      if (api.tls_store) {
        SIGNCTL_TRY(anchors.store, decode(*api.tls_store, anchors.chosen), "");
      }
      known = anchors_.emplace(ca_file, std::move(anchors)).first;
    }
    return &known->second;
  }

  static CURLcode share_store(CURL* /*handle*/, void* context, void* argument) {
    const auto& anchors = *static_cast<const Anchors*>(argument);
    anchors.api->tls_store->set1_cert_store(context, anchors.store.get());
    return CURLE_OK;
  }

  /// True when the connection will use the decoded anchors.
  static bool share_anchors(const CurlApi& api, CURL* handle, Anchors& anchors) {
    if (!anchors.store ||
        api.easy_setopt(handle, CURLOPT_SSL_CTX_FUNCTION, share_store) != CURLE_OK) {
      return false;
    }
    api.easy_setopt(handle, CURLOPT_SSL_CTX_DATA, &anchors);
    api.easy_setopt(handle, CURLOPT_CAINFO, nullptr);
    api.easy_setopt(handle, CURLOPT_CAPATH, nullptr);
    return true;
  }

  /// True unless this libcurl cannot take certificates from memory.
  static bool name_anchors(const CurlApi& api, CURL* handle, const TlsAnchors& anchors) {
    const auto set = api.easy_setopt;
    if (anchors.built_in == TlsAnchors::BuiltIn::replaced) {
      // Both have defaults that would count besides.
      set(handle, CURLOPT_CAINFO, nullptr);
      set(handle, CURLOPT_CAPATH, anchors.folder.empty() ? nullptr : anchors.folder.c_str());
    } else {
      // The certificate store of Windows; elsewhere it changes nothing.
      set(handle, CURLOPT_SSL_OPTIONS, static_cast<long>(CURLSSLOPT_NATIVE_CA));
    }
    return anchors.pem.empty() ||
           set_blob(api, handle, CURLOPT_CAINFO_BLOB, anchors.pem, CURL_BLOB_NOCOPY);
  }

  Result<void> configure_tls(const CurlApi& api, CURL* handle, const HttpRequest& request) {
    SIGNCTL_TRY(Anchors* const anchors, anchors_with(api, request.ca_file), "");
    bool possible =
        share_anchors(api, handle, *anchors) || name_anchors(api, handle, anchors->chosen);
    if (request.client) {
      possible = possible && show_certificate(api, handle, *request.client);
    }
    if (!possible) {
      return Error{ErrorKind::unsupported,
                   "the libcurl on this machine cannot take certificates from memory",
                   "install one that is built with OpenSSL"};
    }
    return ok();
  }

  /// libcurl keeps blobs for as long as the connection may be used again: a copy, unless `text`
  /// lives longer than that.
  static bool set_blob(const CurlApi& api,
                       CURL* handle,
                       CURLoption option,
                       std::string_view text,
                       unsigned int copying = CURL_BLOB_COPY) {
    curl_blob blob{const_cast<char*>(text.data()), text.size(), copying};
    return api.easy_setopt(handle, option, &blob) == CURLE_OK;
  }

  static bool show_certificate(const CurlApi& api, CURL* handle, const ClientIdentity& client) {
    api.easy_setopt(handle, CURLOPT_SSLCERTTYPE, "PEM");
    api.easy_setopt(handle, CURLOPT_SSLKEYTYPE, "PEM");
    return set_blob(api, handle, CURLOPT_SSLCERT_BLOB, client.certificates_pem) &&
           set_blob(api, handle, CURLOPT_SSLKEY_BLOB, client.key_pem.reveal());
  }

  const Environment& environment_;
  std::mutex mutex_;
  std::map<std::string, Anchors> anchors_;  ///< By ca_file. Outlives the handles.
  std::map<std::pair<std::thread::id, std::string>, EasyHandle> handles_;
};

}  // namespace

std::unique_ptr<HttpClient> make_http_client(const Environment& environment) {
  return std::make_unique<CurlClient>(environment);
}

}  // namespace signctl::net
