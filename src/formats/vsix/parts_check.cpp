// SPDX-License-Identifier: Apache-2.0
#include "formats/vsix/parts_check.hpp"

#include "core/text.hpp"
#include "crypto/digest.hpp"
#include "formats/common/xml_signature.hpp"
#include "formats/vsix/names.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

namespace signctl::vsix {

namespace {

using xml::Element;
using xml::kDsig;

/// More findings of one kind say no more than their number.
constexpr std::size_t kMostOfAKind = 20;

class Check {
 public:
  Check(Package& package, std::vector<Finding>& findings)
      : package_(package), findings_(findings) {}

  Result<void> reference(const Element& reference);
  Result<void> completeness();

 private:
  void object(const std::string& id, std::string message);
  std::optional<std::size_t> find_part(const Element& reference, const std::string& uri);
  Result<std::optional<Bytes>> computed(std::size_t part,
                                        const Element& reference,
                                        DigestAlg alg,
                                        const std::string& name);
  Result<std::optional<Bytes>> computed_by_transform(std::size_t part,
                                                     const Element& transforms,
                                                     DigestAlg alg,
                                                     const std::string& name);
  Result<bool> only_leads_to_signatures(std::size_t part) const;

  Package& package_;
  std::vector<Finding>& findings_;
  std::set<std::size_t> covered_;
  std::map<std::string, std::size_t> counts_;
};

void Check::object(const std::string& id, std::string message) {
  const std::size_t count = ++counts_[id];
  if (count == kMostOfAKind) {
    message += "; there may be more of this kind";
  }
  if (count <= kMostOfAKind) {
    findings_.push_back({id, Severity::error, {}, std::move(message)});
  }
}

/// The part that `uri` means, with the content type that it says (OPC, 13.2.4.9).
std::optional<std::size_t> Check::find_part(const Element& reference, const std::string& uri) {
  constexpr std::string_view kQuery = "?ContentType=";
  const auto query = uri.find('?');
  const bool has_type =
      query != std::string::npos && std::string_view(uri).substr(query).starts_with(kQuery);
  if (uri.empty() || uri.front() != '/' || !has_type || reference.empty()) {
    object("vsix-reference", "\"" + printable(uri) + "\" is no reference to a part and its type");
    return std::nullopt;
  }
  const auto key = part_key(std::string_view(uri).substr(1, query - 1));
  const auto part = key ? package_.find(*key) : std::nullopt;
  if (!part) {
    object("vsix-part-missing",
           "the part " + printable(uri.substr(0, query)) + ", which was signed, is not there");
    return std::nullopt;
  }
  const std::string type = uri.substr(query + kQuery.size());
  if (to_lower(type) != to_lower(package_.parts()[*part].type)) {
    object("vsix-content-type",
           printable(package_.name_of(*part)) + " was signed as " + printable(type) +
               ", and is now " + printable(package_.parts()[*part].type));
  }
  if (!covered_.insert(*part).second) {
    object("vsix-reference", printable(package_.name_of(*part)) + " is referred to more than once");
    return std::nullopt;
  }
  return part;
}

Result<std::optional<Bytes>> Check::computed(std::size_t part,
                                             const Element& reference,
                                             DigestAlg alg,
                                             const std::string& name) {
  const auto transforms = reference.children(kDsig, "Transforms");
  if (!transforms.empty()) {
    return computed_by_transform(part, transforms.front(), alg, name);
  }
  SIGNCTL_TRY(Bytes digest, package_.digest(part, alg), "");
  return std::optional(std::move(digest));
}

/// Relationships of which only some are signed. Every one that is not must lead to signatures.
Result<std::optional<Bytes>> Check::computed_by_transform(std::size_t part,
                                                          const Element& transforms,
                                                          DigestAlg alg,
                                                          const std::string& name) {
  const auto steps = transforms.children();
  if (steps.size() != 2 || package_.parts()[part].type != kRelationshipsType ||
      steps[0].attribute("Algorithm") != std::string(kRelationshipTransform) ||
      steps[1].attribute("Algorithm") != std::string(xml::kInclusiveUri) ||
      !steps[1].children().empty()) {
    object("vsix-transform",
           name + " was signed by transforms that are not followed: only the relationships " +
               "transform of a relationships part, with canonicalization behind it, is");
    return std::optional<Bytes>{};
  }
  std::set<std::string> ids;
  std::set<std::string> types;
  for (const Element& one : steps[0].children()) {
    if (one.is(kSignatureNamespace, "RelationshipReference")) {
      ids.insert(one.attribute("SourceId").value_or(""));
    } else if (one.is(kSignatureNamespace, "RelationshipsGroupReference")) {
      types.insert(one.attribute("SourceType").value_or(""));
    }
  }
  SIGNCTL_TRY(const auto all, package_.read_relationships(part), "");
  std::vector<Relationship> selected;
  for (const Relationship& one : all) {
    if (ids.contains(one.id) || types.contains(one.type)) {
      selected.push_back(one);
    } else if (!one.is_of_signature()) {
      object("vsix-unsigned-relationship",
             "relationship " + printable(one.id) + " in " + name + " is not covered");
    }
  }
  return std::optional(crypto::hash(alg, transformed(std::move(selected))));
}

Result<void> Check::reference(const Element& reference) {
  const std::string uri = reference.attribute("URI").value_or("");
  const auto part = find_part(reference, uri);
  if (!part) {
    return ok();
  }
  const std::string name = printable(package_.name_of(*part));
  const auto method = reference.only(kDsig, "DigestMethod").attribute("Algorithm").value_or("");
  const auto alg = xml::digest_of_uri(method);
  if (!alg || reference.children(kDsig, "Transforms").size() > 1) {
    object("vsix-algorithm", name + " is hashed by " + printable(method) + ", which is not known");
    return ok();
  }
  if (!is_signing_digest(*alg)) {
    object(*alg == DigestAlg::sha1 ? "weak-digest" : "forbidden-digest",
           name + " is hashed with " + std::string(digest_name(*alg)));
  }
  SIGNCTL_TRY(const auto digest, computed(*part, reference, *alg, name), "hashing " + name);
  const Bytes claimed = xml::base64_of(reference.only(kDsig, "DigestValue"));
  if (digest && *digest != claimed) {
    object("digest-mismatch",
           name + " has been changed since it was signed: signed was " + to_hex(claimed) +
               ", there is " + to_hex(*digest));
  }
  return ok();
}

/// Whether a relationships part that is not covered says nothing that counts.
Result<bool> Check::only_leads_to_signatures(std::size_t part) const {
  SIGNCTL_TRY(const std::string root, part_key(kRootRelationshipsName), "");
  const auto& relationships = package_.root_relationships();
  return package_.parts()[part].key == root &&
         std::all_of(relationships.begin(), relationships.end(), [](const Relationship& one) {
           return one.is_of_signature();
         });
}

Result<void> Check::completeness() {
  for (std::size_t part = 0; part < package_.parts().size(); ++part) {
    if (covered_.contains(part) || package_.is_of_signature(part)) {
      continue;
    }
    SIGNCTL_TRY(const bool says_nothing, only_leads_to_signatures(part), "");
    if (!says_nothing) {
      object("vsix-unsigned-part",
             printable(package_.name_of(part)) + " is not covered by the signature");
    }
  }
  return ok();
}

}  // namespace

Result<void> check_parts(Package& package,
                         const Element& manifest,
                         std::vector<Finding>& findings) {
  Check check(package, findings);
  const auto references = manifest.children();
  for (const Element& one : references) {
    SIGNCTL_CHECK(check.reference(one.is(kDsig, "Reference") ? one : Element()), "");
  }
  return check.completeness();
}

}  // namespace signctl::vsix
