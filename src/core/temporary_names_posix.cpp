// SPDX-License-Identifier: Apache-2.0
#include "core/temporary_names_posix.hpp"

#include "core/atomic_file.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <set>
#include <signal.h>  // NOLINT(modernize-deprecated-headers): kill() is POSIX, not in <csignal>
#include <string_view>
#include <unistd.h>

namespace signctl {

namespace {

// Fixed storage, so that a signal handler can walk it: a slot is free, being filled, or holds a
// path that ends in NUL.
struct Slot {
  enum State : int { free, filling, held };
  std::atomic<int> state{free};
  std::array<char, 4096> path{};
};

std::array<Slot, 128> g_slots;

constexpr std::string_view kPrefix = ".signctl-";
constexpr std::string_view kSuffix = ".tmp";
constexpr int kMaxEntries = 10'000;

/// The process that made a temporary file of this name; 0 if it is none of ours.
pid_t owner_of(std::string_view name) {
  if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) {
    return 0;
  }
  name.remove_prefix(kPrefix.size());
  pid_t owner = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), owner);
  return error == std::errc{} && *end == '-' ? owner : 0;
}

bool is_gone(pid_t process) {
  return ::kill(process, 0) != 0 && errno == ESRCH;
}

}  // namespace

void remember_temporary(const std::string& path) noexcept {
  for (Slot& slot : g_slots) {
    int expected = Slot::free;
    if (path.size() < slot.path.size() &&
        slot.state.compare_exchange_strong(expected, Slot::filling)) {
      std::memcpy(slot.path.data(), path.c_str(), path.size() + 1);
      slot.state = Slot::held;
      return;
    }
  }
}

void forget_temporary(const std::string& path) noexcept {
  for (Slot& slot : g_slots) {
    if (slot.state == Slot::held && path == slot.path.data()) {
      slot.state = Slot::free;
      return;
    }
  }
}

void remove_temporary_files_on_signal() noexcept {
  for (Slot& slot : g_slots) {
    if (slot.state == Slot::held) {
      ::unlink(slot.path.data());
    }
  }
}

void remove_stale_temporaries(const std::string& folder) {
  static std::mutex mutex;
  static std::set<std::string> looked;
  const std::lock_guard lock(mutex);
  if (!looked.insert(folder).second) {
    return;
  }
  std::error_code error;
  std::filesystem::directory_iterator entry(folder.empty() ? "." : folder, error);
  const std::filesystem::directory_iterator end;
  for (int seen = 0; !error && entry != end && seen < kMaxEntries; ++seen) {
    const pid_t owner = owner_of(entry->path().filename().native());
    if (owner > 0 && is_gone(owner)) {
      std::error_code ignored;
      std::filesystem::remove(entry->path(), ignored);
    }
    entry.increment(error);
  }
}

}  // namespace signctl
