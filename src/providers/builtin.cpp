// SPDX-License-Identifier: Apache-2.0
#include <signctl/provider.hpp>

#include <algorithm>
#include <array>

// One line per backend: the folder below providers/, which is also its namespace.
// clang-format off
#define SIGNCTL_PROVIDERS(PROVIDER) \
  PROVIDER(pfx) \
  PROVIDER(trusted_signing) \
  PROVIDER(pkcs11) \
  PROVIDER(azure_key_vault) \
  PROVIDER(aws_kms) \
  PROVIDER(google_kms) \
  PROVIDER(vault) \
  PROVIDER(signserver) \
  PROVIDER(keylocker)
// clang-format on

// NOLINTNEXTLINE(cppcoreguidelines-macro-usage, bugprone-macro-parentheses): declares a name.
#define DECLARE(folder)                     \
  namespace signctl::providers::folder {    \
  [[nodiscard]] const Provider& provider(); \
  }
SIGNCTL_PROVIDERS(DECLARE)
#undef DECLARE

namespace signctl {

std::span<const Provider* const> builtin_providers() {
#define ENTRY(folder) &providers::folder::provider(),
  static const std::array table{SIGNCTL_PROVIDERS(ENTRY)};
#undef ENTRY
  return table;
}

const Provider* find_provider(std::string_view name) {
  for (const Provider* provider : builtin_providers()) {
    const auto aliases = provider->aliases();
    if (provider->name() == name || std::ranges::find(aliases, name) != aliases.end()) {
      return provider;
    }
  }
  return nullptr;
}

std::string ProviderSettings::get(std::string_view key) const {
  const auto found = values.find(std::string(key));
  return found == values.end() ? std::string() : found->second;
}

}  // namespace signctl
