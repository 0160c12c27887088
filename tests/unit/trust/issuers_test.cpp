// SPDX-License-Identifier: Apache-2.0
#include "trust/issuers.hpp"

#include "core/text.hpp"
#include "crypto/issuer_urls.hpp"
#include "support/catch.hpp"
#include "support/fake_world.hpp"
#include "support/issued.hpp"
#include "support/must.hpp"

#include <openssl/pem.h>
#include <openssl/pkcs7.h>

namespace signctl::test {
namespace {

using crypto::Certificate;
using crypto::KeyBundle;

crypto::CertificateTemplate published(crypto::CertificateTemplate wanted, const std::string& url) {
  wanted.extra_extensions.emplace_back("authorityInfoAccess", "caIssuers;URI:" + url);
  return wanted;
}

/// Root, two CAs and a leaf; each certificate but the root says where its issuer's is.
struct Ladder {
  KeyBundle root{issue(ca_named("Root"))};
  KeyBundle upper{issue(published(ca_named("Upper"), "http://aia.example/root.cer"), &root)};
  KeyBundle lower{issue(published(ca_named("Lower"), "http://aia.example/upper.cer"), &upper)};
  KeyBundle leaf{issue(published(leaf_for("codeSigning"), "http://aia.example/lower.cer"), &lower)};
};

const Ladder& ladder() {
  static const Ladder made;
  return made;
}

/// Pages by URL; all else is not found.
class Pages final : public HttpClient {
 public:
  Result<HttpResponse> send(const HttpRequest& request) override {
    asked.push_back(request);
    const auto found = pages.find(request.url);
    HttpResponse response;
    response.status = found == pages.end() ? 404 : 200;
    if (found != pages.end()) {
      response.body = found->second;
    }
    return response;
  }

  std::map<std::string, Bytes> pages;
  std::vector<HttpRequest> asked;
};

struct Stage {
  FakeWorld fake;
  Pages http;

  Stage() {
    http.pages["http://aia.example/lower.cer"] = ladder().lower.chain.front().der();
    http.pages["http://aia.example/upper.cer"] = ladder().upper.chain.front().der();
    http.pages["http://aia.example/root.cer"] = ladder().root.chain.front().der();
  }
  trust::FetchedIssuers fetch(const Certificate& leaf) {
    return trust::fetch_issuers(leaf, {fake.clock, fake.environment, http});
  }
  trust::FetchedIssuers fetch() { return fetch(ladder().leaf.chain.front()); }
};

/// A certificates-only PKCS#7 (RFC 8551, 3.2.2's degenerate case), DER.
Bytes pkcs7_of(const std::vector<Certificate>& certificates) {
  PKCS7* bundle = PKCS7_new();
  PKCS7_set_type(bundle, NID_pkcs7_signed);
  PKCS7_content_new(bundle, NID_pkcs7_data);
  for (const Certificate& one : certificates) {
    PKCS7_add_certificate(bundle, one.x509());
  }
  unsigned char* der = nullptr;
  const int size = i2d_PKCS7(bundle, &der);
  Bytes bytes(der, der + size);
  OPENSSL_free(der);
  PKCS7_free(bundle);
  return bytes;
}

}  // namespace

TEST_CASE("issuers: each certificate says where the next is, up to the root", "[trust]") {
  Stage stage;
  const auto fetched = stage.fetch();
  CHECK(fetched.trouble.empty());
  CHECK(fetched.reached_root);
  REQUIRE(fetched.certificates.size() == 2);
  CHECK(fetched.certificates[0] == ladder().lower.chain.front());
  CHECK(fetched.certificates[1] == ladder().upper.chain.front());
  CHECK(stage.http.asked.size() == 3);
}

TEST_CASE("issuers: PKCS#7 and PEM are taken as well as DER", "[trust]") {
  Stage stage;
  stage.http.pages["http://aia.example/lower.cer"] =
      pkcs7_of({ladder().root.chain.front(), ladder().lower.chain.front()});
  const std::string pem = crypto::to_pem({ladder().upper.chain.front()});
  stage.http.pages["http://aia.example/upper.cer"] = Bytes(pem.begin(), pem.end());
  CHECK(stage.fetch().certificates.size() == 2);
}

TEST_CASE("issuers: a root that nobody publishes ends the search without harm", "[trust]") {
  Stage stage;
  stage.http.pages.erase("http://aia.example/root.cer");
  const auto fetched = stage.fetch();
  CHECK_FALSE(fetched.reached_root);
  CHECK(fetched.certificates.size() == 2);
  CHECK(fetched.trouble.find("404") != std::string::npos);
}

TEST_CASE("issuers: what has not issued the certificate is not taken", "[trust]") {
  Stage stage;
  Bytes& answer = stage.http.pages["http://aia.example/lower.cer"];
  SECTION("another CA of the same name") {
    answer = issue(ca_named("Lower")).chain.front().der();
  }
  SECTION("another CA") {
    answer = ladder().upper.chain.front().der();
  }
  SECTION("a certificate that is no CA's") {
    auto wanted = ca_named("Lower");
    wanted.ca = false;
    answer = issue_for(ladder().lower.key, wanted).chain.front().der();
  }
  SECTION("a web page") {
    const std::string page = "<html>Please accept our cookies</html>";
    answer.assign(page.begin(), page.end());
  }
  SECTION("nothing") {
    answer.clear();
  }
  const auto fetched = stage.fetch();
  CHECK(fetched.certificates.empty());
  CHECK_FALSE(fetched.reached_root);
  CHECK_FALSE(fetched.trouble.empty());
}

TEST_CASE("issuers: every request is small, short and without redirects or secrets", "[trust]") {
  Stage stage;
  static_cast<void>(stage.fetch());
  for (const HttpRequest& request : stage.http.asked) {
    CHECK(request.max_response_bytes <= std::size_t{256} << 10U);
    CHECK(request.timeout <= std::chrono::seconds{10});
    CHECK_FALSE(request.client);
    CHECK(request.headers.count("Authorization") == 0);
  }
}

TEST_CASE("issuers: the second address is asked when the first has nothing", "[trust]") {
  Stage stage;
  auto wanted = published(leaf_for("codeSigning"),
                          "http://gone.example/x.cer,caIssuers;URI:http://aia.example/lower.cer");
  CHECK(stage.fetch(issue(wanted, &ladder().lower).chain.front()).certificates.size() == 2);
}

TEST_CASE("issuers: only http addresses of issuers are addresses", "[trust]") {
  const auto urls_of = [](const std::string& access) {
    auto wanted = leaf_for("codeSigning");
    wanted.extra_extensions.emplace_back("authorityInfoAccess", access);
    return crypto::issuer_urls(issue(wanted, &ladder().lower).chain.front());
  };
  CHECK(urls_of("caIssuers;URI:ldap://directory.example/cn=ca").empty());
  CHECK(urls_of("caIssuers;URI:file:///etc/passwd").empty());
  CHECK(urls_of("OCSP;URI:http://ocsp.example/").empty());
  CHECK(urls_of("caIssuers;DNS:aia.example").empty());
  CHECK(urls_of("caIssuers;URI:HTTP://aia.example/a.cer").size() == 1);
  CHECK(urls_of("caIssuers;URI:https://aia.example/" + std::string(3000, 'a')).empty());
  CHECK(crypto::issuer_urls(issue(leaf_for("codeSigning"), &ladder().lower).chain.front()).empty());
}

TEST_CASE("issuers: a ladder without an end is left after four steps", "[trust]") {
  Stage stage;
  KeyBundle top = issue(ca_named("Level 0"));
  for (int level = 1; level <= 7; ++level) {
    const std::string url = "http://aia.example/" + std::to_string(level - 1) + ".cer";
    stage.http.pages[url] = top.chain.front().der();
    top = issue(
        published(level == 7 ? leaf_for("codeSigning") : ca_named("Level " + std::to_string(level)),
                  url),
        &top);
  }
  const auto fetched = stage.fetch(top.chain.front());
  CHECK(fetched.certificates.size() == 4);
  CHECK_FALSE(fetched.reached_root);
  CHECK(stage.http.asked.size() == 4);
}

}  // namespace signctl::test
