// SPDX-License-Identifier: Apache-2.0
#include "core/file_mode_posix.hpp"

namespace signctl {

mode_t mode_of_successor(mode_t mode, KeptOwner kept) {
  if (kept == KeptOwner::user_and_group) {
    return mode;
  }
  // Under another owner they would hand out rights that nobody gave.
  mode &= ~static_cast<mode_t>(S_ISUID | S_ISGID);
  if (kept == KeptOwner::group) {
    return mode;
  }
  // Another group is everybody else to the file that was: what these may do, it may as well.
  constexpr unsigned kGroupAboveOthers = 3;
  const mode_t of_others = (mode & S_IRWXO) << kGroupAboveOthers;
  return (mode & ~static_cast<mode_t>(S_IRWXG)) | (mode & of_others);
}

}  // namespace signctl
