// SPDX-License-Identifier: Apache-2.0
#include "formats/clickonce/examine.hpp"

#include "core/text.hpp"
#include "crypto/digest.hpp"
#include "crypto/keys.hpp"
#include "crypto/public_numbers.hpp"
#include "formats/clickonce/names.hpp"
#include "formats/clickonce/structure.hpp"
#include "formats/common/xml.hpp"
#include "formats/common/xml_signature.hpp"

#include <algorithm>
#include <utility>

namespace signctl::clickonce {

namespace {

using xml::base64_of;
using xml::Element;

/// The working state of one examination.
struct Examination {
  SchemeFacts facts;
  std::vector<crypto::Certificate> certificates;

  void object(std::string id, std::string message, Severity severity = Severity::error) {
    facts.findings.push_back({std::move(id), severity, {}, std::move(message)});
  }
};

/// One ds:Signature, read.
struct Signed {
  std::optional<DigestAlg> alg;
  Bytes claimed;
  Bytes computed;
  Bytes signed_info_digest;
  Bytes value;
};

/// The transforms must be these two in this order; anything else could hide content.
bool is_whole_document(const Element& reference) {
  const auto transforms = reference.only(kDsig, "Transforms").children();
  return reference.attribute("URI") == std::string() && transforms.size() == 2 &&
         transforms[0].attribute("Algorithm") == std::string(xml::kEnvelopedUri) &&
         transforms[1].attribute("Algorithm") == std::string(xml::kExclusiveUri) &&
         transforms[1].children().empty();
}

Result<Signed> read_signature(const xml::Document& document,
                              const Element& signature,
                              const std::string& who,
                              Examination& exam) {
  Signed read;
  const Element info = signature.only(kDsig, "SignedInfo");
  const Element reference = info.only(kDsig, "Reference");
  const auto method = info.only(kDsig, "SignatureMethod").attribute("Algorithm").value_or("");
  const auto digest = reference.only(kDsig, "DigestMethod").attribute("Algorithm").value_or("");
  const auto canonical = info.only(kDsig, "CanonicalizationMethod").attribute("Algorithm");
  if (reference.empty() || canonical != std::string(xml::kExclusiveUri) ||
      !is_whole_document(reference)) {
    exam.object("clickonce-reference",
                "the " + who + " signature does not cover exactly the whole document");
  }
  const auto known = xml::signature_method_of_uri(method);
  if (known && known->key == crypto::KeyType::rsa) {
    read.alg = known->alg;
  }
  if (!read.alg || xml::digest_of_uri(digest) != read.alg) {
    exam.object("clickonce-algorithm",
                "the " + who + " signature uses algorithms that are not known or not equal: " +
                    printable(method) + ", " + printable(digest));
    return read;
  }
  if (!is_signing_digest(*read.alg)) {
    exam.object(*read.alg == DigestAlg::sha1 ? "weak-digest" : "forbidden-digest",
                "the " + who + " signature is made with " + std::string(digest_name(*read.alg)));
  }
  read.claimed = base64_of(reference.only(kDsig, "DigestValue"));
  read.value = base64_of(signature.only(kDsig, "SignatureValue"));
  SIGNCTL_TRY(
      const Bytes covered, document.canonical(xml::Canonical::exclusive, {}, signature), "");
  SIGNCTL_TRY(const Bytes own, document.canonical(xml::Canonical::exclusive, info), "");
  read.computed = crypto::hash(*read.alg, covered);
  read.signed_info_digest = crypto::hash(*read.alg, own);
  if (read.claimed != read.computed) {
    exam.object("digest-mismatch",
                "what the " + who + " signature covers has been changed: signed was " +
                    to_hex(read.claimed) + ", there is " + to_hex(read.computed));
  }
  return read;
}

/// Whether KeyValue holds the key of `certificate`.
bool has_key_of(const Element& signature, const crypto::Certificate& certificate) {
  const Element value =
      signature.only(kDsig, "KeyInfo").only(kDsig, "KeyValue").only(kDsig, "RSAKeyValue");
  const auto key = crypto::rsa_public_numbers(certificate);
  return key && base64_of(value.only(kDsig, "Modulus")) == key->modulus &&
         base64_of(value.only(kDsig, "Exponent")) == key->exponent;
}

void read_certificates(const Element& signature, Examination& exam) {
  constexpr std::size_t kMaxCertificates = 64;
  for (const Element& data : signature.only(kDsig, "KeyInfo").children(kDsig, "X509Data")) {
    for (const Element& one : data.children(kDsig, "X509Certificate")) {
      auto certificate = crypto::Certificate::parse(base64_of(one));
      if (!certificate || exam.certificates.size() == kMaxCertificates) {
        exam.object("clickonce-certificate", "an embedded certificate cannot be read");
        return;
      }
      exam.facts.certificates.push_back(certificate->der());
      exam.certificates.push_back(std::move(*certificate));
    }
  }
}

const crypto::Certificate* find_leaf(const Element& signature, Examination& exam) {
  for (const crypto::Certificate& one : exam.certificates) {
    if (has_key_of(signature, one) && (!one.is_ca() || one.self_issued())) {
      exam.facts.signer = one.der();
      return &one;
    }
  }
  exam.object("signer-certificate",
              "no embedded certificate belongs to the key of the Authenticode signature");
  return nullptr;
}

void check_value(const Signed& read,
                 const crypto::Certificate& leaf,
                 const std::string& who,
                 Examination& exam) {
  if (read.alg && !crypto::verify_digest(leaf, read.signed_info_digest, *read.alg, read.value)) {
    exam.object("signature", "the " + who + " signature does not verify with the signer's key");
  }
}

/// See structure.hpp.
void check_structure(const Element& outer, const Element& license, Examination& exam) {
  if (!has_plain_structure(outer, license)) {
    exam.object(
        "clickonce-structure",
        "the signature holds other elements than the strong-name signature and its license");
  }
}

/// What the license says of the manifest must be so.
void check_license(const Element& root,
                   const Element& license,
                   const Signed& outer,
                   const crypto::Certificate& leaf,
                   Examination& exam) {
  const Element grant = license.only(kLicense, "grant");
  const Element information = grant.only(kAuthenticode, "ManifestInformation");
  exam.facts.description = information.attribute("Description").value_or("");
  exam.facts.url = information.attribute("Url").value_or("");
  if (to_lower(information.attribute("Hash").value_or("")) != reversed_hex(outer.computed)) {
    exam.object("clickonce-license-hash", "the license is for another manifest: its hash differs");
  }
  auto stated = information.only(kAuthenticode, "assemblyIdentity").attributes();
  auto own = root.only(kAsmV1, "assemblyIdentity").attributes();
  std::sort(stated.begin(), stated.end());
  std::sort(own.begin(), own.end());
  if (stated != own || own.empty()) {
    exam.object("clickonce-license-identity",
                "the license is for another assemblyIdentity than the manifest's");
  }
  const std::string name = subject_text(leaf);
  const Element publisher = root.only(kAsmV2, "publisherIdentity");
  const std::string licensed = grant.only(kAuthenticode, "AuthenticodePublisher")
                                   .only(kAuthenticode, "X509SubjectName")
                                   .text();
  if (publisher.attribute("name") != name || licensed != name) {
    exam.object("clickonce-publisher",
                "publisherIdentity and license name \"" +
                    printable(publisher.attribute("name").value_or("")) + "\" and \"" +
                    printable(licensed) + "\", the certificate is for \"" + printable(name) + "\"");
  }
  const auto issuer = std::find_if(
      exam.certificates.begin(), exam.certificates.end(), [&](const crypto::Certificate& one) {
        return leaf.signed_by(one);
      });
  const std::string hash =
      issuer_key_hash(leaf, issuer == exam.certificates.end() ? nullptr : &*issuer);
  if (!hash.empty() && to_lower(publisher.attribute("issuerKeyHash").value_or("")) != hash) {
    exam.object("clickonce-publisher", "issuerKeyHash is not that of the certificate's issuer");
  }
}

void check_strong_name(const Element& root,
                       const Element& signature,
                       const crypto::Certificate& leaf,
                       Examination& exam) {
  if (!has_key_of(signature, leaf)) {
    exam.object("clickonce-strong-name-key",
                "the strong-name signature is by another key than the certificate's");
  }
  const auto token = public_key_token(leaf);
  const auto stated = root.only(kAsmV1, "assemblyIdentity").attribute("publicKeyToken");
  if (!token || to_lower(stated.value_or("")) != *token) {
    exam.object("clickonce-public-key-token",
                "publicKeyToken is not that of the key that signed the manifest");
  }
}

void read_timestamps(const Element& signature, Examination& exam) {
  for (const Element& object : signature.children(kDsig, "Object")) {
    for (const Element& one : object.children(kAuthenticode, "Timestamp")) {
      exam.facts.timestamp_tokens.push_back(base64_of(one));
    }
  }
}

Result<void> check_stuffing(const xml::Document& document,
                            ByteView manifest,
                            const Element& outer,
                            Examination& exam) {
  constexpr std::size_t kMostBeside = 4096;
  SIGNCTL_TRY(const std::size_t beside, xml::uncovered_bytes(document, manifest, outer), "");
  if (beside > kMostBeside) {
    exam.object("unsigned-stuffing",
                std::to_string(beside) +
                    " bytes of comments and blanks in the manifest, which nothing covers");
  }
  return ok();
}

}  // namespace

Result<SchemeFacts> examine(ByteView manifest) {
  SIGNCTL_TRY(const auto document, xml::Document::parse(manifest), "");
  const Element root = document.root();
  const Element outer = root.only(kDsig, "Signature");
  if (outer.empty()) {
    return Error{ErrorKind::input, "there is not exactly one Signature element"};
  }
  Examination exam;
  SIGNCTL_CHECK(check_stuffing(document, manifest, outer, exam), "");
  SIGNCTL_TRY(const Signed strong, read_signature(document, outer, "strong-name", exam), "");
  exam.facts.alg = strong.alg.value_or(DigestAlg::sha256);
  exam.facts.claimed_digest = strong.claimed;
  exam.facts.computed_digest = strong.computed;
  const Element license =
      outer.only(kDsig, "KeyInfo").only(kRelData, "RelData").only(kLicense, "license");
  check_structure(outer, license, exam);
  if (license.empty()) {
    exam.object("clickonce-no-license",
                "the manifest has a strong name only, which anybody can make: no publisher");
    return exam.facts;
  }
  // URI="" of the inner signature means the license, which is a document of its own there.
  SIGNCTL_TRY(const Bytes text, document.canonical(xml::Canonical::exclusive, license), "");
  SIGNCTL_TRY(const auto inner_document, xml::Document::parse(text), "reading the license");
  const Element inner = inner_document.root().only(kLicense, "issuer").only(kDsig, "Signature");
  SIGNCTL_TRY(const Signed authenticode,
              read_signature(inner_document, inner, "Authenticode", exam),
              "reading the license");
  exam.facts.stamped_signature = authenticode.value;
  read_timestamps(inner, exam);
  read_certificates(inner, exam);
  if (const crypto::Certificate* leaf = find_leaf(inner, exam)) {
    check_value(strong, *leaf, "strong-name", exam);
    check_value(authenticode, *leaf, "Authenticode", exam);
    check_strong_name(root, outer, *leaf, exam);
    check_license(root, inner_document.root(), strong, *leaf, exam);
  }
  return exam.facts;
}

}  // namespace signctl::clickonce
