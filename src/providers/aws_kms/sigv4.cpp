// SPDX-License-Identifier: Apache-2.0
// AWS Signature Version 4, for requests whose body is at hand. Paths are taken as they stand in the
// URL: the calls made here all go to "/".
#include "providers/aws_kms/sigv4.hpp"

#include "core/text.hpp"
#include "crypto/digest.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

namespace signctl::providers::aws_kms {
namespace {

struct UrlParts {
  std::string host;  ///< With its port, unless it is the scheme's own: as the Host header has it.
  std::string path;
  std::string query;
};

UrlParts split_url(std::string_view url) {
  const bool tls = url.starts_with("https:");
  const std::size_t scheme = url.find("://");
  std::string_view rest = scheme == url.npos ? url : url.substr(scheme + 3);
  rest = rest.substr(0, rest.find('#'));
  const std::size_t mark = rest.find('?');
  const std::string_view query = mark == rest.npos ? "" : rest.substr(mark + 1);
  rest = rest.substr(0, mark);
  const std::size_t slash = rest.find('/');
  std::string_view host = rest.substr(0, slash);
  const std::string_view path = slash == rest.npos ? "/" : rest.substr(slash);
  const std::string_view own_port = tls ? ":443" : ":80";
  if (host.ends_with(own_port)) {
    host.remove_suffix(own_port.size());
  }
  return {std::string(host), std::string(path), std::string(query)};
}

/// Name and value pairs in order of name, then value; a name alone has an empty value.
std::string canonical_query(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> fields;
  while (!query.empty()) {
    const std::string_view field = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), field.size() + 1));
    const std::size_t equals = field.find('=');
    const std::string_view value = equals == field.npos ? "" : field.substr(equals + 1);
    fields.emplace_back(field.substr(0, equals), value);
  }
  std::sort(fields.begin(), fields.end());
  std::string text;
  for (const auto& [name, value] : fields) {
    text.append(text.empty() ? "" : "&").append(name).append("=").append(value);
  }
  return text;
}

/// Without blanks around it, and with runs of blanks within it made one.
std::string trimmed(std::string_view value) {
  std::string text;
  bool blank = false;
  for (const char c : value) {
    if (c == ' ' || c == '\t') {
      blank = !text.empty();
      continue;
    }
    text += blank ? " " : "";
    text += c;
    blank = false;
  }
  return text;
}

bool is_signed(std::string_view name) {
  constexpr std::array<std::string_view, 6> kChangedOnTheWay{
      "authorization", "connection", "expect", "user-agent", "x-amzn-trace-id", "accept-encoding"};
  return std::ranges::find(kChangedOnTheWay, name) == kChangedOnTheWay.end();
}

std::map<std::string, std::string> signed_headers(const HttpRequest& request) {
  std::map<std::string, std::string> headers{{"host", split_url(request.url).host}};
  for (const auto& [name, value] : request.headers) {
    const std::string lower = to_lower(name);
    if (is_signed(lower)) {
      headers[lower] = trimmed(value);
    }
  }
  return headers;
}

std::string names_of(const std::map<std::string, std::string>& headers) {
  std::string names;
  for (const auto& [name, value] : headers) {
    names += (names.empty() ? "" : ";") + name;
  }
  return names;
}

std::string hash_hex(std::string_view text) {
  return to_hex(crypto::hash(DigestAlg::sha256, as_bytes(text)));
}

/// "20260101T000000Z"
std::string basic_time(TimePoint time) {
  std::string text = to_iso8601(time);
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text;
}

Bytes derive_key(const Secret& secret, std::string_view date, const SigningScope& scope) {
  std::string start("AWS4");
  start += secret.reveal();
  const Secret first(std::move(start));
  const auto step = [](ByteView key, std::string_view text) {
    return crypto::hmac(DigestAlg::sha256, key, as_bytes(text));
  };
  const Bytes dated = step(as_bytes(first.reveal()), date);
  return step(step(step(dated, scope.region), scope.service), "aws4_request");
}

void erase_header(HttpRequest& request, std::string_view lower_name) {
  std::erase_if(request.headers,
                [&](const auto& header) { return to_lower(header.first) == lower_name; });
}

}  // namespace

std::string canonical_request(const HttpRequest& request) {
  const UrlParts url = split_url(request.url);
  const auto headers = signed_headers(request);
  std::string text = request.method + "\n" + url.path + "\n" + canonical_query(url.query) + "\n";
  for (const auto& [name, value] : headers) {
    text += name;
    text += ":" + value + "\n";
  }
  return text + "\n" + names_of(headers) + "\n" +
         to_hex(crypto::hash(DigestAlg::sha256, request.body));
}

void sign_request(HttpRequest& request,
                  const AwsCredentials& credentials,
                  const SigningScope& scope,
                  TimePoint now) {
  for (const std::string_view name : {"x-amz-date", "x-amz-security-token", "authorization"}) {
    erase_header(request, name);
  }
  const std::string time = basic_time(now);
  const std::string date = time.substr(0, 8);
  request.headers["X-Amz-Date"] = time;
  if (!credentials.session_token.empty()) {
    request.headers["X-Amz-Security-Token"] = std::string(credentials.session_token.reveal());
  }
  const std::string reach = date + "/" + scope.region + "/" + scope.service + "/aws4_request";
  const std::string to_sign =
      "AWS4-HMAC-SHA256\n" + time + "\n" + reach + "\n" + hash_hex(canonical_request(request));
  const Bytes key = derive_key(credentials.secret_access_key, date, scope);
  request.headers["Authorization"] =
      "AWS4-HMAC-SHA256 Credential=" + credentials.access_key_id + "/" + reach +
      ", SignedHeaders=" + names_of(signed_headers(request)) +
      ", Signature=" + to_hex(crypto::hmac(DigestAlg::sha256, key, as_bytes(to_sign)));
}

std::string without_request(std::string_view message) {
  const std::size_t end = std::min(message.find("The Canonical String"), message.find('\n'));
  std::string text(message.substr(0, end));
  while (text.ends_with(' ')) {
    text.pop_back();
  }
  return text;
}

}  // namespace signctl::providers::aws_kms
