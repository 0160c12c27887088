// SPDX-License-Identifier: Apache-2.0
#include "providers/pkcs11/module_paths.hpp"

#include "core/path.hpp"

#include <array>
#include <filesystem>
#include <set>

namespace signctl::providers::pkcs11 {
namespace {

constexpr std::string_view kTriplet = "{triplet}";

/// `pattern` for each multiarch folder that Debian's architectures have.
std::vector<std::string> expand(std::string_view pattern) {
  const std::size_t at = pattern.find(kTriplet);
  if (at == std::string_view::npos) {
    return {std::string(pattern)};
  }
  std::vector<std::string> paths;
  constexpr std::array<std::string_view, 4> kFolders{
      "x86_64-linux-gnu", "aarch64-linux-gnu", "arm-linux-gnueabihf", "i386-linux-gnu"};
  for (const std::string_view folder : kFolders) {
    std::string path(pattern);
    path.replace(at, kTriplet.size(), folder);
    paths.push_back(std::move(path));
  }
  return paths;
}

}  // namespace

std::vector<FoundModule> installed_modules() {
  std::vector<FoundModule> found;
  std::set<std::filesystem::path> seen;
  // Many of these paths are links to one file.
  const auto is_new = [&seen](const std::string& path) {
    std::error_code failed;
    const auto real = std::filesystem::canonical(to_path(path), failed);
    return !failed && std::filesystem::is_regular_file(real, failed) && seen.insert(real).second;
  };
  for (const KnownModule& module : known_modules()) {
    for (const std::string_view pattern : module.paths) {
      for (const std::string& path : expand(pattern)) {
        if (is_new(path)) {
          found.push_back({std::string(module.vendor), path});
        }
      }
    }
  }
  return found;
}

bool may_be_probed(const FoundModule& module, const Environment& environment) {
  if (module.vendor != "TPM2" || environment.get("TPM2_PKCS11_STORE")) {
    return true;
  }
  std::error_code failed;
  const std::string home = environment.get("HOME").value_or("");
  return std::filesystem::exists("/etc/tpm2_pkcs11", failed) ||
         (!home.empty() && std::filesystem::exists(to_path(home + "/.tpm2_pkcs11"), failed));
}

}  // namespace signctl::providers::pkcs11
