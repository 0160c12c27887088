// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/file.hpp"
#include "core/posix_error.hpp"

#include <string>
#include <sys/stat.h>
#include <utility>

namespace signctl {

/// What POSIX knows of an open file. Shared by file_posix.cpp and atomic_file_posix.cpp.
struct FileSource::Impl {
  Impl(int opened, std::string name) : descriptor(opened), path(std::move(name)) {}

  FileDescriptor descriptor;
  std::string path;
  struct stat facts {};
  FileIdentity identity;
};

[[nodiscard]] FileIdentity identity_of(const struct stat& facts);

}  // namespace signctl
