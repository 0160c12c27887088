// SPDX-License-Identifier: Apache-2.0
#include "providers/pkcs11/uri.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>
#include <utility>

namespace signctl::providers::pkcs11 {
namespace {

constexpr std::string_view kScheme = "pkcs11:";

Error uri_error(std::string message, std::string hint = "") {
  return {ErrorKind::config, "the PKCS#11 URI " + std::move(message), std::move(hint)};
}

// RFC 7512, 2.3: pk11-pchar and pk11-qchar. Both are taken for either half: what one of them allows
// in clear and the other does not is no danger.
bool is_literal(char character) {
  constexpr std::string_view kMarks = "-._~:[]@!$'()*+,=/?|&";
  return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
         (character >= '0' && character <= '9') || kMarks.find(character) != std::string_view::npos;
}

/// Percent-decoding. '+' stands for itself.
std::optional<Bytes> decode(std::string_view text) {
  Bytes out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      if (!is_literal(text[i])) {
        return std::nullopt;
      }
      out.push_back(static_cast<std::uint8_t>(text[i]));
      continue;
    }
    const auto octet = from_hex(text.substr(i + 1, 2));
    if (!octet || octet->size() != 1) {
      return std::nullopt;
    }
    out.push_back(octet->front());
    i += 2;
  }
  return out;
}

/// Where the text of a path or query attribute goes.
struct TextAttribute {
  std::string_view name;
  std::optional<std::string> Uri::*field;
};

constexpr std::array kPathTexts{
    TextAttribute{"library-description", &Uri::library_description},
    TextAttribute{"library-manufacturer", &Uri::library_manufacturer},
    TextAttribute{"library-version", &Uri::library_version},
    TextAttribute{"slot-description", &Uri::slot_description},
    TextAttribute{"slot-manufacturer", &Uri::slot_manufacturer},
    TextAttribute{"token", &Uri::token},
    TextAttribute{"manufacturer", &Uri::manufacturer},
    TextAttribute{"serial", &Uri::serial},
    TextAttribute{"model", &Uri::model},
    TextAttribute{"object", &Uri::object},
    TextAttribute{"type", &Uri::type},
};

constexpr std::array kQueryTexts{
    TextAttribute{"module-path", &Uri::module_path},
    TextAttribute{"module-name", &Uri::module_name},
    TextAttribute{"pin-source", &Uri::pin_source},
};

template <std::size_t N>
void set_text(const std::array<TextAttribute, N>& table,
              std::string_view name,
              const Bytes& value,
              Uri& uri) {
  const auto* const found = std::find_if(
      table.begin(), table.end(), [&](const TextAttribute& row) { return row.name == name; });
  if (found != table.end()) {
    uri.*(found->field) = std::string(as_text(value));
  }
}

Result<void> set_slot_id(const Bytes& value, Uri& uri) {
  const std::string_view digits = as_text(value);
  std::uint64_t number = 0;
  const char* const end = digits.data() + digits.size();
  const auto [stop, failed] = std::from_chars(digits.data(), end, number);
  if (failed != std::errc() || stop != end) {
    return uri_error("has a slot-id that is no number");
  }
  uri.slot_id = number;
  return ok();
}

Result<void> check_type(const Uri& uri) {
  constexpr std::array<std::string_view, 5> kTypes{
      "public", "private", "cert", "secret-key", "data"};
  if (!uri.type) {
    return ok();
  }
  if (std::find(kTypes.begin(), kTypes.end(), *uri.type) == kTypes.end()) {
    return uri_error("has an unknown type", "it is private or cert for a signing key");
  }
  if (*uri.type == "secret-key" || *uri.type == "data") {
    return uri_error("is for something that cannot sign", "use type=private, or leave type out");
  }
  return ok();
}

/// Calls `use` with name and decoded value of each attribute of one half of the URI.
template <class Use>
Result<void> for_each_attribute(std::string_view half, char separator, const Use& use) {
  std::set<std::string_view> seen;
  while (!half.empty()) {
    const std::size_t end = std::min(half.find(separator), half.size());
    const std::string_view attribute = half.substr(0, end);
    half.remove_prefix(std::min(end + 1, half.size()));
    const std::size_t equals = attribute.find('=');
    if (equals == std::string_view::npos || equals == 0) {
      return uri_error("has an attribute without a name or a value");
    }
    const std::string_view name = attribute.substr(0, equals);
    if (!seen.insert(name).second) {
      return uri_error("has " + printable(name) + " twice");
    }
    const auto value = decode(attribute.substr(equals + 1));
    if (!value) {
      return uri_error("has a bad character or percent-encoding in " + printable(name),
                       "write blanks and reserved characters as %20 and so on");
    }
    SIGNCTL_CHECK(use(name, *value), "");
  }
  return ok();
}

}  // namespace

Result<Uri> parse_uri(std::string_view text) {
  if (to_lower(text.substr(0, kScheme.size())) != kScheme) {
    return uri_error("does not begin with pkcs11:");
  }
  text.remove_prefix(kScheme.size());
  const std::size_t question = std::min(text.find('?'), text.size());
  const std::string_view path = text.substr(0, question);
  const std::string_view query = text.substr(std::min(question + 1, text.size()));
  Uri uri;
  SIGNCTL_CHECK(for_each_attribute(path,
                                   ';',
                                   [&](std::string_view name, const Bytes& value) -> Result<void> {
                                     if (name == "id") {
                                       uri.id = value;
                                       return ok();
                                     }
                                     if (name == "slot-id") {
                                       return set_slot_id(value, uri);
                                     }
                                     set_text(kPathTexts, name, value, uri);
                                     return ok();
                                   }),
                "");
  SIGNCTL_CHECK(for_each_attribute(query,
                                   '&',
                                   [&](std::string_view name, const Bytes& value) -> Result<void> {
                                     if (name == "pin-value") {
                                       return uri_error(
                                           "has a PIN in clear (pin-value)",
                                           "set pin: env:NAME, file:PATH, exec:COMMAND or stdin");
                                     }
                                     set_text(kQueryTexts, name, value, uri);
                                     return ok();
                                   }),
                "");
  SIGNCTL_CHECK(check_type(uri), "");
  return uri;
}

}  // namespace signctl::providers::pkcs11
