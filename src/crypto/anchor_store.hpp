// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>

struct x509_store_st;

namespace signctl::crypto {

/// The certificates of a PEM list, and those in a folder where they are named by subject hash, as
/// OpenSSL's X509_STORE, for TLS connections to share: decoding the list of a system takes longer
/// than a handshake. An intermediate in it counts as an anchor too (X509_V_FLAG_PARTIAL_CHAIN), as
/// with libcurl.
///
/// @param folder_utf8  Looked into when a certificate is needed; empty for none.
/// @return  Empty when `pem` holds no certificate and no folder is given. Safe to share between
///          threads.
[[nodiscard]] std::shared_ptr<x509_store_st> make_anchor_store(std::string_view pem,
                                                               const std::string& folder_utf8);

/// OpenSSL's OpenSSL_version().
using VersionFunction = const char* (*)(int);

/// Whether `version`, as some library finds it, belongs to the copy of OpenSSL that works here:
/// only then may a store be handed to that library.
[[nodiscard]] bool is_our_openssl(VersionFunction version);

}  // namespace signctl::crypto
