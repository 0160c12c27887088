// SPDX-License-Identifier: Apache-2.0
#include "cms/countersignature.hpp"

#include "cms/cades.hpp"
#include "cms/signer_checks.hpp"
#include "crypto/keys.hpp"
#include "crypto/oids.hpp"

#include <string>
#include <utility>

namespace signctl::cms {
namespace {

void check_content_type(CounterSignature& counter) {
  const auto value = single_signed_value(counter.signer, oid::kContentType, der::kOid);
  if (!value) {
    counter.findings.push_back(finding("timestamp-structure", value.error().message));
    return;
  }
  const auto type = der::oid_text(value->content);
  if (!type || *type != oid::kData) {
    counter.findings.push_back(finding("timestamp-structure",
                                       "the counter-signature's contentType is " +
                                           (type ? *type : std::string("unreadable")) +
                                           ", expected id-data"));
  }
}

void check_imprint(ByteView signature, CounterSignature& counter) {
  const auto value = single_signed_value(counter.signer, oid::kMessageDigest, der::kOctetString);
  if (!value) {
    counter.findings.push_back(finding("timestamp-structure", value.error().message));
    return;
  }
  const auto checked = check_message_digest(counter.signer, value->content, signature);
  if (!checked) {
    counter.findings.push_back(finding("timestamp-imprint", checked.error().message));
  }
}

void check_signature(CounterSignature& counter) {
  const SignerInfo& signer = counter.signer;
  const crypto::Certificate& certificate = *counter.certificate;
  const auto algorithm = check_signature_algorithm(signer, certificate);
  if (!algorithm) {
    counter.findings.push_back(finding("timestamp-signature", algorithm.error().message));
    return;
  }
  const Bytes digest = signed_digest(signer);
  const DigestAlg alg = signer.digest_alg.value_or(DigestAlg::sha256);
  if (crypto::verify_digest(certificate, digest, alg, signer.signature)) {
    return;
  }
  if (crypto::verify_bare_rsa(certificate, digest, signer.signature)) {
    counter.findings.push_back(
        finding("countersignature-bare-rsa",
                "the counter-signature is over the bare hash without a DigestInfo"));
    return;
  }
  counter.findings.push_back(
      finding("timestamp-signature",
              "the counter-signature was not made with the key of " + certificate.info().subject));
}

void check_certificate(const SignedData& data, CounterSignature& counter) {
  auto certificate = find_signer_certificate(data, counter.signer);
  if (!certificate) {
    counter.findings.push_back(finding("timestamp-signature", certificate.error().message));
    return;
  }
  counter.certificate = std::move(certificate).value();
  if (!counter.certificate->has_eku(oid::kTimeStamping)) {
    counter.findings.push_back(finding("timestamp-eku",
                                       "the counter-signature's certificate is not for "
                                       "timestamping: " +
                                           counter.certificate->info().subject));
  }
}

}  // namespace

Result<CounterSignature> check_countersignature(const SignedData& data,
                                                const SignerInfo& signer,
                                                ByteView value) {
  CounterSignature counter;
  SIGNCTL_TRY(counter.signer, parse_signer_info(value), "reading the counter-signature");
  SIGNCTL_TRY(counter.time, read_signing_time(counter.signer), "reading the counter-signature");
  if (counter.signer.version != 1 || !counter.signer.by_issuer_and_serial) {
    counter.findings.push_back(
        finding("timestamp-structure",
                "the counter-signature is not a version 1 SignerInfo by issuer and serial number"));
  }
  check_content_type(counter);
  check_certificate(data, counter);
  if (!counter.signer.digest_alg) {
    counter.findings.push_back(
        finding("timestamp-structure",
                "the digest algorithm " + counter.signer.digest_oid + " is unknown"));
    return counter;
  }
  if (!is_signing_digest(*counter.signer.digest_alg)) {
    counter.findings.push_back(finding("timestamp-weak-digest",
                                       "the counter-signature is made with " +
                                           digest_label(counter.signer) + ", which is broken"));
  }
  check_imprint(signer.signature, counter);
  if (counter.certificate) {
    check_signature(counter);
  }
  return counter;
}

}  // namespace signctl::cms
