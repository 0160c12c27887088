// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/bytes.hpp>
#include <signctl/digest_alg.hpp>
#include <signctl/result.hpp>

/// The text that a package signature is over (NuGet, "Package Signatures Technical Details",
/// Signature Content): lines "Name:value" in sections that an empty line ends.
namespace signctl::nuget {

/// The package hash and how it was made.
struct PackageHash {
  DigestAlg alg{DigestAlg::sha256};
  Bytes digest;  ///< Raw.
};

/// The text for one hash, UTF-8 with line feeds.
[[nodiscard]] Bytes encode_content(const PackageHash& hash);

/// Reads such a text: version 1, and exactly one hash with an algorithm that NuGet allows. Other
/// properties are passed over, as NuGet's clients do.
///
/// @errors `input` for anything else, with what is wrong.
Result<PackageHash> parse_content(ByteView text);

}  // namespace signctl::nuget
