// SPDX-License-Identifier: Apache-2.0
#include "formats/common/mspack_api.hpp"

#ifdef SIGNCTL_LOAD_MSPACK_LATE
#include <dlfcn.h>
#endif

namespace signctl::formats {

namespace {

#ifdef SIGNCTL_LOAD_MSPACK_LATE

template <class Function>
bool find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(library, name));
  return function != nullptr;
}

Result<MspackApi> load() {
  void* const library = ::dlopen("libmspack.so.0", RTLD_NOW | RTLD_LOCAL);
  MspackApi api;
  if (library == nullptr ||
      !find(library, "mspack_create_cab_decompressor", api.create_cab_decompressor) ||
      !find(library, "mspack_destroy_cab_decompressor", api.destroy_cab_decompressor)) {
    return Error{ErrorKind::unsupported,
                 "the library that unpacks cabinets, libmspack, is not on this machine",
                 "install it (Debian: libmspack0)"};
  }
  return api;
}

#else

Result<MspackApi> load() {
  return MspackApi{::mspack_create_cab_decompressor, ::mspack_destroy_cab_decompressor};
}

#endif

}  // namespace

Result<const MspackApi*> mspack_api() {
  static const Result<MspackApi> api = load();
  if (!api) {
    return Error(api.error());
  }
  return &*api;
}

}  // namespace signctl::formats
