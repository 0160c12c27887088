// SPDX-License-Identifier: Apache-2.0
#include "formats/cat/ctl.hpp"

#include "cms/authenticode.hpp"
#include "core/text.hpp"
#include "crypto/der.hpp"
#include "crypto/oids.hpp"

#include <algorithm>

namespace signctl::cat {
namespace {

/// cat-name-value flag: the value is Base64 or binary, not text.
constexpr std::uint64_t kNotText = 0x00020000;

/// UTF-16LE octets to UTF-8, without the zeros at the end.
std::string utf16le_text(ByteView bytes) {
  Bytes big_endian;
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) {
    big_endian.push_back(bytes[i + 1]);
    big_endian.push_back(bytes[i]);
  }
  std::string text = der::bmp_to_utf8(big_endian);
  while (!text.empty() && text.back() == '\0') {
    text.pop_back();
  }
  return text;
}

bool is_hash_size(std::size_t size) {
  return size == digest_size(DigestAlg::sha1) || size == digest_size(DigestAlg::sha256) ||
         size == digest_size(DigestAlg::sha384) || size == digest_size(DigestAlg::sha512);
}

/// Version 1 spells the hash in UTF-16; version 2 stores it.
Bytes tag_of(ByteView identifier, std::string_view subject_algorithm) {
  Bytes tag(identifier.begin(), identifier.end());
  if (subject_algorithm == oid::kCatalogMember) {
    tag = from_hex(utf16le_text(identifier)).value_or(Bytes());
  }
  return is_hash_size(tag.size()) ? tag : Bytes();
}

/// CatNameValue ::= SEQUENCE { tag BMPString, flags INTEGER, value OCTET STRING }
Result<std::pair<std::string, std::string>> read_name_value(ByteView der_bytes) {
  SIGNCTL_TRY(
      const der::Tlv whole, der::parse_whole(der_bytes, der::kSequence, "CatNameValue"), "");
  der::Parser parser(whole.content);
  SIGNCTL_TRY(const der::Tlv tag, parser.expect(der::kBmpString, "tag of a CatNameValue"), "");
  SIGNCTL_TRY(const std::uint64_t flags, parser.small_integer("flags of a CatNameValue"), "");
  SIGNCTL_TRY(
      const der::Tlv value, parser.expect(der::kOctetString, "value of a CatNameValue"), "");
  SIGNCTL_CHECK(parser.end("CatNameValue"), "");
  return std::pair{der::bmp_to_utf8(tag.content),
                   (flags & kNotText) != 0 ? to_hex(value.content) : utf16le_text(value.content)};
}

/// One value of a member's attribute.
Result<void> read_value(const std::string& type, ByteView value, CtlMember& member) {
  if (type == oid::kCatNameValue) {
    SIGNCTL_TRY(auto name, read_name_value(value), "");
    member.names.push_back(std::move(name));
  } else if (type == oid::kSpcIndirectData) {
    if (member.alg) {
      return Error{ErrorKind::input, "a member of the catalog has two digests"};
    }
    SIGNCTL_TRY(cms::IndirectData data, cms::parse_indirect_data(value), "");
    member.alg = data.alg;
    member.digest = std::move(data.digest);
    member.data_type = std::move(data.data_type);
  }
  return ok();
}

Result<void> read_attribute(ByteView content, CtlMember& member) {
  der::Parser parser(content);
  SIGNCTL_TRY(const std::string type, parser.oid("attribute type"), "");
  SIGNCTL_TRY(const der::Tlv set, parser.expect(der::kSet, "attribute values"), "");
  SIGNCTL_CHECK(parser.end("attribute"), "");
  der::Parser values(set.content);
  while (!values.at_end()) {
    SIGNCTL_TRY(const der::Tlv value, values.next("attribute value"), "");
    SIGNCTL_CHECK(read_value(type, value.full, member), "");
  }
  return ok();
}

/// TrustedSubject ::= SEQUENCE { subjectIdentifier, subjectAttributes SET OF Attribute OPTIONAL }
Result<CtlMember> read_member(ByteView content, std::string_view subject_algorithm) {
  CtlMember member;
  der::Parser parser(content);
  SIGNCTL_TRY(const der::Tlv identifier, parser.expect(der::kOctetString, "subjectIdentifier"), "");
  member.identifier.assign(identifier.content.begin(), identifier.content.end());
  member.tag = tag_of(identifier.content, subject_algorithm);
  SIGNCTL_TRY(const auto set, parser.optional(der::kSet, "subjectAttributes"), "");
  SIGNCTL_CHECK(parser.end("TrustedSubject"), "");
  der::Parser attributes(set ? set->content : ByteView());
  while (!attributes.at_end()) {
    SIGNCTL_TRY(const der::Tlv one, attributes.expect(der::kSequence, "attribute"), "");
    SIGNCTL_CHECK(read_attribute(one.content, member), "");
  }
  return member;
}

Result<void> read_members(der::Parser& parser, Ctl& ctl) {
  SIGNCTL_TRY(const auto subjects, parser.optional(der::kSequence, "trustedSubjects"), "");
  der::Parser inner(subjects ? subjects->content : ByteView());
  while (!inner.at_end()) {
    SIGNCTL_TRY(const der::Tlv one, inner.expect(der::kSequence, "TrustedSubject"), "");
    SIGNCTL_TRY(CtlMember member,
                read_member(one.content, ctl.subject_algorithm),
                "reading member " + std::to_string(ctl.members.size() + 1));
    ctl.members.push_back(std::move(member));
  }
  return ok();
}

/// Extension ::= SEQUENCE { extnID, critical BOOLEAN DEFAULT FALSE, extnValue OCTET STRING }
Result<void> read_extension(ByteView content, Ctl& ctl) {
  der::Parser parser(content);
  SIGNCTL_TRY(const std::string type, parser.oid("extension type"), "");
  SIGNCTL_TRY(const auto critical, parser.optional(der::kBoolean, "critical"), "");
  static_cast<void>(critical);
  SIGNCTL_TRY(const der::Tlv value, parser.expect(der::kOctetString, "extension value"), "");
  SIGNCTL_CHECK(parser.end("extension"), "");
  if (type == oid::kCatNameValue) {
    SIGNCTL_TRY(auto name, read_name_value(value.content), "");
    ctl.names.push_back(std::move(name));
  }
  return ok();
}

Result<void> read_extensions(der::Parser& parser, Ctl& ctl) {
  SIGNCTL_TRY(const auto wrapper, parser.optional(der::context(0), "ctlExtensions"), "");
  if (!wrapper) {
    return ok();
  }
  SIGNCTL_TRY(
      const der::Tlv list, der::parse_whole(wrapper->content, der::kSequence, "ctlExtensions"), "");
  der::Parser extensions(list.content);
  while (!extensions.at_end()) {
    SIGNCTL_TRY(const der::Tlv one, extensions.expect(der::kSequence, "extension"), "");
    SIGNCTL_CHECK(read_extension(one.content, ctl), "");
  }
  return ok();
}

bool is_time(const std::optional<std::uint8_t>& tag) {
  return tag == der::kUtcTime || tag == der::kGeneralizedTime;
}

/// version, subjectUsage, listIdentifier, sequenceNumber, thisUpdate, nextUpdate.
Result<void> read_head(der::Parser& parser, Ctl& ctl) {
  SIGNCTL_TRY(const auto version, parser.optional(der::kInteger, "version"), "");
  static_cast<void>(version);
  SIGNCTL_TRY(const der::Tlv usage, parser.expect(der::kSequence, "subjectUsage"), "");
  der::Parser usages(usage.content);
  SIGNCTL_TRY(ctl.usage, usages.oid("usage"), "");
  SIGNCTL_TRY(const auto id, parser.optional(der::kOctetString, "listIdentifier"), "");
  if (id) {
    ctl.list_identifier.assign(id->content.begin(), id->content.end());
  }
  SIGNCTL_TRY(const auto number, parser.optional(der::kInteger, "sequenceNumber"), "");
  static_cast<void>(number);
  SIGNCTL_TRY(const der::Tlv update, parser.next("thisUpdate"), "");
  SIGNCTL_TRY(ctl.this_update, der::read_time(update, "thisUpdate"), "");
  if (is_time(parser.peek())) {
    SIGNCTL_TRY(const der::Tlv next, parser.next("nextUpdate"), "");
    static_cast<void>(next);
  }
  return ok();
}

}  // namespace

Result<Ctl> parse_ctl(ByteView der_bytes) {
  SIGNCTL_TRY(const der::Tlv whole,
              der::parse_whole(der_bytes, der::kSequence, "CertificateTrustList"),
              "");
  der::Parser parser(whole.content);
  Ctl ctl;
  SIGNCTL_CHECK(read_head(parser, ctl), "");
  SIGNCTL_TRY(
      const der::AlgorithmId algorithm, der::read_algorithm(parser, "subjectAlgorithm"), "");
  ctl.subject_algorithm = algorithm.oid;
  SIGNCTL_CHECK(read_members(parser, ctl), "");
  SIGNCTL_CHECK(read_extensions(parser, ctl), "");
  SIGNCTL_CHECK(parser.end("CertificateTrustList"), "");
  return ctl;
}

}  // namespace signctl::cat
