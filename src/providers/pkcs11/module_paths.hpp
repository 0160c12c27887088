// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/world.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace signctl::providers::pkcs11 {

/// Where vendors put their module, for `module: auto`.
struct KnownModule {
  std::string_view vendor;
  std::vector<std::string_view> paths;  ///< {triplet} stands for the machine's library folder.
};

/// In order of preference: the vendor's own before those that speak to many tokens.
[[nodiscard]] const std::vector<KnownModule>& known_modules();

/// A module that is on this machine.
struct FoundModule {
  std::string vendor;
  std::string path;
};

/// Those of known_modules() whose file is here, each file once.
[[nodiscard]] std::vector<FoundModule> installed_modules();

/// Whether loading it to look for tokens is harmless. That of the TPM makes an empty store in the
/// working directory when it finds none, so it is not loaded before it has one.
[[nodiscard]] bool may_be_probed(const FoundModule& module, const Environment& environment);

}  // namespace signctl::providers::pkcs11
