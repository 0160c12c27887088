// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/node.hpp"

#include <string>

#include <nlohmann/json.hpp>

namespace signctl::test {

/// What a JSON Schema validator sees of a YAML document: the core schema of YAML 1.2, 10.3.2.
nlohmann::json to_json(const config::Node& node);

/// Where and why `value` is not valid against `schema`, or the empty string. Knows the keywords of
/// JSON Schema 2020-12 that our schema uses, and throws on any other, so that none goes unchecked.
std::string schema_violation(const nlohmann::json& schema,
                             const nlohmann::json& value,
                             const std::string& path = "");

}  // namespace signctl::test
