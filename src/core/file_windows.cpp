// SPDX-License-Identifier: Apache-2.0
#include "core/file_windows.hpp"

#include "core/text.hpp"
#include "core/windows_api.hpp"

#include <algorithm>

namespace signctl {

namespace {

constexpr std::size_t kLargestRead = std::size_t{1} << 30U;

std::uint64_t joined(DWORD high, DWORD low) {
  return (static_cast<std::uint64_t>(high) << 32U) | low;
}

/// Others may do with the file what they like, as on other systems; also, the gate reads what
/// AtomicFile still has open for writing. Whether it has changed is asked for later.
WindowsHandle open_for_reading(const std::string& path) {
  return WindowsHandle(CreateFileW(windows_path(path).c_str(),
                                   GENERIC_READ,
                                   FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                                   nullptr,
                                   OPEN_EXISTING,
                                   FILE_ATTRIBUTE_NORMAL | FILE_FLAG_SEQUENTIAL_SCAN,
                                   nullptr));
}

Result<FileIdentity> identity_of(const WindowsHandle& handle, const std::string& path) {
  BY_HANDLE_FILE_INFORMATION facts{};
  if (GetFileInformationByHandle(handle.get(), &facts) == 0) {
    return windows_error(ErrorKind::input, "cannot look at " + printable(path), GetLastError());
  }
  // FILETIME counts steps of 100 ns.
  const std::uint64_t written =
      joined(facts.ftLastWriteTime.dwHighDateTime, facts.ftLastWriteTime.dwLowDateTime);
  return FileIdentity{facts.dwVolumeSerialNumber,
                      joined(facts.nFileIndexHigh, facts.nFileIndexLow),
                      joined(facts.nFileSizeHigh, facts.nFileSizeLow),
                      static_cast<std::int64_t>(written) * 100};
}

}  // namespace

FileSource::FileSource(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
FileSource::~FileSource() = default;

Result<std::shared_ptr<FileSource>> FileSource::open(std::string_view path_utf8) {
  const std::string path(path_utf8);
  const std::string what = "cannot open " + printable(path);
  if (path.empty() || path.find('\0') != std::string::npos) {
    return Error{ErrorKind::input, "cannot open \"" + printable(path) + "\": not a file name"};
  }
  const DWORD attributes = GetFileAttributesW(windows_path(path).c_str());
  if (attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_DIRECTORY) != 0) {
    return Error{ErrorKind::input,
                 what + ": it is a folder, not a regular file",
                 "name the files in it, or a pattern such as " + printable(path) + "/**/*.exe"};
  }
  auto impl = std::make_unique<Impl>();
  impl->path = path;
  impl->handle = open_for_reading(path);
  if (!impl->handle.is_open()) {
    return windows_error(ErrorKind::input, what, GetLastError());
  }
  if (GetFileType(impl->handle.get()) != FILE_TYPE_DISK) {
    return Error{ErrorKind::input,
                 what + ": it is a device or a pipe, not a regular file",
                 "copy its content to a file first"};
  }
  SIGNCTL_TRY(impl->identity, identity_of(impl->handle, path), "");
  return std::shared_ptr<FileSource>(new FileSource(std::move(impl)));
}

std::uint64_t FileSource::size() const {
  return impl_->identity.size;
}

const std::string& FileSource::path() const {
  return impl_->path;
}

const FileIdentity& FileSource::identity() const {
  return impl_->identity;
}

Result<void> FileSource::read_at(std::uint64_t offset, std::span<std::uint8_t> out) const {
  const std::uint64_t end = impl_->identity.size;
  if (offset > end || out.size() > end - offset) {
    return Error{ErrorKind::input,
                 printable(impl_->path) + ": " + std::to_string(out.size()) + " bytes at offset " +
                     std::to_string(offset) + " reach past the end at " + std::to_string(end)};
  }
  while (!out.empty()) {
    OVERLAPPED at{};
    at.Offset = static_cast<DWORD>(offset & 0xFFFFFFFFU);
    at.OffsetHigh = static_cast<DWORD>(offset >> 32U);
    DWORD got = 0;
    const auto wanted = static_cast<DWORD>(std::min(out.size(), kLargestRead));
    const BOOL done = ReadFile(impl_->handle.get(), out.data(), wanted, &got, &at);
    const DWORD code = done != 0 ? ERROR_SUCCESS : GetLastError();
    if (code != ERROR_SUCCESS && code != ERROR_HANDLE_EOF) {
      return windows_error(ErrorKind::input, "cannot read " + printable(impl_->path), code);
    }
    if (got == 0) {
      return Error{ErrorKind::input,
                   printable(impl_->path) + " became shorter while it was being read",
                   "let nothing else write to it while signctl runs"};
    }
    offset += got;
    out = out.subspan(got);
  }
  return ok();
}

Result<FileIdentity> identity_at(std::string_view path_utf8) {
  const std::string path(path_utf8);
  const WindowsHandle handle = open_for_reading(path);
  if (!handle.is_open()) {
    return windows_error(
        ErrorKind::input, "cannot look at " + printable(path) + " again", GetLastError());
  }
  return identity_of(handle, path);
}

Result<FileIdentity> FileSource::identity_now() const {
  return identity_at(impl_->path);
}

}  // namespace signctl
