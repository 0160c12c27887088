// SPDX-License-Identifier: Apache-2.0
#include "formats/common/sip_info.hpp"

#include "crypto/der.hpp"

namespace signctl::sip {
namespace {

constexpr int kReservedNumbers = 5;

}  // namespace

Bytes encode_sip_info(const Sip& sip) {
  Bytes content = der::integer(sip.version);
  const auto append = [&content](const Bytes& more) {
    content.insert(content.end(), more.begin(), more.end());
  };
  append(der::octet_string(sip.guid));
  for (int i = 0; i < kReservedNumbers; ++i) {
    append(der::integer(0));
  }
  return der::tlv(der::kSequence, content);
}

Result<Bytes> parse_sip_guid(ByteView der_bytes) {
  SIGNCTL_TRY(const der::Tlv whole, der::parse_whole(der_bytes, der::kSequence, "SpcSipInfo"), "");
  der::Parser parser(whole.content);
  SIGNCTL_CHECK(parser.expect(der::kInteger, "SIP version"), "");
  SIGNCTL_TRY(const der::Tlv guid, parser.expect(der::kOctetString, "SIP GUID"), "");
  for (int i = 0; i < kReservedNumbers; ++i) {
    SIGNCTL_CHECK(parser.expect(der::kInteger, "SIP number"), "");
  }
  SIGNCTL_CHECK(parser.end("SpcSipInfo"), "");
  return Bytes(guid.content.begin(), guid.content.end());
}

}  // namespace signctl::sip
