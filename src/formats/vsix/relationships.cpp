// SPDX-License-Identifier: Apache-2.0
#include "formats/vsix/relationships.hpp"

#include "core/text.hpp"
#include "crypto/digest.hpp"
#include "formats/common/xml.hpp"
#include "formats/vsix/names.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace signctl::vsix {

namespace {

Result<Relationship> read_one(const xml::Element& element) {
  if (!element.is(kRelationshipsNamespace, "Relationship")) {
    return Error{ErrorKind::input, "there is something else than Relationship elements"};
  }
  Relationship one;
  for (const auto& [name, value] : element.attributes()) {
    if (name == "Id") {
      one.id = value;
    } else if (name == "Type") {
      one.type = value;
    } else if (name == "Target") {
      one.target = value;
    } else if (name == "TargetMode" && (value == "Internal" || value == "External")) {
      one.mode = value;
    } else {
      return Error{
          ErrorKind::input,
          "a relationship has attribute " + printable(name) + "=\"" + printable(value) + "\""};
    }
  }
  if (one.id.empty() || one.type.empty() || one.target.empty()) {
    return Error{ErrorKind::input, "a relationship has no Id, no Type or no Target"};
  }
  return one;
}

std::string attribute(std::string_view name, const std::string& value) {
  return " " + std::string(name) + "=\"" + xml::escape_attribute(value) + "\"";
}

}  // namespace

bool Relationship::is_of_signature() const {
  return mode != "External" && (type == kOriginRelationship || type == kSignatureRelationship ||
                                type == kCertificateRelationship);
}

Result<std::vector<Relationship>> parse_relationships(ByteView xml) {
  SIGNCTL_TRY(const auto document, xml::Document::parse(xml), "");
  if (!document.root().is(kRelationshipsNamespace, "Relationships")) {
    return Error{ErrorKind::input, "there is no Relationships element"};
  }
  std::vector<Relationship> relationships;
  std::set<std::string> ids;
  for (const xml::Element& element : document.root().children()) {
    SIGNCTL_TRY(Relationship one, read_one(element), "");
    if (!ids.insert(one.id).second) {
      return Error{ErrorKind::input, "two relationships have the Id " + printable(one.id)};
    }
    relationships.push_back(std::move(one));
  }
  return relationships;
}

Bytes relationships_text(const std::vector<Relationship>& relationships) {
  std::string text = "<?xml version=\"1.0\" encoding=\"utf-8\"?><Relationships xmlns=\"" +
                     std::string(kRelationshipsNamespace) + "\">";
  for (const Relationship& one : relationships) {
    text += "<Relationship" + attribute("Target", one.target) + attribute("Id", one.id) +
            attribute("Type", one.type) +
            (one.mode.empty() ? std::string() : attribute("TargetMode", one.mode)) + " />";
  }
  text += "</Relationships>";
  return {text.begin(), text.end()};
}

Bytes transformed(std::vector<Relationship> selected) {
  std::sort(selected.begin(), selected.end(), [](const Relationship& a, const Relationship& b) {
    return a.id < b.id;
  });
  std::string text = "<Relationships xmlns=\"" + std::string(kRelationshipsNamespace) + "\">";
  for (const Relationship& one : selected) {
    text += "<Relationship" + attribute("Id", one.id) + attribute("Target", one.target) +
            attribute("TargetMode", one.mode.empty() ? "Internal" : one.mode) +
            attribute("Type", one.type) + "></Relationship>";
  }
  text += "</Relationships>";
  return {text.begin(), text.end()};
}

std::string new_id(const std::vector<Relationship>& relationships, std::string_view target) {
  const auto is_taken = [&](const std::string& id) {
    return std::any_of(relationships.begin(), relationships.end(), [&](const Relationship& one) {
      return one.id == id;
    });
  };
  std::string seed(target);
  while (true) {
    constexpr std::size_t kOctets = 4;
    std::string id =
        "R" + to_hex(ByteView(crypto::hash(DigestAlg::sha256, as_bytes(seed))).first(kOctets));
    if (!is_taken(id)) {
      return id;
    }
    seed = id;
  }
}

}  // namespace signctl::vsix
