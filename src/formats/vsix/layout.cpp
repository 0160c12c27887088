// SPDX-License-Identifier: Apache-2.0
#include "formats/vsix/layout.hpp"

#include "formats/vsix/names.hpp"

#include <algorithm>
#include <utility>

namespace signctl::vsix {

namespace {

constexpr std::string_view kRelationshipsExtension = "rels";
constexpr std::string_view kOriginExtension = "psdor";
constexpr std::string_view kSignatureExtension = "psdsxs";
constexpr std::string_view kCertificateExtension = "cer";

/// Everything that a signature brought, origin included.
std::set<std::size_t> parts_of_signatures(const Package& package) {
  std::set<std::size_t> parts;
  for (std::size_t i = 0; i < package.parts().size(); ++i) {
    if (package.is_of_signature(i) || package.parts()[i].type == kOriginType ||
        package.parts()[i].type == kSignatureType) {
      parts.insert(i);
    }
  }
  return parts;
}

/// Whether a part other than the dropped ones has that extension.
bool is_needed(const Package& package,
               const std::set<std::size_t>& dropped,
               std::string_view extension) {
  for (std::size_t i = 0; i < package.parts().size(); ++i) {
    if (!dropped.contains(i) && extension_of_key(package.parts()[i].key) == extension) {
      return true;
    }
  }
  return false;
}

void drop_types(const Package& package, Layout& layout) {
  if (layout.dropped.empty()) {
    return;
  }
  for (const std::size_t part : layout.dropped) {
    layout.types.drop_override(package.parts()[part].key);
  }
  const std::pair<std::string_view, std::string_view> kinds[] = {
      {kOriginExtension, kOriginType},
      {kSignatureExtension, kSignatureType},
      {kCertificateExtension, kCertificateType},
      {kRelationshipsExtension, kRelationshipsType}};
  for (const auto& [extension, type] : kinds) {
    if (!is_needed(package, layout.dropped, extension)) {
      layout.types.drop_default(extension, type);
    }
  }
}

}  // namespace

Result<Layout> unsigned_layout(const Package& package) {
  Layout layout;
  layout.dropped = parts_of_signatures(package);
  layout.types = package.types();
  SIGNCTL_TRY(const std::string root_key, part_key(kRootRelationshipsName), "");
  layout.root = package.find(root_key);
  std::vector<Relationship> left = package.root_relationships();
  std::erase_if(left, [](const Relationship& one) { return one.is_of_signature(); });
  if (layout.root && left.size() != package.root_relationships().size()) {
    if (left.empty()) {
      layout.dropped.insert(*layout.root);
      layout.root.reset();
    } else {
      layout.root_text = relationships_text(left);
    }
  }
  drop_types(package, layout);
  return layout;
}

Result<Layout> signed_layout(const Package& package, const std::string& signature_name) {
  SIGNCTL_TRY(Layout layout, unsigned_layout(package), "");
  layout.signature_name = signature_name;
  const std::string origin_uri = part_uri(kOriginName);
  const std::string signature_uri = part_uri(signature_name);

  std::vector<Relationship> root = package.root_relationships();
  std::erase_if(root, [](const Relationship& one) { return one.is_of_signature(); });
  root.push_back({new_id(root, origin_uri), std::string(kOriginRelationship), origin_uri, {}});
  SIGNCTL_TRY(const std::string root_key, part_key(kRootRelationshipsName), "");
  layout.root = package.find(root_key);
  if (layout.root) {
    layout.dropped.erase(*layout.root);
    layout.root_text = relationships_text(root);
  } else {
    layout.added.push_back({std::string(kRootRelationshipsName), relationships_text(root)});
  }
  const std::vector<Relationship> of_origin{
      {new_id({}, signature_uri), std::string(kSignatureRelationship), signature_uri, {}}};
  layout.added.push_back({std::string(kOriginName), {}});
  layout.added.push_back({relationships_name(kOriginName), relationships_text(of_origin)});

  layout.types.set(part_uri(kRootRelationshipsName), kRelationshipsType);
  layout.types.set(part_uri(relationships_name(kOriginName)), kRelationshipsType);
  layout.types.set(origin_uri, kOriginType);
  layout.types.set(signature_uri, kSignatureType);
  return layout;
}

void apply(const Layout& layout, const Package& package, zip::Edit& edit) {
  for (const std::size_t part : layout.dropped) {
    edit.drop(package.parts()[part].entry);
  }
  if (layout.root && layout.root_text) {
    edit.replace(package.parts()[*layout.root].entry, zip::deflate(*layout.root_text));
  }
  if (layout.types != package.types()) {
    edit.replace(package.types_entry(), zip::deflate(layout.types.text()));
  }
  for (const NewPart& part : layout.added) {
    edit.append(part.name, part.bytes.empty() ? zip::store(part.bytes) : zip::deflate(part.bytes));
  }
}

}  // namespace signctl::vsix
