// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/bytes.hpp>

#include <chrono>
#include <memory>
#include <string_view>

namespace signctl::providers::pkcs11 {

/// Held while logging in, by one signctl of this user at a time: several that read a token's flags
/// before any has sent its wrong PIN could lock it together.
class LoginLock {
 public:
  virtual ~LoginLock() = default;
};

enum class LockOutcome {
  held,
  unavailable,  ///< This system has no place for it; logging in may go on without.
  busy,         ///< Another signctl held it for all of the time.
};

struct LockResult {
  LockOutcome outcome{LockOutcome::unavailable};
  std::unique_ptr<LoginLock> lock;
};

/// Takes the lock of a token. `name` tells tokens apart: letters and digits.
[[nodiscard]] LockResult take_login_lock(std::string_view name, std::chrono::milliseconds limit);

}  // namespace signctl::providers::pkcs11
