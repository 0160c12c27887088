// SPDX-License-Identifier: Apache-2.0
#include "formats/msi/sip_info.hpp"

#include "crypto/der.hpp"

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

/// SEQUENCE { INTEGER version, OCTET STRING package, five INTEGERs }. All but the package differ
/// between signers and are not looked at by Windows.
bool names_package(ByteView value) {
  const auto whole = der::parse_whole(value, der::kSequence, "SpcSipInfo");
  if (!whole) {
    return false;
  }
  der::Parser parser(whole->content);
  const auto version = parser.expect(der::kInteger, "SpcSipInfo version");
  const auto package = parser.expect(der::kOctetString, "SpcSipInfo package");
  return version && package &&
         std::equal(
             package->content.begin(), package->content.end(), kPackage.begin(), kPackage.end());
}

}  // namespace

Bytes encode_sip_info(int version) {
  const std::array number{static_cast<std::uint8_t>(version)};
  constexpr std::array<std::uint8_t, 1> kZero{0};
  const Bytes zero = der::tlv(der::kInteger, kZero);
  return der::sequence(
      {der::tlv(der::kInteger, number), der::octet_string(kPackage), zero, zero, zero, zero, zero});
}

std::vector<Finding> check_sip_info(std::string_view data_type, ByteView data_value) {
  if (data_type != kSipInfoType) {
    return {finding("the signed content is for another kind of file (" + std::string(data_type) +
                    "), not a Windows Installer file (" + std::string(kSipInfoType) + ")")};
  }
  if (!names_package(data_value)) {
    return {
        finding("the signed content is for another subject interface package than Windows "
                "Installer's")};
  }
  return {};
}

}  // namespace signctl::msi
