// SPDX-License-Identifier: Apache-2.0
#include "trust/stores.hpp"

#include "trust/bundle.hpp"

#include <utility>

namespace signctl::trust {

namespace {

class BundleStore final : public TrustStore {
 public:
  explicit BundleStore(Bundle bundle) : bundle_(std::move(bundle)) {}

  Result<std::vector<Anchor>> anchors_named(ByteView name_der,
                                            TrustPurpose purpose) const override {
    std::vector<Anchor> anchors;
    bundle_.append_named(name_der, purpose, anchors);
    return anchors;
  }

  std::string describe() const override {
    return bundle_.source + " (" + std::to_string(bundle_.certificates.size()) + " anchors)";
  }

 private:
  Bundle bundle_;
};

class CompositeStore final : public TrustStore {
 public:
  explicit CompositeStore(std::vector<std::shared_ptr<const TrustStore>> stores)
      : stores_(std::move(stores)) {}

  Result<std::vector<Anchor>> anchors_named(ByteView name_der,
                                            TrustPurpose purpose) const override {
    std::vector<Anchor> all;
    for (const auto& store : stores_) {
      SIGNCTL_TRY(auto anchors, store->anchors_named(name_der, purpose), "");
      for (Anchor& anchor : anchors) {
        all.push_back(std::move(anchor));
      }
    }
    return all;
  }

  std::string describe() const override {
    std::string text;
    for (const auto& store : stores_) {
      text += text.empty() ? "" : "; ";
      text += store->describe();
    }
    return text.empty() ? "no trust anchors" : text;
  }

 private:
  std::vector<std::shared_ptr<const TrustStore>> stores_;
};

Result<std::shared_ptr<const TrustStore>> store_for(const std::string& path,
                                                    std::string label,
                                                    Serves purposes) {
  SIGNCTL_TRY(Bundle bundle, read_bundle(path, std::move(label)), "");
  bundle.purposes = purposes;
  return std::shared_ptr<const TrustStore>(std::make_shared<BundleStore>(std::move(bundle)));
}

}  // namespace

Result<std::shared_ptr<const TrustStore>> file_store(const std::string& path_utf8,
                                                     std::string label) {
  return store_for(path_utf8, std::move(label), Serves::both);
}

std::shared_ptr<const TrustStore> composite(std::vector<std::shared_ptr<const TrustStore>> stores) {
  return std::make_shared<CompositeStore>(std::move(stores));
}

Result<std::shared_ptr<const TrustStore>> make_store(const TrustOptions& options,
                                                     const Environment& environment) {
  std::vector<std::shared_ptr<const TrustStore>> stores;
  for (const std::string& path : options.files) {
    SIGNCTL_TRY(auto store, store_for(path, "trusted file " + path, Serves::both), "");
    stores.push_back(std::move(store));
  }
  for (const std::string& path : options.tsa_files) {
    SIGNCTL_TRY(auto store,
                store_for(path, "trusted file for time stamping " + path, Serves::time_stamping),
                "");
    stores.push_back(std::move(store));
  }
  if (options.system) {
    // Said at once: otherwise a chain would seem to end in an unknown root.
    if (const auto chosen = environment.get("SSL_CERT_FILE")) {
      SIGNCTL_CHECK(check_pem_list(*chosen), "reading SSL_CERT_FILE");
    }
    stores.push_back(system_store(environment));
  }
  return composite(std::move(stores));
}

}  // namespace signctl::trust
