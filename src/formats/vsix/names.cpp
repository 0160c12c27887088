// SPDX-License-Identifier: Apache-2.0
#include "formats/vsix/names.hpp"

#include "core/text.hpp"

#include <vector>

namespace signctl::vsix {

namespace {

/// The octet that "%41" at `at` stands for; -1 for anything else.
int encoded_at(std::string_view text, std::size_t at) {
  if (text[at] != '%' || at + 3 > text.size()) {
    return -1;
  }
  const auto octet = from_hex(text.substr(at + 1, 2));
  return octet ? octet->front() : -1;
}

/// pchar of RFC 3986, 3.3, and the slash between segments.
bool stays(char c) {
  const bool alphanumeric =
      (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  return alphanumeric || std::string_view("-._~!$&'()*+,;=:@/").find(c) != std::string_view::npos;
}

}  // namespace

Result<std::string> part_key(std::string_view name) {
  std::string key = "/";
  for (std::size_t i = 0; i < name.size(); ++i) {
    const int octet = encoded_at(name, i);
    if (octet == '/' || octet == '\\' || octet == 0) {
      return Error{ErrorKind::input,
                   "part \"" + printable(name) + "\" has a separator in percent-encoding"};
    }
    key += octet < 0 ? name[i] : static_cast<char>(octet);
    i += octet < 0 ? 0 : 2;
  }
  return to_lower(key);
}

std::string part_uri(std::string_view name) {
  std::string uri = "/";
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (stays(name[i]) || encoded_at(name, i) >= 0) {
      uri += name[i];
    } else {
      const auto octet = static_cast<std::uint8_t>(name[i]);
      std::string hex = to_hex({&octet, 1});
      for (char& c : hex) {
        c = static_cast<char>(c >= 'a' ? c - 'a' + 'A' : c);
      }
      uri += "%" + hex;
    }
  }
  return uri;
}

std::string relationships_name(std::string_view name) {
  const auto slash = name.rfind('/');
  const std::size_t begin = slash == std::string_view::npos ? 0 : slash + 1;
  return std::string(name.substr(0, begin)) + "_rels/" + std::string(name.substr(begin)) + ".rels";
}

std::string target_key(std::string_view source_key, std::string_view target) {
  std::string path(target);
  if (path.empty() || path.find(':') != std::string::npos) {
    return {};
  }
  if (path.front() != '/') {
    path = std::string(source_key.substr(0, source_key.rfind('/') + 1)) + path;
  }
  std::vector<std::string> segments;
  std::string segment;
  for (const char c : path.substr(1) + "/") {
    if (c != '/') {
      segment += c;
      continue;
    }
    if (segment == ".." && segments.empty()) {
      return {};
    }
    if (segment == "..") {
      segments.pop_back();
    } else if (!segment.empty() && segment != ".") {
      segments.push_back(segment);
    }
    segment.clear();
  }
  const auto key = part_key(join(segments, "/"));
  return key ? *key : std::string();
}

}  // namespace signctl::vsix
