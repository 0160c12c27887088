// SPDX-License-Identifier: Apache-2.0
#include "providers/common/redaction.hpp"

#include "core/text.hpp"
#include "support/catch.hpp"

#include <string>

namespace signctl::test {
namespace {

using providers::Json;
using providers::Reply;
using providers::text_at;

HttpRequest with_header(const std::string& name, const std::string& value) {
  HttpRequest request;
  request.headers[name] = value;
  return request;
}

HttpRequest with_body(std::string_view text) {
  HttpRequest request;
  const ByteView octets = as_bytes(text);
  request.body.assign(octets.begin(), octets.end());
  return request;
}

HttpRequest with_url(const std::string& url) {
  HttpRequest request;
  request.url = url;
  return request;
}

/// What remains of a reply that says `text` to `request`.
Reply after(const HttpRequest& request, int status, const std::string& text) {
  Reply reply;
  reply.status = status;
  reply.headers["x-request-id"] = text;
  reply.json = Json{{"error", Json::array({{{"message", text}}})}};
  reply.text = text;
  providers::hide_secrets(providers::secrets_of(request), reply);
  return reply;
}

std::string message_of(const Reply& reply) {
  return text_at(reply.json["error"][0], {"message"});
}

}  // namespace

TEST_CASE("redaction: what a service repeats of the credentials it was sent is not shown",
          "[providers][common]") {
  struct Row {
    std::string what;
    HttpRequest request;
    std::string repeated;
  };
  const std::string basic = to_base64(as_bytes("user:pa ss&word"));
  const auto row = GENERATE_COPY(values<Row>(
      {{"bearer", with_header("Authorization", "Bearer ya29.token"), "ya29.token"},
       {"bearer with its word", with_header("Authorization", "Bearer abcd1"), "Bearer abcd1"},
       {"basic", with_header("authorization", "Basic " + basic), basic},
       {"basic, decoded", with_header("Authorization", "Basic " + basic), "pa ss&word"},
       {"sigv4",
        with_header("Authorization", "AWS4-HMAC-SHA256 Credential=AKIA/x, Signature=0123abcd"),
        "0123abcd"},
       {"API key", with_header("x-api-key", "0123456789"), "0123456789"},
       {"a header of a service to come", with_header("X-New", "0123456789"), "0123456789"},
       {"form", with_body("a=b&client_secret=q%7Eabc%26def"), "q~abc&def"},
       {"form, as sent", with_body("subject_token=q%7Eabc%26def"), "q%7Eabc%26def"},
       {"json", with_body(R"({"x":{"secret_id":["quo\"ted-one"]}})"), "quo\"ted-one"},
       {"query", with_url("https://a.example/x?key=a&token=s3cr3t-one"), "s3cr3t-one"}}));
  INFO(row.what);
  for (const int status : {200, 400, 403}) {
    const Reply reply = after(row.request, status, "no: " + row.repeated + ", " + row.repeated);

    CHECK(message_of(reply) == "no: [secret], [secret]");
    CHECK(reply.headers.at("x-request-id") == "no: [secret], [secret]");
    CHECK((status == 200 || reply.text == "no: [secret], [secret]"));
  }
}

TEST_CASE("redaction: short PINs and passwords are hidden as whole words", "[providers][common]") {
  const std::string basic = to_base64(as_bytes("user:abc1234"));
  for (const auto& [request, secret] :
       {std::pair(with_body(R"({"PIN":"4711"})"), std::string("4711")),
        std::pair(with_body(R"({"OTP":"123456"})"), std::string("123456")),
        std::pair(with_body("password=q%26a1"), std::string("q&a1")),
        std::pair(with_header("Authorization", "Basic " + basic), std::string("abc1234"))}) {
    INFO(secret);
    CHECK(message_of(after(request, 400, "400: \"" + secret + "\", not x" + secret + "0")) ==
          "400: \"[secret]\", not x" + secret + "0");
    CHECK(message_of(after(request, 200, "made/" + secret + "+")) == "made/" + secret + "+");
  }
  CHECK(message_of(after(with_body(R"({"PIN":"400"})"), 400, "answered 400")) == "answered 400");
}

TEST_CASE("redaction: other spellings of a credential are hidden", "[providers][common]") {
  const std::string secret = "hvs.Fake/Token+one";
  const HttpRequest request = with_header("X-Vault-Token", secret);
  const std::string base64 = to_base64(as_bytes(secret));
  for (const std::string& spelled : {std::string("HVS.FAKE/TOKEN+ONE"),
                                     std::string("hvs.Fake%2FToken%2Bone"),
                                     std::string("hvs.Fake%2ftoken%2bone"),
                                     base64,
                                     base64.substr(0, base64.find('='))}) {
    CHECK(message_of(after(request, 400, "bad " + spelled)) == "bad [secret]");
  }
}

TEST_CASE("redaction: a token that is renewed comes back", "[providers][common]") {
  const HttpRequest request = with_header("X-Vault-Token", "hvs.token-one");
  CHECK(message_of(after(request, 200, "hvs.token-one")) == "hvs.token-one");
  CHECK(message_of(after(request, 400, "hvs.token-one")) == "[secret]");
}

TEST_CASE("redaction: what is no secret stays readable", "[providers][common]") {
  const std::string text =
      "application-1 may not use grant client_credentials with digest abcdefgh";
  CHECK(message_of(after(with_body("client_id=application-1&grant_type=client_credentials&"
                                   "client_secret=may&token_type=credentials"),
                         400,
                         text)) == text);
  CHECK(message_of(after(
            with_body(R"({"digest":"abcdefgh","credentialID":"application-1"})"), 400, text)) ==
        text);
  CHECK(message_of(after(with_header("X-Amz-Target", "application-1"), 400, text)) == text);
}

}  // namespace signctl::test
