// SPDX-License-Identifier: Apache-2.0
#include "core/windows_api.hpp"
#include "core/windows_error.hpp"
#include "providers/pkcs11/login_lock.hpp"

#include <string>
#include <utility>

namespace signctl::providers::pkcs11 {
namespace {

/// A mutex of this user's session. Windows frees it when the process ends.
class MutexLock final : public LoginLock {
 public:
  explicit MutexLock(WindowsHandle mutex) : mutex_(std::move(mutex)) {}
  ~MutexLock() override { ::ReleaseMutex(mutex_.get()); }

 private:
  WindowsHandle mutex_;
};

}  // namespace

LockResult take_login_lock(std::string_view name, std::chrono::milliseconds limit) {
  const std::wstring path = L"Local\\signctl-" + std::wstring(name.begin(), name.end());
  WindowsHandle mutex(::CreateMutexW(nullptr, FALSE, path.c_str()));
  if (mutex.get() == nullptr) {
    return {};
  }
  const DWORD waited = ::WaitForSingleObject(mutex.get(), static_cast<DWORD>(limit.count()));
  if (waited != WAIT_OBJECT_0 && waited != WAIT_ABANDONED) {
    return {LockOutcome::busy, nullptr};
  }
  return {LockOutcome::held, std::make_unique<MutexLock>(std::move(mutex))};
}

}  // namespace signctl::providers::pkcs11
