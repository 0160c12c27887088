// SPDX-License-Identifier: Apache-2.0
#include "providers/pkcs11/library.hpp"

#include <dlfcn.h>

namespace signctl::providers::pkcs11 {
namespace {

std::string reason() {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): the text is the calling thread's own.
  const char* text = ::dlerror();
  return text == nullptr ? "unknown reason" : text;
}

}  // namespace

Library load_library(const std::string& path_utf8) {
  void* handle = ::dlopen(path_utf8.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    return {nullptr, reason()};
  }
  void* function = ::dlsym(handle, "C_GetFunctionList");
  if (function == nullptr) {
    return {nullptr, "it is no PKCS#11 module: " + reason()};
  }
  return {reinterpret_cast<ck::GetFunctionList>(function), ""};
}

}  // namespace signctl::providers::pkcs11
