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

bool names_package(const sip::SipInfo& info) {
  return std::equal(info.guid.begin(), info.guid.end(), kPackage.begin(), kPackage.end());
}

// signtool writes this one with a pre-hash; other tools write 1, with and without.
constexpr std::uint64_t kWithPrehash = 2;

}  // namespace

Bytes encode_sip_info(int version) {
  return sip::encode_sip_info({kPackage, static_cast<std::uint64_t>(version)});
}

std::vector<Finding> check_sip_info(std::string_view data_type,
                                    ByteView data_value,
                                    bool has_prehash) {
  if (data_type != sip::kSpcSipInfo) {
    return {finding("the signed content is for another kind of file (" + std::string(data_type) +
                    "), not a Windows Installer file (" + std::string(sip::kSpcSipInfo) + ")")};
  }
  const auto info = sip::parse_sip_info(data_value);
  if (!info || !names_package(*info)) {
    return {
        finding("the signed content is for another subject interface package than Windows "
                "Installer's")};
  }
  if (info->version == kWithPrehash && !has_prehash) {
    // Renamed, MsiDigitalSignatureEx is a stream like others, and the digest stays what it was.
    return {{"msi-prehash-removed",
             Severity::error,
             "",
             "the signature was made with MsiDigitalSignatureEx, which is not there: the names, "
             "sizes and times that it covered may have been changed"}};
  }
  return {};
}

}  // namespace signctl::msi
