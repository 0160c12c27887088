// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/error.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace signctl {

/// The error for a failed attempt to read or write; `code` is GetLastError(), `kind` is `input` or
/// `output`.
[[nodiscard]] Error windows_error(ErrorKind kind, const std::string& what, unsigned long code);

/// An open HANDLE that closes itself. Void pointers keep <windows.h> out of headers.
class WindowsHandle {
 public:
  WindowsHandle() = default;
  explicit WindowsHandle(void* handle) : handle_(handle) {}
  WindowsHandle(const WindowsHandle&) = delete;
  WindowsHandle& operator=(const WindowsHandle&) = delete;
  WindowsHandle(WindowsHandle&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  WindowsHandle& operator=(WindowsHandle&& other) noexcept;
  ~WindowsHandle() { close(); }

  [[nodiscard]] void* get() const { return handle_; }
  [[nodiscard]] bool is_open() const;
  void close();

 private:
  void* handle_{nullptr};
};

/// A UTF-8 path as Windows wants it, without its limit of 260 characters.
[[nodiscard]] std::wstring windows_path(std::string_view path_utf8);

}  // namespace signctl
