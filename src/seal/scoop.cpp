// SPDX-License-Identifier: Apache-2.0
// App manifests of Scoop (its wiki, "App Manifests"): url and hash, one or several, for all or for
// each architecture.
#include "core/text.hpp"
#include "seal/tree.hpp"

#include <array>

namespace signctl::seal {

namespace {

class Scoop final : public Dependent {
 public:
  [[nodiscard]] std::string_view name() const override { return "scoop"; }
  [[nodiscard]] std::string_view title() const override { return "Scoop manifest"; }
  [[nodiscard]] bool recognises(std::string_view file_name, std::string_view text) const override {
    return to_lower(file_name).ends_with(".json") &&
           text.find("\"url\"") != std::string_view::npos &&
           text.find("\"hash\"") != std::string_view::npos &&
           text.find("\"version\"") != std::string_view::npos;
  }
  Result<std::vector<Slot>> read(std::string_view file_name, std::string_view text) const override;
};

using List = std::vector<const config::Node*>;

List listed(const config::Node* node) {
  if (node == nullptr) {
    return {};
  }
  if (node->kind != config::NodeKind::sequence) {
    return {node};
  }
  List items;
  for (const config::Node& item : node->items) {
    items.push_back(&item);
  }
  return items;
}

Result<void> read_hash(const Tree& tree,
                       const config::Node& url,
                       const config::Node& hash,
                       std::vector<Slot>& slots) {
  // "sha512:12ab..."; SHA-256 needs no prefix.
  const std::size_t colon = hash.text.find(':');
  const std::size_t digits = colon == std::string::npos ? 0 : colon + 1;
  const auto alg = alg_of_digits(hash.text.size() - digits);
  Slot slot = slot_for_url(url.text);
  if (slot.target.empty()) {
    // "https://host/download?id=1#/setup.exe": Scoop saves it by the name behind the `#`.
    const std::size_t fragment = url.text.find('#');
    slot.target = fragment == std::string::npos ? "" : name_in_url(url.text.substr(fragment + 1));
  }
  slot.label = "hash";
  if (slot.target.empty()) {
    return malformed("line " + std::to_string(url.line) + ": the url names no file");
  }
  if (!alg || !is_hex(std::string_view(hash.text).substr(digits)) ||
      (digits != 0 && hash.text.substr(0, colon) != digest_name(*alg)) ||
      (digits == 0 && *alg != DigestAlg::sha256)) {
    return malformed("line " + std::to_string(hash.line) + ": the hash is none of Scoop's");
  }
  slot.alg = *alg;
  SIGNCTL_CHECK(tree.add(&hash, slot, slots), "");
  slots.back().begin += digits;
  return ok();
}

Result<void> read_pairs(const Tree& tree, const config::Node& node, std::vector<Slot>& slots) {
  const List urls = listed(node.find("url"));
  const List hashes = listed(node.find("hash"));
  if (hashes.empty()) {
    return ok();
  }
  if (urls.size() != hashes.size()) {
    return malformed("line " + std::to_string(hashes.front()->line) + ": " +
                     std::to_string(urls.size()) + " urls and " + std::to_string(hashes.size()) +
                     " hashes");
  }
  for (std::size_t i = 0; i < urls.size(); ++i) {
    SIGNCTL_CHECK(read_hash(tree, *urls[i], *hashes[i], slots), "");
  }
  return ok();
}

Result<std::vector<Slot>> Scoop::read(std::string_view, std::string_view text) const {
  SIGNCTL_TRY(const Tree tree, Tree::parse(text), "");
  std::vector<Slot> slots;
  SIGNCTL_CHECK(read_pairs(tree, tree.root(), slots), "");
  for (const config::Entry& architecture : entries_of(tree.root().find("architecture"))) {
    SIGNCTL_CHECK(read_pairs(tree, architecture.value, slots), "");
  }
  return slots;
}

}  // namespace

const Dependent& scoop_dependent() {
  static const Scoop instance;
  return instance;
}

}  // namespace signctl::seal
