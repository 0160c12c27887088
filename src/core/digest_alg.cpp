// SPDX-License-Identifier: Apache-2.0
#include "core/text.hpp"

#include <signctl/digest_alg.hpp>

#include <algorithm>
#include <string>

namespace signctl {

std::optional<DigestAlg> find_digest_alg(std::string_view name) {
  std::string plain = to_lower(name);
  plain.erase(std::remove(plain.begin(), plain.end(), '-'), plain.end());
  for (const DigestAlg alg :
       {DigestAlg::md5, DigestAlg::sha1, DigestAlg::sha256, DigestAlg::sha384, DigestAlg::sha512}) {
    if (plain == digest_name(alg)) {
      return alg;
    }
  }
  return std::nullopt;
}

}  // namespace signctl
