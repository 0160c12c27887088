// SPDX-License-Identifier: Apache-2.0
#include "core/replaceable_posix.hpp"

#include "core/file_posix.hpp"
#include "core/path.hpp"
#include "core/posix_error.hpp"
#include "core/replaceable.hpp"
#include "core/text.hpp"

#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

namespace signctl {

namespace fs = std::filesystem;

namespace {

constexpr mode_t kAnyWrite = S_IWUSR | S_IWGRP | S_IWOTH;

std::string folder_of(const std::string& target) {
  const fs::path path = to_path(target);
  return path.has_parent_path() ? to_utf8(path.parent_path()) : ".";
}

std::string cannot_replace(const std::string& target) {
  return "cannot replace " + printable(target);
}

Error read_only(const std::string& target) {
  return {ErrorKind::output,
          cannot_replace(target) + ": it is read-only",
          "make it writable first (chmod u+w), or write somewhere else with --output"};
}

/// What the file system was told about a file besides its mode.
struct Marks {
  bool kept{false};  ///< Must not be removed or renamed, by anybody: chattr +i, chattr +a.
  bool mount_point{false};
};

#if defined(__linux__)
Marks marks_of(const std::string& path) {
  struct statx status {};
  // What cannot be asked shows at the commit.
  if (statx(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &status) != 0) {
    return {};
  }
  const auto has = [&](std::uint64_t mark) {
    return (status.stx_attributes_mask & status.stx_attributes & mark) != 0;
  };
  Marks marks{has(STATX_ATTR_IMMUTABLE) || has(STATX_ATTR_APPEND), false};
#if defined(STATX_ATTR_MOUNT_ROOT)
  marks.mount_point = has(STATX_ATTR_MOUNT_ROOT);
#endif
  return marks;
}
#else
Marks marks_of(const std::string& path) {
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0) {
    return {};
  }
  return {(status.st_flags & (UF_IMMUTABLE | SF_IMMUTABLE | UF_APPEND | SF_APPEND)) != 0, false};
}
#endif

/// rename(2): in a folder with the sticky bit only the owners of file and folder replace a file.
bool is_kept_by_sticky_bit(const struct stat& folder, const struct stat& file) {
  const uid_t user = geteuid();
  return (folder.st_mode & S_ISVTX) != 0 && user != 0 && user != file.st_uid &&
         user != folder.st_uid;
}

/// What a rename onto a file would meet though the file can be written to.
Result<void> check_rename(const std::string& target, const struct stat& status) {
  const std::string folder = folder_of(target);
  const Marks marks = marks_of(target);
  if (marks.mount_point) {
    return Error{ErrorKind::output,
                 cannot_replace(target) + ": it is a mount point",
                 "mount its folder and not the file alone, or write somewhere else with --output"};
  }
  struct stat around {};
  const bool known = stat(folder.c_str(), &around) == 0;
  if (marks.kept || marks_of(folder).kept || (known && is_kept_by_sticky_bit(around, status))) {
    return write_error(EPERM, cannot_replace(target), target);
  }
  return ok();
}

/// Whether the folder takes a new file.
Result<void> check_folder(const std::string& folder, const std::string& target) {
  if (faccessat(AT_FDCWD, folder.c_str(), W_OK | X_OK, AT_EACCESS) != 0) {
    return write_error(errno, "cannot write " + printable(target), target);
  }
  return ok();
}

/// The folder itself, or the nearest around it that there is.
std::string nearest_folder(const std::string& folder) {
  std::error_code code;
  fs::path path = to_path(folder);
  while (!fs::exists(path, code) && path.has_relative_path()) {
    path = path.has_parent_path() ? path.parent_path() : fs::path(".");
  }
  return to_utf8(path);
}

}  // namespace

Result<fs::path> resolve_links(const fs::path& target) {
  static constexpr int kMostLinks = 40;  // As Linux.
  fs::path path = target;
  for (int i = 0; i < kMostLinks; ++i) {
    std::error_code failure;
    if (!fs::is_symlink(fs::symlink_status(path, failure))) {
      return path;
    }
    const fs::path link = fs::read_symlink(path, failure);
    if (failure) {
      break;
    }
    path = link.is_absolute() ? link : path.parent_path() / link;
  }
  const std::string name = to_utf8(target);
  return write_error(ELOOP, "cannot write " + printable(name), name);
}

Result<std::optional<struct stat>> check_target(const std::string& target, Existing existing) {
  struct stat status {};
  if (lstat(target.c_str(), &status) != 0) {
    if (errno == ENOENT) {
      return std::optional<struct stat>{};
    }
    return write_error(errno, "cannot write " + printable(target), target);
  }
  if (existing == Existing::refuse) {
    return write_error(EEXIST, "cannot write " + printable(target), target);
  }
  if (const std::string kind = special_kind(status); !kind.empty()) {
    return Error{ErrorKind::output,
                 cannot_replace(target) + ": it is " + kind + ", not a regular file",
                 "name a file to write to"};
  }
  // A rename needs no permission on the file itself, and root needs none at all; but who took the
  // write permission off wants the file to stay as it is.
  if ((status.st_mode & kAnyWrite) == 0) {
    return read_only(target);
  }
  if (faccessat(AT_FDCWD, target.c_str(), W_OK, AT_EACCESS) != 0) {
    return write_error(errno, cannot_replace(target), target);
  }
  SIGNCTL_CHECK(check_rename(target, status), "");
  return std::optional<struct stat>{status};
}

Result<void> check_replaceable(std::string_view target_utf8, MissingFolder folder) {
  SIGNCTL_TRY(const fs::path path, resolve_links(to_path(target_utf8)), "");
  const std::string target = to_utf8(path);
  SIGNCTL_TRY([[maybe_unused]] const auto there, check_target(target, Existing::replace), "");
  const std::string around = folder_of(target);
  return check_folder(folder == MissingFolder::will_be_made ? nearest_folder(around) : around,
                      target);
}

}  // namespace signctl
