// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/bytes.hpp>
#include <signctl/finding.hpp>

#include <string_view>
#include <vector>

namespace signctl::msi {

/// SpcSipInfo that names Windows Installer's subject interface package. Version 2, as signtool
/// writes it with a pre-hash; version 1, as without.
[[nodiscard]] Bytes encode_sip_info(int version);

/// Compares data.type and data.value of a signature's content with what this file type demands.
///
/// @param has_prehash  Whether the file has MsiDigitalSignatureEx.
[[nodiscard]] std::vector<Finding> check_sip_info(std::string_view data_type,
                                                  ByteView data_value,
                                                  bool has_prehash);

}  // namespace signctl::msi
