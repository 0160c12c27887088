// SPDX-License-Identifier: Apache-2.0
#include "cms/cades.hpp"

#include "cms/signer_checks.hpp"
#include "cms/signing_certificate.hpp"
#include "crypto/der.hpp"
#include "crypto/oids.hpp"

#include <chrono>
#include <utility>

namespace signctl::cms {
namespace {

Bytes attribute(std::string_view type, const Bytes& value) {
  return der::sequence({der::oid(type), der::set({value})});
}

/// Time ::= CHOICE { utcTime, generalTime }: the years 1950 to 2049 as UTCTime (RFC 5652, 11.3).
Bytes encode_time(TimePoint time) {
  const std::chrono::year_month_day day(std::chrono::floor<std::chrono::days>(time));
  Bytes general = der::generalized_time(time.time_since_epoch().count());
  if (day.year() < std::chrono::year(1950) || day.year() > std::chrono::year(2049)) {
    return general;
  }
  constexpr std::size_t kHeader = 2;
  constexpr std::size_t kCentury = 2;
  return der::tlv(der::kUtcTime, ByteView(general).subspan(kHeader + kCentury));
}

}  // namespace

Bytes encode_cades_attributes(const CadesAttributesSpec& spec) {
  return der::set_of(
      {attribute(oid::kContentType, der::oid(spec.content_type)),
       attribute(oid::kMessageDigest, der::octet_string(spec.message_digest)),
       attribute(oid::kSigningTime, encode_time(spec.signing_time)),
       attribute(oid::kCommitmentType, der::sequence({der::oid(spec.commitment_type)})),
       attribute(oid::kSigningCertificateV2,
                 encode_signing_certificate_v2(spec.certificate, spec.alg))});
}

Result<TimePoint> read_signing_time(const SignerInfo& signer) {
  auto value = single_signed_value(signer, oid::kSigningTime, der::kUtcTime);
  if (!value) {
    auto general = single_signed_value(signer, oid::kSigningTime, der::kGeneralizedTime);
    if (!general) {
      return std::move(value).error();
    }
    value = std::move(general);
  }
  SIGNCTL_TRY(const std::int64_t seconds, der::read_time(*value, "signingTime"), "");
  return TimePoint(std::chrono::seconds(seconds));
}

Result<std::vector<std::string>> read_commitment_types(const SignerInfo& signer) {
  std::vector<std::string> types;
  for (const Attribute* one : signer.find_signed(oid::kCommitmentType)) {
    for (const Bytes& value : one->values) {
      SIGNCTL_TRY(const der::Tlv indication,
                  der::parse_whole(value, der::kSequence, "commitmentTypeIndication"),
                  "");
      der::Parser parser(indication.content);
      SIGNCTL_TRY(std::string type, parser.oid("commitmentTypeId"), "");
      types.push_back(std::move(type));
    }
  }
  return types;
}

std::vector<Finding> check_cades_attributes(const SignerInfo& signer,
                                            const crypto::Certificate& certificate) {
  std::vector<Finding> findings;
  if (!signer.find_signed(oid::kSigningCertificate).empty()) {
    findings.push_back(finding("cms-signing-certificate",
                               "the signed attribute signingCertificate, which is made with SHA-1, "
                               "has no place here"));
  }
  const auto bound = check_signing_certificate(
      signer, oid::kSigningCertificateV2, certificate, IssuerSerial::required);
  if (!bound) {
    findings.push_back(finding("cms-signing-certificate", bound.error().message));
  }
  const auto time = read_signing_time(signer);
  if (!time) {
    findings.push_back(finding("cms-signing-time", time.error().message));
  }
  return findings;
}

}  // namespace signctl::cms
