// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>

namespace signctl::crypto {

/// The functions of one copy of OpenSSL. There may be two in the process, the program's own and
/// the one that libcurl brings along, and what one has made may not be given to the other.
struct StoreFunctions {
  decltype(&::BIO_new_mem_buf) bio_new_mem_buf{};
  decltype(&::BIO_free) bio_free{};
  decltype(&::PEM_read_bio_X509_AUX) pem_read_bio_x509_aux{};
  decltype(&::X509_free) x509_free{};
  decltype(&::X509_STORE_new) store_new{};
  decltype(&::X509_STORE_free) store_free{};
  decltype(&::X509_STORE_add_cert) store_add_cert{};
  decltype(&::X509_STORE_load_path) store_load_path{};
  decltype(&::X509_STORE_set_flags) store_set_flags{};
  decltype(&::ERR_peek_last_error) peek_last_error{};
  decltype(&::ERR_clear_error) clear_error{};
};

/// The certificates of a PEM list, and those in a folder where they are named by subject hash, as
/// OpenSSL's X509_STORE, for TLS connections to share: decoding the list of a system takes longer
/// than a handshake. An intermediate in it counts as an anchor too (X509_V_FLAG_PARTIAL_CHAIN), as
/// with libcurl.
///
/// @param functions    Those of the copy that the connections use; all of them.
/// @param folder_utf8  Looked into when a certificate is needed; empty for none.
/// @return  Empty when `pem` holds no certificate and no folder is given, or one that cannot be
///          read. Safe to share between threads.
[[nodiscard]] std::shared_ptr<X509_STORE> make_anchor_store(const StoreFunctions& functions,
                                                            std::string_view pem,
                                                            const std::string& folder_utf8);

}  // namespace signctl::crypto
