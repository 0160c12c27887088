// SPDX-License-Identifier: Apache-2.0
#include "core/stale_files.hpp"

namespace signctl {

void remove_stale_temporary_files(const std::string& /*folder_utf8*/) {
  // Windows opens temporary files with FILE_FLAG_DELETE_ON_CLOSE semantics until they are
  // committed, so a killed run leaves none.
}

}  // namespace signctl
