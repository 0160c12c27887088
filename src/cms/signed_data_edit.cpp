// SPDX-License-Identifier: Apache-2.0
// Editing works on the bytes, not on the parsed form: the SignerInfo's unsigned attributes are
// replaced and only the lengths of what encloses them are written anew, so nothing that anybody
// signed or may compare can change.

#include "cms/signed_data.hpp"
#include "crypto/der.hpp"
#include "crypto/oids.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

namespace signctl::cms {
namespace {

constexpr std::size_t kMaxNested = 8;

/// The elements from the ContentInfo down to the first SignerInfo; all are views into one buffer.
struct Path {
  std::array<der::Tlv, 5> elements;  ///< ContentInfo, [0], SignedData, signerInfos, SignerInfo.
};

/// The element of `parent` that is the SET of SignerInfos: always the last.
Result<der::Tlv> last_child(const der::Tlv& parent, std::string_view what) {
  der::Parser parser(parent.content);
  SIGNCTL_TRY(der::Tlv child, parser.next(what), "");
  while (!parser.at_end()) {
    SIGNCTL_TRY(child, parser.next(what), "");
  }
  return child;
}

Result<der::Tlv> first_child(const der::Tlv& parent, std::string_view what) {
  der::Parser parser(parent.content);
  return parser.next(what);
}

/// Only for bytes that parse_signed_data has accepted.
Result<Path> find_first_signer(ByteView cms) {
  Path path;
  auto& [info, wrapper, data, signers, signer] = path.elements;
  SIGNCTL_TRY(info, der::parse_whole(cms, der::kSequence, "ContentInfo"), "");
  SIGNCTL_TRY(wrapper, last_child(info, "ContentInfo"), "");
  SIGNCTL_TRY(data, first_child(wrapper, "SignedData"), "");
  SIGNCTL_TRY(signers, last_child(data, "SignedData"), "");
  SIGNCTL_TRY(signer, first_child(signers, "signerInfos"), "");
  return path;
}

/// `parent` with the bytes of `child`, which lie inside its content, replaced.
Bytes with_child(const der::Tlv& parent, const der::Tlv& child, ByteView replacement) {
  const auto before = static_cast<std::size_t>(child.full.data() - parent.content.data());
  const ByteView head = parent.content.first(before);
  const ByteView tail = parent.content.subspan(before + child.full.size());
  return der::tlv(parent.tag, {head, replacement, tail});
}

/// The unsigned attributes with every `oid` taken out and `fresh` put in before the first one that
/// sorts after it: sorted stays sorted, and nothing else is moved.
Bytes edited_attributes(const SignerInfo& signer, std::string_view oid, const Bytes& fresh) {
  Bytes content;
  bool placed = fresh.empty();
  for (const auto& attribute : signer.unsigned_attributes) {
    if (attribute.oid == oid) {
      continue;
    }
    if (!placed && attribute.der > fresh) {
      content.insert(content.end(), fresh.begin(), fresh.end());
      placed = true;
    }
    content.insert(content.end(), attribute.der.begin(), attribute.der.end());
  }
  if (!placed) {
    content.insert(content.end(), fresh.begin(), fresh.end());
  }
  return content.empty() ? Bytes{} : der::tlv(der::context(1), content);
}

/// The SignerInfo with `attributes`, a complete [1] or nothing, as its unsigned attributes.
Result<Bytes> with_attributes(const der::Tlv& signer, const Bytes& attributes) {
  SIGNCTL_TRY(const der::Tlv last, last_child(signer, "SignerInfo"), "");
  if (last.tag == der::context(1)) {
    return with_child(signer, last, attributes);
  }
  return der::tlv(signer.tag, {signer.content, attributes});
}

/// Sealing closes a signature: whatever is added later breaks the seal.
Result<void> refuse_sealed(const SignerInfo& signer) {
  if (signer.find_unsigned(oid::kSpcSealingSignature).empty() &&
      signer.find_unsigned(oid::kSpcSealingTimestamp).empty()) {
    return ok();
  }
  return Error{ErrorKind::unsupported,
               "the signature is sealed, so it cannot be changed without breaking the seal",
               "remove the signatures and sign again"};
}

Result<Bytes> edit(const SignedData& data, std::string_view oid, const std::vector<Bytes>& values) {
  const Bytes fresh = values.empty() ? Bytes{} : encode_attribute(oid, values);
  const Bytes attributes = edited_attributes(data.signers.front(), oid, fresh);
  SIGNCTL_TRY(const Path path, find_first_signer(data.der), "");
  const auto& elements = path.elements;
  SIGNCTL_TRY(Bytes rebuilt, with_attributes(elements.back(), attributes), "");
  for (std::size_t i = elements.size() - 1; i > 0; --i) {
    rebuilt = with_child(elements[i - 1], elements[i], rebuilt);
  }
  return rebuilt;
}

std::vector<Bytes> nested_in(const SignedData& data) {
  std::vector<Bytes> values;
  for (const Attribute* attribute : data.signers.front().find_unsigned(oid::kSpcNestedSignature)) {
    values.insert(values.end(), attribute->values.begin(), attribute->values.end());
  }
  return values;
}

Result<void> check_nestable(const SignedData& outer) {
  const SignerInfo& signer = outer.signers.front();
  SIGNCTL_CHECK(refuse_sealed(signer), "");
  if (!signer.find_signed(oid::kSpcIntentToSeal).empty()) {
    return Error{ErrorKind::unsupported,
                 "the first signature declares its intent to seal, so no signature can be added",
                 "remove the signatures and sign again"};
  }
  const std::size_t count = nested_in(outer).size();
  if (count >= kMaxNested) {
    return Error{ErrorKind::unsupported,
                 "the first signature already has " + std::to_string(count) +
                     " nested signatures, and " + std::to_string(kMaxNested) + " are the limit",
                 "use --if-signed replace"};
  }
  return ok();
}

}  // namespace

Bytes encode_attribute(std::string_view oid, const std::vector<Bytes>& values) {
  Bytes content;
  for (const auto& value : values) {
    content.insert(content.end(), value.begin(), value.end());
  }
  return der::sequence({der::oid(oid), der::tlv(der::kSet, content)});
}

Result<Bytes> with_unsigned_attribute(ByteView cms,
                                      std::string_view oid,
                                      const std::vector<Bytes>& values) {
  SIGNCTL_TRY(const SignedData data, parse_signed_data(cms), "reading the signature");
  SIGNCTL_CHECK(refuse_sealed(data.signers.front()), "");
  return edit(data, oid, values);
}

Result<void> check_nestable(ByteView primary) {
  SIGNCTL_TRY(const SignedData outer, parse_signed_data(primary), "reading the first signature");
  return check_nestable(outer);
}

Result<Bytes> with_nested_signature(ByteView primary, ByteView nested) {
  SIGNCTL_TRY(const SignedData outer, parse_signed_data(primary), "reading the first signature");
  SIGNCTL_TRY(const SignedData inner, parse_signed_data(nested), "reading the added signature");
  SIGNCTL_CHECK(check_nestable(outer), "");
  if (!inner.signers.front().find_unsigned(oid::kSpcNestedSignature).empty()) {
    return Error{ErrorKind::unsupported,
                 "the added signature has nested signatures itself; only one level is read"};
  }
  std::vector<Bytes> values = nested_in(outer);
  values.emplace_back(nested.begin(), nested.end());
  return edit(outer, oid::kSpcNestedSignature, values);
}

}  // namespace signctl::cms
