// SPDX-License-Identifier: Apache-2.0
#include "cms/authenticode.hpp"

#include "core/text.hpp"
#include "crypto/der.hpp"
#include "crypto/oids.hpp"

#include <utility>

namespace signctl::cms {
namespace {

Error malformed(std::string message) {
  return Error{ErrorKind::input, std::move(message)};
}

Bytes attribute(std::string_view type, const Bytes& value) {
  return der::sequence({der::oid(type), der::set({value})});
}

/// SpcString ::= CHOICE { unicode [0] IMPLICIT BMPString, ascii [1] IMPLICIT IA5String }
Result<std::string> read_spc_string(ByteView content, std::string_view what) {
  der::Parser parser(content);
  SIGNCTL_TRY(const der::Tlv text, parser.next(what), "");
  SIGNCTL_CHECK(parser.end(what), "");
  if (text.tag == der::context_primitive(0)) {
    if (text.content.size() % 2 != 0) {
      return malformed("the BMPString of " + std::string(what) + " has an odd number of octets");
    }
    return printable(der::bmp_to_utf8(text.content));
  }
  if (text.tag == der::context_primitive(1)) {
    return printable(as_text(text.content));
  }
  return malformed(std::string(what) + " is neither form of SpcString: tag 0x" +
                   to_hex(ByteView(&text.tag, 1)));
}

Result<std::string> read_moniker(ByteView content) {
  der::Parser parser(content);
  SIGNCTL_TRY(const der::Tlv class_id, parser.expect(der::kOctetString, "moniker class"), "");
  return "moniker of class " + to_hex(class_id.content);
}

Result<std::string> read_file_link(ByteView content) {
  SIGNCTL_TRY(const std::string name, read_spc_string(content, "file link"), "");
  return "file " + name;
}

/// SpcLink ::= CHOICE { url [0] IMPLICIT IA5String, moniker [1] IMPLICIT SpcSerializedObject,
///                      file [2] EXPLICIT SpcString }
Result<std::string> read_spc_link(ByteView content, std::string_view what) {
  der::Parser parser(content);
  SIGNCTL_TRY(const der::Tlv link, parser.next(what), "");
  SIGNCTL_CHECK(parser.end(what), "");
  if (link.tag == der::context_primitive(0)) {
    return printable(as_text(link.content));
  }
  if (link.tag == der::context(1)) {
    return read_moniker(link.content);
  }
  if (link.tag == der::context(2)) {
    return read_file_link(link.content);
  }
  return malformed(std::string(what) + " is no form of SpcLink: tag 0x" +
                   to_hex(ByteView(&link.tag, 1)));
}

/// The DigestInfo that ends SpcIndirectDataContent.
Result<void> read_digest_info(ByteView content, DigestField field, IndirectData& data) {
  der::Parser parser(content);
  SIGNCTL_TRY(const der::AlgorithmId algorithm, der::read_algorithm(parser, "digestAlgorithm"), "");
  SIGNCTL_TRY(const der::Tlv digest, parser.expect(der::kOctetString, "digest"), "");
  SIGNCTL_CHECK(parser.end("messageDigest"), "");
  if (!algorithm.parameters.empty() && algorithm.parameters[0] != der::kNull) {
    return malformed("the digest algorithm of SpcIndirectDataContent has parameters");
  }
  const auto alg = oid::digest_from(algorithm.oid);
  if (!alg) {
    return malformed("the digest algorithm of SpcIndirectDataContent is unknown: " + algorithm.oid);
  }
  if (field == DigestField::one_digest && digest.content.size() != digest_size(*alg)) {
    return malformed("the file digest has " + std::to_string(digest.content.size()) +
                     " octets but " + std::string(digest_name(*alg)) + " makes " +
                     std::to_string(digest_size(*alg)));
  }
  data.alg = *alg;
  data.digest.assign(digest.content.begin(), digest.content.end());
  return ok();
}

}  // namespace

Bytes encode_indirect_data(const IndirectData& data) {
  const Bytes type = der::sequence({der::oid(data.data_type), data.data_value});
  const Bytes digest =
      der::sequence({der::algorithm_with_null(oid::of(data.alg)), der::octet_string(data.digest)});
  return der::sequence({type, digest});
}

Result<IndirectData> parse_indirect_data(ByteView der, DigestField field) {
  SIGNCTL_CHECK(der::check_strict(der), "reading SpcIndirectDataContent");
  SIGNCTL_TRY(
      const der::Tlv whole, der::parse_whole(der, der::kSequence, "SpcIndirectDataContent"), "");
  der::Parser parser(whole.content);
  SIGNCTL_TRY(const der::Tlv type, parser.expect(der::kSequence, "data"), "");
  SIGNCTL_TRY(const der::Tlv info, parser.expect(der::kSequence, "messageDigest"), "");
  SIGNCTL_CHECK(parser.end("SpcIndirectDataContent"), "");

  IndirectData data;
  der::Parser inner(type.content);
  SIGNCTL_TRY(data.data_type, inner.oid("data type"), "");
  if (!inner.at_end()) {
    SIGNCTL_TRY(const der::Tlv value, inner.next("data value"), "");
    data.data_value.assign(value.full.begin(), value.full.end());
  }
  SIGNCTL_CHECK(inner.end("data"), "");
  SIGNCTL_CHECK(read_digest_info(info.content, field, data), "");
  return data;
}

Bytes encode_opus_info(const OpusInfo& info) {
  Bytes name;
  Bytes url;
  if (!info.program_name.empty()) {
    const Bytes text = der::bmp_content(info.program_name);
    name = der::tlv(der::context(0), der::tlv(der::context_primitive(0), text));
  }
  if (!info.more_info_url.empty()) {
    const ByteView text = as_bytes(info.more_info_url);
    url = der::tlv(der::context(1), der::tlv(der::context_primitive(0), text));
  }
  return der::sequence({name, url});
}

Result<OpusInfo> parse_opus_info(ByteView der) {
  SIGNCTL_TRY(const der::Tlv whole, der::parse_whole(der, der::kSequence, "SpcSpOpusInfo"), "");
  der::Parser parser(whole.content);
  OpusInfo info;
  SIGNCTL_TRY(const auto name, parser.optional(der::context(0), "programName"), "");
  if (name) {
    SIGNCTL_TRY(info.program_name, read_spc_string(name->content, "programName"), "");
  }
  SIGNCTL_TRY(const auto url, parser.optional(der::context(1), "moreInfo"), "");
  if (url) {
    SIGNCTL_TRY(info.more_info_url, read_spc_link(url->content, "moreInfo"), "");
  }
  // publisherInfo: never written by signtool, read past.
  SIGNCTL_TRY(const auto publisher, parser.optional(der::context(2), "publisherInfo"), "");
  static_cast<void>(publisher);
  SIGNCTL_CHECK(parser.end("SpcSpOpusInfo"), "");
  return info;
}

Bytes encode_signed_attributes(const SignedAttributesSpec& spec) {
  std::vector<Bytes> attributes;
  attributes.push_back(attribute(oid::kSpcSpOpusInfo, encode_opus_info(spec.opus)));
  attributes.push_back(attribute(oid::kContentType, der::oid(spec.content_type)));
  attributes.push_back(
      attribute(oid::kSpcStatementType, der::sequence({der::oid(oid::kSpcIndividualCodeSigning)})));
  attributes.push_back(attribute(oid::kMessageDigest, der::octet_string(spec.message_digest)));
  if (spec.sequence_number) {
    const auto number = static_cast<std::uint64_t>(*spec.sequence_number);
    attributes.push_back(attribute(oid::kSequenceNumber, der::integer(number)));
  }
  return der::set_of(std::move(attributes));
}

}  // namespace signctl::cms
