// SPDX-License-Identifier: Apache-2.0
#include "core/text.hpp"
#include "providers/common/rest.hpp"

#include <algorithm>
#include <utility>

namespace signctl::providers {

namespace {

/// Deeper than any answer of a signing service; the parser recurses.
constexpr int kMaxDepth = 32;

bool is_unreserved(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
         (letter >= '0' && letter <= '9') || letter == '-' || letter == '.' || letter == '_' ||
         letter == '~';
}

}  // namespace

Json parse_json(std::string_view text) {
  const auto limit = [](int depth, Json::parse_event_t, Json&) {
    // Left out values end as null, which no caller takes for an answer.
    return depth <= kMaxDepth;
  };
  Json parsed = Json::parse(text, limit, false);
  return parsed;
}

std::string text_at(const Json& json, std::initializer_list<std::string_view> path) {
  const Json* at = &json;
  for (const std::string_view key : path) {
    if (!at->is_object()) {
      return {};
    }
    const auto found = at->find(std::string(key));
    if (found == at->end()) {
      return {};
    }
    at = &*found;
  }
  return at->is_string() ? at->get<std::string>() : std::string();
}

std::optional<Bytes> from_any_base64(std::string_view text) {
  std::string standard;
  standard.reserve(text.size() + 3);
  for (const char letter : text) {
    if (letter == '\r' || letter == '\n' || letter == ' ' || letter == '\t' || letter == '=') {
      continue;
    }
    standard.push_back(letter == '-' ? '+' : letter == '_' ? '/' : letter);
  }
  standard.resize((standard.size() + 3) / 4 * 4, '=');
  return from_base64(standard);
}

Json claims_of(std::string_view jwt) {
  const std::size_t first = jwt.find('.');
  const std::size_t second = first == jwt.npos ? jwt.npos : jwt.find('.', first + 1);
  const auto bytes = second == jwt.npos
                         ? std::nullopt
                         : from_any_base64(jwt.substr(first + 1, second - first - 1));
  return bytes ? parse_json(as_text(*bytes)) : Json(Json::value_t::discarded);
}

std::string to_base64url(ByteView bytes) {
  std::string text = to_base64(bytes);
  std::replace(text.begin(), text.end(), '+', '-');
  std::replace(text.begin(), text.end(), '/', '_');
  text.erase(std::find(text.begin(), text.end(), '='), text.end());
  return text;
}

std::string percent_encode(std::string_view text) {
  static constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string encoded;
  for (const char letter : text) {
    if (is_unreserved(letter)) {
      encoded.push_back(letter);
      continue;
    }
    const auto octet = static_cast<unsigned char>(letter);
    encoded.push_back('%');
    encoded.push_back(kDigits[octet >> 4U]);
    encoded.push_back(kDigits[octet & 0xFU]);
  }
  return encoded;
}

Bytes form_body(const std::map<std::string, std::string>& fields) {
  std::string text;
  for (const auto& [name, value] : fields) {
    text += (text.empty() ? "" : "&") + percent_encode(name) + "=" + percent_encode(value);
  }
  const ByteView octets = as_bytes(text);
  return {octets.begin(), octets.end()};
}

Call post_json(std::string path, const Json& body) {
  Call call;
  call.method = "POST";
  call.path = std::move(path);
  call.content_type = "application/json";
  const std::string text = body.dump(-1, ' ', false, Json::error_handler_t::replace);
  const ByteView octets = as_bytes(text);
  call.body.assign(octets.begin(), octets.end());
  return call;
}

Call post_counted_json(std::string path, const Json& body) {
  Call call = post_json(std::move(path), body);
  call.counted = true;
  return call;
}

}  // namespace signctl::providers
