// SPDX-License-Identifier: Apache-2.0
#include "crypto/digest.hpp"

#include "core/text.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace signctl::crypto {
namespace {

struct Vector {
  DigestAlg alg;
  std::string message;
  std::string digest;
};

std::string hash_hex(DigestAlg alg, std::string_view message) {
  return to_hex(hash(alg, as_bytes(message)));
}

}  // namespace

TEST_CASE("digest: the examples of RFC 1321 and FIPS 180", "[crypto]") {
  const auto vector = GENERATE(values<Vector>({
      {DigestAlg::md5, "", "d41d8cd98f00b204e9800998ecf8427e"},
      {DigestAlg::md5, "abc", "900150983cd24fb0d6963f7d28e17f72"},
      {DigestAlg::sha1, "", "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
      {DigestAlg::sha1, "abc", "a9993e364706816aba3e25717850c26c9cd0d89d"},
      {DigestAlg::sha256, "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
      {DigestAlg::sha256,
       "abc",
       "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
      {DigestAlg::sha256,
       "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
       "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
      {DigestAlg::sha384,
       "abc",
       "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
       "8086072ba1e7cc2358baeca134c825a7"},
      {DigestAlg::sha512,
       "abc",
       "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
       "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"},
  }));

  CHECK(hash_hex(vector.alg, vector.message) == vector.digest);
}

TEST_CASE("digest: a million times the letter a, in pieces", "[crypto]") {
  Hasher hasher(DigestAlg::sha256);
  const std::string piece(997, 'a');
  std::size_t left = 1'000'000;
  while (left != 0) {
    const std::size_t size = std::min(left, piece.size());
    hasher.update(as_bytes(std::string_view(piece).substr(0, size)));
    left -= size;
  }
  Hasher moved(std::move(hasher));

  CHECK(to_hex(moved.finish()) ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("hmac: the test cases of RFC 4231", "[crypto]") {
  const auto mac = [](DigestAlg alg, const Bytes& key, std::string_view message) {
    return to_hex(hmac(alg, key, as_bytes(message)));
  };
  const Bytes jefe{'J', 'e', 'f', 'e'};
  CHECK(mac(DigestAlg::sha256, Bytes(20, 0x0B), "Hi There") ==
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  CHECK(mac(DigestAlg::sha256, jefe, "what do ya want for nothing?") ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  CHECK(mac(DigestAlg::sha384, jefe, "what do ya want for nothing?") ==
        "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e"
        "8e2240ca5e69e2c78b3239ecfab21649");
  CHECK(mac(DigestAlg::sha512, jefe, "what do ya want for nothing?") ==
        "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
        "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737");
  CHECK(mac(DigestAlg::sha256,
            Bytes(131, 0xAA),
            "Test Using Larger Than Block-Size Key - Hash Key First") ==
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST_CASE("hmac: the test cases of RFC 2202 for SHA-1, and an empty key", "[crypto]") {
  CHECK(to_hex(hmac(DigestAlg::sha1, Bytes(20, 0x0B), as_bytes("Hi There"))) ==
        "b617318655057264e28bc0b6fb378c8ef146be00");
  CHECK(to_hex(hmac(DigestAlg::sha256, {}, {})) ==
        "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST_CASE("random bytes: as many as asked for, and others each time", "[crypto]") {
  CHECK(random_bytes(0).empty());
  CHECK(random_bytes(32).size() == 32);
  CHECK(random_bytes(32) != random_bytes(32));
}

}  // namespace signctl::crypto
