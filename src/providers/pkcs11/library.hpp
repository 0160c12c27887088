// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "providers/pkcs11/cryptoki.hpp"

#include <string>

namespace signctl::providers::pkcs11 {

/// A shared library in this process. Never unloaded: drivers leave threads and exit handlers
/// behind.
struct Library {
  ck::GetFunctionList get_function_list{nullptr};
  std::string error{};  ///< Why it could not be loaded; empty if it was.
};

/// Loads the module at an absolute path.
[[nodiscard]] Library load_library(const std::string& path_utf8);

}  // namespace signctl::providers::pkcs11
