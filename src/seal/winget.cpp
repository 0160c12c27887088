// SPDX-License-Identifier: Apache-2.0
// Installer and singleton manifests of winget (its manifest schema, version 1).
#include "core/text.hpp"
#include "seal/tree.hpp"

namespace signctl::seal {

namespace {

class Winget final : public Dependent {
 public:
  [[nodiscard]] std::string_view name() const override { return "winget"; }
  [[nodiscard]] std::string_view title() const override { return "winget manifest"; }
  [[nodiscard]] bool recognises(std::string_view file_name, std::string_view text) const override {
    const std::string lower = to_lower(file_name);
    return (lower.ends_with(".yaml") || lower.ends_with(".yml")) &&
           text.find("PackageIdentifier:") != std::string_view::npos &&
           text.find("InstallerSha256:") != std::string_view::npos;
  }
  Result<std::vector<Slot>> read(std::string_view file_name, std::string_view text) const override;
};

Result<std::vector<Slot>> Winget::read(std::string_view, std::string_view text) const {
  SIGNCTL_TRY(const Tree tree, Tree::parse(text), "");
  const config::Node* installers = tree.root().find("Installers");
  if (installers == nullptr || installers->kind != config::NodeKind::sequence) {
    return malformed("it has no list of Installers");
  }
  std::vector<Slot> slots;
  for (const config::Node& installer : installers->items) {
    Slot slot;
    slot.target = name_in_url(text_of(installer, "InstallerUrl"));
    if (slot.target.empty()) {
      return malformed("line " + std::to_string(installer.line) +
                       ": an installer's InstallerUrl names no file");
    }
    slot.label = "InstallerSha256";
    SIGNCTL_CHECK(tree.add(installer.find("InstallerSha256"), slot, slots), "");
    slot.label = "SignatureSha256";
    slot.fact = Fact::signature_part;
    SIGNCTL_CHECK(tree.add(installer.find("SignatureSha256"), slot, slots), "");
  }
  return slots;
}

}  // namespace

const Dependent& winget_dependent() {
  static const Winget instance;
  return instance;
}

}  // namespace signctl::seal
