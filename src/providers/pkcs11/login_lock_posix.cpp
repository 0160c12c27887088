// SPDX-License-Identifier: Apache-2.0
#include "core/posix_error.hpp"
#include "providers/pkcs11/login_lock.hpp"

#include <fcntl.h>
#include <poll.h>
#include <string>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace signctl::providers::pkcs11 {
namespace {

/// flock() ends with the process, so a file that stays behind holds nothing.
class FileLock final : public LoginLock {
 public:
  explicit FileLock(Descriptor file) : file_(std::move(file)) {}

 private:
  Descriptor file_;
};

/// The file, if it is ours: in a folder that all may write to, somebody else's could be held for
/// ever.
Descriptor open_file(std::string_view name) {
  const std::string path = "/tmp/signctl-" + std::to_string(::geteuid()) + "-" + std::string(name);
  Descriptor file(
      ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR));
  struct stat facts {};
  if (!file.is_open() || ::fstat(file.get(), &facts) != 0 || facts.st_uid != ::geteuid()) {
    file.close();
  }
  return file;
}

}  // namespace

LockResult take_login_lock(std::string_view name, std::chrono::milliseconds limit) {
  Descriptor file = open_file(name);
  if (!file.is_open()) {
    return {};
  }
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (retry_interrupted([&] { return ::flock(file.get(), LOCK_EX | LOCK_NB); }) != 0) {
    if (errno != EWOULDBLOCK) {
      return {};
    }
    if (std::chrono::steady_clock::now() >= deadline) {
      return {LockOutcome::busy, nullptr};
    }
    ::poll(nullptr, 0, 20);
  }
  return {LockOutcome::held, std::make_unique<FileLock>(std::move(file))};
}

}  // namespace signctl::providers::pkcs11
