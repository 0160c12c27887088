// SPDX-License-Identifier: Apache-2.0
#include "formats/vsix/structure.hpp"

#include "formats/common/xml_signature.hpp"
#include "formats/vsix/names.hpp"

#include <algorithm>
#include <set>

namespace signctl::vsix {

namespace {

using xml::Element;
using xml::kDsig;

/// Counts Signature elements and sees Ids. The depth of a document is limited by its reader.
struct Census {
  std::size_t signatures{0};
  std::set<std::string> ids;
  bool has_twins{false};

  void take(const Element& element) {
    signatures += element.is(kDsig, "Signature") ? 1U : 0U;
    for (const auto& [name, value] : element.attributes()) {
      const bool is_id = name == "Id" || name == "ID" || name == "id";
      has_twins = has_twins || (is_id && !ids.insert(value).second);
    }
    for (const Element& child : element.children()) {
      take(child);
    }
  }
};

/// Local names of the children that are of XML-DSig, "?" for others.
std::string child_names(const Element& element) {
  std::string names;
  for (const Element& child : element.children()) {
    names += (names.empty() ? "" : " ") +
             (child.namespace_uri() == kDsig ? child.name() : std::string("?"));
  }
  return names;
}

/// KeyInfo is not covered, so that nothing else may be in it.
bool is_plain(const Element& key_info) {
  const auto parts = key_info.children();
  return std::all_of(parts.begin(), parts.end(), [](const Element& part) {
    const auto inner = part.children();
    return part.is(kDsig, "KeyValue") ||
           (part.is(kDsig, "X509Data") &&
            std::all_of(inner.begin(), inner.end(), [](const Element& one) {
              return one.is(kDsig, "X509Certificate");
            }));
  });
}

/// A timestamp is over the signature value and not covered itself; nothing else may be with it.
Element token_in(const Element& object) {
  const Element stamp = object.only(kSignatureNamespace, "TimeStamp");
  const bool is_plain =
      object.children().size() == 1 && !object.attribute("Id") && stamp.children().size() <= 2 &&
      stamp.children(kSignatureNamespace, "Comment").size() + 1 == stamp.children().size();
  return is_plain ? stamp.only(kSignatureNamespace, "EncodedTime") : Element();
}

void read_objects(const Element& root, Structure& found) {
  const std::string wanted = found.reference.attribute("URI").value_or("");
  for (const Element& object : root.children(kDsig, "Object")) {
    const auto id = object.attribute("Id");
    if (id && !id->empty() && wanted == "#" + *id) {
      found.object = object;
      continue;
    }
    const Element token = token_in(object);
    if (token.empty() || !found.token.empty()) {
      found.problem = "an Object is neither what is signed nor the timestamp";
      return;
    }
    found.token = token;
  }
  if (found.object.empty()) {
    found.problem = "the signature does not refer to an Object within it";
  } else if (child_names(found.object) != "Manifest SignatureProperties" ||
             found.reference.attribute("Type") != std::string(kDsig) + "Object") {
    found.problem = "what is signed is not one Manifest with its SignatureProperties";
  }
  found.manifest = found.object.only(kDsig, "Manifest");
}

}  // namespace

Structure read_structure(const Element& root) {
  Structure found;
  Census census;
  census.take(root);
  std::string objects;
  for (std::size_t i = root.children(kDsig, "Object").size(); i > 0; --i) {
    objects += " Object";
  }
  found.signed_info = root.only(kDsig, "SignedInfo");
  found.reference = found.signed_info.only(kDsig, "Reference");
  found.value = root.only(kDsig, "SignatureValue");
  found.key_info = root.only(kDsig, "KeyInfo");
  if (!root.is(kDsig, "Signature") || census.signatures != 1) {
    found.problem = "there is not exactly one Signature element";
  } else if (census.has_twins) {
    found.problem = "two elements have the same Id";
  } else if (child_names(root) != "SignedInfo SignatureValue KeyInfo" + objects &&
             child_names(root) != "SignedInfo SignatureValue" + objects) {
    found.problem = "there are other elements than those of a signature";
  } else if (child_names(found.signed_info) != "CanonicalizationMethod SignatureMethod Reference") {
    found.problem = "SignedInfo does not hold exactly one Reference";
  } else if (!is_plain(found.key_info)) {
    found.problem = "KeyInfo holds something else than certificates and a key";
  } else {
    read_objects(root, found);
  }
  return found;
}

}  // namespace signctl::vsix
