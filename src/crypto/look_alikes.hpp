// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/byte_source.hpp>
#include <signctl/bytes.hpp>
#include <signctl/result.hpp>

#include <string_view>
#include <vector>

namespace signctl::crypto {

struct NamedHash {
  std::string_view name;  ///< "BLAKE2b"
  Bytes value;
};

/// Hashes of `source` that are not in DigestAlg and have so many octets: for telling which hash a
/// value is. Those that this OpenSSL does not have are left out.
///
/// @errors those of reading.
Result<std::vector<NamedHash>> look_alikes(const ByteSource& source, std::size_t octets);

}  // namespace signctl::crypto
