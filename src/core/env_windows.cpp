// SPDX-License-Identifier: Apache-2.0
#include "core/env.hpp"
#include "core/path.hpp"
#include "core/windows_api.hpp"

namespace signctl {

std::optional<std::string> ProcessEnvironment::get(std::string_view name) const {
  const std::wstring wide_name = to_path(name).native();
  std::wstring value(128, L'\0');
  for (;;) {
    const DWORD size =
        GetEnvironmentVariableW(wide_name.c_str(), value.data(), static_cast<DWORD>(value.size()));
    if (size == 0) {
      return std::nullopt;
    }
    // A size that fits does not count the terminating zero; one that does not fit does.
    if (size < value.size()) {
      value.resize(size);
      return to_utf8(std::filesystem::path(value));
    }
    value.resize(size);
  }
}

}  // namespace signctl
