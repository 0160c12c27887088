// SPDX-License-Identifier: Apache-2.0
#include "formats/vsix/examine.hpp"

#include "core/text.hpp"
#include "crypto/digest.hpp"
#include "crypto/ecdsa_value.hpp"
#include "crypto/keys.hpp"
#include "formats/common/xml.hpp"
#include "formats/common/xml_signature.hpp"
#include "formats/vsix/names.hpp"
#include "formats/vsix/parts_check.hpp"
#include "formats/vsix/structure.hpp"

#include <algorithm>
#include <utility>

namespace signctl::vsix {

namespace {

using xml::Element;
using xml::kDsig;

constexpr std::size_t kMaxCertificates = 64;
constexpr std::size_t kMostBeside = 4096;

/// The working state of one examination.
struct Examination {
  const xml::Document& document;
  Structure structure;
  SchemeFacts facts;
  std::vector<crypto::Certificate> certificates;

  void object(std::string id, std::string message) {
    facts.findings.push_back({std::move(id), Severity::error, {}, std::move(message)});
  }
};

std::string algorithm_of(const Element& element) {
  return element.attribute("Algorithm").value_or("");
}

void take_certificate(ByteView der, Examination& exam) {
  auto certificate = crypto::Certificate::parse(der);
  if (!certificate || exam.certificates.size() == kMaxCertificates) {
    exam.object("vsix-certificate", "a certificate of the signature cannot be read");
    return;
  }
  exam.facts.certificates.push_back(certificate->der());
  exam.certificates.push_back(std::move(*certificate));
}

void read_certificates(const std::vector<Bytes>& parts, Examination& exam) {
  for (const Element& data : exam.structure.key_info.children(kDsig, "X509Data")) {
    for (const Element& one : data.children(kDsig, "X509Certificate")) {
      take_certificate(xml::base64_of(one), exam);
    }
  }
  for (const Bytes& der : parts) {
    take_certificate(der, exam);
  }
}

/// The one certificate whose key made the signature.
void check_value(const xml::SignatureMethod& method, ByteView digest, Examination& exam) {
  Bytes value = xml::base64_of(exam.structure.value);
  exam.facts.stamped_signature = value;
  if (method.key == crypto::KeyType::ec) {
    value = crypto::ecdsa_der_from_raw(value);
  }
  const crypto::Certificate* first = nullptr;
  for (const crypto::Certificate& one : exam.certificates) {
    if (one.key().type != method.key || (one.is_ca() && !one.self_issued())) {
      continue;
    }
    first = first == nullptr ? &one : first;
    if (crypto::verify_digest(one, digest, method.alg, value)) {
      exam.facts.signer = one.der();
      return;
    }
  }
  if (first == nullptr) {
    exam.object("signer-certificate", "no certificate with a key of that kind is in the signature");
    return;
  }
  exam.facts.signer = first->der();
  exam.object("signature", "the signature does not verify with the signer's key");
}

/// The reference in SignedInfo: the whole Object, in canonical form, and nothing else done to it.
Result<void> check_object(Examination& exam) {
  const Structure& found = exam.structure;
  const auto transforms = found.reference.only(kDsig, "Transforms").children();
  const std::string method = algorithm_of(found.reference.only(kDsig, "DigestMethod"));
  const auto alg = xml::digest_of_uri(method);
  if (transforms.size() != 1 || algorithm_of(transforms.front()) != xml::kInclusiveUri ||
      !transforms.front().children().empty()) {
    exam.object("vsix-transform", "what is signed is transformed in a way that is not followed");
    return ok();
  }
  if (!alg) {
    exam.object("vsix-algorithm", printable(method) + " is no hash that is known");
    return ok();
  }
  SIGNCTL_TRY(
      const Bytes canonical, exam.document.canonical(xml::Canonical::inclusive, found.object), "");
  exam.facts.claimed_digest = xml::base64_of(found.reference.only(kDsig, "DigestValue"));
  exam.facts.computed_digest = crypto::hash(*alg, canonical);
  if (exam.facts.claimed_digest != exam.facts.computed_digest) {
    exam.object("digest-mismatch", "the list of signed parts has been changed since it was signed");
  }
  return ok();
}

Result<void> check_signed_info(Examination& exam) {
  const Element& info = exam.structure.signed_info;
  const std::string uri = algorithm_of(info.only(kDsig, "SignatureMethod"));
  const auto method = xml::signature_method_of_uri(uri);
  if (algorithm_of(info.only(kDsig, "CanonicalizationMethod")) != xml::kInclusiveUri) {
    exam.object("vsix-algorithm", "SignedInfo is canonicalized in a way that OPC does not allow");
    return ok();
  }
  if (!method) {
    exam.object("vsix-algorithm", printable(uri) + " is no signature algorithm that is known");
    return ok();
  }
  exam.facts.alg = method->alg;
  if (!is_signing_digest(method->alg)) {
    exam.object(method->alg == DigestAlg::sha1 ? "weak-digest" : "forbidden-digest",
                "the signature is made with " + std::string(digest_name(method->alg)));
  }
  SIGNCTL_TRY(const Bytes canonical, exam.document.canonical(xml::Canonical::inclusive, info), "");
  check_value(*method, crypto::hash(method->alg, canonical), exam);
  return ok();
}

}  // namespace

Result<SchemeFacts> examine(Package& package,
                            ByteView signature,
                            const std::vector<Bytes>& certificates) {
  SIGNCTL_TRY(const auto document, xml::Document::parse(signature), "");
  Examination exam{document, read_structure(document.root()), {}, {}};
  if (!exam.structure.problem.empty()) {
    exam.object("vsix-structure", exam.structure.problem);
    return std::move(exam.facts);
  }
  SIGNCTL_TRY(
      const std::size_t beside, xml::uncovered_bytes(document, signature, document.root()), "");
  if (beside > kMostBeside) {
    exam.object("unsigned-stuffing",
                std::to_string(beside) +
                    " bytes of comments and blanks in the signature, which nothing covers");
  }
  read_certificates(certificates, exam);
  SIGNCTL_CHECK(check_signed_info(exam), "");
  SIGNCTL_CHECK(check_object(exam), "");
  SIGNCTL_CHECK(check_parts(package, exam.structure.manifest, exam.facts.findings), "");
  if (!exam.structure.token.empty()) {
    exam.facts.timestamp_tokens.push_back(xml::base64_of(exam.structure.token));
  }
  return std::move(exam.facts);
}

std::string signature_time(ByteView signature) {
  const auto document = xml::Document::parse(signature);
  if (!document) {
    return {};
  }
  for (const Element& object : document->root().children(kDsig, "Object")) {
    for (const Element& one :
         object.only(kDsig, "SignatureProperties").children(kDsig, "SignatureProperty")) {
      const Element time = one.only(kSignatureNamespace, "SignatureTime");
      if (!time.empty()) {
        return printable(time.only(kSignatureNamespace, "Value").text());
      }
    }
  }
  return {};
}

}  // namespace signctl::vsix
