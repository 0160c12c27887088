// SPDX-License-Identifier: Apache-2.0
#include "core/replaceable_windows.hpp"

#include "core/path.hpp"
#include "core/replaceable.hpp"
#include "core/text.hpp"
#include "core/windows_api.hpp"
#include "core/windows_error.hpp"

#include <system_error>

namespace signctl {

namespace fs = std::filesystem;

namespace {

/// Whether the file or folder can be opened with `rights`, by somebody who leaves others all
/// theirs.
DWORD try_open(const std::string& path, DWORD rights) {
  const DWORD everybody = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
  const WindowsHandle handle(CreateFileW(windows_path(path).c_str(),
                                         rights,
                                         everybody,
                                         nullptr,
                                         OPEN_EXISTING,
                                         FILE_FLAG_BACKUP_SEMANTICS,
                                         nullptr));
  return handle.is_open() ? DWORD{ERROR_SUCCESS} : GetLastError();
}

/// The folder itself, or the nearest around it that there is.
fs::path nearest_folder(fs::path folder) {
  std::error_code code;
  while (!fs::exists(folder, code) && folder.has_relative_path()) {
    folder = folder.has_parent_path() ? folder.parent_path() : fs::path(".");
  }
  return folder;
}

}  // namespace

fs::path resolve_links(const fs::path& target) {
  std::error_code failure;
  fs::path real = fs::is_symlink(fs::symlink_status(target, failure))
                      ? fs::weakly_canonical(target, failure)
                      : target;
  return failure ? target : real;
}

Result<void> check_target(const std::string& target, Existing existing) {
  const DWORD attributes = GetFileAttributesW(windows_path(target).c_str());
  if (attributes == INVALID_FILE_ATTRIBUTES) {
    return ok();
  }
  const std::string what = "cannot replace " + printable(target);
  if (existing == Existing::refuse) {
    return windows_error(
        ErrorKind::output, "cannot write " + printable(target), ERROR_ALREADY_EXISTS);
  }
  if ((attributes & FILE_ATTRIBUTE_DIRECTORY) != 0) {
    return Error{ErrorKind::output,
                 what + ": it is a folder, not a regular file",
                 "name a file to write to"};
  }
  if ((attributes & FILE_ATTRIBUTE_READONLY) != 0) {
    return Error{ErrorKind::output,
                 what + ": it is read-only",
                 "make it writable first (attrib -r), or write somewhere else with --output"};
  }
  return ok();
}

Result<void> check_replaceable(std::string_view target_utf8, MissingFolder missing) {
  const fs::path path = resolve_links(to_path(target_utf8));
  const std::string target = to_utf8(path);
  SIGNCTL_CHECK(check_target(target, Existing::replace), "");
  // ReplaceFile opens the file for deletion: a program that does not share that keeps it.
  const DWORD file = try_open(target, DELETE);
  if (file != ERROR_SUCCESS && file != ERROR_FILE_NOT_FOUND && file != ERROR_PATH_NOT_FOUND) {
    return windows_error(ErrorKind::output, "cannot replace " + printable(target), file);
  }
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  const DWORD around =
      try_open(to_utf8(missing == MissingFolder::will_be_made ? nearest_folder(folder) : folder),
               FILE_ADD_FILE);
  if (around != ERROR_SUCCESS) {
    return windows_error(ErrorKind::output, "cannot write " + printable(target), around);
  }
  return ok();
}

}  // namespace signctl
