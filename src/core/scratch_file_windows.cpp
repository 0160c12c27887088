// SPDX-License-Identifier: Apache-2.0
#include "core/scratch_file.hpp"
#include "core/windows_api.hpp"
#include "core/windows_error.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace signctl {

namespace {

constexpr std::size_t kLargestTransfer = std::size_t{1} << 30U;

OVERLAPPED at_offset(std::uint64_t offset) {
  OVERLAPPED at{};
  at.Offset = static_cast<DWORD>(offset & 0xFFFFFFFFU);
  at.OffsetHigh = static_cast<DWORD>(offset >> 32U);
  return at;
}

}  // namespace

struct ScratchFile::Impl {
  WindowsHandle handle;
  std::uint64_t size{};
};

ScratchFile::ScratchFile(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ScratchFile::~ScratchFile() = default;

Result<std::unique_ptr<ScratchFile>> ScratchFile::create() {
  static constexpr const char* kWhat = "cannot make a temporary file";
  std::array<wchar_t, MAX_PATH + 1> folder{};
  std::array<wchar_t, MAX_PATH + 1> name{};
  if (GetTempPathW(static_cast<DWORD>(folder.size()), folder.data()) == 0 ||
      GetTempFileNameW(folder.data(), L"sgn", 0, name.data()) == 0) {
    return windows_error(ErrorKind::output, kWhat, GetLastError());
  }
  // The file exists from here on, empty; opened again it removes itself when the handle goes.
  auto impl = std::make_unique<Impl>();
  impl->handle = WindowsHandle(CreateFileW(name.data(),
                                           GENERIC_READ | GENERIC_WRITE,
                                           0,
                                           nullptr,
                                           CREATE_ALWAYS,
                                           FILE_ATTRIBUTE_TEMPORARY | FILE_FLAG_DELETE_ON_CLOSE,
                                           nullptr));
  if (!impl->handle.is_open()) {
    const DWORD code = GetLastError();
    DeleteFileW(name.data());
    return windows_error(ErrorKind::output, kWhat, code);
  }
  return std::unique_ptr<ScratchFile>(new ScratchFile(std::move(impl)));
}

Result<void> ScratchFile::append(ByteView bytes) {
  while (!bytes.empty()) {
    OVERLAPPED at = at_offset(impl_->size);
    DWORD written = 0;
    const auto count = static_cast<DWORD>(std::min(bytes.size(), kLargestTransfer));
    if (WriteFile(impl_->handle.get(), bytes.data(), count, &written, &at) == 0) {
      return windows_error(ErrorKind::output, "cannot write a temporary file", GetLastError());
    }
    impl_->size += written;
    bytes = bytes.subspan(written);
  }
  return ok();
}

Result<void> ScratchFile::read_at(std::uint64_t offset, std::span<std::uint8_t> out) const {
  while (!out.empty()) {
    OVERLAPPED at = at_offset(offset);
    DWORD got = 0;
    const auto wanted = static_cast<DWORD>(std::min(out.size(), kLargestTransfer));
    if (ReadFile(impl_->handle.get(), out.data(), wanted, &got, &at) == 0 || got == 0) {
      return windows_error(ErrorKind::input, "cannot read a temporary file", GetLastError());
    }
    offset += got;
    out = out.subspan(got);
  }
  return ok();
}

}  // namespace signctl
