// SPDX-License-Identifier: Apache-2.0
#include "formats/vsix/content_types.hpp"

#include "core/text.hpp"
#include "formats/common/xml.hpp"
#include "formats/vsix/names.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace signctl::vsix {

namespace {

Error malformed(const std::string& what) {
  return {ErrorKind::input, std::string(kContentTypesName) + " " + what};
}

}  // namespace

std::string_view extension_of_key(std::string_view part_key) {
  const std::string_view name = part_key.substr(part_key.rfind('/') + 1);
  const auto dot = name.rfind('.');
  return dot == std::string_view::npos ? std::string_view() : name.substr(dot + 1);
}

Result<ContentTypes> ContentTypes::parse(ByteView xml) {
  SIGNCTL_TRY(const auto document, xml::Document::parse(xml), std::string(kContentTypesName));
  if (!document.root().is(kTypesNamespace, "Types")) {
    return malformed("has no Types element");
  }
  ContentTypes types;
  std::set<std::pair<bool, std::string>> seen;
  for (const xml::Element& one : document.root().children()) {
    const bool is_override = one.is(kTypesNamespace, "Override");
    const auto name = one.attribute(is_override ? "PartName" : "Extension");
    const auto type = one.attribute("ContentType");
    if ((!is_override && !one.is(kTypesNamespace, "Default")) || !name || !type || name->empty() ||
        (is_override && name->front() != '/')) {
      return malformed("has something else than Default and Override elements");
    }
    std::string key = to_lower(*name);
    if (is_override) {
      SIGNCTL_TRY(key, part_key(std::string_view(*name).substr(1)), std::string(kContentTypesName));
    }
    if (!seen.emplace(is_override, key).second) {
      return malformed("says two things of " + printable(*name));
    }
    types.rules_.push_back({is_override, *name, std::move(key), *type});
  }
  return types;
}

const ContentTypes::Rule* ContentTypes::find(bool is_override, std::string_view key) const {
  const auto found = std::find_if(rules_.begin(), rules_.end(), [&](const Rule& rule) {
    return rule.is_override == is_override && rule.key == key;
  });
  return found == rules_.end() ? nullptr : &*found;
}

std::string ContentTypes::type_of(std::string_view part_key) const {
  const Rule* rule = find(true, part_key);
  if (rule == nullptr) {
    rule = find(false, extension_of_key(part_key));
  }
  return rule == nullptr ? std::string() : rule->type;
}

void ContentTypes::set(const std::string& part_uri, std::string_view type) {
  const std::string key = to_lower(part_uri);
  if (type_of(key) == type) {
    return;
  }
  const std::string extension(extension_of_key(key));
  if (find(false, extension) == nullptr && find(true, key) == nullptr) {
    rules_.push_back({false, extension, extension, std::string(type)});
    return;
  }
  drop_override(key);
  rules_.push_back({true, part_uri, key, std::string(type)});
}

void ContentTypes::drop_override(std::string_view part_key) {
  std::erase_if(rules_, [&](const Rule& rule) { return rule.is_override && rule.key == part_key; });
}

void ContentTypes::drop_default(std::string_view extension, std::string_view type) {
  std::erase_if(rules_, [&](const Rule& rule) {
    return !rule.is_override && rule.key == extension && rule.type == type;
  });
}

Bytes ContentTypes::text() const {
  std::string text = "<?xml version=\"1.0\" encoding=\"utf-8\"?><Types xmlns=\"" +
                     std::string(kTypesNamespace) + "\">";
  for (const Rule& rule : rules_) {
    text += rule.is_override ? "<Override PartName=\"" : "<Default Extension=\"";
    text += xml::escape_attribute(rule.name) + "\" ContentType=\"" +
            xml::escape_attribute(rule.type) + "\" />";
  }
  text += "</Types>";
  return {text.begin(), text.end()};
}

}  // namespace signctl::vsix
