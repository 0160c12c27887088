// SPDX-License-Identifier: Apache-2.0
#include "core/stale_files.hpp"
#include "core/windows_api.hpp"

namespace signctl {

bool is_process_gone(unsigned long id) {
  const HANDLE process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, id);
  if (process != nullptr) {
    CloseHandle(process);
    return false;
  }
  // Anything else, such as ERROR_ACCESS_DENIED, means that there is one.
  return GetLastError() == ERROR_INVALID_PARAMETER;
}

bool is_old_file_of_ours(const std::filesystem::path& path, std::chrono::seconds age_limit) {
  std::error_code failure;
  const bool regular =
      std::filesystem::is_regular_file(std::filesystem::symlink_status(path, failure));
  const auto written = std::filesystem::last_write_time(path, failure);
  return regular && !failure && std::filesystem::file_time_type::clock::now() - written > age_limit;
}

}  // namespace signctl
