// SPDX-License-Identifier: Apache-2.0
#include "core/atomic_file.hpp"

namespace signctl {

Result<void> write_file(std::string_view path_utf8,
                        ByteView bytes,
                        Existing existing,
                        FileAccess access) {
  SIGNCTL_TRY(AtomicFile file, AtomicFile::create(path_utf8, existing, access), "");
  SIGNCTL_CHECK(file.write_at(0, bytes), "");
  SIGNCTL_CHECK(file.sync(), "");
  return file.commit();
}

}  // namespace signctl
