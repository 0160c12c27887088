// SPDX-License-Identifier: Apache-2.0
#include "core/posix_error.hpp"

#include <cerrno>
#include <system_error>
#include <unistd.h>

namespace signctl {

namespace {

std::string hint_for(int code) {
  switch (code) {
    case ENOSPC:
    case EDQUOT:
      return "free some space: the result is written beside the target before it takes its place";
    case EFBIG:
      return "the file system or a limit (ulimit -f) does not allow a file of that size";
    case EROFS:
      return "the file system is mounted read-only";
    case EACCES:
    case EPERM:
      return "check the permissions of the file and of its folder";
    case ENOENT:
      return "check the path";
    case EMFILE:
    case ENFILE:
      return "too many open files; raise the limit (ulimit -n) or use fewer jobs";
    default:
      return {};
  }
}

}  // namespace

Error posix_error(ErrorKind kind, const std::string& what, int code) {
  std::string reason = std::generic_category().message(code);
  if (code == ENOSPC) {
    reason = "no space left on the device";
  }
  return {kind, what + ": " + reason, hint_for(code)};
}

FileDescriptor::~FileDescriptor() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
  }
}

}  // namespace signctl
