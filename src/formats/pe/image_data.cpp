// SPDX-License-Identifier: Apache-2.0
#include "formats/pe/image_data.hpp"

#include "crypto/der.hpp"
#include "crypto/oids.hpp"

#include <algorithm>
#include <array>

namespace signctl::pe {
namespace {

// SpcSerializedObject class of page hashes, as stored.
constexpr std::array<std::uint8_t, 16> kPageHashClass{
    0xA6, 0xB5, 0x86, 0xD5, 0xB4, 0xA1, 0x24, 0x66, 0xAE, 0x05, 0xA2, 0x17, 0xDA, 0x8E, 0x60, 0xD6};

// BIT STRING without bits.
constexpr std::array<std::uint8_t, 3> kNoFlags{der::kBitString, 0x01, 0x00};

Error malformed(std::string message) {
  return {ErrorKind::input, std::move(message)};
}

/// SpcLink: an empty file name, or the page hashes as a moniker.
Bytes encode_link(const ImageData& data) {
  if (!data.page_hashes) {
    const Bytes empty_name = der::tlv(der::context_primitive(0), ByteView{});
    return der::tlv(der::context(2), empty_name);
  }
  const std::string_view type =
      data.page_hashes->alg == DigestAlg::sha1 ? oid::kSpcPageHashesV1 : oid::kSpcPageHashesV2;
  const Bytes rows = der::set({der::octet_string(data.page_hashes->rows)});
  const Bytes serialized = der::set({der::sequence({der::oid(type), rows})});
  return der::tlv(der::context(1),
                  {der::octet_string(kPageHashClass), der::octet_string(serialized)});
}

Result<DigestAlg> alg_of_page_hashes(std::string_view type) {
  if (type == oid::kSpcPageHashesV1) {
    return DigestAlg::sha1;
  }
  if (type == oid::kSpcPageHashesV2) {
    return DigestAlg::sha256;
  }
  return malformed("page hashes of unknown type " + std::string(type));
}

/// SET { SEQUENCE { type, SET { OCTET STRING rows } } }
Result<PageHashRows> parse_page_hashes(ByteView serialized) {
  SIGNCTL_TRY(const der::Tlv outer, der::parse_whole(serialized, der::kSet, "page hash set"), "");
  SIGNCTL_TRY(
      const der::Tlv attribute, der::parse_whole(outer.content, der::kSequence, "page hashes"), "");
  der::Parser parser(attribute.content);
  SIGNCTL_TRY(const std::string type, parser.oid("page hash type"), "");
  SIGNCTL_TRY(const DigestAlg alg, alg_of_page_hashes(type), "");
  SIGNCTL_TRY(const der::Tlv values, parser.expect(der::kSet, "page hash values"), "");
  SIGNCTL_CHECK(parser.end("page hashes"), "");
  SIGNCTL_TRY(const der::Tlv rows,
              der::parse_whole(values.content, der::kOctetString, "page hash rows"),
              "");
  return PageHashRows{alg, Bytes(rows.content.begin(), rows.content.end())};
}

Result<ImageData> parse_moniker(ByteView content) {
  der::Parser parser(content);
  SIGNCTL_TRY(const der::Tlv class_id, parser.expect(der::kOctetString, "moniker class"), "");
  SIGNCTL_TRY(const der::Tlv serialized, parser.expect(der::kOctetString, "moniker data"), "");
  SIGNCTL_CHECK(parser.end("moniker"), "");
  if (!std::equal(class_id.content.begin(),
                  class_id.content.end(),
                  kPageHashClass.begin(),
                  kPageHashClass.end())) {
    return malformed("the image data holds a moniker of an unknown class");
  }
  SIGNCTL_TRY(PageHashRows rows, parse_page_hashes(serialized.content), "reading the page hashes");
  return ImageData{std::move(rows)};
}

}  // namespace

Bytes encode_image_data(const ImageData& data) {
  return der::sequence({kNoFlags, der::tlv(der::context(0), encode_link(data))});
}

Result<ImageData> parse_image_data(ByteView der_bytes) {
  SIGNCTL_TRY(
      const der::Tlv whole, der::parse_whole(der_bytes, der::kSequence, "SpcPeImageData"), "");
  der::Parser parser(whole.content);
  SIGNCTL_CHECK(parser.optional(der::kBitString, "image data flags"), "");
  SIGNCTL_TRY(const auto file, parser.optional(der::context(0), "image data file"), "");
  SIGNCTL_CHECK(parser.end("SpcPeImageData"), "");
  if (!file) {
    return ImageData{};
  }
  der::Parser link_parser(file->content);
  SIGNCTL_TRY(const der::Tlv link, link_parser.next("SpcLink"), "");
  SIGNCTL_CHECK(link_parser.end("SpcLink"), "");
  if (link.tag == der::context(1)) {
    return parse_moniker(link.content);
  }
  if (link.tag != der::context_primitive(0) && link.tag != der::context(2)) {
    return malformed("the image data holds an SpcLink of unknown kind");
  }
  return ImageData{};
}

}  // namespace signctl::pe
