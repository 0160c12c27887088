// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/file.hpp"
#include "core/posix_error.hpp"

#include <string>
#include <sys/stat.h>

namespace signctl {

static_assert(sizeof(off_t) == 8, "build with -D_FILE_OFFSET_BITS=64: files exceed 2 GiB");

struct FileSource::Impl {
  Descriptor descriptor;
  std::string path;
  FileIdentity identity;
  bool sparse{false};  ///< It had holes when it was opened.
};

[[nodiscard]] FileIdentity identity_of(const struct stat& status);

/// Whether fewer blocks are allocated than the size asks for.
[[nodiscard]] bool has_holes(const struct stat& status);

/// "a folder", "a device" ... for anything but a regular file; empty for a regular file.
[[nodiscard]] std::string special_kind(const struct stat& status);

}  // namespace signctl
