// SPDX-License-Identifier: Apache-2.0
#include "providers/pkcs11/message.hpp"

#include "support/catch.hpp"
#include "support/must.hpp"

#include <random>

namespace signctl::test {
namespace {

using namespace providers::pkcs11;  // NOLINT(google-build-using-namespace): test

Request full_request() {
  Request request;
  request.operation = Operation::sign;
  request.module = "/usr/lib/libeToken.so";
  request.slot = 0xFFFFFFFFFFFFFFFFU;
  request.key = 2;
  request.mechanism = 0x1041;
  request.user = 1;
  request.context_login = true;
  request.data = {1, 2, 3};
  request.pin = Secret("1234");
  return request;
}

Reply full_reply() {
  Reply reply;
  reply.rv = 0xA0;
  reply.call = "C_Login";
  reply.module = {"maker", "what", "1.2", false};
  reply.slots.push_back({1, "reader", "maker", std::nullopt});
  reply.slots.push_back({2, "reader", "maker", Token{"label", "m", "n", "serial", "1.0", 7, 10}});
  reply.mechanisms.push_back({1, 1024, 4096, 0x800});
  Object key;
  key.handle = 5;
  key.kind = ObjectClass::private_key;
  key.label = "codesign";
  key.id = {0xA1};
  key.modulus = Bytes(256, 0xC0);
  key.always_authenticate = true;
  key.allowed_mechanisms = {0x1, 0xD};
  reply.objects = {key, Object{}};
  reply.signature = Bytes(256, 0x42);
  return reply;
}

ByteView payload_of(const Bytes& frame) {
  return ByteView(frame).subspan(kFrameHeader);
}

}  // namespace

TEST_CASE("pkcs11 messages: a request comes back as it was sent", "[providers][pkcs11][messages]") {
  const Bytes frame = encode(full_request());

  const Request read = must(decode_request(payload_of(frame)));

  CHECK(must(payload_size(ByteView(frame).first(kFrameHeader))) == frame.size() - kFrameHeader);
  CHECK(read.operation == Operation::sign);
  CHECK(read.slot == 0xFFFFFFFFFFFFFFFFU);
  CHECK(read.context_login);
  CHECK(read.data == Bytes{1, 2, 3});
  REQUIRE(read.pin.has_value());
  CHECK(read.pin->reveal() == "1234");
  CHECK(encode(read) == frame);
}

TEST_CASE("pkcs11 messages: no PIN and an empty PIN are two things",
          "[providers][pkcs11][messages]") {
  Request request = full_request();
  request.pin = Secret();
  CHECK(must(decode_request(payload_of(encode(request)))).pin.has_value());
  request.pin.reset();
  CHECK_FALSE(must(decode_request(payload_of(encode(request)))).pin.has_value());
}

TEST_CASE("pkcs11 messages: a reply comes back as it was sent", "[providers][pkcs11][messages]") {
  const Bytes frame = encode(full_reply());

  const Reply read = must(decode_reply(payload_of(frame)));

  CHECK(read.rv == 0xA0U);
  CHECK_FALSE(read.module.threads);
  REQUIRE(read.slots.size() == 2);
  CHECK_FALSE(read.slots[0].token.has_value());
  CHECK(read.slots[1].token == full_reply().slots[1].token);
  CHECK(encode(read) == frame);
}

TEST_CASE("pkcs11 messages: nothing shorter or longer than a message is one",
          "[providers][pkcs11][messages]") {
  const Bytes request = encode(full_request());
  const Bytes reply = encode(full_reply());
  for (std::size_t size = 0; size < payload_of(request).size(); ++size) {
    CHECK_FALSE(decode_request(payload_of(request).first(size)));
  }
  for (std::size_t size = 0; size < payload_of(reply).size(); ++size) {
    CHECK_FALSE(decode_reply(payload_of(reply).first(size)));
  }
  Bytes longer = request;
  longer.push_back(0);
  CHECK_FALSE(decode_request(payload_of(longer)));
}

TEST_CASE("pkcs11 messages: a frame larger than any message is refused before it is read",
          "[providers][pkcs11][messages]") {
  CHECK_FALSE(payload_size(Bytes{0xFF, 0xFF, 0xFF, 0xFF}));
  CHECK_FALSE(payload_size(Bytes{0x01, 0x00, 0x40, 0x00}));
  CHECK(payload_size(Bytes{0x00, 0x00, 0x40, 0x00}));
  CHECK_FALSE(payload_size(Bytes{0x03, 0x00, 0x00, 0x00}));
  CHECK_FALSE(payload_size(Bytes{0x04}));
}

TEST_CASE("pkcs11 messages: another version, operation, flag or count is refused",
          "[providers][pkcs11][messages]") {
  Bytes frame = encode(full_request());
  Bytes changed = frame;
  changed[kFrameHeader] = static_cast<std::uint8_t>(kProtocolVersion) + 1;
  CHECK_FALSE(decode_request(payload_of(changed)));
  changed = frame;
  changed[2 * kFrameHeader] = static_cast<std::uint8_t>(kLastOperation) + 1;
  CHECK_FALSE(decode_request(payload_of(changed)));

  Reply empty;
  Bytes reply = encode(empty);
  // rv, three empty texts, three of the module and a flag come before the count of slots.
  const std::size_t count_at = 2 * kFrameHeader + 8 * 7 + 1;
  reply[count_at + 7] = 0xFF;
  CHECK_FALSE(decode_reply(payload_of(reply)));
  reply = encode(empty);
  reply[count_at - 1] = 2;
  CHECK_FALSE(decode_reply(payload_of(reply)));
}

TEST_CASE("pkcs11 messages: random damage never crashes a reader",
          "[providers][pkcs11][messages]") {
  std::mt19937 random(1);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same every time
  const Bytes request = encode(full_request());
  const Bytes reply = encode(full_reply());
  int refused = 0;
  for (int round = 0; round < 20'000; ++round) {
    Bytes frame = round % 2 == 0 ? request : reply;
    for (int change = 0; change < 3; ++change) {
      frame[random() % frame.size()] = static_cast<std::uint8_t>(random());
    }
    refused += decode_request(payload_of(frame)) ? 0 : 1;
    refused += decode_reply(payload_of(frame)) ? 0 : 1;
  }
  CHECK(refused > 20'000);
}

}  // namespace signctl::test
