// SPDX-License-Identifier: Apache-2.0
#include "formats/common/sip_info.hpp"

#include "crypto/der.hpp"

namespace signctl::sip {
namespace {

constexpr int kReservedNumbers = 5;

/// A small INTEGER's value; UINT64_MAX for negative and larger ones.
std::uint64_t small(ByteView content) {
  constexpr std::uint8_t kSign = 0x80;
  if (content.empty() || content.size() > sizeof(std::uint64_t) || (content[0] & kSign) != 0) {
    return UINT64_MAX;
  }
  std::uint64_t value = 0;
  for (const std::uint8_t octet : content) {
    value = value << 8U | octet;
  }
  return value;
}

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

Result<SipInfo> parse_sip_info(ByteView der_bytes) {
  SIGNCTL_TRY(const der::Tlv whole, der::parse_whole(der_bytes, der::kSequence, "SpcSipInfo"), "");
  der::Parser parser(whole.content);
  SIGNCTL_TRY(const der::Tlv version, parser.expect(der::kInteger, "SIP version"), "");
  SIGNCTL_TRY(const der::Tlv guid, parser.expect(der::kOctetString, "SIP GUID"), "");
  for (int i = 0; i < kReservedNumbers; ++i) {
    SIGNCTL_CHECK(parser.expect(der::kInteger, "SIP number"), "");
  }
  SIGNCTL_CHECK(parser.end("SpcSipInfo"), "");
  return SipInfo{Bytes(guid.content.begin(), guid.content.end()), small(version.content)};
}

}  // namespace signctl::sip
