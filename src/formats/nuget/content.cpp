// SPDX-License-Identifier: Apache-2.0
#include "formats/nuget/content.hpp"

#include "core/text.hpp"
#include "crypto/oids.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace signctl::nuget {
namespace {

constexpr std::string_view kHashSuffix = "-Hash";
constexpr std::size_t kMaxText = std::size_t{64} * 1024;

using Section = std::map<std::string, std::string, std::less<>>;

Error malformed(const std::string& what) {
  return {ErrorKind::input, "the signed text is malformed: " + what};
}

/// Takes one line off `text`, without its end, which is LF or CR LF; empty when there is no end.
std::optional<std::string_view> take_line(std::string_view& text) {
  const auto end = text.find('\n');
  if (end == std::string_view::npos) {
    return std::nullopt;
  }
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  if (line.ends_with('\r')) {
    line.remove_suffix(1);
  }
  return line;
}

bool is_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '/';
  });
}

Result<Section> take_section(std::string_view& text) {
  Section section;
  while (true) {
    const auto line = take_line(text);
    if (!line) {
      return malformed("a section is not ended by an empty line");
    }
    if (line->empty()) {
      return section;
    }
    const auto colon = line->find(':');
    const std::string_view name = line->substr(0, colon);
    if (colon == std::string_view::npos || colon + 1 == line->size() || !is_name(name)) {
      return malformed("a line is no property: " + printable(*line));
    }
    if (!section.emplace(name, line->substr(colon + 1)).second) {
      return malformed("property " + std::string(name) + " occurs twice");
    }
  }
}

}  // namespace

Bytes encode_content(const PackageHash& hash) {
  const std::string text = "Version:1\n\n" + std::string(oid::of(hash.alg)) +
                           std::string(kHashSuffix) + ":" + to_base64(hash.digest) + "\n\n";
  return {text.begin(), text.end()};
}

Result<PackageHash> parse_content(ByteView bytes) {
  std::string_view text = as_text(bytes);
  if (text.size() > kMaxText) {
    return malformed("it has " + std::to_string(text.size()) + " octets");
  }
  SIGNCTL_TRY(const Section header, take_section(text), "");
  const auto version = header.find("Version");
  if (version == header.end() || version->second != "1") {
    return malformed("its version is not 1");
  }
  SIGNCTL_TRY(const Section section, take_section(text), "");
  std::optional<PackageHash> found;
  for (const auto& [name, value] : section) {
    if (!name.ends_with(kHashSuffix)) {
      continue;
    }
    const auto alg =
        oid::digest_from(std::string_view(name).substr(0, name.size() - kHashSuffix.size()));
    if (!alg || !is_signing_digest(*alg)) {
      return malformed("the hash algorithm of " + name + " is not allowed");
    }
    auto digest = from_base64(value);
    if (!digest || digest->size() != digest_size(*alg) || to_base64(*digest) != value) {
      return malformed("the value of " + name + " is no " + std::string(digest_name(*alg)) +
                       " digest in base64");
    }
    if (found) {
      return malformed("there are several hashes, of which readers may choose any");
    }
    found = PackageHash{*alg, std::move(*digest)};
  }
  if (!found) {
    return malformed("there is no hash");
  }
  return std::move(*found);
}

}  // namespace signctl::nuget
