// SPDX-License-Identifier: Apache-2.0
#include "core/append_file.hpp"
#include "core/path.hpp"
#include "core/text.hpp"
#include "core/windows_error.hpp"

#include <utility>
// NOMINMAX and WIN32_LEAN_AND_MEAN come from the build.
#include <windows.h>

namespace signctl {

struct AppendFile::Impl {
  WindowsHandle file;
  std::string path;
};

namespace {

OVERLAPPED at(std::uint64_t offset) {
  OVERLAPPED place{};
  place.Offset = static_cast<DWORD>(offset);
  place.OffsetHigh = static_cast<DWORD>(offset >> 32U);
  return place;
}

}  // namespace

AppendFile::AppendFile(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
AppendFile::AppendFile(AppendFile&&) noexcept = default;
AppendFile& AppendFile::operator=(AppendFile&&) noexcept = default;
AppendFile::~AppendFile() = default;

Result<AppendFile> AppendFile::open(std::string_view path_utf8) {
  auto impl = std::make_unique<Impl>();
  impl->path = std::string(path_utf8);
  // FILE_APPEND_DATA without FILE_WRITE_DATA: every write goes to the end, whoever wrote meanwhile.
  impl->file = WindowsHandle(::CreateFileW(to_path(path_utf8).c_str(),
                                           GENERIC_READ | FILE_APPEND_DATA | DELETE,
                                           FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                                           nullptr,
                                           OPEN_ALWAYS,
                                           FILE_ATTRIBUTE_NORMAL | FILE_FLAG_WRITE_THROUGH,
                                           nullptr));
  if (!impl->file.is_open()) {
    return windows_error(
        ErrorKind::output, "cannot open " + printable(path_utf8), ::GetLastError());
  }
  return AppendFile(std::move(impl));
}

Result<void> AppendFile::append(ByteView bytes) {
  DWORD written = 0;
  if (::WriteFile(
          impl_->file.get(), bytes.data(), static_cast<DWORD>(bytes.size()), &written, nullptr) ==
          0 ||
      written != bytes.size()) {
    return windows_error(
        ErrorKind::output, "cannot write to " + printable(impl_->path), ::GetLastError());
  }
  return ok();
}

Result<void> AppendFile::sync() const {
  // The file is open for writing through.
  return ok();
}

std::uint64_t AppendFile::size() const {
  LARGE_INTEGER size{};
  return ::GetFileSizeEx(impl_->file.get(), &size) != 0 ? static_cast<std::uint64_t>(size.QuadPart)
                                                        : 0;
}

bool AppendFile::is_replaced() const {
  // A file with an open handle keeps its name here until the handle is closed.
  FILE_STANDARD_INFO info{};
  return ::GetFileInformationByHandleEx(impl_->file.get(), FileStandardInfo, &info, sizeof info) ==
             0 ||
         info.DeletePending != 0;
}

Result<Bytes> AppendFile::read_from(std::uint64_t offset) const {
  const std::uint64_t end = size();
  Bytes bytes(offset < end ? static_cast<std::size_t>(end - offset) : 0);
  std::size_t done = 0;
  while (done < bytes.size()) {
    OVERLAPPED place = at(offset + done);
    DWORD got = 0;
    if (::ReadFile(impl_->file.get(),
                   bytes.data() + done,
                   static_cast<DWORD>(bytes.size() - done),
                   &got,
                   &place) == 0 ||
        got == 0) {
      return windows_error(
          ErrorKind::input, "cannot read " + printable(impl_->path), ::GetLastError());
    }
    done += got;
  }
  return bytes;
}

bool AppendFile::try_lock(std::uint64_t offset, std::uint64_t size) {
  OVERLAPPED place = at(offset);
  return ::LockFileEx(impl_->file.get(),
                      LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY,
                      0,
                      static_cast<DWORD>(size),
                      static_cast<DWORD>(size >> 32U),
                      &place) != 0;
}

void AppendFile::unlock(std::uint64_t offset, std::uint64_t size) {
  OVERLAPPED place = at(offset);
  (void)::UnlockFileEx(
      impl_->file.get(), 0, static_cast<DWORD>(size), static_cast<DWORD>(size >> 32U), &place);
}

}  // namespace signctl
