// SPDX-License-Identifier: Apache-2.0
#include "providers/google_kms/crc32c.hpp"

#include "core/text.hpp"
#include "crypto/digest.hpp"
#include "support/catch.hpp"

namespace signctl::test {

using providers::google_kms::crc32c;
using providers::google_kms::crc32c_text;

TEST_CASE("crc32c: the check value of the catalogues is met", "[providers][google_kms]") {
  CHECK(crc32c(as_bytes("123456789")) == 0xE3069283);
  CHECK(crc32c_text(as_bytes("123456789")) == "3808858755");
}

TEST_CASE("crc32c: the examples of RFC 3720, B.4 are met", "[providers][google_kms]") {
  Bytes ascending(32);
  for (std::size_t i = 0; i < ascending.size(); ++i) {
    ascending[i] = static_cast<std::uint8_t>(i);
  }

  CHECK(crc32c({}) == 0);
  CHECK(crc32c(Bytes(32, 0x00)) == 0x8A9136AA);
  CHECK(crc32c(Bytes(32, 0xFF)) == 0x62A8AB43);
  CHECK(crc32c(ascending) == 0x46DD794E);
}

TEST_CASE("crc32c: the sum of an empty file's hash", "[providers][google_kms]") {
  CHECK(crc32c_text(crypto::hash(DigestAlg::sha256, {})) == "515299040");
}

}  // namespace signctl::test
