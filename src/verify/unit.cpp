// SPDX-License-Identifier: Apache-2.0
#include "verify/unit.hpp"

#include "crypto/oids.hpp"

#include <algorithm>
#include <utility>

namespace signctl::verify {

namespace {

// Windows writes one or two; depth beyond one has no use.
constexpr std::size_t kMaxNested = 8;

Unit parse_unit(Signable& file, Unit unit, std::vector<Finding>& findings) {
  auto data = cms::parse_signed_data(unit.cms);
  if (!data) {
    findings.push_back({"cms-malformed",
                        Severity::error,
                        unit.label,
                        "the signature cannot be read: " + data.error().message});
    return unit;
  }
  unit.data = std::move(*data);
  const std::string_view wanted = file.profile().content_type;
  if (unit.data->content_type != wanted) {
    findings.push_back(
        {"content-malformed",
         Severity::error,
         unit.label,
         "the signed content is of type " + unit.data->content_type + ", not " +
             (wanted == oid::kSpcIndirectData ? "SpcIndirectDataContent" : std::string(wanted))});
    return unit;
  }
  auto content = file.parse_content(
      unit.data->content, unit.data->signers.front().digest_alg.value_or(DigestAlg::sha256));
  if (!content) {
    findings.push_back({"content-malformed",
                        Severity::error,
                        unit.label,
                        "the signed content cannot be read: " + content.error().message});
    return unit;
  }
  unit.content = std::move(*content);
  return unit;
}

/// The facts of a signature of another kind, in the shape that chain and timestamp checks read.
Unit examine_unit(SignatureScheme& scheme, Unit unit, std::vector<Finding>& findings) {
  auto facts = scheme.examine(unit.cms);
  if (!facts) {
    findings.push_back({"signature-malformed",
                        Severity::error,
                        unit.label,
                        "the signature cannot be read: " + facts.error().message});
    return unit;
  }
  cms::SignedData data;
  for (const Bytes& der : facts->certificates) {
    if (auto certificate = crypto::Certificate::parse(der)) {
      data.certificates.push_back(std::move(*certificate));
    }
  }
  cms::SignerInfo signer;
  signer.digest_alg = facts->alg;
  signer.signature = facts->stamped_signature;
  if (!facts->timestamp_tokens.empty()) {
    signer.unsigned_attributes.push_back(
        {std::string(oid::kSpcRfc3161Timestamp), facts->timestamp_tokens, {}});
  }
  data.signers.push_back(std::move(signer));
  unit.data = std::move(data);
  unit.scheme = std::move(*facts);
  return unit;
}

/// Counter-signatures of plain CMS: whoever made them vouches for the signature value above.
void add_countersignatures(std::vector<Unit>& units, std::vector<Finding>& findings) {
  const Unit outer = units.back();
  if (!outer.data) {
    return;
  }
  const cms::SignerInfo& signer = outer.data->signers.front();
  const auto values = unsigned_values(signer, oid::kCounterSignature);
  for (std::size_t i = 0; i < std::min(values.size(), kMaxNested); ++i) {
    Unit unit;
    unit.label = outer.label + "." + std::to_string(i + 1);
    unit.location = "counter-signature of " + outer.label;
    unit.depth = outer.depth + 1;
    unit.profile = outer.profile;
    unit.countersignature = true;
    auto counter = cms::parse_signer_info(values[i]);
    if (!counter) {
      findings.push_back({"cms-malformed",
                          Severity::error,
                          unit.label,
                          "the counter-signature cannot be read: " + counter.error().message});
      units.push_back(std::move(unit));
      continue;
    }
    cms::SignedData data;
    data.version = outer.data->version;
    data.digest_oids = {counter->digest_oid};
    data.content_type = oid::kData;
    data.content_in_octet_string = true;
    data.content = signer.signature;
    data.hashed_content = signer.signature;
    data.certificates = outer.data->certificates;
    data.signers.push_back(std::move(*counter));
    unit.data = std::move(data);
    units.push_back(std::move(unit));
  }
  if (values.size() > kMaxNested) {
    findings.push_back({"nested-count",
                        Severity::error,
                        outer.label,
                        std::to_string(values.size()) + " counter-signatures; at most 8 are read"});
  }
}

void add_nested(Signable& file, std::vector<Unit>& units, std::vector<Finding>& findings) {
  const Unit outer = units.back();
  if (!outer.data) {
    return;
  }
  const auto values = unsigned_values(outer.data->signers.front(), oid::kSpcNestedSignature);
  if (values.size() > kMaxNested) {
    findings.push_back({"nested-count",
                        Severity::error,
                        outer.label,
                        std::to_string(values.size()) + " nested signatures; at most 8 are read"});
  }
  for (std::size_t i = 0; i < std::min(values.size(), kMaxNested); ++i) {
    Unit nested;
    nested.label = outer.label + "." + std::to_string(i + 1);
    nested.location = "nested in " + outer.label;
    nested.depth = outer.depth + 1;
    nested.profile = outer.profile;
    nested.cms = values[i];
    nested = parse_unit(file, std::move(nested), findings);
    if (nested.data &&
        !unsigned_values(nested.data->signers.front(), oid::kSpcNestedSignature).empty()) {
      findings.push_back({"nested-depth",
                          Severity::error,
                          nested.label,
                          "a nested signature has signatures nested in it again"});
    }
    units.push_back(std::move(nested));
  }
}

}  // namespace

std::vector<Bytes> unsigned_values(const cms::SignerInfo& signer, std::string_view oid) {
  std::vector<Bytes> values;
  for (const cms::Attribute* attribute : signer.find_unsigned(oid)) {
    values.insert(values.end(), attribute->values.begin(), attribute->values.end());
  }
  return values;
}

std::vector<Unit> take_apart(Signable& file,
                             std::span<const EmbeddedSignature> stored,
                             std::vector<Finding>& findings) {
  std::vector<Unit> units;
  for (std::size_t i = 0; i < stored.size(); ++i) {
    Unit unit;
    unit.label = "signature " + std::to_string(i + 1);
    unit.location = stored[i].location;
    unit.cms = stored[i].cms;
    if (SignatureScheme* scheme = file.scheme()) {
      units.push_back(examine_unit(*scheme, std::move(unit), findings));
      continue;
    }
    unit.profile = file.profile();
    const bool plain = unit.profile.envelope == Envelope::cms;
    units.push_back(parse_unit(file, std::move(unit), findings));
    if (plain) {
      add_countersignatures(units, findings);
    } else {
      add_nested(file, units, findings);
    }
  }
  return units;
}

}  // namespace signctl::verify
