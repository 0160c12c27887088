// SPDX-License-Identifier: Apache-2.0
#include "session/wire.hpp"

#include "core/text.hpp"
#include "session/host.hpp"
#include "support/catch.hpp"

#include <string>

using namespace signctl;
using namespace signctl::session;

namespace {

Bytes bytes_of(std::string_view text) {
  return {text.begin(), text.end()};
}

}  // namespace

TEST_CASE("what is said is what is heard", "[session]") {
  Question sign;
  sign.asked = Asked::sign;
  sign.alg = DigestAlg::sha384;
  sign.digest = Bytes(48, 0xA5);
  sign.file_sha256 = Bytes(32, 1);
  sign.content_digest = Bytes(48, 2);
  const auto heard = decode_question(encode(sign));
  REQUIRE(heard);
  CHECK(heard->asked == Asked::sign);
  CHECK(heard->alg == DigestAlg::sha384);
  CHECK(heard->digest == sign.digest);
  CHECK(heard->file_sha256 == sign.file_sha256);
  CHECK(heard->content_digest == sign.content_digest);

  Question stamp;
  stamp.asked = Asked::stamp;
  stamp.stamp = {Bytes(256, 7), DigestAlg::sha512, "1.2.3"};
  const auto wanted = decode_question(encode(stamp));
  REQUIRE(wanted);
  CHECK(wanted->stamp.signature == stamp.stamp.signature);
  CHECK(wanted->stamp.alg == DigestAlg::sha512);
  CHECK(wanted->stamp.policy == "1.2.3");

  Answer answer;
  answer.chain = {Bytes{1, 2}, Bytes{3}};
  answer.signature = Bytes(64, 9);
  answer.stamp = {Bytes{4, 5}, "http://tsa.example/", 3};
  answer.status = {"release", "pfx", "CN=\xC3\xBC", 42, 7, 8, 9, 10};
  const auto told = decode_answer(encode(answer));
  REQUIRE(told);
  CHECK(told->chain == answer.chain);
  CHECK(told->signature == answer.signature);
  CHECK(told->stamp.token == answer.stamp.token);
  CHECK(told->stamp.attempts == 3);
  CHECK(told->status.subject == answer.status.subject);
  CHECK(told->status.most_signatures == 9);

  const auto welcome = decode_welcome(encode(Welcome{1, "0.1.0", Bytes(32, 3)}));
  REQUIRE(welcome);
  CHECK(welcome->version == "0.1.0");
  CHECK(welcome->salt == Bytes(32, 3));
}

TEST_CASE("an error arrives as it was", "[session]") {
  for (const ErrorKind kind : {ErrorKind::gate,
                               ErrorKind::config,
                               ErrorKind::auth,
                               ErrorKind::provider,
                               ErrorKind::network,
                               ErrorKind::interrupted}) {
    Answer answer;
    answer.error = Error{kind, "no \"luck\"\n", "try", {"a", "b"}, std::chrono::milliseconds(1500)};
    const auto told = decode_answer(encode(answer));
    REQUIRE(told);
    REQUIRE(told->error);
    CHECK(told->error->kind == kind);
    CHECK(told->error->message == answer.error->message);
    CHECK(told->error->trail == answer.error->trail);
    CHECK(told->error->retry_after == answer.error->retry_after);
    CHECK_FALSE(told->error->may_be_done);
    answer.error->may_be_done = true;
    CHECK(decode_answer(encode(answer))->error->may_be_done);
  }
}

TEST_CASE("what nobody can have meant is refused", "[session]") {
  for (const char* message : {"",
                              "{",
                              "[]",
                              "null",
                              "{}",
                              R"({"asked":"dance"})",
                              R"({"asked":1})",
                              R"({"asked":"hello"})",
                              R"({"asked":"hello","key":"AAAA"})",
                              R"({"asked":"hello","key":7})",
                              R"({"asked":"sign","alg":"sha256"})",
                              R"({"asked":"sign","alg":"sha256","digest":"AAAA"})",
                              R"({"asked":"sign","alg":"sha3","digest":"AAAA"})",
                              R"({"asked":"sign","alg":"sha256","digest":"!"})",
                              R"({"asked":"stamp","alg":"sha256"})"}) {
    INFO(message);
    CHECK_FALSE(decode_question(bytes_of(message)));
    CHECK_FALSE(decode_answer(bytes_of(message)));
    CHECK_FALSE(decode_welcome(bytes_of(message)));
  }
  CHECK_FALSE(decode_welcome(bytes_of(R"({"protocol":1,"version":"1","salt":"AAAA"})")));
  CHECK_FALSE(
      decode_answer(bytes_of(R"({"error":{"kind":99,"message":"","hint":"","trail":[]}})")));
  CHECK_FALSE(
      decode_answer(bytes_of(R"({"error":{"kind":-1,"message":"","hint":"","trail":[]}})")));
  CHECK_FALSE(decode_answer(bytes_of(R"({"error":"no"})")));
}

TEST_CASE("every cut of a message is refused", "[session]") {
  Question question;
  question.asked = Asked::sign;
  question.digest = Bytes(32, 1);
  const Bytes whole = encode(question);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CHECK_FALSE(decode_question(ByteView(whole).first(size)));
  }
}

TEST_CASE("a key depends on salt and settings", "[session]") {
  const Bytes key = make_key(Bytes(32, 1), as_bytes("settings"));
  CHECK(key.size() == 32);
  CHECK(key != make_key(Bytes(32, 2), as_bytes("settings")));
  CHECK(key != make_key(Bytes(32, 1), as_bytes("Settings")));
}
