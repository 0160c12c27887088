// SPDX-License-Identifier: Apache-2.0
#include "formats/clickonce/structure.hpp"

#include "formats/clickonce/names.hpp"

#include <string>

namespace signctl::clickonce {

namespace {

using xml::Element;

/// Local names of the children, in order.
std::string child_names(const Element& element) {
  std::string all;
  for (const Element& child : element.children()) {
    all += (all.empty() ? "" : " ") + child.name();
  }
  return all;
}

/// The inner signature, which its own transform leaves out of what it covers.
bool is_plain_authenticode(const Element& inner) {
  std::string objects;
  for (const Element& object : inner.children(kDsig, "Object")) {
    if (child_names(object) != "Timestamp") {
      return false;
    }
    objects += " Object";
  }
  return child_names(inner) == "SignedInfo SignatureValue KeyInfo" + objects &&
         child_names(inner.only(kDsig, "KeyInfo")) == "KeyValue X509Data";
}

}  // namespace

bool has_plain_structure(const Element& outer, const Element& license) {
  const Element key_info = outer.only(kDsig, "KeyInfo");
  const Element issuer = license.only(kLicense, "issuer");
  return outer.attribute("Id") == "StrongNameSignature" &&
         child_names(outer) == "SignedInfo SignatureValue KeyInfo" &&
         child_names(key_info) == "KeyValue RelData" &&
         child_names(key_info.only(kRelData, "RelData")) == "license" &&
         child_names(license) == "grant issuer" && child_names(issuer) == "Signature" &&
         is_plain_authenticode(issuer.only(kDsig, "Signature"));
}

}  // namespace signctl::clickonce
