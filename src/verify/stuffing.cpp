// SPDX-License-Identifier: Apache-2.0
#include "verify/stuffing.hpp"

#include "crypto/oids.hpp"

#include <algorithm>
#include <array>
#include <span>

namespace signctl::verify {

namespace {

// More than a program needs to remember who downloaded it is a hiding place.
constexpr std::size_t kUnknownTolerated = 4096;
// A seal is a signature with a timestamp: some ten thousand bytes.
constexpr std::size_t kSealTolerated = std::size_t{64} << 10U;
// Authorities do put revocation lists in their tokens.
constexpr std::size_t kTokenTolerated = std::size_t{64} << 10U;

// Certificates in use have one or two kilobytes, ...
constexpr std::size_t kSurplusTolerated = 4096;
// ... and a few of them, cross-signed ones above all, are there in vain.
constexpr std::size_t kSurplusTogether = std::size_t{32} << 10U;

constexpr std::array kSeals{oid::kSpcSealingSignature, oid::kSpcSealingTimestamp};
constexpr std::array kKnown{oid::kSpcNestedSignature,
                            oid::kSpcRfc3161Timestamp,
                            oid::kCounterSignature,
                            oid::kSpcSealingSignature,
                            oid::kSpcSealingTimestamp};
constexpr std::array kKnownInCms{oid::kTimeStampToken, oid::kCounterSignature};
constexpr std::array kKnownInCountersignature{oid::kTimeStampToken};

/// The attributes that are looked into.
std::span<const std::string_view> known_attributes(const Unit& unit) {
  if (unit.countersignature) {
    return kKnownInCountersignature;
  }
  return unit.profile.envelope == Envelope::cms ? std::span<const std::string_view>(kKnownInCms)
                                                : std::span<const std::string_view>(kKnown);
}

bool is_among(std::span<const std::string_view> oids, const cms::Attribute& attribute) {
  return std::find(oids.begin(), oids.end(), attribute.oid) != oids.end();
}

void object(std::string what,
            std::size_t bytes,
            std::size_t tolerated,
            const std::string& subject,
            std::vector<Finding>& findings) {
  if (bytes > tolerated) {
    findings.push_back({"unsigned-stuffing",
                        Severity::error,
                        subject,
                        std::move(what) + " carry " + std::to_string(bytes) +
                            " bytes that the signature does not cover; " +
                            std::to_string(tolerated) + " are tolerated"});
  }
}

Finding unknown_attribute(const cms::Attribute& attribute, const std::string& subject) {
  return {"unsigned-attribute-unknown",
          Severity::warning,
          subject,
          "an unknown unsigned attribute (" + attribute.oid + ") carries " +
              std::to_string(attribute.der.size()) + " bytes that the signature does not cover"};
}

std::size_t total_size(const std::vector<cms::Attribute>& attributes) {
  std::size_t bytes = 0;
  for (const cms::Attribute& attribute : attributes) {
    bytes += attribute.der.size();
  }
  return bytes;
}

}  // namespace

void check_stuffing(const Unit& unit, std::vector<Finding>& findings) {
  const cms::SignedData& data = *unit.data;
  const std::string& label = unit.label;
  const bool sealable = unit.profile.envelope == Envelope::authenticode;
  const auto known = known_attributes(unit);
  std::size_t unknown = 0;
  std::size_t seals = 0;
  for (const cms::Attribute& attribute : data.signers.front().unsigned_attributes) {
    if (sealable && is_among(kSeals, attribute)) {
      seals += attribute.der.size();
    }
    if (!is_among(known, attribute)) {
      unknown += attribute.der.size();
      findings.push_back(unknown_attribute(attribute, label));
    }
  }
  object("unknown unsigned attributes", unknown, kUnknownTolerated, label, findings);
  object("revocation lists and certificates of other kinds",
         data.skipped_bytes,
         kUnknownTolerated,
         label,
         findings);
  object("seals", seals, kSealTolerated, label, findings);
  if (seals != 0) {
    findings.push_back({"sealed",
                        Severity::info,
                        label,
                        "the signature is sealed; what the seal covers is not checked"});
  }
}

void check_token_stuffing(const cms::SignedData& token, std::vector<Finding>& findings) {
  for (const cms::Attribute& attribute : token.signers.front().unsigned_attributes) {
    findings.push_back(unknown_attribute(attribute, ""));
  }
  if (token.skipped_bytes != 0) {
    findings.push_back({"timestamp-extras",
                        Severity::info,
                        "",
                        "the token carries " + std::to_string(token.skipped_bytes) +
                            " bytes of revocation lists and certificates of other kinds, which "
                            "no signature covers"});
  }
  object("unsigned attributes, revocation lists and certificates of other kinds in the token",
         total_size(token.signers.front().unsigned_attributes) + token.skipped_bytes,
         kTokenTolerated,
         "",
         findings);
}

void check_surplus(const std::vector<crypto::Certificate>& surplus,
                   const std::string& subject,
                   std::vector<Finding>& findings) {
  std::size_t together = 0;
  for (const crypto::Certificate& certificate : surplus) {
    const std::size_t size = certificate.der().size();
    together += size;
    if (size > kSurplusTolerated) {
      findings.push_back(
          {"unsigned-stuffing",
           Severity::error,
           subject,
           "a certificate that takes no part in the chain carries " + std::to_string(size) +
               " bytes that the signature does not cover: " + certificate.info().subject});
    }
  }
  object(
      "certificates that take no part in the chain", together, kSurplusTogether, subject, findings);
}

void check_countersignature_stuffing(const cms::SignerInfo& counter,
                                     std::vector<Finding>& findings) {
  object("unsigned attributes of the counter-signature",
         total_size(counter.unsigned_attributes),
         kUnknownTolerated,
         "",
         findings);
}

}  // namespace signctl::verify
