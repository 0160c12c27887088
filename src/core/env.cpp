// SPDX-License-Identifier: Apache-2.0
#include "core/env.hpp"

#include <array>

namespace signctl {

std::span<const EnvironmentVariable> environment_variables() {
  static constexpr std::array<EnvironmentVariable, 12> kTable{{
      {"SSL_CERT_FILE", "trust anchors (PEM) instead of the system's bundle"},
      {"SSL_CERT_DIR", "folder of trust anchors, named by subject hash"},
      {"DOTNET_ROOT", "where the .NET SDK with its trustedroots folder is looked for first"},
      {"HTTP_PROXY", "proxy for http URLs", Sensitivity::secret},
      {"HTTPS_PROXY", "proxy for https URLs", Sensitivity::secret},
      {"ALL_PROXY", "proxy for all URLs", Sensitivity::secret},
      {"NO_PROXY", "hosts that are reached without a proxy"},
      {"NO_COLOR", "no colours on a terminal"},
      {"TERM", "no colours when it is dumb"},
      {"CI", "plain lines instead of a progress display"},
      {"GITHUB_ACTIONS", "error annotations in the form of GitHub Actions"},
      {"TF_BUILD", "error annotations in the form of Azure Pipelines"},
  }};
  return kTable;
}

}  // namespace signctl
