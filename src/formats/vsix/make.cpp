// SPDX-License-Identifier: Apache-2.0
#include "formats/vsix/make.hpp"

#include "core/text.hpp"
#include "crypto/digest.hpp"
#include "crypto/ecdsa_value.hpp"
#include "formats/common/xml.hpp"
#include "formats/common/xml_signature.hpp"
#include "formats/vsix/entries.hpp"
#include "formats/vsix/layout.hpp"
#include "formats/vsix/names.hpp"

#include <utility>

namespace signctl::vsix {

namespace {

using xml::Element;
using xml::kDsig;

/// What prepare() leaves for assemble(), as UTF-8.
struct Prepared {
  crypto::KeyFacts key;
  std::string signed_info;
  std::string key_info;
  std::string object;
};

std::string empty_element(const std::string& name, const std::string& algorithm) {
  return "<" + name + " Algorithm=\"" + algorithm + "\" />";
}

std::string digest_elements(DigestAlg alg, ByteView digest) {
  return empty_element("DigestMethod", xml::digest_uri(alg)) + "<DigestValue>" + to_base64(digest) +
         "</DigestValue>";
}

std::string reference(const std::string& uri,
                      const std::string& type,
                      DigestAlg alg,
                      ByteView digest) {
  return "<Reference URI=\"" + xml::escape_attribute(uri + "?ContentType=" + type) + "\">" +
         digest_elements(alg, digest) + "</Reference>";
}

/// References to everything but the signature part, as it will be.
Result<std::string> manifest(Package& package, const Layout& layout, DigestAlg alg) {
  std::string text;
  for (std::size_t i = 0; i < package.parts().size(); ++i) {
    if (layout.dropped.contains(i)) {
      continue;
    }
    const Part& part = package.parts()[i];
    if (part.type.empty()) {
      return Error{ErrorKind::input,
                   printable(package.name_of(i)) + " has no content type in " +
                       std::string(kContentTypesName) + ", so that no signature can cover it",
                   "add a Default for its extension or an Override for its name"};
    }
    Bytes digest;
    if (layout.root == i && layout.root_text) {
      digest = crypto::hash(alg, *layout.root_text);
    } else {
      SIGNCTL_TRY(digest, package.digest(i, alg), "");
    }
    text += reference(part_uri(package.name_of(i)), part.type, alg, digest);
  }
  for (const NewPart& part : layout.added) {
    SIGNCTL_TRY(const std::string key, part_key(part.name), "");
    text += reference(
        part_uri(part.name), layout.types.type_of(key), alg, crypto::hash(alg, part.bytes));
  }
  return "<Manifest>" + text + "</Manifest>";
}

/// The time in the one of OPC's formats that VSIXSignTool uses (OPC, 13.2.4.21).
std::string signature_time(TimePoint at) {
  std::string time = to_iso8601(at);
  time.replace(time.size() - 1, 1, ".0+00:00");
  return "<SignatureProperties><SignatureProperty Id=\"idSignatureTime\" Target=\"\">"
         "<SignatureTime xmlns=\"" +
         std::string(kSignatureNamespace) + "\"><Format>YYYY-MM-DDThh:mm:ss.sTZD</Format><Value>" +
         time + "</Value></SignatureTime></SignatureProperty></SignatureProperties>";
}

/// Hash of the canonical form that `element` has as a child of Signature.
Result<Bytes> canonical_digest(const std::string& element, DigestAlg alg) {
  const std::string text =
      "<Signature xmlns=\"" + std::string(kDsig) + "\">" + element + "</Signature>";
  SIGNCTL_TRY(const auto document, xml::Document::parse(as_bytes(text)), "");
  SIGNCTL_TRY(const Bytes canonical,
              document.canonical(xml::Canonical::inclusive, document.root().children().front()),
              "");
  return crypto::hash(alg, canonical);
}

std::string signed_info(const xml::SignatureMethod& method, ByteView object_digest) {
  return "<SignedInfo>" + empty_element("CanonicalizationMethod", std::string(xml::kInclusiveUri)) +
         empty_element("SignatureMethod", xml::signature_method_uri(method)) +
         "<Reference URI=\"#idPackageObject\" Type=\"" + std::string(kDsig) +
         "Object\"><Transforms>" + empty_element("Transform", std::string(xml::kInclusiveUri)) +
         "</Transforms>" + digest_elements(method.alg, object_digest) + "</Reference></SignedInfo>";
}

std::string key_info(const std::vector<Bytes>& chain) {
  std::string text = "<KeyInfo><X509Data>";
  for (const Bytes& der : chain) {
    text += "<X509Certificate>" + to_base64(der) + "</X509Certificate>";
  }
  return text + "</X509Data></KeyInfo>";
}

std::string name_for(ByteView certificate_der) {
  std::string hex = to_hex(crypto::hash(DigestAlg::sha1, certificate_der));
  for (char& c : hex) {
    c = static_cast<char>(c >= 'a' ? c - 'a' + 'A' : c);
  }
  return std::string(kSignatureFolder) + hex + ".psdsxs";
}

bool is_timestamp(const Element& object) {
  return object.is(kDsig, "Object") && !object.children(kSignatureNamespace, "TimeStamp").empty();
}

/// White space between elements, which Visual Studio's reader does not expect there.
std::string without_line_ends(const Bytes& serialized) {
  std::string text(as_text(serialized));
  while (!text.empty() && text.back() == '\n') {
    text.pop_back();
  }
  const auto head = text.find("?>\n");
  if (head != std::string::npos) {
    text.erase(head + 2, 1);
  }
  return text;
}

/// A signature that could not be read again is not worth having.
Result<void> check_size(const std::string& object) {
  constexpr std::size_t kRoom = std::size_t{1} << 20U;  // For certificates and a timestamp.
  if (object.size() > xml::kMaxBytes - kRoom) {
    return Error{ErrorKind::unsupported,
                 "the package has more parts than its signature can list: the list would have " +
                     std::to_string(object.size()) + " bytes",
                 "pack what is many and small into one part"};
  }
  return ok();
}

}  // namespace

Result<void> check_signable(const Package& package) {
  SIGNCTL_TRY(const auto findings, check_entries(*package.source(), package.archive()), "");
  if (!findings.empty()) {
    return Error{ErrorKind::input,
                 findings.front().message,
                 "pack the files anew without it: a signature would not cover it"};
  }
  return ok();
}

Result<SchemeDraft> prepare(Package& package, const SchemeRequest& request) {
  SIGNCTL_TRY(const auto leaf,
              crypto::Certificate::parse(request.chain.front()),
              "reading the signing chain");
  if (leaf.key().type == crypto::KeyType::other) {
    return Error{ErrorKind::unsupported, "VSIX packages are signed with RSA and EC keys only"};
  }
  SIGNCTL_CHECK(check_signable(package), "");
  SIGNCTL_TRY(const Layout layout, signed_layout(package, name_for(leaf.der())), "");
  SIGNCTL_TRY(const std::string references, manifest(package, layout, request.alg), "");
  auto state = std::make_shared<Prepared>();
  state->key = leaf.key();
  state->object =
      "<Object Id=\"idPackageObject\">" + references + signature_time(request.at) + "</Object>";
  SIGNCTL_CHECK(check_size(state->object), "");
  SchemeDraft draft;
  SIGNCTL_TRY(draft.file_digest, canonical_digest(state->object, request.alg), "");
  state->signed_info = signed_info({leaf.key().type, request.alg}, draft.file_digest);
  state->key_info = key_info(request.chain);
  SIGNCTL_TRY(const Bytes digest, canonical_digest(state->signed_info, request.alg), "");
  draft.to_be_signed = {digest};
  draft.state = std::move(state);
  return draft;
}

Result<Bytes> assemble(const SchemeDraft& draft, const std::vector<Bytes>& signatures) {
  const auto& prepared = *static_cast<const Prepared*>(draft.state.get());
  if (signatures.size() != 1) {
    return Error{ErrorKind::internal, "a VSIX signature has one value"};
  }
  Bytes value = signatures.front();
  if (prepared.key.type == crypto::KeyType::ec) {
    SIGNCTL_TRY(value, crypto::ecdsa_raw_from_der(value, prepared.key), "");
  }
  const std::string text = "<?xml version=\"1.0\" encoding=\"utf-8\"?><Signature xmlns=\"" +
                           std::string(kDsig) + "\">" + prepared.signed_info + "<SignatureValue>" +
                           to_base64(value) + "</SignatureValue>" + prepared.key_info +
                           prepared.object + "</Signature>";
  return Bytes(text.begin(), text.end());
}

Result<Bytes> with_timestamp(ByteView signature, ByteView token) {
  SIGNCTL_TRY(auto document, xml::Document::parse(signature), "");
  std::string text(as_text(signature));
  bool has_changed = false;
  for (const Element& object : document.root().children()) {
    if (is_timestamp(object)) {
      SIGNCTL_CHECK(document.remove(object), "");
      has_changed = true;
    }
  }
  if (has_changed) {
    SIGNCTL_TRY(const Bytes rest, document.serialize(), "");
    text = without_line_ends(rest);
  }
  const auto end = text.rfind("</");
  if (end == std::string::npos) {
    return Error{ErrorKind::input, "the signature is empty"};
  }
  text.insert(end,
              "<Object xmlns=\"" + std::string(kDsig) +
                  "\"><TimeStamp Id=\"idSignatureTimestamp\" xmlns=\"" +
                  std::string(kSignatureNamespace) +
                  "\"><Comment>RFC 3161 timestamp of the signature value</Comment><EncodedTime>" +
                  to_base64(token) + "</EncodedTime></TimeStamp></Object>");
  return Bytes(text.begin(), text.end());
}

Result<std::string> signature_name(ByteView signature) {
  SIGNCTL_TRY(const auto document, xml::Document::parse(signature), "");
  for (const Element& data : document.root().only(kDsig, "KeyInfo").children(kDsig, "X509Data")) {
    for (const Element& one : data.children(kDsig, "X509Certificate")) {
      return name_for(xml::base64_of(one));
    }
  }
  return Error{ErrorKind::input, "the signature holds no certificate"};
}

}  // namespace signctl::vsix
