// SPDX-License-Identifier: Apache-2.0
// releases.CHANNEL.json of Velopack: the feed of its updater (VelopackAssetFeed in its sources).
#include "core/text.hpp"
#include "seal/tree.hpp"

namespace signctl::seal {

namespace {

class Velopack final : public Dependent {
 public:
  [[nodiscard]] std::string_view name() const override { return "velopack"; }
  [[nodiscard]] std::string_view title() const override { return "Velopack feed"; }
  [[nodiscard]] bool recognises(std::string_view file_name, std::string_view text) const override {
    const std::string lower = to_lower(file_name);
    return lower.starts_with("releases.") && lower.ends_with(".json") &&
           text.find("\"Assets\"") != std::string_view::npos;
  }
  Result<std::vector<Slot>> read(std::string_view file_name, std::string_view text) const override;
};

Result<std::vector<Slot>> Velopack::read(std::string_view, std::string_view text) const {
  SIGNCTL_TRY(const Tree tree, Tree::parse(text), "");
  std::vector<Slot> slots;
  const config::Node* assets = tree.root().find("Assets");
  if (assets == nullptr || assets->kind != config::NodeKind::sequence) {
    return malformed("it has no list of Assets");
  }
  for (const config::Node& asset : assets->items) {
    Slot slot;
    slot.target = text_of(asset, "FileName");
    if (slot.target.empty()) {
      return malformed("line " + std::to_string(asset.line) + ": an asset has no FileName");
    }
    slot.label = "SHA1";
    slot.alg = DigestAlg::sha1;
    SIGNCTL_CHECK(tree.add(asset.find("SHA1"), slot, slots), "");
    slot.label = "SHA256";
    slot.alg = DigestAlg::sha256;
    // Feeds from before there was one have it empty; updaters then go by the SHA-1 alone.
    SIGNCTL_CHECK(tree.add(said(asset.find("SHA256")), slot, slots), "");
    slot.label = "Size";
    slot.fact = Fact::size;
    SIGNCTL_CHECK(tree.add(asset.find("Size"), slot, slots), "");
  }
  return slots;
}

}  // namespace

const Dependent& velopack_dependent() {
  static const Velopack instance;
  return instance;
}

}  // namespace signctl::seal
