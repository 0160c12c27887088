// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace signctl {

/// Hash algorithms that Authenticode files are met with. signctl signs with the SHA-2 ones only;
/// md5 and sha1 exist so that old signatures can be read and judged.
enum class DigestAlg { md5, sha1, sha256, sha384, sha512 };

/// Output size in bytes.
[[nodiscard]] constexpr std::size_t digest_size(DigestAlg alg) noexcept {
  switch (alg) {
    case DigestAlg::md5:
      return 16;
    case DigestAlg::sha1:
      return 20;
    case DigestAlg::sha256:
      return 32;
    case DigestAlg::sha384:
      return 48;
    case DigestAlg::sha512:
      return 64;
  }
  return 0;
}

/// Lower-case name as used on the command line and in JSON: "sha256".
[[nodiscard]] constexpr std::string_view digest_name(DigestAlg alg) noexcept {
  switch (alg) {
    case DigestAlg::md5:
      return "md5";
    case DigestAlg::sha1:
      return "sha1";
    case DigestAlg::sha256:
      return "sha256";
    case DigestAlg::sha384:
      return "sha384";
    case DigestAlg::sha512:
      return "sha512";
  }
  return "";
}

/// Whether signctl makes signatures with it (FIPS 180-4, SHA-2 family).
[[nodiscard]] constexpr bool is_signing_digest(DigestAlg alg) noexcept {
  return alg == DigestAlg::sha256 || alg == DigestAlg::sha384 || alg == DigestAlg::sha512;
}

/// The algorithm named `name`: "sha256", "SHA256" and "SHA-256" alike; empty if unknown.
[[nodiscard]] std::optional<DigestAlg> find_digest_alg(std::string_view name);

}  // namespace signctl
