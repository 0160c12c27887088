// SPDX-License-Identifier: Apache-2.0
#include "core/stale_files.hpp"

#include "core/path.hpp"
#include "core/real_name.hpp"

#include <charconv>
#include <mutex>
#include <optional>
#include <set>
#include <string_view>

namespace signctl {

namespace {

namespace fs = std::filesystem;

/// Reading more names than this would cost more than a left-over file is worth.
constexpr int kMostEntries = 10'000;
/// Processes of another container on a shared folder look dead to us; but their files are young.
constexpr std::chrono::hours kOldEnough{1};

bool is_first_look(const std::string& folder) {
  static std::mutex mutex;
  static std::set<std::string> seen;
  const std::lock_guard lock(mutex);
  return seen.insert(folder).second;
}

/// The process id in ".signctl-<pid>-<random>.tmp"; empty for any other name.
std::optional<unsigned long> owner_of(std::string_view name) {
  if (!name.starts_with(kOwnPrefix) || !name.ends_with(".tmp")) {
    return std::nullopt;
  }
  name.remove_prefix(kOwnPrefix.size());
  unsigned long id = 0;
  const auto [end, failure] = std::from_chars(name.data(), name.data() + name.size(), id);
  // The name ends in ".tmp", so a number is always followed by something.
  return failure == std::errc{} && id != 0 && *end == '-' ? std::optional(id) : std::nullopt;
}

}  // namespace

void remove_stale_temporary_files(const std::string& folder_utf8) {
  if (!is_first_look(folder_utf8)) {
    return;
  }
  std::error_code failure;
  fs::directory_iterator entry(to_path(folder_utf8), failure);
  for (int i = 0; i < kMostEntries && !failure && entry != fs::directory_iterator(); ++i) {
    const auto owner = owner_of(to_utf8(entry->path().filename()));
    if (owner && is_process_gone(*owner) && is_old_file_of_ours(entry->path(), kOldEnough)) {
      std::error_code ignored;
      fs::remove(entry->path(), ignored);
    }
    entry.increment(failure);
  }
}

}  // namespace signctl
