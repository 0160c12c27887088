// SPDX-License-Identifier: Apache-2.0
#include "engine/build_signature.hpp"

#include "cms/authenticode.hpp"
#include "cms/cades.hpp"
#include "cms/signed_data.hpp"
#include "crypto/certificate.hpp"
#include "crypto/der.hpp"
#include "crypto/digest.hpp"
#include "crypto/keys.hpp"
#include "crypto/oids.hpp"
#include "engine/opened_file.hpp"

#include <utility>

namespace signctl::engine {

namespace {

// signtool numbers nested signatures from 1 with a PKCS #9 sequence number.
Result<int> next_sequence_number(ByteView primary) {
  SIGNCTL_TRY(const cms::SignedData data, cms::parse_signed_data(primary), "reading the signature");
  if (data.signers.size() != 1) {
    return Error{ErrorKind::input,
                 "the existing signature does not have exactly one signer",
                 "use --if-signed replace"};
  }
  std::size_t count = 0;
  for (const auto* attribute : data.signers.front().find_unsigned(oid::kSpcNestedSignature)) {
    count += attribute->values.size();
  }
  return static_cast<int>(count) + 1;
}

Result<std::vector<crypto::Certificate>> parse_chain(const std::vector<Bytes>& chain) {
  std::vector<crypto::Certificate> parsed;
  parsed.reserve(chain.size());
  for (const Bytes& der : chain) {
    SIGNCTL_TRY(auto certificate, crypto::Certificate::parse(der), "reading the signing chain");
    parsed.push_back(std::move(certificate));
  }
  if (parsed.empty()) {
    return Error{ErrorKind::provider,
                 "the signature came back without a certificate",
                 "give the certificate chain with --chain"};
  }
  return parsed;
}

/// The attributes that signtool writes.
Result<Bytes> authenticode_attributes(const SigningContent& content,
                                      const Bytes& message_digest,
                                      const SignOptions& options,
                                      const Placement& placement) {
  cms::SignedAttributesSpec spec;
  spec.content_type = content.content_type;
  spec.message_digest = message_digest;
  spec.opus = {options.description, options.url};
  if (placement.nested) {
    SIGNCTL_TRY(spec.sequence_number, next_sequence_number(placement.kept.front()), "");
  }
  return cms::encode_signed_attributes(spec);
}

/// The attributes that name the signer, the time and the purpose.
Result<Bytes> cades_attributes(const UnsignedSignature& prepared,
                               const Bytes& message_digest,
                               const std::optional<Signatory>& by) {
  if (!by) {
    return Error{ErrorKind::unsupported,
                 "the signature of this file type names its signer and the time inside what is "
                 "signed, so that no key elsewhere can make the value alone",
                 "sign the file with signctl sign"};
  }
  SIGNCTL_TRY(
      const auto leaf, crypto::Certificate::parse(by->certificate), "reading the certificate");
  return cms::encode_cades_attributes({prepared.content.content_type,
                                       message_digest,
                                       prepared.content.alg,
                                       leaf,
                                       by->at,
                                       prepared.profile.commitment_type});
}

/// Whether one more signature can be nested in what the file holds.
Result<void> check_room(const std::vector<Bytes>& kept) {
  if (kept.size() > 1) {
    return Error{ErrorKind::unsupported,
                 "the file holds " + std::to_string(kept.size()) +
                     " signatures side by side, which only EFI images may, so none can be added",
                 "use --if-signed replace"};
  }
  return cms::check_nestable(kept.front());
}

}  // namespace

Result<void> check_made(const UnsignedSignature& prepared, const SignedDigest& made) {
  SIGNCTL_TRY(const auto chain, parse_chain(made.chain), "");
  const crypto::Certificate& leaf = chain.front();
  // Nothing a signer says is believed: a wrong key, a faulty computation (which can give an RSA key
  // away), PSS for PKCS #1, or raw r||s for DER would otherwise be seen on the customer's machine
  // first.
  if (!crypto::verify_digest(leaf, prepared.to_be_signed, prepared.content.alg, made.signature)) {
    return Error{
        ErrorKind::provider,
        "the signature does not verify with the key of certificate \"" + leaf.info().subject + "\"",
        "the key and the certificate of this signer do not belong together, or other "
        "attributes or another digest were signed"};
  }
  return ok();
}

bool names_signatory(const Signable& file) {
  return !file.profile().commitment_type.empty();
}

Result<void> announce(Signable& file, const SignOptions& options, const Placement& placement) {
  if (options.page_hashes == PageHashes::on) {
    SIGNCTL_CHECK(file.hash_pages(), "");
  }
  return placement.kept.empty() ? ok() : file.keep_signatures(options.digest);
}

Result<Placement> place(Signable& file, IfSigned if_signed) {
  Placement placement;
  if (if_signed != IfSigned::append) {
    return placement;
  }
  SIGNCTL_TRY(placement.kept, stored_signatures(file), "");
  if (placement.kept.empty()) {
    return placement;
  }
  switch (file.append_style()) {
    case AppendStyle::none:
      return Error{ErrorKind::unsupported,
                   "this file type holds one signature only",
                   "use --if-signed replace"};
    case AppendStyle::nested:
      SIGNCTL_CHECK(check_room(placement.kept), "");
      placement.nested = true;
      break;
    case AppendStyle::separate_entries:
      break;
  }
  return placement;
}

Result<std::vector<Bytes>> combine(Placement placement, Bytes cms) {
  std::vector<Bytes> signatures = std::move(placement.kept);
  if (placement.nested) {
    SIGNCTL_TRY(signatures.front(),
                cms::with_nested_signature(signatures.front(), cms),
                "adding to the existing signature");
  } else {
    signatures.push_back(std::move(cms));
  }
  return signatures;
}

Result<UnsignedSignature> prepare(Signable& file,
                                  const SignOptions& options,
                                  const Placement& placement,
                                  const std::optional<Signatory>& by) {
  if (!is_signing_digest(options.digest)) {
    return Error{ErrorKind::unsupported,
                 "signatures are not made with " + std::string(digest_name(options.digest)),
                 "use sha256, sha384 or sha512"};
  }
  SIGNCTL_CHECK(announce(file, options, placement), "");
  UnsignedSignature prepared;
  prepared.profile = file.profile();
  SIGNCTL_TRY(prepared.content, file.content_to_sign(options.digest), "computing the digest");
  // The content octets alone are hashed, without tag and length (PKCS #7 1.5, RFC 2315, 9.3; the
  // same octets in RFC 5652, 5.4).
  SIGNCTL_TRY(
      const der::Tlv outer, der::Parser(prepared.content.econtent).next("content to sign"), "");
  const Bytes message_digest = crypto::hash(options.digest, outer.content);
  if (names_signatory(file)) {
    SIGNCTL_TRY(prepared.attributes_set, cades_attributes(prepared, message_digest, by), "");
    prepared.signer = by->certificate;
  } else {
    SIGNCTL_TRY(prepared.attributes_set,
                authenticode_attributes(prepared.content, message_digest, options, placement),
                "");
  }
  prepared.to_be_signed = crypto::hash(options.digest, prepared.attributes_set);
  return prepared;
}

Result<FinishedSignature> finish(const UnsignedSignature& prepared,
                                 const SignedDigest& made,
                                 const SignOptions& options,
                                 Timestamper* timestamper) {
  SIGNCTL_TRY(auto chain, parse_chain(made.chain), "");
  cms::SignedDataParts parts;
  parts.form =
      prepared.profile.envelope == Envelope::cms ? cms::Form::cms : cms::Form::authenticode;
  parts.content_type = prepared.content.content_type;
  parts.econtent = prepared.content.econtent;
  parts.alg = options.digest;
  parts.signed_attributes_set = prepared.attributes_set;
  parts.signature = made.signature;
  parts.chain = std::move(chain);
  FinishedSignature finished;
  if (timestamper != nullptr) {
    SIGNCTL_TRY(Stamp stamp,
                timestamper->stamp({made.signature, options.timestamp_digest, {}}),
                "timestamping");
    parts.unsigned_attributes.push_back(
        cms::encode_attribute(prepared.profile.timestamp_attribute, {stamp.token}));
    finished.timestamp_source = std::move(stamp.source);
  }
  finished.cms = cms::encode_signed_data(parts);
  return finished;
}

}  // namespace signctl::engine
