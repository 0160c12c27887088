// SPDX-License-Identifier: Apache-2.0
#include "core/text.hpp"

#include <signctl/digest_alg.hpp>

#include <array>

namespace signctl {

std::optional<DigestAlg> find_digest_alg(std::string_view name) {
  static constexpr std::array kAll{
      DigestAlg::md5, DigestAlg::sha1, DigestAlg::sha256, DigestAlg::sha384, DigestAlg::sha512};
  static constexpr std::string_view kFamily = "sha-";
  std::string plain = to_lower(name);
  // FIPS 180-4 writes SHA-256; only that one hyphen is optional.
  if (plain.starts_with(kFamily)) {
    plain.erase(kFamily.size() - 1, 1);
  }
  for (const DigestAlg alg : kAll) {
    if (plain == digest_name(alg)) {
      return alg;
    }
  }
  return std::nullopt;
}

}  // namespace signctl
