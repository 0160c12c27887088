// SPDX-License-Identifier: Apache-2.0
#include "formats/msix/content.hpp"

#include "formats/common/sip_info.hpp"
#include "formats/msix/digest.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace signctl::msix {
namespace {

constexpr std::uint64_t kVersion = 0x01010000;

// {0AC5DF4B-CE07-4DE2-B76E-23C839A09FD1}, as stored.
constexpr sip::Sip kPackage{{0x4B,
                             0xDF,
                             0xC5,
                             0x0A,
                             0x07,
                             0xCE,
                             0xE2,
                             0x4D,
                             0xB7,
                             0x6E,
                             0x23,
                             0xC8,
                             0x39,
                             0xA0,
                             0x9F,
                             0xD1},
                            kVersion};

// {0F5F58B3-AADE-4B9A-A434-95742D92ECEB}, as stored.
constexpr sip::Sip kBundle{{0xB3,
                            0x58,
                            0x5F,
                            0x0F,
                            0xDE,
                            0xAA,
                            0x9A,
                            0x4B,
                            0xA4,
                            0x34,
                            0x95,
                            0x74,
                            0x2D,
                            0x92,
                            0xEC,
                            0xEB},
                           kVersion};

}  // namespace

Bytes encode_content(bool bundle, DigestAlg alg, ByteView table) {
  return cms::encode_indirect_data({std::string(sip::kSpcSipInfo),
                                    sip::encode_sip_info(bundle ? kBundle : kPackage),
                                    alg,
                                    Bytes(table.begin(), table.end())});
}

std::vector<Finding> check_content_shape(const cms::IndirectData& data, const Package& package) {
  const std::string kind = package.bundle ? "bundle" : "package";
  if (data.data_type != sip::kSpcSipInfo) {
    return {{"msix-data-type",
             Severity::error,
             "",
             "the signed content is for another kind of file (" + data.data_type +
                 "), not an app " + kind}};
  }
  const auto info = sip::parse_sip_info(data.data_value);
  const auto& wanted = (package.bundle ? kBundle : kPackage).guid;
  if (!info || !std::equal(info->guid.begin(), info->guid.end(), wanted.begin(), wanted.end())) {
    return {{"msix-data-type",
             Severity::error,
             "",
             "the signed content is for another subject interface package than that of an app " +
                 kind}};
  }
  const std::string wrong = check_table(data.digest, data.alg, package.code_integrity.has_value());
  if (!wrong.empty()) {
    return {{"msix-digest-table",
             Severity::error,
             "",
             "the signed table of digests is malformed: " + wrong}};
  }
  return {};
}

}  // namespace signctl::msix
