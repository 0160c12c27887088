// SPDX-License-Identifier: Apache-2.0
#include "config/check.hpp"

#include <algorithm>
#include <charconv>
#include <system_error>

// By hand and not with std::regex, whose recursion overflows the stack on long texts.
namespace signctl::config {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool is_word(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

bool has_rest(std::string_view text, std::string_view prefix) {
  return text.size() > prefix.size() && text.starts_with(prefix);
}

bool has_good_port(std::string_view authority) {
  constexpr int kLargest = 65535;
  const std::size_t colon = authority.rfind(':');
  if (colon == std::string_view::npos || authority.find(']', colon) != std::string_view::npos) {
    return true;
  }
  int port = 0;
  const char* end = authority.data() + authority.size();
  const auto parsed = std::from_chars(authority.data() + colon + 1, end, port);
  return parsed.ec == std::errc{} && parsed.ptr == end && port > 0 && port <= kLargest;
}

}  // namespace

bool is_trust(std::string_view text) {
  return text == "system" || text == "signer" || has_rest(text, "file:");
}

bool is_server(std::string_view text) {
  if (text.starts_with("dev:")) {
    return true;
  }
  std::string_view rest;
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (text.starts_with(scheme)) {
      rest = text.substr(scheme.size());
    }
  }
  if (rest.empty() || std::ranges::any_of(rest, is_space)) {
    return false;
  }
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
  return !authority.empty() && authority.find('@') == std::string_view::npos &&
         has_good_port(authority);
}

bool is_dotted_oid(std::string_view text) {
  if (text.size() < 3 || text[0] < '0' || text[0] > '2' || text[1] != '.' || text.back() == '.') {
    return false;
  }
  for (std::size_t i = 2; i < text.size(); ++i) {
    if (!is_digit(text[i]) && !(text[i] == '.' && text[i - 1] != '.')) {
      return false;
    }
  }
  return true;
}

bool is_thumbprint(std::string_view text) {
  int pairs = 0;
  while (text.size() >= 2 && is_hex(text[0]) && is_hex(text[1])) {
    ++pairs;
    text.remove_prefix(2);
    if (text.size() > 1 && text.front() == ':') {
      text.remove_prefix(1);
    }
  }
  return pairs == 32 && text.empty();
}

bool is_signer_name(std::string_view text) {
  return !text.empty() && is_word(text.front()) &&
         std::ranges::all_of(text, [](char c) { return is_word(c) || c == '.' || c == '-'; });
}

bool is_secret_reference(std::string_view text) {
  return text == "stdin" || has_rest(text, "env:") || has_rest(text, "file:") ||
         has_rest(text, "exec:");
}

}  // namespace signctl::config
