// SPDX-License-Identifier: Apache-2.0
#include "formats/common/mspack_api.hpp"

namespace signctl::formats {

Result<const MspackApi*> mspack_api() {
  static const MspackApi api{::mspack_create_cab_decompressor, ::mspack_destroy_cab_decompressor};
  return &api;
}

}  // namespace signctl::formats
