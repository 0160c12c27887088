// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/result.hpp>

#include <mspack.h>

namespace signctl::formats {

/// The functions of libmspack that are used, however they come into the process.
struct MspackApi {
  decltype(&::mspack_create_cab_decompressor) create_cab_decompressor{};
  decltype(&::mspack_destroy_cab_decompressor) destroy_cab_decompressor{};
};

/// The library, loaded at the first call. Thread-safe.
///
/// @errors `unsupported` when it cannot be loaded.
Result<const MspackApi*> mspack_api();

}  // namespace signctl::formats
