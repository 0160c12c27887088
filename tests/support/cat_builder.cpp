// SPDX-License-Identifier: Apache-2.0
#include "support/cat_builder.hpp"

#include "core/text.hpp"
#include "crypto/der.hpp"
#include "crypto/oids.hpp"

#include <algorithm>
#include <cctype>

namespace signctl::test {

namespace {

Bytes utf16le(const std::string& ascii, bool with_zero = true) {
  Bytes bytes;
  for (const char c : ascii) {
    bytes.push_back(static_cast<std::uint8_t>(c));
    bytes.push_back(0);
  }
  bytes.resize(bytes.size() + (with_zero ? 2 : 0));
  return bytes;
}

Bytes name_value(const std::string& name, const std::string& value) {
  return der::sequence({der::tlv(der::kBmpString, ByteView(der::bmp_content(name))),
                        der::integer(0x10010001),
                        der::octet_string(utf16le(value))});
}

Bytes attribute_of(std::string_view oid, const Bytes& value) {
  return der::sequence({der::oid(oid), der::set({ByteView(value)})});
}

Bytes indirect_data(const CatMember& member) {
  const Bytes link{0xA2, 0x02, 0x80, 0x00};
  const Bytes data = der::sequence({der::oid(member.data_type), ByteView(link)});
  const Bytes digest = der::sequence(
      {der::algorithm_with_null(oid::of(member.alg)), der::octet_string(member.digest)});
  return der::sequence({ByteView(data), ByteView(digest)});
}

Bytes identifier_of(const CatMember& member, int version) {
  const Bytes tag = member.tag.value_or(member.digest);
  if (version == 2) {
    return tag;
  }
  std::string hex = to_hex(tag);
  std::transform(hex.begin(), hex.end(), hex.begin(), [](unsigned char c) {
    return static_cast<char>(std::toupper(c));
  });
  return utf16le(hex);
}

Bytes member_of(const CatMember& member, int version) {
  std::vector<Bytes> attributes;
  if (version == 2) {
    attributes.push_back(attribute_of(oid::kCatMemberInfoV2, {0x82, 0x00}));
  }
  if (!member.name.empty()) {
    attributes.push_back(attribute_of(oid::kCatNameValue, name_value("File", member.name)));
  }
  if (member.has_digest) {
    attributes.push_back(attribute_of(oid::kSpcIndirectData, indirect_data(member)));
  }
  return der::sequence(
      {der::octet_string(identifier_of(member, version)), der::set_of(std::move(attributes))});
}

}  // namespace

Bytes make_ctl(const CatSpec& spec) {
  Bytes members;
  for (const CatMember& member : spec.members) {
    const Bytes one = member_of(member, spec.version);
    members.insert(members.end(), one.begin(), one.end());
  }
  const std::string time = "260301120000Z";
  Bytes extensions;
  if (spec.os_attribute) {
    const Bytes value = name_value("OSAttr", "2:10.0");
    const Bytes list =
        der::sequence({der::sequence({der::oid(oid::kCatNameValue), der::octet_string(value)})});
    extensions = der::tlv(der::context(0), ByteView(list));
  }
  return der::sequence(
      {der::sequence({der::oid(spec.usage)}),
       der::octet_string(Bytes(16, 0x5A)),
       der::tlv(der::kUtcTime, as_bytes(time)),
       der::algorithm_with_null(spec.version == 2 ? oid::kCatalogMemberV2 : oid::kCatalogMember),
       der::tlv(der::kSequence, ByteView(members)),
       ByteView(extensions)});
}

Bytes make_cat(const CatSpec& spec) {
  const Bytes list = make_ctl(spec);
  const Bytes info =
      der::sequence({der::oid(oid::kCtl), der::tlv(der::context(0), ByteView(list))});
  const Bytes data = der::sequence({der::integer(1), der::set({}), ByteView(info), der::set({})});
  return der::sequence({der::oid(oid::kSignedData), der::tlv(der::context(0), ByteView(data))});
}

}  // namespace signctl::test
