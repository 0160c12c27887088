// SPDX-License-Identifier: Apache-2.0
#include "formats/clickonce/make.hpp"

#include "core/text.hpp"
#include "crypto/digest.hpp"
#include "crypto/public_numbers.hpp"
#include "formats/clickonce/names.hpp"
#include "formats/common/xml.hpp"

#include <utility>

namespace signctl::clickonce {

namespace {

using xml::Element;

/// What prepare() leaves for assemble(), as UTF-8.
struct Prepared {
  std::string manifest;           ///< Without signature.
  std::string license_head;       ///< Up to and including the start tag of issuer.
  std::string outer_signed_info;  ///< Canonical.
  std::string inner_signed_info;  ///< Canonical.
  std::string key_value;
  std::string certificates;
};

constexpr std::string_view kLicenseTail = "</r:issuer></r:license>";

/// In the exclusive canonical form that it is signed in. The algorithm names are Windows' own, from
/// before RFC 6931: the ClickOnce runtime of .NET Framework knows no others for SHA-256.
std::string signed_info(ByteView digest) {
  const std::string dsig(kDsig);
  const auto empty_element = [](const std::string& name, const std::string& algorithm) {
    return "<" + name + " Algorithm=\"" + algorithm + "\"></" + name + ">";
  };
  return "<SignedInfo xmlns=\"" + dsig + "\">" +
         empty_element("CanonicalizationMethod", std::string(xml::kExclusiveUri)) +
         empty_element("SignatureMethod", dsig + "rsa-sha256") +
         "<Reference URI=\"\"><Transforms>" +
         empty_element("Transform", std::string(xml::kEnvelopedUri)) +
         empty_element("Transform", std::string(xml::kExclusiveUri)) + "</Transforms>" +
         empty_element("DigestMethod", dsig + "sha256") + "<DigestValue>" + to_base64(digest) +
         "</DigestValue></Reference></SignedInfo>";
}

std::string attributes_text(const Element& element) {
  std::string text;
  for (const auto& [name, value] : element.attributes()) {
    text += " " + name + "=\"" + xml::escape_attribute(value) + "\"";
  }
  return text;
}

std::string license_head(const Element& identity,
                         ByteView manifest_digest,
                         const std::string& publisher,
                         const SchemeRequest& request) {
  return "<r:license xmlns:r=\"" + std::string(kLicense) + "\" xmlns:as=\"" +
         std::string(kAuthenticode) + "\"><r:grant><as:ManifestInformation Hash=\"" +
         reversed_hex(manifest_digest) + "\" Description=\"" +
         xml::escape_attribute(request.description) + "\" Url=\"" +
         xml::escape_attribute(request.url) + "\"><as:assemblyIdentity" +
         attributes_text(identity) +
         "></as:assemblyIdentity></as:ManifestInformation><as:SignedBy></as:SignedBy>"
         "<as:AuthenticodePublisher><as:X509SubjectName>" +
         xml::escape_text(publisher) +
         "</as:X509SubjectName></as:AuthenticodePublisher></r:grant><r:issuer>";
}

std::string key_value(const crypto::RsaPublicNumbers& key) {
  return "<KeyValue><RSAKeyValue><Modulus>" + to_base64(key.modulus) + "</Modulus><Exponent>" +
         to_base64(key.exponent) + "</Exponent></RSAKeyValue></KeyValue>";
}

/// Takes off a signature that is there. The publisher stays, to be replaced or removed.
Result<void> drop_signatures(xml::Document& document) {
  for (const Element& one : document.root().children(kDsig, "Signature")) {
    SIGNCTL_CHECK(document.remove(one), "");
  }
  return ok();
}

/// Puts the signer into the manifest, as the last element before the signature.
Result<void> set_publisher(xml::Document& document,
                           const crypto::Certificate& leaf,
                           const crypto::Certificate* issuer) {
  const Element root = document.root();
  SIGNCTL_TRY(const std::string token, public_key_token(leaf), "");
  SIGNCTL_CHECK(
      document.set_attribute(root.only(kAsmV1, "assemblyIdentity"), "publicKeyToken", token), "");
  for (const Element& one : root.children(kAsmV2, "publisherIdentity")) {
    SIGNCTL_CHECK(document.remove(one), "");
  }
  SIGNCTL_TRY(
      const Element publisher, document.append(root, std::string(kAsmV2), "publisherIdentity"), "");
  SIGNCTL_CHECK(document.set_attribute(publisher, "name", subject_text(leaf)), "");
  return document.set_attribute(publisher, "issuerKeyHash", issuer_key_hash(leaf, issuer));
}

Result<std::vector<crypto::Certificate>> parse_chain(const std::vector<Bytes>& chain) {
  std::vector<crypto::Certificate> parsed;
  for (const Bytes& der : chain) {
    SIGNCTL_TRY(auto one, crypto::Certificate::parse(der), "reading the signing chain");
    parsed.push_back(std::move(one));
  }
  if (parsed.empty()) {
    return Error{ErrorKind::provider, "there is no signing certificate"};
  }
  return parsed;
}

/// Hash of the canonical form of `text` as a document.
Result<Bytes> canonical_digest(std::string_view text, DigestAlg alg) {
  SIGNCTL_TRY(const auto document, xml::Document::parse(as_bytes(text)), "");
  SIGNCTL_TRY(const Bytes canonical, document.canonical(xml::Canonical::exclusive), "");
  return crypto::hash(alg, canonical);
}

std::string certificates_text(const std::vector<crypto::Certificate>& chain) {
  std::string text = "<X509Data>";
  for (const crypto::Certificate& one : chain) {
    // X509IncludeOption.ExcludeRoot; a self-signed leaf has to be there all the same.
    if (!one.self_issued() || one == chain.front()) {
      text += "<X509Certificate>" + to_base64(one.der()) + "</X509Certificate>";
    }
  }
  return text + "</X509Data>";
}

std::string timestamp_object(ByteView token) {
  return "<Object><as:Timestamp xmlns:as=\"" + std::string(kAuthenticode) + "\">" +
         to_base64(token) + "</as:Timestamp></Object>";
}

}  // namespace

Result<void> check_digest(DigestAlg alg) {
  if (alg != DigestAlg::sha256) {
    return Error{
        ErrorKind::unsupported,
        "ClickOnce manifests are signed with sha256, not with " + std::string(digest_name(alg)),
        "use --fd sha256: the ClickOnce runtime reads no other SHA-2"};
  }
  return ok();
}

Result<SchemeDraft> prepare(ByteView manifest, const SchemeRequest& request) {
  SIGNCTL_CHECK(check_digest(request.alg), "");
  SIGNCTL_TRY(const auto chain, parse_chain(request.chain), "");
  const crypto::Certificate& leaf = chain.front();
  auto key = crypto::rsa_public_numbers(leaf);
  if (!key) {
    return Error{ErrorKind::unsupported,
                 "ClickOnce manifests are signed with RSA keys only: " + key.error().message,
                 "use a certificate with an RSA key"};
  }
  SIGNCTL_TRY(auto document, xml::Document::parse(manifest), "");
  SIGNCTL_CHECK(drop_signatures(document), "");
  const bool has_issuer = chain.size() > 1 && leaf.signed_by(chain[1]);
  SIGNCTL_CHECK(set_publisher(document, leaf, has_issuer ? &chain[1] : nullptr), "");
  SIGNCTL_TRY(const Bytes canonical, document.canonical(xml::Canonical::exclusive), "");
  SIGNCTL_TRY(const Bytes text, document.serialize(), "");
  SchemeDraft draft;
  draft.file_digest = crypto::hash(request.alg, canonical);
  auto state = std::make_shared<Prepared>();
  state->manifest = as_text(text);
  state->license_head = license_head(document.root().only(kAsmV1, "assemblyIdentity"),
                                     draft.file_digest,
                                     subject_text(leaf),
                                     request);
  SIGNCTL_TRY(const Bytes license_digest,
              canonical_digest(state->license_head + std::string(kLicenseTail), request.alg),
              "making the license");
  state->outer_signed_info = signed_info(draft.file_digest);
  state->inner_signed_info = signed_info(license_digest);
  state->key_value = key_value(*key);
  state->certificates = certificates_text(chain);
  draft.to_be_signed = {crypto::hash(request.alg, as_bytes(state->outer_signed_info)),
                        crypto::hash(request.alg, as_bytes(state->inner_signed_info))};
  draft.state = std::move(state);
  return draft;
}

Result<Bytes> assemble(const SchemeDraft& draft,
                       const std::vector<Bytes>& signatures,
                       ByteView token) {
  const auto& prepared = *static_cast<const Prepared*>(draft.state.get());
  const std::size_t end = prepared.manifest.rfind("</");
  if (signatures.size() != 2 || end == std::string::npos) {
    return Error{ErrorKind::internal, "the manifest has lost its end"};
  }
  const std::string dsig(kDsig);
  const auto begin = [&](const std::string& id, const std::string& info, const Bytes& value) {
    return "<Signature Id=\"" + id + "\" xmlns=\"" + dsig + "\">" + info + "<SignatureValue>" +
           to_base64(value) + "</SignatureValue>";
  };
  const std::string stamp = token.empty() ? std::string() : timestamp_object(token);
  const std::string inner =
      begin("AuthenticodeSignature", prepared.inner_signed_info, signatures[1]) + "<KeyInfo>" +
      prepared.key_value + prepared.certificates + "</KeyInfo>" + stamp + "</Signature>";
  const std::string outer =
      begin("StrongNameSignature", prepared.outer_signed_info, signatures[0]) +
      "<KeyInfo Id=\"StrongNameKeyInfo\">" + prepared.key_value + "<msrel:RelData xmlns:msrel=\"" +
      std::string(kRelData) + "\">" + prepared.license_head + inner + std::string(kLicenseTail) +
      "</msrel:RelData></KeyInfo></Signature>";
  std::string text = prepared.manifest;
  text.insert(end, outer);
  return Bytes(text.begin(), text.end());
}

Result<Bytes> with_timestamp(ByteView manifest, ByteView token) {
  SIGNCTL_TRY(auto document, xml::Document::parse(manifest), "");
  const Element signature = document.root()
                                .only(kDsig, "Signature")
                                .only(kDsig, "KeyInfo")
                                .only(kRelData, "RelData")
                                .only(kLicense, "license")
                                .only(kLicense, "issuer")
                                .only(kDsig, "Signature");
  if (signature.empty()) {
    return Error{ErrorKind::input, "the manifest has no Authenticode signature to timestamp"};
  }
  bool had_one = false;
  for (const Element& object : signature.children(kDsig, "Object")) {
    if (!object.children(kAuthenticode, "Timestamp").empty()) {
      SIGNCTL_CHECK(document.remove(object), "");
      had_one = true;
    }
  }
  // As mage and we write it, the place is plain to see, and the rest stays byte for byte.
  constexpr std::string_view kPlace = "</Signature></r:issuer>";
  const std::string_view text = as_text(manifest);
  const auto at = text.find(kPlace);
  if (!had_one && at != std::string_view::npos && text.find(kPlace, at + 1) == text.npos) {
    const std::string stamped =
        std::string(text.substr(0, at)) + timestamp_object(token) + std::string(text.substr(at));
    return Bytes(stamped.begin(), stamped.end());
  }
  SIGNCTL_TRY(const Element object, document.append(signature, std::string(kDsig), "Object"), "");
  SIGNCTL_TRY(
      const Element stamp, document.append(object, std::string(kAuthenticode), "Timestamp"), "");
  document.add_text(stamp, to_base64(token));
  return document.serialize();
}

Result<Bytes> without_signature(ByteView manifest) {
  SIGNCTL_TRY(auto document, xml::Document::parse(manifest), "");
  SIGNCTL_CHECK(drop_signatures(document), "");
  for (const Element& one : document.root().children(kAsmV2, "publisherIdentity")) {
    SIGNCTL_CHECK(document.remove(one), "");
  }
  SIGNCTL_CHECK(
      document.set_attribute(
          document.root().only(kAsmV1, "assemblyIdentity"), "publicKeyToken", "0000000000000000"),
      "");
  return document.serialize();
}

}  // namespace signctl::clickonce
