// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/bytes.hpp>
#include <signctl/finding.hpp>

#include <string_view>
#include <vector>

namespace signctl::msi {

/// data.type of the signed content: SPC_SIPINFO_OBJID.
inline constexpr std::string_view kSipInfoType = "1.3.6.1.4.1.311.2.1.30";

/// SpcSipInfo that names Windows Installer's subject interface package. Version 2, as signtool
/// writes it with a pre-hash; version 1, as without.
[[nodiscard]] Bytes encode_sip_info(int version);

/// Compares data.type and data.value of a signature's content with what this file type demands.
[[nodiscard]] std::vector<Finding> check_sip_info(std::string_view data_type, ByteView data_value);

}  // namespace signctl::msi
