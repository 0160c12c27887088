// SPDX-License-Identifier: Apache-2.0
// Installer and singleton manifests of winget (its manifest schema, version 1).
#include "core/text.hpp"
#include "seal/tree.hpp"

#include <algorithm>
#include <utility>

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

/// Hashes of files as they are once installed.
Result<void> read_installed(const Tree& tree, const config::Node& node, std::vector<Slot>& slots) {
  const config::Node* metadata = node.find("InstallationMetadata");
  const config::Node* files = metadata == nullptr ? nullptr : metadata->find("Files");
  for (const config::Node& file : items_of(files)) {
    const config::Node* hash = said(file.find("FileSha256"));
    if (hash == nullptr) {
      continue;
    }
    std::string path = text_of(file, "RelativeFilePath");
    std::replace(path.begin(), path.end(), '\\', '/');
    Slot slot;
    slot.target = path.substr(path.find_last_of('/') + 1);
    slot.address = std::move(path);
    slot.label = "FileSha256";
    if (slot.target.empty()) {
      return malformed("line " + std::to_string(file.line) +
                       ": a file with a FileSha256 has no RelativeFilePath");
    }
    SIGNCTL_CHECK(tree.add(hash, slot, slots), "");
  }
  return ok();
}

Result<std::vector<Slot>> Winget::read(std::string_view, std::string_view text) const {
  SIGNCTL_TRY(const Tree tree, Tree::parse(text), "");
  const config::Node* installers = tree.root().find("Installers");
  if (installers == nullptr || installers->kind != config::NodeKind::sequence) {
    return malformed("it has no list of Installers");
  }
  std::vector<Slot> slots;
  for (const config::Node& installer : installers->items) {
    Slot slot = slot_for_url(text_of(installer, "InstallerUrl"));
    if (slot.target.empty()) {
      return malformed("line " + std::to_string(installer.line) +
                       ": an installer's InstallerUrl names no file");
    }
    slot.label = "InstallerSha256";
    SIGNCTL_CHECK(tree.add(installer.find("InstallerSha256"), slot, slots), "");
    slot.label = "SignatureSha256";
    slot.fact = Fact::signature_part;
    SIGNCTL_CHECK(tree.add(said(installer.find("SignatureSha256")), slot, slots), "");
    SIGNCTL_CHECK(read_installed(tree, installer, slots), "");
  }
  SIGNCTL_CHECK(read_installed(tree, tree.root(), slots), "");
  return slots;
}

}  // namespace

const Dependent& winget_dependent() {
  static const Winget instance;
  return instance;
}

}  // namespace signctl::seal
