// SPDX-License-Identifier: Apache-2.0
#include "core/stale_files.hpp"

#include <cerrno>
#include <charconv>
#include <csignal>
#include <ctime>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <mutex>
#include <set>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

namespace signctl {

namespace {

/// Reading more names than this would cost more than a left-over file is worth.
constexpr int kMostEntries = 10'000;
/// Process ids of another container on a shared folder look dead to us; its files are young.
constexpr std::time_t kOldEnough = 3600;

struct CloseFolder {
  void operator()(DIR* folder) const { closedir(folder); }
};
using Folder = std::unique_ptr<DIR, CloseFolder>;

bool is_first_look(const std::string& folder) {
  static std::mutex mutex;
  static std::set<std::string> seen;
  const std::lock_guard lock(mutex);
  return seen.insert(folder).second;
}

/// The process id in ".signctl-<pid>-<random>.tmp"; 0 for any other name.
pid_t owner_of(std::string_view name) {
  static constexpr std::string_view kPrefix = ".signctl-";
  if (!name.starts_with(kPrefix) || !name.ends_with(".tmp")) {
    return 0;
  }
  name.remove_prefix(kPrefix.size());
  pid_t pid = 0;
  const auto [end, failure] = std::from_chars(name.data(), name.data() + name.size(), pid);
  return failure == std::errc{} && pid > 0 && *end == '-' ? pid : 0;
}

bool is_gone(pid_t pid) {
  return kill(pid, 0) != 0 && errno == ESRCH;
}

bool is_old_file_of_ours(int folder, const char* name) {
  struct stat status {};
  return fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(status.st_mode) &&
         status.st_uid == geteuid() && std::time(nullptr) - status.st_mtime > kOldEnough;
}

}  // namespace

void remove_stale_temporary_files(const std::string& folder_utf8) {
  if (!is_first_look(folder_utf8)) {
    return;
  }
  const Folder folder(opendir(folder_utf8.c_str()));
  for (int i = 0; folder != nullptr && i < kMostEntries; ++i) {
    // The stream is this function's own, so no other thread reads from it.
    const dirent* const entry = readdir(folder.get());  // NOLINT(concurrency-mt-unsafe): see above.
    if (entry == nullptr) {
      return;
    }
    const char* const name = static_cast<const char*>(entry->d_name);
    const pid_t pid = owner_of(name);
    if (pid != 0 && is_gone(pid) && is_old_file_of_ours(dirfd(folder.get()), name)) {
      static_cast<void>(unlinkat(dirfd(folder.get()), name, 0));
    }
  }
}

}  // namespace signctl
