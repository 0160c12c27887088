# SPDX-License-Identifier: Apache-2.0
# Everything comes from find_package: Debian packages or vcpkg, never a download. docs/adr/0007 says
# why each is there.

find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED COMPONENTS Crypto)
find_package(CURL REQUIRED)
find_package(LibXml2 2.9 REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(spdlog 1.10 REQUIRED)
find_package(yaml-cpp 0.7 REQUIRED)
find_package(CLI11 2.1 REQUIRED)
find_package(ZLIB 1.2.11 REQUIRED)
if(SIGNCTL_TESTS)
  find_package(Catch2 REQUIRED)
  find_package(httplib CONFIG QUIET)
  if(NOT TARGET httplib::httplib)
    # Debian packages cpp-httplib with a pkg-config file only.
    find_package(PkgConfig REQUIRED)
    pkg_check_modules(httplib REQUIRED IMPORTED_TARGET cpp-httplib)
    add_library(httplib::httplib ALIAS PkgConfig::httplib)
  endif()
endif()

# On ELF systems libcurl is opened with dlopen when a command first needs the network, because its
# two dozen dependencies cost more start-up time than signing a small file. Elsewhere it is linked.
if(UNIX AND NOT APPLE AND NOT VCPKG_TARGET_TRIPLET)
  set(signctl_load_curl_default ON)
else()
  set(signctl_load_curl_default OFF)
endif()
option(SIGNCTL_LOAD_CURL_LATE "Open libcurl at run time instead of linking it"
  ${signctl_load_curl_default})

# A libcrypto inside the program needs fewer relocations at every start (docs/adr/0015). Only where no shared
# library that is linked could call it: libcurl brings its own copy along when it is opened late.
option(SIGNCTL_STATIC_OPENSSL "Link libcrypto into the program, where a static one is installed" OFF)
set(signctl_crypto_library OpenSSL::Crypto)
if(SIGNCTL_STATIC_OPENSSL AND SIGNCTL_LOAD_CURL_LATE AND NOT BUILD_SHARED_LIBS)
  find_library(SIGNCTL_CRYPTO_STATIC libcrypto.a)
  mark_as_advanced(SIGNCTL_CRYPTO_STATIC)
  if(SIGNCTL_CRYPTO_STATIC)
    # The property is that of the program which is linked in the end: tests keep the shared one.
    set(signctl_crypto_library
      "$<IF:$<BOOL:$<TARGET_PROPERTY:SIGNCTL_STATIC_OPENSSL>>,${SIGNCTL_CRYPTO_STATIC},OpenSSL::Crypto>")
  else()
    message(STATUS "No static libcrypto here: linked as a shared library")
  endif()
endif()

# CRC-32 with the processor's help (docs/adr/0017). The static one where it is installed, as with zlib.
find_path(SIGNCTL_LIBDEFLATE_INCLUDE libdeflate.h REQUIRED)
find_library(SIGNCTL_LIBDEFLATE_LIBRARY NAMES libdeflate.a deflate libdeflate deflatestatic libdeflatestatic REQUIRED)
mark_as_advanced(SIGNCTL_LIBDEFLATE_INCLUDE SIGNCTL_LIBDEFLATE_LIBRARY)

# libxml2 brings ICU along: opened when the first XML document is met, for the same reason.
option(SIGNCTL_LOAD_XML_LATE "Open libxml2 at run time instead of linking it"
  ${signctl_load_curl_default})

# libmspack unpacks the cabinets that are looked into (docs/adr/0011). Late for the same reason, and
# because its licence, LGPL-2.1, asks that users can put another build of it in its place.
option(SIGNCTL_LOAD_MSPACK_LATE "Open libmspack at run time instead of linking it"
  ${signctl_load_curl_default})
find_path(SIGNCTL_MSPACK_INCLUDE mspack.h REQUIRED)
mark_as_advanced(SIGNCTL_MSPACK_INCLUDE)
if(NOT SIGNCTL_LOAD_MSPACK_LATE)
  find_library(SIGNCTL_MSPACK_LIBRARY NAMES mspack libmspack REQUIRED)
  mark_as_advanced(SIGNCTL_MSPACK_LIBRARY)
  add_library(Mspack::mspack UNKNOWN IMPORTED)
  set_target_properties(Mspack::mspack PROPERTIES
    IMPORTED_LOCATION "${SIGNCTL_MSPACK_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${SIGNCTL_MSPACK_INCLUDE}")
endif()
