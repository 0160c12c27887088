// SPDX-License-Identifier: Apache-2.0
#include "core/assert.hpp"
#include "core/atomic_file.hpp"
#include "core/file_windows.hpp"
#include "core/path.hpp"
#include "core/replaceable_windows.hpp"
#include "core/stale_files.hpp"
#include "core/temporary_files.hpp"
#include "core/text.hpp"
#include "core/windows_api.hpp"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <optional>

namespace signctl {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kBufferSize = std::size_t{1} << 20U;

std::string unique_name() {
  static std::atomic<unsigned> counter{0};
  LARGE_INTEGER ticks{};
  QueryPerformanceCounter(&ticks);
  return ".signctl-" + std::to_string(GetCurrentProcessId()) + "-" +
         std::to_string(ticks.QuadPart) + "-" + std::to_string(counter++) + ".tmp";
}

}  // namespace

struct AtomicFile::Impl {
  std::string target;
  std::string temporary;
  Existing existing{};
  WindowsHandle handle;
  std::optional<TemporaryFileSlot> slot;
  bool present{false};

  Impl() = default;
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    handle.close();
    if (present) {
      DeleteFileW(windows_path(temporary).c_str());
    }
    if (slot) {
      leave_temporary_file(*slot);
    }
  }

  [[nodiscard]] Error failure(DWORD code) const {
    return windows_error(ErrorKind::output, "cannot write " + printable(target), code);
  }
  [[nodiscard]] DWORD move_to_target() const;
};

/// 0 or an error code. A target with other streams or permissions keeps them through ReplaceFile.
DWORD AtomicFile::Impl::move_to_target() const {
  const std::wstring from = windows_path(temporary);
  const std::wstring to = windows_path(target);
  const bool exists = GetFileAttributesW(to.c_str()) != INVALID_FILE_ATTRIBUTES;
  if (exists && existing == Existing::replace &&
      ReplaceFileW(
          to.c_str(), from.c_str(), nullptr, REPLACEFILE_IGNORE_MERGE_ERRORS, nullptr, nullptr) !=
          0) {
    return ERROR_SUCCESS;
  }
  // Some network drives cannot replace, only move.
  const DWORD flags = MOVEFILE_WRITE_THROUGH |
                      (existing == Existing::replace ? DWORD{MOVEFILE_REPLACE_EXISTING} : 0U);
  return MoveFileExW(from.c_str(), to.c_str(), flags) != 0 ? DWORD{ERROR_SUCCESS} : GetLastError();
}

AtomicFile::AtomicFile(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
AtomicFile::AtomicFile(AtomicFile&&) noexcept = default;
AtomicFile& AtomicFile::operator=(AtomicFile&&) noexcept = default;
AtomicFile::~AtomicFile() = default;

Result<AtomicFile> AtomicFile::create(std::string_view target_utf8,
                                      Existing existing,
                                      FileAccess /*access: a new file inherits the folder's*/) {
  if (target_utf8.empty() || target_utf8.find('\0') != std::string_view::npos) {
    return Error{ErrorKind::output,
                 "cannot write \"" + printable(target_utf8) + "\": that is not a file name"};
  }
  const fs::path target = resolve_links(to_path(target_utf8));
  auto impl = std::make_unique<Impl>();
  impl->target = to_utf8(target);
  impl->existing = existing;
  SIGNCTL_CHECK(check_target(impl->target, existing), "");
  const fs::path folder = target.has_parent_path() ? target.parent_path() : fs::path(".");
  remove_stale_temporary_files(to_utf8(folder));
  impl->temporary = to_utf8(folder / to_path(unique_name()));
  impl->slot = enter_temporary_file(fs::path(windows_path(impl->temporary)));
  // Others may read it, as the gate does, but not write. Sharing deletion lets the handler of a
  // console event remove it while it is open.
  impl->handle = WindowsHandle(CreateFileW(windows_path(impl->temporary).c_str(),
                                           GENERIC_READ | GENERIC_WRITE,
                                           FILE_SHARE_READ | FILE_SHARE_DELETE,
                                           nullptr,
                                           CREATE_NEW,
                                           FILE_ATTRIBUTE_NORMAL,
                                           nullptr));
  if (!impl->handle.is_open()) {
    return impl->failure(GetLastError());
  }
  impl->present = true;
  return AtomicFile(std::move(impl));
}

const std::string& AtomicFile::temporary_path() const {
  SIGNCTL_ASSERT(impl_ != nullptr);
  return impl_->temporary;
}

Result<void> AtomicFile::copy_from(const FileSource& source,
                                   std::uint64_t size,
                                   const CopyListener& copied) {
  SIGNCTL_ASSERT(impl_ != nullptr && impl_->present);
  Bytes buffer(static_cast<std::size_t>(std::min<std::uint64_t>(kBufferSize, size)));
  SIGNCTL_CHECK(resize(size), "");
  if (copied) {
    copied(0);
  }
  for (std::uint64_t offset = 0; offset < size;) {
    const auto count =
        static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), size - offset));
    const std::span<std::uint8_t> part(buffer.data(), count);
    SIGNCTL_CHECK(source.read_at(offset, part), "");
    SIGNCTL_CHECK(write_at(offset, part), "");
    offset += count;
    if (copied) {
      copied(offset);
    }
  }
  return ok();
}

Result<void> AtomicFile::write_at(std::uint64_t offset, ByteView bytes) {
  SIGNCTL_ASSERT(impl_ != nullptr && impl_->present);
  static constexpr auto kLargestOffset = static_cast<std::uint64_t>(INT64_MAX);
  if (offset > kLargestOffset || bytes.size() > kLargestOffset - offset) {
    return impl_->failure(ERROR_FILE_TOO_LARGE);
  }
  while (!bytes.empty()) {
    OVERLAPPED at{};
    at.Offset = static_cast<DWORD>(offset & 0xFFFFFFFFU);
    at.OffsetHigh = static_cast<DWORD>(offset >> 32U);
    DWORD written = 0;
    const auto count = static_cast<DWORD>(std::min(bytes.size(), kBufferSize));
    if (WriteFile(impl_->handle.get(), bytes.data(), count, &written, &at) == 0) {
      return impl_->failure(GetLastError());
    }
    offset += written;
    bytes = bytes.subspan(written);
  }
  return ok();
}

Result<void> AtomicFile::resize(std::uint64_t size) {
  SIGNCTL_ASSERT(impl_ != nullptr && impl_->present);
  if (size > static_cast<std::uint64_t>(INT64_MAX)) {
    return impl_->failure(ERROR_FILE_TOO_LARGE);
  }
  FILE_END_OF_FILE_INFO end{};
  end.EndOfFile.QuadPart = static_cast<LONGLONG>(size);
  if (SetFileInformationByHandle(impl_->handle.get(), FileEndOfFileInfo, &end, sizeof end) == 0) {
    return impl_->failure(GetLastError());
  }
  return ok();
}

Result<void> AtomicFile::sync() {
  SIGNCTL_ASSERT(impl_ != nullptr && impl_->present);
  if (FlushFileBuffers(impl_->handle.get()) == 0) {
    return impl_->failure(GetLastError());
  }
  return ok();
}

Result<void> AtomicFile::commit() {
  SIGNCTL_ASSERT(impl_ != nullptr && impl_->present);
  impl_->handle.close();
  if (const DWORD code = impl_->move_to_target(); code != ERROR_SUCCESS) {
    return impl_->failure(code);
  }
  impl_->present = false;
  return ok();
}

void remove_path_on_signal(const fs::path::value_type* path) noexcept {
  // Console control handlers run in a thread of their own, where any call is allowed.
  DeleteFileW(path);
}

unsigned long current_process_id() noexcept {
  return GetCurrentProcessId();
}

}  // namespace signctl
