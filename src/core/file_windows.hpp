// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/file.hpp"
#include "core/windows_error.hpp"

#include <string>

namespace signctl {

struct FileSource::Impl {
  WindowsHandle handle;
  std::string path;
  FileIdentity identity;
};

}  // namespace signctl
