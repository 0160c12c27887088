// SPDX-License-Identifier: Apache-2.0
#include "core/path.hpp"
#include "core/text.hpp"
#include "core/windows_api.hpp"
#include "core/windows_error.hpp"

#include <filesystem>
#include <system_error>

namespace signctl {

namespace {

/// ERROR_DISK_QUOTA_EXCEEDED, which the headers of mingw-w64 do not have.
constexpr DWORD kDiskQuotaExceeded = 1295;

struct Words {
  std::string reason;
  std::string hint;
};

Words words_of(unsigned long code) {
  switch (code) {
    case ERROR_FILE_NOT_FOUND:
      return {"it does not exist", "check the spelling, and that the build step made it"};
    case ERROR_PATH_NOT_FOUND:
      return {"its folder does not exist", "check the path"};
    case ERROR_ACCESS_DENIED:
      return {"permission denied", "check the permissions of the file and of its folder"};
    case ERROR_SHARING_VIOLATION:
    case ERROR_LOCK_VIOLATION:
      return {"another program has it open",
              "close that program; virus scanners let go of a file after a moment"};
    case ERROR_DISK_FULL:
    case ERROR_HANDLE_DISK_FULL:
      return {"no space left on the device",
              "free some space; signing needs room for a second copy of the file"};
    case kDiskQuotaExceeded:
      return {"the disk quota is used up", "free some space or ask for more"};
    case ERROR_WRITE_PROTECT:
      return {"the drive is write-protected", "write somewhere else with --output or --output-dir"};
    case ERROR_FILE_EXISTS:
    case ERROR_ALREADY_EXISTS:
      return {"it exists already", "remove it or choose another name"};
    case ERROR_INVALID_NAME:
    case ERROR_BAD_PATHNAME:
      return {"that is not a file name", "check the path"};
    default:
      return {to_lower(std::system_category().message(static_cast<int>(code))), ""};
  }
}

}  // namespace

Error windows_error(ErrorKind kind, const std::string& what, unsigned long code) {
  Words words = words_of(code);
  return {kind, what + ": " + words.reason, std::move(words.hint)};
}

WindowsHandle& WindowsHandle::operator=(WindowsHandle&& other) noexcept {
  if (this != &other) {
    close();
    handle_ = std::exchange(other.handle_, nullptr);
  }
  return *this;
}

bool WindowsHandle::is_open() const {
  return handle_ != nullptr && handle_ != INVALID_HANDLE_VALUE;
}

void WindowsHandle::close() {
  if (is_open()) {
    CloseHandle(handle_);
  }
  handle_ = nullptr;
}

std::wstring windows_path(std::string_view path_utf8) {
  const std::filesystem::path path = to_path(path_utf8);
  std::error_code failure;
  const std::filesystem::path absolute = std::filesystem::absolute(path, failure);
  const std::wstring text = absolute.lexically_normal().native();
  // The prefix turns the limit off, and with it the reading of "/" and "..", which normalising has
  // done. Network paths and devices have prefixes of their own.
  if (failure || text.size() < MAX_PATH || text.starts_with(L"\\\\")) {
    return path.native();
  }
  return L"\\\\?\\" + text;
}

}  // namespace signctl
