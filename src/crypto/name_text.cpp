// SPDX-License-Identifier: Apache-2.0
#include "crypto/name_text.hpp"

#include "core/text.hpp"
#include "crypto/der.hpp"

#include <array>

namespace signctl::crypto {

namespace {

struct TypeName {
  std::string_view oid;
  std::string_view name;
};

constexpr std::array kTypes{
    TypeName{"2.5.4.3", "CN"},
    TypeName{"2.5.4.4", "SN"},
    TypeName{"2.5.4.5", "SERIALNUMBER"},
    TypeName{"2.5.4.6", "C"},
    TypeName{"2.5.4.7", "L"},
    TypeName{"2.5.4.8", "ST"},
    TypeName{"2.5.4.9", "STREET"},
    TypeName{"2.5.4.10", "O"},
    TypeName{"2.5.4.11", "OU"},
    TypeName{"2.5.4.12", "title"},
    TypeName{"2.5.4.13", "description"},
    TypeName{"2.5.4.15", "businessCategory"},
    TypeName{"2.5.4.17", "postalCode"},
    TypeName{"2.5.4.42", "GN"},
    TypeName{"2.5.4.97", "organizationIdentifier"},
    TypeName{"0.9.2342.19200300.100.1.25", "DC"},
    TypeName{"0.9.2342.19200300.100.1.1", "UID"},
    TypeName{"1.2.840.113549.1.9.1", "emailAddress"},
    TypeName{"1.3.6.1.4.1.311.60.2.1.1", "jurisdictionL"},
    TypeName{"1.3.6.1.4.1.311.60.2.1.2", "jurisdictionST"},
    TypeName{"1.3.6.1.4.1.311.60.2.1.3", "jurisdictionC"},
};

std::string type_name(const std::string& oid) {
  for (const TypeName& row : kTypes) {
    if (row.oid == oid) {
      return std::string(row.name);
    }
  }
  return oid;
}

std::string latin1_to_utf8(ByteView content) {
  std::string out;
  for (const std::uint8_t octet : content) {
    if (octet < 0x80U) {
      out.push_back(static_cast<char>(octet));
    } else {
      out.push_back(static_cast<char>(0xC0U | (octet >> 6U)));
      out.push_back(static_cast<char>(0x80U | (octet & 0x3FU)));
    }
  }
  return out;
}

std::string value_text(const der::Tlv& value) {
  constexpr std::uint8_t kTeletexString = 0x14;
  constexpr std::uint8_t kUniversalString = 0x1C;
  switch (value.tag) {
    case der::kBmpString:
      return der::bmp_to_utf8(value.content);
    case kTeletexString:
      // In practice ISO 8859-1.
      return latin1_to_utf8(value.content);
    case kUniversalString:
      return "#" + to_hex(value.full);
    default:
      return std::string(as_text(value.content));
  }
}

using Attributes = std::vector<std::pair<std::string, std::string>>;

Result<Attributes> read_attributes(ByteView name_der) {
  Attributes attributes;
  SIGNCTL_TRY(const der::Tlv name, der::parse_whole(name_der, der::kSequence, "name"), "");
  for (der::Parser names(name.content); !names.at_end();) {
    SIGNCTL_TRY(const der::Tlv relative, names.expect(der::kSet, "relative name"), "");
    for (der::Parser parts(relative.content); !parts.at_end();) {
      SIGNCTL_TRY(const der::Tlv attribute, parts.expect(der::kSequence, "name attribute"), "");
      der::Parser fields(attribute.content);
      SIGNCTL_TRY(const std::string type, fields.oid("name attribute"), "");
      SIGNCTL_TRY(const der::Tlv value, fields.next("name attribute"), "");
      attributes.emplace_back(type_name(type), value_text(value));
    }
  }
  return attributes;
}

/// With the separators of RFC 2253 escaped, so that a value cannot pretend to be two.
std::string escaped(const std::string& value) {
  std::string out;
  for (const char c : value) {
    if (std::string_view(",+\"\\<>;=").find(c) != std::string_view::npos) {
      out += '\\';
    }
    out += c;
  }
  return printable(out);
}

}  // namespace

Attributes name_attributes(ByteView name_der) {
  auto attributes = read_attributes(name_der);
  return attributes ? std::move(*attributes) : Attributes{};
}

std::string name_text(ByteView name_der) {
  const auto attributes = read_attributes(name_der);
  if (!attributes) {
    return "#" + to_hex(name_der);
  }
  std::string text;
  for (auto attribute = attributes->rbegin(); attribute != attributes->rend(); ++attribute) {
    text += text.empty() ? "" : ", ";
    text += attribute->first + "=" + escaped(attribute->second);
  }
  return text.empty() ? "(no name)" : text;
}

}  // namespace signctl::crypto
