// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/error.hpp>

#include <cerrno>
#include <string>
#include <string_view>

namespace signctl {

/// The error for a failed attempt to read. `code` is the errno, `what` the attempt ("cannot open
/// setup.exe"); always kind `input`.
[[nodiscard]] Error read_error(int code, const std::string& what, std::string_view path_utf8);

/// The error for a failed attempt to write. `what` as for read_error; always kind `output`.
[[nodiscard]] Error write_error(int code, const std::string& what, std::string_view path_utf8);

/// Calls `function` again for as long as a signal interrupts it.
template <class Function>
auto retry_interrupted(Function function) {
  auto result = function();
  while (result == -1 && errno == EINTR) {
    result = function();
  }
  return result;
}

/// An open file descriptor that closes itself.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  Descriptor(Descriptor&& other) noexcept : number_(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor() { close(); }

  [[nodiscard]] int get() const { return number_; }
  [[nodiscard]] bool is_open() const { return number_ >= 0; }
  [[nodiscard]] int release();
  void close();

 private:
  int number_{-1};
};

}  // namespace signctl
