// SPDX-License-Identifier: Apache-2.0
#include "providers/aws_kms/sigv4.hpp"

#include "core/text.hpp"
#include "crypto/digest.hpp"
#include "support/catch.hpp"

#include <map>
#include <string>

namespace signctl::test {
namespace {

using namespace providers::aws_kms;

// The credentials, time and requests of AWS's Signature Version 4 test suite
// (aws-sig-v4-test-suite, Apache-2.0); names and signatures below are the suite's.
const AwsCredentials kSuite{"AKIDEXAMPLE", Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"), {}};
const TimePoint kSuiteTime = *from_iso8601("2015-08-30T12:36:00Z");
constexpr const char* kSuiteToken =
    "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfI"
    "eoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0"
    "wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDry"
    "pNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==";

HttpRequest request_of(std::string method,
                       std::string url,
                       std::map<std::string, std::string> headers = {},
                       std::string_view body = "") {
  HttpRequest request;
  request.method = std::move(method);
  request.url = std::move(url);
  request.headers = std::move(headers);
  request.body.assign(body.begin(), body.end());
  return request;
}

std::string signature_in(const HttpRequest& request) {
  const std::string& header = request.headers.at("Authorization");
  return header.substr(header.rfind('=') + 1);
}

struct Vector {
  std::string name;
  HttpRequest request;
  std::string signature;
};

}  // namespace

TEST_CASE("sigv4: the published test suite is met", "[providers][aws_kms]") {
  const std::string url = "https://example.amazonaws.com/";
  const Vector vector = GENERATE_COPY(values<Vector>(
      {{"get-vanilla",
        request_of("GET", url),
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
       {"post-vanilla",
        request_of("POST", url),
        "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
       {"get-vanilla-query-order-key-case",
        request_of("GET", url + "?Param2=value2&Param1=value1"),
        "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
       {"get-vanilla-query-order-value",
        request_of("GET", url + "?Param1=value2&Param1=value1"),
        "5772eed61e12b33fae39ee5e7012498b51d56abc0abb7c60486157bd471c4694"},
       {"get-header-value-trim",
        request_of("GET", url, {{"My-Header1", " value1"}, {"My-Header2", " \"a   b   c\" "}}),
        "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
       {"post-header-key-sort",
        request_of("POST", url, {{"My-Header1", "value1"}}),
        "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c"},
       {"post-header-value-case",
        request_of("POST", url, {{"My-Header1", "VALUE1"}}),
        "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d"},
       {"post-x-www-form-urlencoded",
        request_of(
            "POST", url, {{"Content-Type", "application/x-www-form-urlencoded"}}, "Param1=value1"),
        "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"}}));
  INFO(vector.name);
  HttpRequest request = vector.request;

  sign_request(request, kSuite, {"us-east-1", "service"}, kSuiteTime);

  CHECK(signature_in(request) == vector.signature);
}

TEST_CASE("sigv4: a session token is sent and signed", "[providers][aws_kms]") {
  // post-sts-header-before of the suite
  HttpRequest request = request_of("POST", "https://example.amazonaws.com/");
  AwsCredentials credentials = kSuite;
  credentials.session_token = Secret(kSuiteToken);

  sign_request(request, credentials, {"us-east-1", "service"}, kSuiteTime);

  CHECK(request.headers.at("X-Amz-Security-Token") == kSuiteToken);
  CHECK(request.headers.at("Authorization") ==
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
        "SignedHeaders=host;x-amz-date;x-amz-security-token, "
        "Signature=85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead");
}

TEST_CASE("sigv4: a call of KMS is signed as it should be", "[providers][aws_kms]") {
  // Computed with Python's hmac and hashlib.
  HttpRequest request = request_of(
      "POST",
      "https://kms.eu-west-3.amazonaws.com/",
      {{"Content-Type", "application/x-amz-json-1.1"}, {"X-Amz-Target", "TrentService.Sign"}},
      R"({"KeyId":"alias/test","Message":"LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=",)"
      R"("MessageType":"DIGEST","SigningAlgorithm":"RSASSA_PKCS1_V1_5_SHA_256"})");
  const AwsCredentials credentials{"accessKey", Secret("secretKey"), Secret("sessionToken"), {}};

  sign_request(request, credentials, {"eu-west-3", "kms"}, *from_iso8601("2026-01-01T00:00:00Z"));

  const std::string text = canonical_request(request);
  CHECK(to_hex(crypto::hash(DigestAlg::sha256, as_bytes(text))) ==
        "5bcaf5c4e43b7d6e974df1071986246711d54e6d034d1740e51638a49a3efec3");
  CHECK(signature_in(request) ==
        "5ab893ff3cc406dcd1a645fe8fead38b1f00b77dfa6c1434cb54cd982666a8c2");
}

TEST_CASE("sigv4: the host is signed with its port, unless it is the usual one",
          "[providers][aws_kms]") {
  const auto host_line = [](const std::string& url) {
    const std::string text = canonical_request(request_of("POST", url));
    const std::size_t begin = text.find("host:");
    return text.substr(begin, text.find('\n', begin) - begin);
  };

  CHECK(host_line("https://kms.example:8443/") == "host:kms.example:8443");
  CHECK(host_line("https://kms.example:443/") == "host:kms.example");
  CHECK(host_line("http://127.0.0.1:80/") == "host:127.0.0.1");
  CHECK(host_line("http://127.0.0.1:443") == "host:127.0.0.1:443");
}

TEST_CASE("sigv4: what proxies change is not signed", "[providers][aws_kms]") {
  HttpRequest request = request_of(
      "POST", "https://example.amazonaws.com/", {{"User-Agent", "signctl"}, {"Connection", "x"}});

  sign_request(request, kSuite, {"us-east-1", "service"}, kSuiteTime);

  CHECK(signature_in(request) ==
        "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b");
}

TEST_CASE("sigv4: signing again replaces the signature", "[providers][aws_kms]") {
  HttpRequest request = request_of("POST", "https://example.amazonaws.com/");
  AwsCredentials temporary = kSuite;
  temporary.session_token = Secret(kSuiteToken);
  sign_request(request, temporary, {"eu-west-1", "sts"}, kSuiteTime + std::chrono::hours{1});

  sign_request(request, kSuite, {"us-east-1", "service"}, kSuiteTime);

  CHECK(signature_in(request) ==
        "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b");
  CHECK(request.headers.count("X-Amz-Security-Token") == 0);
}

}  // namespace signctl::test
