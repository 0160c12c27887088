// SPDX-License-Identifier: Apache-2.0
#include "config/config.hpp"
#include "config/tables.hpp"

#include <signctl/provider.hpp>

namespace signctl::config {
namespace {

std::string code(std::string_view text) {
  return text.empty() ? std::string() : "`" + std::string(text) + "`";
}

std::string choices_text(const KeySpec& spec) {
  std::string words;
  for (const std::string_view choice : spec.choices) {
    words += (words.empty() ? "" : ", ") + code(choice);
  }
  return words;
}

std::string type_text(const KeySpec& spec) {
  switch (spec.type) {
    case ValueType::text:
      return "text";
    case ValueType::text_list:
      return "text or list";
    case ValueType::text_map:
      return "names to texts";
    case ValueType::number_map:
      return "names to numbers";
    case ValueType::integer:
      return spec.min == spec.max ? code(std::to_string(spec.min))
                                  : std::to_string(spec.min) + " to " + std::to_string(spec.max);
    case ValueType::boolean:
      return "`true` or `false`";
    case ValueType::duration:
      return "duration";
    case ValueType::choice:
      return choices_text(spec);
    case ValueType::url_list:
      return "address or list";
    case ValueType::trust_list:
      return "`system`, `signer`, `file:PATH` or list";
    case ValueType::oid_list:
      return "OID or list";
    case ValueType::thumbprint:
      return "64 hex digits";
    case ValueType::section:
    case ValueType::section_list:
    case ValueType::signers:
      return "";
  }
  return "";
}

/// One row for a key; sections are flattened, so that a key is found by its whole name.
void add_rows(const Section& section, const std::string& path, std::string& out) {
  for (const KeySpec& spec : section.keys) {
    const std::string key =
        path.empty() ? std::string(spec.key) : path + "." + std::string(spec.key);
    if (spec.type == ValueType::section) {
      add_rows(*spec.section, key, out);
    } else if (spec.type == ValueType::section_list) {
      add_rows(*spec.section, key + "[]", out);
    } else if (spec.type == ValueType::signers) {
      out.append("| `").append(key).append(
          ".NAME.provider` | provider | *required* | Which backend makes signatures; the other "
          "keys "
          "below the name are its own |\n");
    } else {
      const std::string fallback = spec.need == Need::required ? "*required*" : code(spec.fallback);
      out.append("| `").append(key).append("` | ").append(type_text(spec)).append(" | ");
      out.append(fallback).append(" | ").append(spec.help).append(" |\n");
    }
  }
}

std::string_view kind_text(SettingKind kind) {
  switch (kind) {
    case SettingKind::text:
      return "text";
    case SettingKind::path:
      return "path";
    case SettingKind::secret:
      return "secret reference or list";
    case SettingKind::number:
      return "number";
  }
  return "";
}

void add_provider(const Provider& provider, std::string& out) {
  out += "\n### Provider `" + std::string(provider.name()) + "`\n\n" +
         std::string(provider.title()) + ".";
  for (const std::string_view alias : provider.aliases()) {
    out += " Also called " + code(alias) + ".";
  }
  out += "\n\n| key | value | environment | meaning |\n|---|---|---|---|\n";
  for (const SettingSpec& spec : provider.settings()) {
    out += "| " + code(spec.key) + (spec.required ? " *required*" : "") + " | " +
           std::string(kind_text(spec.kind)) + " | " + code(spec.environment) + " | " +
           std::string(spec.help) + " |\n";
  }
}

}  // namespace

std::string reference_markdown() {
  std::string out = "| key | value | default | meaning |\n|---|---|---|---|\n";
  add_rows(root_section(), "", out);
  for (const Provider* provider : builtin_providers()) {
    add_provider(*provider, out);
  }
  return out;
}

}  // namespace signctl::config
