// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/keys.hpp"

#include <signctl/bytes.hpp>
#include <signctl/finding.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

/// Identities made once a process, and small helpers of the cms tests.
namespace signctl::test {

/// RSA 2048 leaf, intermediate and root.
const crypto::KeyBundle& rsa_signer();
/// P-256 leaf below the same intermediate.
const crypto::KeyBundle& ec_signer();
/// RSA 2048 leaf and root of a timestamp authority that does everything right.
const crypto::KeyBundle& authority();
/// The same authority's key with another certificate; OpenSSL syntax, empty for no extension.
crypto::KeyBundle authority_with_eku(const std::string& extended_key_usage);
/// Another certificate with issuer and serial number of `original` but the key of `key`.
crypto::Certificate twin_of(const crypto::Certificate& original, const crypto::PrivateKey& key);

/// SpcIndirectDataContent of a PE image as signtool writes it.
Bytes indirect_data();

/// The ids of `findings`, sorted, each once, joined by blanks.
std::string ids(const std::vector<Finding>& findings);
/// All findings in full, for a failing test.
std::string describe(const std::vector<Finding>& findings);

/// The first place of `needle` in `haystack`; throws when there is none.
std::size_t offset_of(const Bytes& haystack, const Bytes& needle);

/// The CMS of each WIN_CERTIFICATE of a PE file, cut to its DER length.
std::vector<Bytes> certificate_table(const Bytes& image);

struct ShellResult {
  int status{};
  std::string output;  ///< stdout and stderr.
};
ShellResult shell(const std::string& command);

}  // namespace signctl::test
