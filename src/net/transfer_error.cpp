// SPDX-License-Identifier: Apache-2.0
#define CURL_DISABLE_TYPECHECK
#include "net/transfer_error.hpp"

#include "core/text.hpp"
#include "net/name_lookup.hpp"
#include "net/url.hpp"

#include <string>

namespace signctl::net {

namespace {

constexpr std::string_view kCheckNetwork = "check the URL, the network and the proxy settings";

std::string seconds_text(std::chrono::milliseconds time) {
  const auto tenths = time.count() / 100;
  return std::to_string(tenths / 10) + (tenths % 10 == 0 ? "" : "." + std::to_string(tenths % 10)) +
         " s";
}

bool mentions(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

Error not_http(const std::string& url) {
  return {ErrorKind::network,
          url + ": the answer is not HTTP",
          "check that host and port of the URL are those of the service"};
}

/// The name that libcurl has asked for: "Could not resolve host: a.example", or "proxy:". Empty
/// when its words are others.
std::string unresolved_name(std::string_view detail) {
  constexpr std::string_view kWords = "Could not resolve ";
  const std::size_t colon = detail.find(": ");
  if (!detail.starts_with(kWords) || colon == std::string_view::npos) {
    return {};
  }
  const std::string_view name = detail.substr(colon + 2);
  return std::string(name.substr(0, name.find_first_of(" ;,")));
}

/// A resolver that does not answer may do so later; a name that it knows not to exist is wrong.
Error unresolved(const std::string& url, std::string_view detail, std::string_view whose) {
  const std::string name = unresolved_name(detail);
  if (name.empty() || look_up(name) != NameState::absent) {
    return {ErrorKind::network,
            url + ": the " + std::string(whose) + " cannot be resolved",
            std::string(kCheckNetwork)};
  }
  const bool is_proxy = whose == "name of the proxy";
  return {ErrorKind::config,
          url + ": there is no host named " + printable(name) + (is_proxy ? " (the proxy)" : ""),
          is_proxy ? "check HTTPS_PROXY, HTTP_PROXY and ALL_PROXY"
                   : "check the spelling of the URL; a name of a private network may need its "
                     "VPN or its DNS server, or HTTPS_PROXY"};
}

/// Why the server's certificate is not taken, and what to do.
Error untrusted(const CurlApi& api,
                CURLcode code,
                const std::string& url,
                std::string_view detail) {
  const std::string what = url + ": the TLS certificate of the server is not trusted (";
  constexpr std::string_view kNever = "; checking cannot be turned off";
  if (code == CURLE_PEER_FAILED_VERIFICATION &&
      (mentions(detail, "host name") || mentions(detail, "hostname"))) {
    return {ErrorKind::config,
            what + "it is for another host name)",
            "check the URL, and what answers in the service's place: a proxy, a gateway or "
            "/etc/hosts" +
                std::string(kNever)};
  }
  if (mentions(detail, "expired") || mentions(detail, "not yet valid")) {
    return {ErrorKind::config,
            what + (mentions(detail, "expired") ? "it has expired)" : "it is not valid yet)"),
            "check the clock of this machine; if it is right, the server needs a new certificate" +
                std::string(kNever)};
  }
  return {ErrorKind::config,
          what + api.easy_strerror(code) + ")",
          "for a private CA, or a proxy that opens TLS, name its CA with SSL_CERT_FILE or ca_file" +
              std::string(kNever)};
}

/// What a proxy said to CONNECT; empty unless it was a refusal.
std::string tunnel_answer(std::string_view detail) {
  for (const std::string_view words : {"CONNECT tunnel failed, response ", "Received HTTP code "}) {
    const std::size_t at = detail.find(words);
    if (at != std::string_view::npos) {
      return std::string(detail.substr(at + words.size(), 3));
    }
  }
  return {};
}

/// @param status  Of the proxy's answer.
Error refused_by_proxy(const std::string& url, const std::string& status) {
  const std::string what = url + ": the proxy refused the connection (" + printable(status) + ")";
  if (status == "407") {
    return {ErrorKind::auth,
            what,
            "put the proxy's user name and password into HTTPS_PROXY, or the host into NO_PROXY"};
  }
  if (status.starts_with('4') && status != "408" && status != "429") {
    return {ErrorKind::config, what, "have the proxy let this host pass, or put it into NO_PROXY"};
  }
  return {ErrorKind::network, what, std::string(kCheckNetwork)};
}

}  // namespace

bool is_about_our_certificate(CURLcode code, std::string_view detail) {
  if (code == CURLE_SSL_CERTPROBLEM) {
    return true;
  }
  return mentions(detail, " alert ") &&
         (mentions(detail, "certificate") || mentions(detail, "unknown ca") ||
          mentions(detail, "handshake failure") || mentions(detail, "access denied"));
}

bool was_reset(CURLcode code, std::string_view detail) {
  return code == CURLE_SEND_ERROR ||
         ((code == CURLE_RECV_ERROR || code == CURLE_SSL_CONNECT_ERROR) &&
          mentions(to_lower(detail), "reset"));
}

Error transfer_error(const CurlApi& api,
                     CURLcode code,
                     const HttpRequest& request,
                     std::string_view detail) {
  const std::string url = without_secrets(request.url);
  if (is_about_our_certificate(code, detail)) {
    return request.client ? Error{ErrorKind::auth,
                                  url + ": the server refuses the client certificate",
                                  "check that it is the right one for this host and not expired"}
                          : Error{ErrorKind::auth,
                                  url + ": the server wants a client certificate",
                                  "name one with client_certificate, or use another host"};
  }
  if (const std::string status = tunnel_answer(detail); !status.empty()) {
    return refused_by_proxy(url, status);
  }
  switch (static_cast<int>(code)) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return unresolved(url, detail, "host name");
    case CURLE_COULDNT_RESOLVE_PROXY:
      return unresolved(url, detail, "name of the proxy");
    case CURLE_COULDNT_CONNECT:
      return {ErrorKind::network,
              url + ": the connection was refused or is not possible",
              std::string(kCheckNetwork)};
    case CURLE_OPERATION_TIMEDOUT:
      return {ErrorKind::network,
              url + ": no complete answer within " + seconds_text(request.timeout)};
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
      return untrusted(api, code, url, detail);
    case CURLE_SSL_CONNECT_ERROR:
      return {ErrorKind::network, url + ": no TLS connection could be made (TLS 1.2 is the least)"};
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_SEND_FAIL_REWIND:
    case CURLE_ABORTED_BY_CALLBACK:
      return {ErrorKind::network, url + ": the connection was cut before the answer was complete"};
    case CURLE_WEIRD_SERVER_REPLY:
      return not_http(url);
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
      // An answer without a status line is to libcurl a protocol that it does not speak: HTTP/0.9.
      if (mentions(detail, "HTTP/0.9")) {
        return not_http(url);
      }
      return {ErrorKind::unsupported, url + ": not an http or https URL"};
    default:
      return {ErrorKind::network, url + ": " + api.easy_strerror(code)};
  }
}

}  // namespace signctl::net
