// SPDX-License-Identifier: Apache-2.0
#include "core/stale_files.hpp"

#include <cerrno>
#include <csignal>
#include <ctime>
#include <limits>
#include <sys/stat.h>
#include <unistd.h>

namespace signctl {

bool is_process_gone(unsigned long id) {
  // Beyond pid_t it is not ours, and negative numbers would mean process groups.
  return id <= static_cast<unsigned long>(std::numeric_limits<pid_t>::max()) &&
         kill(static_cast<pid_t>(id), 0) != 0 && errno == ESRCH;
}

bool is_old_file_of_ours(const std::filesystem::path& path, std::chrono::seconds age_limit) {
  struct stat status {};
  return lstat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
         status.st_uid == geteuid() && std::time(nullptr) - status.st_mtime > age_limit.count();
}

}  // namespace signctl
