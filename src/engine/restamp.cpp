// SPDX-License-Identifier: Apache-2.0
#include "engine/restamp.hpp"

#include "crypto/oids.hpp"

#include <utility>
#include <vector>

namespace signctl::engine {

Result<cms::SignedData> parse_one_signer(ByteView cms) {
  SIGNCTL_TRY(auto data, cms::parse_signed_data(cms), "reading the signature");
  if (data.signers.size() != 1) {
    return Error{ErrorKind::input, "the signature does not have exactly one signer"};
  }
  return data;
}

bool has_timestamp(const cms::SignerInfo& signer, const SignatureProfile& profile) {
  return !signer.find_unsigned(profile.timestamp_attribute).empty() ||
         (profile.envelope == Envelope::authenticode &&
          !signer.find_unsigned(oid::kCounterSignature).empty());
}

Result<Bytes> restamp(ByteView cms,
                      const SignatureProfile& profile,
                      const SignOptions& options,
                      Timestamper& timestamper,
                      std::string& source) {
  SIGNCTL_TRY(const auto data, parse_one_signer(cms), "");
  SIGNCTL_TRY(Stamp stamp,
              timestamper.stamp({data.signers.front().signature, options.timestamp_digest, {}}),
              "timestamping");
  source = std::move(stamp.source);
  if (profile.envelope == Envelope::cms) {
    // A counter-signature here is that of a repository, and over the signature value alone.
    return cms::with_unsigned_attribute(cms, profile.timestamp_attribute, {stamp.token});
  }
  // A signature carries one kind of timestamp only.
  SIGNCTL_TRY(const Bytes bare, cms::with_unsigned_attribute(cms, oid::kCounterSignature, {}), "");
  return cms::with_unsigned_attribute(bare, profile.timestamp_attribute, {stamp.token});
}

Result<Bytes> restamp_all(ByteView cms,
                          const SignatureProfile& profile,
                          const SignOptions& options,
                          Timestamper& timestamper,
                          std::string& source) {
  SIGNCTL_TRY(const auto data, parse_one_signer(cms), "");
  std::vector<Bytes> nested;
  for (const auto* attribute : data.signers.front().find_unsigned(oid::kSpcNestedSignature)) {
    for (const Bytes& value : attribute->values) {
      SIGNCTL_TRY(Bytes stamped, restamp(value, profile, options, timestamper, source), "");
      nested.push_back(std::move(stamped));
    }
  }
  SIGNCTL_TRY(Bytes outer, restamp(cms, profile, options, timestamper, source), "");
  if (nested.empty()) {
    return outer;
  }
  return cms::with_unsigned_attribute(outer, oid::kSpcNestedSignature, nested);
}

}  // namespace signctl::engine
