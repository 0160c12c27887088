// SPDX-License-Identifier: Apache-2.0
#include "config/config.hpp"
#include "config/tables.hpp"

#include <signctl/provider.hpp>

#include <algorithm>

namespace signctl::config {
namespace {

/// "    key: example" with the help as a comment above it; what need not be set is commented out.
void add_setting(const SettingSpec& spec, bool active, std::string& out) {
  const std::string mark = active ? "    " : "    # ";
  out += "    # " + std::string(spec.help) +
         (spec.environment.empty() ? "" : " (or " + std::string(spec.environment) + ")") + "\n";
  out += mark + std::string(spec.key) + ": " + std::string(spec.example) + "\n";
}

/// The settings that the starter sets: the required ones, or the first and every secret, which is
/// how a provider is most often used.
bool is_active(const Provider& provider, const SettingSpec& spec) {
  const auto settings = provider.settings();
  const bool any_required = std::ranges::any_of(settings, &SettingSpec::required);
  return any_required ? spec.required
                      : &spec == &settings.front() || spec.kind == SettingKind::secret;
}

/// Where keys of a section go, and how far in.
struct Block {
  const Section& section;
  std::string_view indent;
  std::string& out;

  void add(std::string_view key, std::string_view mark = "") const {
    const KeySpec* spec = section.find(key);
    if (spec == nullptr) {
      return;
    }
    const std::string_view value = spec->example.empty() ? spec->fallback : spec->example;
    out.append(indent).append("# ").append(spec->help).append("\n");
    out.append(indent).append(mark).append(key).append(": ").append(value).append("\n");
  }
  void add_commented(std::string_view key) const { add(key, "# "); }
};

const Section& section_of(std::string_view key, const Section& parent = root_section()) {
  const KeySpec* spec = parent.find(key);
  return spec == nullptr || spec->section == nullptr ? root_section() : *spec->section;
}

void add_signers(const Provider& provider, const std::string& name, std::string& out) {
  out += "\nsigners:\n  " + name + ":\n    provider: " + std::string(provider.name()) + "\n";
  for (const SettingSpec& spec : provider.settings()) {
    add_setting(spec, is_active(provider, spec), out);
  }
}

void add_sign(const std::string& signer, std::string& out) {
  const Block sign{section_of("sign"), "  ", out};
  out += "\nsign:\n  signer: " + signer + "\n";
  sign.add_commented("description");
  sign.add_commented("url");
  sign.add_commented("if-signed");
  out += "  timestamp:\n";
  Block{section_of("timestamp", sign.section), "    ", out}.add("servers");
  sign.add_commented("jobs");
}

void add_steps(std::string& out) {
  out +=
      "\n# In order: what is inside a package comes before the package.\nsteps:\n  - name: "
      "binaries\n";
  const Block step{section_of("steps"), "    ", out};
  step.add("files");
  step.add_commented("exclude");
}

void add_gate(std::string& out) {
  const Section& gate = section_of("gate");
  out += "\n# Every signed file must pass this before it appears under its name.\ngate:\n";
  const Block block{gate, "  ", out};
  block.add("timestamp");
  block.add_commented("trust");
  out += "  # identity:\n";
  Block{section_of("identity", gate), "    ", out}.add_commented("subject");
}

}  // namespace

std::string starter_yaml(std::string_view provider) {
  const Provider* chosen = find_provider(provider);
  if (chosen == nullptr) {
    return {};
  }
  const std::string name = chosen->name() == "pfx" ? "dev" : "release";
  std::string out =
      "# signctl configuration. Every key: docs/config.md, or `signctl config schema`.\n"
      "version: 1\n";
  add_signers(*chosen, name, out);
  add_sign(name, out);
  add_steps(out);
  add_gate(out);
  return out;
}

}  // namespace signctl::config
