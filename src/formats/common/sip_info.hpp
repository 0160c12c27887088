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

/// The GUID in a SpcSipInfo; the numbers around it differ between writers and mean nothing.
///
/// @errors `input` when it is not a SpcSipInfo.
Result<Bytes> parse_sip_guid(ByteView der);

}  // namespace signctl::sip
