// SPDX-License-Identifier: Apache-2.0
#include "schema_check.hpp"

#include <regex>
#include <set>
#include <stdexcept>

namespace signctl::test {

using nlohmann::json;

json to_json(const config::Node& node) {
  switch (node.kind) {
    case config::NodeKind::null:
      return nullptr;
    case config::NodeKind::sequence: {
      json result = json::array();
      for (const config::Node& item : node.items) {
        result.push_back(to_json(item));
      }
      return result;
    }
    case config::NodeKind::mapping: {
      json result = json::object();
      for (const config::Entry& entry : node.entries) {
        result[entry.key] = to_json(entry.value);
      }
      return result;
    }
    case config::NodeKind::scalar:
      break;
  }
  static const std::regex integer("[-+]?[0-9]{1,15}");
  static const std::regex real("[-+]?(\\.[0-9]+|[0-9]+(\\.[0-9]*)?)([eE][-+]?[0-9]+)?");
  if (node.quoting == config::Quoting::quoted) {
    return node.text;
  }
  if (node.text == "true" || node.text == "false") {
    return node.text == "true";
  }
  if (std::regex_match(node.text, integer)) {
    return std::stoll(node.text);
  }
  if (std::regex_match(node.text, real)) {
    return std::stod(node.text);
  }
  return node.text;
}

namespace {

bool has_type(const json& value, const std::string& type) {
  return (type == "object" && value.is_object()) || (type == "array" && value.is_array()) ||
         (type == "string" && value.is_string()) || (type == "boolean" && value.is_boolean()) ||
         (type == "integer" && value.is_number_integer()) ||
         (type == "number" && value.is_number()) || (type == "null" && value.is_null());
}

bool has_any_type(const json& value, const json& types) {
  if (types.is_string()) {
    return has_type(value, types.get<std::string>());
  }
  for (const json& type : types) {
    if (has_type(value, type.get<std::string>())) {
      return true;
    }
  }
  return false;
}

bool matches(const json& value, const json& pattern) {
  return !value.is_string() ||
         std::regex_search(value.get<std::string>(), std::regex(pattern.get<std::string>()));
}

bool is_valid(const json& schema, const json& value) {
  return schema_violation(schema, value).empty();
}

std::string check_object(const json& schema, const json& value, const std::string& path) {
  if (value.size() < schema.value("minProperties", std::size_t{0})) {
    return path + ": too few properties";
  }
  for (const json& key : schema.value("required", json::array())) {
    if (!value.contains(key.get<std::string>())) {
      return path + ": lacks " + key.dump();
    }
  }
  const json properties = schema.value("properties", json::object());
  for (const auto& [key, inner] : value.items()) {
    if (schema.contains("propertyNames") && !is_valid(schema["propertyNames"], json(key))) {
      return path + ": the name " + key;
    }
    const json rule = properties.contains(key) ? properties[key]
                                               : schema.value("additionalProperties", json(true));
    if (auto violation = schema_violation(rule, inner, path + "/" + key); !violation.empty()) {
      return violation;
    }
  }
  return "";
}

std::string check_array(const json& schema, const json& value, const std::string& path) {
  if (value.size() < schema.value("minItems", std::size_t{0})) {
    return path + ": too few items";
  }
  for (std::size_t i = 0; i < value.size() && schema.contains("items"); ++i) {
    auto violation = schema_violation(schema["items"], value[i], path + "/" + std::to_string(i));
    if (!violation.empty()) {
      return violation;
    }
  }
  return "";
}

std::string check_scalar(const json& schema, const json& value, const std::string& path) {
  if (schema.contains("type") && !has_any_type(value, schema["type"])) {
    return path + ": is not of type " + schema["type"].dump();
  }
  if (schema.contains("const") && value != schema["const"]) {
    return path + ": is not " + schema["const"].dump();
  }
  if (schema.contains("enum")) {
    const json& choices = schema["enum"];
    if (std::find(choices.begin(), choices.end(), value) == choices.end()) {
      return path + ": is not one of " + choices.dump();
    }
  }
  if (schema.contains("pattern") && !matches(value, schema["pattern"])) {
    return path + ": does not match " + schema["pattern"].dump();
  }
  if (value.is_string() && value.get<std::string>().size() < schema.value("minLength", 0U)) {
    return path + ": is too short";
  }
  if (value.is_number() && ((schema.contains("minimum") && value < schema["minimum"]) ||
                            (schema.contains("maximum") && value > schema["maximum"]))) {
    return path + ": is out of range";
  }
  return "";
}

std::string check_combination(const json& schema, const json& value, const std::string& path) {
  bool any = !schema.contains("anyOf");
  for (const json& branch : schema.value("anyOf", json::array())) {
    any = any || is_valid(branch, value);
  }
  if (!any) {
    return path + ": matches no alternative";
  }
  for (const json& branch : schema.value("allOf", json::array())) {
    if (auto violation = schema_violation(branch, value, path); !violation.empty()) {
      return violation;
    }
  }
  if (schema.contains("if") && is_valid(schema["if"], value)) {
    return schema_violation(schema["then"], value, path);
  }
  return "";
}

}  // namespace

std::string schema_violation(const json& schema, const json& value, const std::string& path) {
  if (schema.is_boolean()) {
    return schema.get<bool>() ? "" : path + ": is not allowed";
  }
  static const std::set<std::string> known{"$schema",    "title",         "description",
                                           "default",    "type",          "const",
                                           "enum",       "pattern",       "minLength",
                                           "minimum",    "maximum",       "required",
                                           "properties", "items",         "minItems",
                                           "allOf",      "minProperties", "additionalProperties",
                                           "anyOf",      "propertyNames", "if",
                                           "then"};
  for (const auto& [keyword, ignored] : schema.items()) {
    if (!known.contains(keyword)) {
      throw std::runtime_error("the test's validator does not know " + keyword);
    }
  }
  std::string violation = check_scalar(schema, value, path);
  if (violation.empty()) {
    violation = check_combination(schema, value, path);
  }
  if (violation.empty() && value.is_object()) {
    violation = check_object(schema, value, path);
  }
  if (violation.empty() && value.is_array()) {
    violation = check_array(schema, value, path);
  }
  return violation;
}

}  // namespace signctl::test
