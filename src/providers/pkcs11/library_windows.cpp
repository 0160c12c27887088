// SPDX-License-Identifier: Apache-2.0
#include "core/path.hpp"
#include "core/windows_api.hpp"
#include "core/windows_error.hpp"
#include "providers/pkcs11/library.hpp"

namespace signctl::providers::pkcs11 {

Library load_library(const std::string& path_utf8) {
  // The module's own folder is searched for what it needs: vendors install their DLLs side by side.
  const HMODULE module =
      ::LoadLibraryExW(to_path(path_utf8).c_str(),
                       nullptr,
                       LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR | LOAD_LIBRARY_SEARCH_DEFAULT_DIRS);
  if (module == nullptr) {
    return {nullptr, windows_error(ErrorKind::input, "cannot load it", ::GetLastError()).message};
  }
  const FARPROC function = ::GetProcAddress(module, "C_GetFunctionList");
  if (function == nullptr) {
    return {nullptr, "it is no PKCS#11 module: it has no C_GetFunctionList"};
  }
  return {reinterpret_cast<ck::GetFunctionList>(reinterpret_cast<void*>(function)), ""};
}

}  // namespace signctl::providers::pkcs11
