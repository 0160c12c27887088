// SPDX-License-Identifier: Apache-2.0
#include "formats/msix/publisher.hpp"

#include "core/text.hpp"
#include "crypto/certificate.hpp"
#include "crypto/name_text.hpp"
#include "formats/common/xml.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace signctl::msix {
namespace {

using Attributes = std::vector<std::pair<std::string, std::string>>;

/// An attribute type: our name for it, that of Windows (wincrypt.h, CertNameToStr), and its OID.
struct Type {
  std::string_view ours;
  std::string_view windows;
  std::string_view oid;
};

constexpr std::array<Type, 21> kTypes{
    Type{"CN", "CN", "2.5.4.3"},
    Type{"SN", "SN", "2.5.4.4"},
    Type{"SERIALNUMBER", "SERIALNUMBER", "2.5.4.5"},
    Type{"C", "C", "2.5.4.6"},
    Type{"L", "L", "2.5.4.7"},
    Type{"ST", "S", "2.5.4.8"},
    Type{"STREET", "STREET", "2.5.4.9"},
    Type{"O", "O", "2.5.4.10"},
    Type{"OU", "OU", "2.5.4.11"},
    Type{"title", "T", "2.5.4.12"},
    Type{"description", "Description", "2.5.4.13"},
    Type{"businessCategory", "OID.2.5.4.15", "2.5.4.15"},
    Type{"postalCode", "PostalCode", "2.5.4.17"},
    Type{"GN", "G", "2.5.4.42"},
    Type{"organizationIdentifier", "OID.2.5.4.97", "2.5.4.97"},
    Type{"DC", "DC", "0.9.2342.19200300.100.1.25"},
    Type{"UID", "OID.0.9.2342.19200300.100.1.1", "0.9.2342.19200300.100.1.1"},
    Type{"emailAddress", "E", "1.2.840.113549.1.9.1"},
    Type{"jurisdictionL", "OID.1.3.6.1.4.1.311.60.2.1.1", "1.3.6.1.4.1.311.60.2.1.1"},
    Type{"jurisdictionST", "OID.1.3.6.1.4.1.311.60.2.1.2", "1.3.6.1.4.1.311.60.2.1.2"},
    Type{"jurisdictionC", "OID.1.3.6.1.4.1.311.60.2.1.3", "1.3.6.1.4.1.311.60.2.1.3"}};

std::string windows_type(const std::string& ours) {
  for (const Type& type : kTypes) {
    if (type.ours == ours) {
      return std::string(type.windows);
    }
  }
  return "OID." + ours;
}

std::string our_type(std::string_view written) {
  std::string key = to_lower(written);
  if (key.starts_with("oid.")) {
    key.erase(0, 4);
  }
  for (const Type& type : kTypes) {
    if (to_lower(type.ours) == key || to_lower(type.windows) == key || type.oid == key) {
      return std::string(type.ours);
    }
  }
  return key;
}

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

std::string quoted(const std::string& value) {
  const bool plain = value.find_first_of(",+=\"\n<>#;") == std::string::npos && !value.empty() &&
                     !is_blank(value.front()) && !is_blank(value.back());
  if (plain) {
    return value;
  }
  std::string out = "\"";
  for (const char c : value) {
    out += c == '"' ? "\"\"" : std::string(1, c);
  }
  return out + "\"";
}

/// Reads `Type=value` pairs between separators, values in quotes or not.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  std::optional<Attributes> read() {
    Attributes attributes;
    while (true) {
      const auto equals = text_.find('=');
      if (equals == std::string_view::npos) {
        return std::nullopt;
      }
      std::string type = our_type(trimmed(text_.substr(0, equals)));
      text_.remove_prefix(equals + 1);
      auto value = read_value();
      if (type.empty() || !value) {
        return std::nullopt;
      }
      attributes.emplace_back(std::move(type), std::move(*value));
      if (text_.empty()) {
        return attributes;
      }
      text_.remove_prefix(1);
    }
  }

 private:
  static std::string_view trimmed(std::string_view text) {
    while (!text.empty() && is_blank(text.front())) {
      text.remove_prefix(1);
    }
    while (!text.empty() && is_blank(text.back())) {
      text.remove_suffix(1);
    }
    return text;
  }

  /// Leaves the separator as the first character, or nothing.
  std::optional<std::string> read_value() {
    while (!text_.empty() && is_blank(text_.front())) {
      text_.remove_prefix(1);
    }
    if (text_.empty() || text_.front() != '"') {
      const std::string_view value = text_.substr(0, text_.find_first_of(",;+"));
      text_.remove_prefix(value.size());
      return std::string(trimmed(value));
    }
    text_.remove_prefix(1);
    std::string value;
    while (true) {
      const auto quote = text_.find('"');
      if (quote == std::string_view::npos) {
        return std::nullopt;
      }
      value += text_.substr(0, quote);
      text_.remove_prefix(quote + 1);
      if (text_.empty() || text_.front() != '"') {
        break;
      }
      value += '"';
      text_.remove_prefix(1);
    }
    text_ = trimmed(text_);
    const bool ends = text_.empty() || text_.find_first_of(",;+") == 0;
    return ends ? std::optional(value) : std::nullopt;
  }

  std::string_view text_;
};

Attributes reversed_attributes(ByteView name_der) {
  Attributes attributes = crypto::name_attributes(name_der);
  std::reverse(attributes.begin(), attributes.end());
  return attributes;
}

}  // namespace

std::string publisher_of(ByteView name_der) {
  std::string text;
  for (const auto& [type, value] : reversed_attributes(name_der)) {
    text += text.empty() ? "" : ", ";
    text += windows_type(type) + "=" + quoted(value);
  }
  return text;
}

bool is_publisher(const std::string& publisher, ByteView name_der) {
  const auto written = Reader(publisher).read();
  return written && *written == reversed_attributes(name_der);
}

Result<std::vector<Finding>> check_publisher(const std::string& publisher,
                                             std::string_view manifest_name,
                                             ByteView leaf_der) {
  SIGNCTL_TRY(
      const auto leaf, crypto::Certificate::parse(leaf_der), "reading the signing certificate");
  std::vector<Finding> findings;
  if (!is_publisher(publisher, leaf.subject_der())) {
    const std::string wanted = publisher_of(leaf.subject_der());
    findings.push_back({"msix-publisher",
                        Severity::error,
                        "",
                        "the package names the publisher \"" + printable(publisher) +
                            "\", the certificate's subject is \"" + printable(wanted) +
                            "\"; Windows installs no package where the two differ",
                        Judgement::now,
                        "sign with the publisher's certificate, or write into Identity of " +
                            std::string(manifest_name) + ": Publisher=\"" +
                            printable(xml::escape_attribute(wanted)) + "\""});
  }
  return findings;
}

}  // namespace signctl::msix
