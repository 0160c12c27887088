// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "formats/script/dialect.hpp"

#include <signctl/bytes.hpp>
#include <signctl/result.hpp>

#include <string_view>

namespace signctl::script {

/// SPC_SIGINFO_OBJID of wintrust.h: the data type of files that only a SIP understands.
inline constexpr std::string_view kSpcSipInfo = "1.3.6.1.4.1.311.2.1.30";

/// DER of SpcSipInfo ::= SEQUENCE { version INTEGER, guid OCTET STRING, five INTEGERs 0 }.
[[nodiscard]] Bytes encode_sip_info(const Sip& sip);

/// The GUID in a SpcSipInfo; the numbers around it differ between writers and mean nothing.
///
/// @errors `input` when it is not a SpcSipInfo.
Result<Bytes> parse_sip_guid(ByteView der);

}  // namespace signctl::script
