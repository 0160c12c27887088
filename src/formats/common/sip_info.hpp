// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/bytes.hpp>
#include <signctl/result.hpp>

#include <array>
#include <cstdint>
#include <string_view>

namespace signctl::sip {

/// data.type of what only a subject interface package understands: SPC_SIGINFO_OBJID of wintrust.h.
inline constexpr std::string_view kSpcSipInfo = "1.3.6.1.4.1.311.2.1.30";

/// A subject interface package, and the version that it writes.
struct Sip {
  std::array<std::uint8_t, 16> guid;  ///< As stored, that is in COM's mixed order of octets.
  std::uint64_t version;
};

/// DER of SpcSipInfo ::= SEQUENCE { version INTEGER, guid OCTET STRING, five INTEGERs 0 }.
[[nodiscard]] Bytes encode_sip_info(const Sip& sip);

/// What a SpcSipInfo says; its five other numbers mean nothing.
struct SipInfo {
  Bytes guid;
  std::uint64_t version{};  ///< Differs between writers; UINT64_MAX for what is larger.
};

/// @errors `input` when it is not a SpcSipInfo.
Result<SipInfo> parse_sip_info(ByteView der);

}  // namespace signctl::sip
