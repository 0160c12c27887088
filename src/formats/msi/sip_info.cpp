// SPDX-License-Identifier: Apache-2.0
#include "formats/msi/sip_info.hpp"

#include "formats/common/sip_info.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace signctl::msi {
namespace {

// {000C10F1-0000-0000-C000-000000000046}, as stored.
constexpr std::array<std::uint8_t, 16> kPackage{
    0xF1, 0x10, 0x0C, 0x00, 0x00, 0x00, 0x00, 0x00, 0xC0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x46};

Finding finding(std::string message) {
  return {"msi-data-type", Severity::error, "", std::move(message)};
}

bool names_package(ByteView value) {
  const auto guid = sip::parse_sip_guid(value);
  return guid && std::equal(guid->begin(), guid->end(), kPackage.begin(), kPackage.end());
}

}  // namespace

Bytes encode_sip_info(int version) {
  return sip::encode_sip_info({kPackage, static_cast<std::uint64_t>(version)});
}

std::vector<Finding> check_sip_info(std::string_view data_type, ByteView data_value) {
  if (data_type != sip::kSpcSipInfo) {
    return {finding("the signed content is for another kind of file (" + std::string(data_type) +
                    "), not a Windows Installer file (" + std::string(sip::kSpcSipInfo) + ")")};
  }
  if (!names_package(data_value)) {
    return {
        finding("the signed content is for another subject interface package than Windows "
                "Installer's")};
  }
  return {};
}

}  // namespace signctl::msi
