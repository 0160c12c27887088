// SPDX-License-Identifier: Apache-2.0
#include "config/config.hpp"
#include "config/tables.hpp"

#include <signctl/provider.hpp>

#include <nlohmann/json.hpp>

namespace signctl::config {
namespace {

using Json = nlohmann::ordered_json;

// YAML turns bare words into numbers and truth values; where we read text, they are text.
Json any_text() {
  return Json{{"type", Json::array({"string", "number", "boolean"})}, {"minLength", 1}};
}

Json matching(std::string_view pattern) {
  return Json{{"type", "string"}, {"pattern", pattern}};
}

/// One, or a list of at least one.
Json one_or_more(const Json& item) {
  return Json{
      {"anyOf", Json::array({item, Json{{"type", "array"}, {"items", item}, {"minItems", 1}}})}};
}

Json section_schema(const Section& section);

/// What may stand below `signers.NAME` when the provider is one of this build.
Json provider_schema(const Provider& provider) {
  Json properties{{"provider", true}};
  for (const SettingSpec& spec : provider.settings()) {
    Json setting;
    switch (spec.kind) {
      case SettingKind::text:
      case SettingKind::path:
        setting = any_text();
        break;
      case SettingKind::secret:
        setting = one_or_more(matching(kSecretPattern));
        break;
      case SettingKind::number:
        setting = Json{{"type", "integer"}, {"minimum", 0}, {"maximum", 999'999'999}};
        break;
    }
    setting["description"] = spec.help;
    properties[std::string(spec.key)] = std::move(setting);
  }
  return Json{{"properties", std::move(properties)}, {"additionalProperties", false}};
}

Json when_provider(const Json& names, Json then) {
  return Json{{"if", {{"properties", {{"provider", {{"enum", names}}}}}}},
              {"then", std::move(then)}};
}

Json signer_schema() {
  Json rules = Json::array();
  for (const Provider* provider : builtin_providers()) {
    Json names = Json::array({provider->name()});
    for (const std::string_view alias : provider->aliases()) {
      names.push_back(alias);
    }
    rules.push_back(when_provider(names, provider_schema(*provider)));
  }
  return Json{{"type", "object"},
              {"required", Json::array({"provider"})},
              {"properties",
               {{"provider",
                 {{"enum", provider_names()}, {"description", "Which backend makes signatures"}}}}},
              {"allOf", std::move(rules)}};
}

Json integer_schema(const KeySpec& spec) {
  if (spec.min == spec.max) {
    return Json{{"const", spec.min}};
  }
  return Json{{"type", "integer"}, {"minimum", spec.min}, {"maximum", spec.max}};
}

Json value_schema(const KeySpec& spec) {
  switch (spec.type) {
    case ValueType::text:
      return any_text();
    case ValueType::text_list:
      return one_or_more(any_text());
    case ValueType::text_map:
      return Json{{"type", "object"}, {"additionalProperties", any_text()}, {"minProperties", 1}};
    case ValueType::number_map:
      return Json{
          {"type", "object"}, {"additionalProperties", integer_schema(spec)}, {"minProperties", 1}};
    case ValueType::integer:
      return integer_schema(spec);
    case ValueType::boolean:
      return Json{{"type", "boolean"}};
    case ValueType::duration:
      return matching(kDurationPattern);
    case ValueType::choice:
      return Json{{"enum", spec.choices}};
    case ValueType::url_list:
      return one_or_more(matching(kUrlPattern));
    case ValueType::trust_list:
      return one_or_more(matching(kTrustPattern));
    case ValueType::oid_list:
      return one_or_more(matching(kOidPattern));
    case ValueType::thumbprint:
      return matching(kThumbprintPattern);
    case ValueType::section:
      return section_schema(*spec.section);
    case ValueType::section_list:
      return Json{{"type", "array"}, {"items", section_schema(*spec.section)}};
    case ValueType::signers:
      return Json{{"type", "object"},
                  {"propertyNames", matching(kSignerNamePattern)},
                  {"additionalProperties", signer_schema()}};
  }
  return {};
}

/// A fallback as the JSON value it stands for.
Json default_of(const KeySpec& spec) {
  if (spec.type == ValueType::integer || spec.type == ValueType::boolean) {
    return Json::parse(spec.fallback);
  }
  if (spec.fallback.starts_with('[')) {
    return Json::array({spec.fallback.substr(1, spec.fallback.size() - 2)});
  }
  return spec.fallback;
}

Json section_schema(const Section& section) {
  Json properties = Json::object();
  Json required = Json::array();
  for (const KeySpec& spec : section.keys) {
    Json value = value_schema(spec);
    if (!spec.help.empty()) {
      value["description"] = spec.help;
    }
    if (!spec.fallback.empty()) {
      value["default"] = default_of(spec);
    }
    properties[std::string(spec.key)] = std::move(value);
    if (spec.need == Need::required) {
      required.push_back(spec.key);
    }
  }
  Json schema{{"type", "object"}};
  if (!required.empty()) {
    schema["required"] = std::move(required);
  }
  schema["properties"] = std::move(properties);
  schema["additionalProperties"] = false;
  return schema;
}

}  // namespace

std::string json_schema() {
  Json schema{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
              {"title", "signctl.yaml"},
              {"description", "Configuration of signctl, version 1"}};
  schema.update(section_schema(root_section()));
  constexpr int kIndent = 2;
  return schema.dump(kIndent) + "\n";
}

}  // namespace signctl::config
