// SPDX-License-Identifier: Apache-2.0
// What electron-updater reads: latest.yml and other channels' files, as electron-builder writes
// them (electron-builder documentation, "Auto Update").
#include "core/text.hpp"
#include "seal/tree.hpp"

#include <algorithm>

namespace signctl::seal {

namespace {

/// Whether a key of that name seems to be there, in quotes or without.
bool has_key(std::string_view text, std::string_view key) {
  for (std::size_t at = text.find(key); at != text.npos; at = text.find(key, at + 1)) {
    std::string_view rest = text.substr(at + key.size());
    rest.remove_prefix(rest.starts_with('"') || rest.starts_with('\'') ? 1 : 0);
    rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
    if (rest.starts_with(':')) {
      return true;
    }
  }
  return false;
}

class Electron final : public Dependent {
 public:
  [[nodiscard]] std::string_view name() const override { return "electron"; }
  [[nodiscard]] std::string_view title() const override { return "electron-builder update file"; }
  [[nodiscard]] bool recognises(std::string_view file_name, std::string_view text) const override {
    const std::string lower = to_lower(file_name);
    return (lower.ends_with(".yml") || lower.ends_with(".yaml")) && has_key(text, "sha512") &&
           (has_key(text, "path") || has_key(text, "files"));
  }
  [[nodiscard]] std::string_view companion() const override { return ".blockmap"; }
  Result<std::vector<Slot>> read(std::string_view file_name, std::string_view text) const override;
};

/// What one mapping says of the file that `key` names.
Result<void> read_file(const Tree& tree,
                       const config::Node& node,
                       std::string_view key,
                       std::vector<Slot>& slots) {
  const std::string url = text_of(node, key);
  const std::string line = "line " + std::to_string(node.line);
  if (node.kind != config::NodeKind::mapping || url.empty()) {
    return malformed(line + ": a file has no " + std::string(key));
  }
  Slot slot = slot_for_url(url);
  slot.dashed = true;
  slot.label = "sha512";
  slot.alg = DigestAlg::sha512;
  slot.encoding = Encoding::base64;
  const config::Node* sha512 = node.find("sha512");
  // Old versions wrote hexadecimal digits.
  if (sha512 != nullptr && sha512->text.size() == 2 * digest_size(DigestAlg::sha512) &&
      is_hex(sha512->text)) {
    slot.encoding = Encoding::hex;
  }
  SIGNCTL_CHECK(tree.add(sha512, slot, slots), "");
  slot.fact = Fact::size;
  slot.label = "size";
  SIGNCTL_CHECK(tree.add(node.find("size"), slot, slots), "");
  slot.fact = Fact::digest;
  slot.label = "sha2";
  slot.alg = DigestAlg::sha256;
  slot.encoding = Encoding::hex;
  SIGNCTL_CHECK(tree.add(node.find("sha2"), slot, slots), "");
  if (const config::Node* block_map = node.find("blockMapSize")) {
    slot.fact = Fact::block_map;
    slot.label = "blockMapSize";
    if (block_map->line == node.line) {
      return malformed("line " + std::to_string(block_map->line) +
                       ": blockMapSize stands on a line with others and cannot be taken out");
    }
    slots.push_back(tree.line_of(*block_map, slot));
  }
  return ok();
}

Result<std::vector<Slot>> Electron::read(std::string_view, std::string_view text) const {
  SIGNCTL_TRY(const Tree tree, Tree::parse(text), "");
  std::vector<Slot> slots;
  for (const config::Node& file : items_of(tree.root().find("files"))) {
    SIGNCTL_CHECK(read_file(tree, file, "url", slots), "");
  }
  if (tree.root().find("path") != nullptr) {
    SIGNCTL_CHECK(read_file(tree, tree.root(), "path", slots), "");
  }
  // What a web installer downloads, by architecture.
  for (const config::Entry& package : entries_of(tree.root().find("packages"))) {
    SIGNCTL_CHECK(read_file(tree, package.value, "path", slots), "");
  }
  return slots;
}

}  // namespace

const Dependent& electron_dependent() {
  static const Electron instance;
  return instance;
}

}  // namespace signctl::seal
