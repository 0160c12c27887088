// SPDX-License-Identifier: Apache-2.0
#include "config/config.hpp"
#include "config/tables.hpp"

#include <signctl/provider.hpp>

#include <algorithm>

namespace signctl::config {
namespace {

/// A comment, broken at blanks so that no line is longer than 100 characters.
void add_comment(std::string_view indent, std::string_view text, std::string& out) {
  constexpr std::size_t kWidth = 98;
  while (!text.empty()) {
    const std::size_t room = kWidth - indent.size();
    const std::size_t blank = text.size() > room ? text.rfind(' ', room) : text.size();
    const std::string_view line = text.substr(0, blank);
    out.append(indent).append("# ").append(line).append("\n");
    text.remove_prefix(std::min(text.size(), line.size() + 1));
  }
}

/// "    key: example" with the help as a comment above it; what need not be set is commented out.
void add_setting(const SettingSpec& spec, bool active, std::string& out) {
  add_comment("    ",
              std::string(spec.help) +
                  (spec.environment.empty() ? "" : " (or " + std::string(spec.environment) + ")"),
              out);
  out.append(active ? "    " : "    # ").append(spec.key).append(": ").append(spec.example);
  out += "\n";
}

/// The settings that the starter sets: the required ones, or else the first. The rest is there as
/// comments.
bool is_active(const Provider& provider, const SettingSpec& spec) {
  const auto settings = provider.settings();
  const bool any_required = std::ranges::any_of(settings, &SettingSpec::required);
  return any_required ? spec.required : &spec == &settings.front();
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
    add_comment(indent, spec->help, out);
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

void add_gate(const Provider& provider, std::string& out) {
  const Section& gate = section_of("gate");
  out += "\n# Every signed file must pass this before it appears under its name.\ngate:\n";
  const Block block{gate, "  ", out};
  block.add("timestamp");
  // A key in a file is a test certificate's; only services have publicly trusted ones.
  out += provider.name() == "pfx" ? "  # The test certificate itself is trusted, beside the "
                                    "timestamp server's root; a release "
                                    "says [system].\n"
                                    "  trust: [system, signer]\n"
                                  : "  # Where chains may end.\n  trust: [system]\n";
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
  add_gate(*chosen, out);
  return out;
}

}  // namespace signctl::config
