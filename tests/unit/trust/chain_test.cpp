// SPDX-License-Identifier: Apache-2.0
#include "trust/chain.hpp"

#include "support/catch.hpp"
#include "support/issued.hpp"
#include "support/must.hpp"

#include <algorithm>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

using namespace signctl;
using namespace signctl::test;
using crypto::Certificate;
using crypto::KeyBundle;
using crypto::PrivateKey;

namespace {

const KeyBundle& root() {
  static const KeyBundle made = issue(ca_named("Root"));
  return made;
}

const KeyBundle& intermediate() {
  static const KeyBundle made = issue(ca_named("Intermediate"), &root());
  return made;
}

/// The chain of `bundle`'s leaf with everything else in its chain as pool.
trust::Chain judge(const KeyBundle& bundle,
                   const std::shared_ptr<const TrustStore>& store,
                   TimePoint at = issued_day(0),
                   TrustPurpose purpose = TrustPurpose::code_signing) {
  return trust::build_chain({bundle.chain.front(), bundle.chain, at, {}, purpose}, *store);
}

trust::Chain judge(const KeyBundle& bundle) {
  return judge(bundle, anchors_of({bundle.chain.back()}));
}

PrivateKey make_key(EVP_PKEY* key) {
  REQUIRE(key != nullptr);
  return PrivateKey::adopt(key);
}

/// P-256 with all parameters spelled out, or another curve.
PrivateKey ec_key(const char* curve, const char* encoding) {
  EVP_PKEY* key = nullptr;
  EVP_PKEY_CTX* context = EVP_PKEY_CTX_new_id(EVP_PKEY_EC, nullptr);
  EVP_PKEY_keygen_init(context);
  EVP_PKEY_CTX_set_group_name(context, curve);
  EVP_PKEY_keygen(context, &key);
  EVP_PKEY_CTX_free(context);
  EVP_PKEY_set_utf8_string_param(key, "encoding", encoding);
  return make_key(key);
}

}  // namespace

TEST_CASE("a chain to an anchor is trusted and names the anchor's source", "[unit][trust]") {
  const KeyBundle leaf = issue(leaf_for("codeSigning"), &intermediate());

  const trust::Chain chain = judge(leaf);

  INFO(text_of(chain.findings));
  CHECK(chain.findings.empty());
  REQUIRE(chain.anchor);
  CHECK(chain.anchor->certificate == root().chain.front().der());
  CHECK(chain.certificates.size() == 3);
  const ChainInfo info = trust::describe(chain);
  CHECK(info.trusted);
  CHECK(info.anchor_source == "the test's anchors");
}

TEST_CASE("the rules of a leaf each have their own finding", "[unit][trust]") {
  struct Row {
    const char* what;
    void (*change)(crypto::CertificateTemplate&);
    const char* ids;
  };
  const Row rows[] = {
      {"as it should be", [](auto&) {}, ""},
      {"no extended key usage", [](auto& t) { t.extended_key_usage.clear(); }, "eku-missing"},
      {"for servers", [](auto& t) { t.extended_key_usage = "serverAuth"; }, "eku-wrong"},
      {"for any purpose, which is none for a leaf",
       [](auto& t) { t.extended_key_usage = "anyExtendedKeyUsage"; },
       "eku-wrong"},
      {"one purpose more",
       [](auto& t) { t.extended_key_usage = "codeSigning,emailProtection"; },
       ""},
      {"key usage only for enciphering",
       [](auto& t) { t.key_usage = "critical,keyEncipherment"; },
       "key-usage"},
      {"key usage only for non-repudiation",
       [](auto& t) { t.key_usage = "critical,nonRepudiation"; },
       "key-usage"},
      {"no key usage", [](auto& t) { t.key_usage.clear(); }, ""},
      {"expired", [](auto& t) { t.not_after = issued_day(-1); }, "certificate-expired"},
      {"not yet valid", [](auto& t) { t.not_before = issued_day(1); }, "certificate-not-yet-valid"},
      {"signed with SHA-1", [](auto& t) { t.digest = DigestAlg::sha1; }, "weak-certificate-digest"},
      {"unknown critical extension",
       [](auto& t) {
         t.extra_extensions = {{"1.2.3.4.5", "critical,DER:0500"}};
       },
       "critical-extension"},
  };
  for (const Row& row : rows) {
    auto wanted = leaf_for("codeSigning");
    row.change(wanted);

    const trust::Chain chain = judge(issue(wanted, &intermediate()));

    INFO(row.what << "\n" << text_of(chain.findings));
    CHECK(ids_of(chain.findings) == row.ids);
    CHECK(trust::describe(chain).trusted == std::string(row.ids).empty());
  }
}

TEST_CASE("the rules of an intermediate each have their own finding", "[unit][trust]") {
  struct Row {
    const char* what;
    void (*change)(crypto::CertificateTemplate&);
    const char* ids;
  };
  const Row rows[] = {
      {"as it should be", [](auto&) {}, ""},
      {"for servers only", [](auto& t) { t.extended_key_usage = "serverAuth"; }, "eku-wrong"},
      {"for any purpose", [](auto& t) { t.extended_key_usage = "anyExtendedKeyUsage"; }, ""},
      {"for code signing among others",
       [](auto& t) { t.extended_key_usage = "clientAuth,codeSigning"; },
       ""},
      {"no CA", [](auto& t) { t.ca = false; }, "basic-constraints key-usage"},
      {"no basic constraints", [](auto& t) { t.basic_constraints = false; }, "basic-constraints"},
      {"may not sign certificates",
       [](auto& t) { t.key_usage = "critical,digitalSignature"; },
       "basic-constraints key-usage"},
      {"expired", [](auto& t) { t.not_after = issued_day(-1); }, "certificate-expired"},
      {"name constraints that the leaf violates",
       [](auto& t) {
         t.extra_extensions = {{"nameConstraints", "critical,permitted;email:example.com"}};
       },
       "name-constraints"},
      {"signed with SHA-1", [](auto& t) { t.digest = DigestAlg::sha1; }, "weak-certificate-digest"},
  };
  for (const Row& row : rows) {
    auto wanted = ca_named("Odd Intermediate");
    row.change(wanted);
    auto leaf = leaf_for("codeSigning");
    leaf.extra_extensions = {{"subjectAltName", "email:signer@elsewhere.test"}};
    const KeyBundle odd = issue(wanted, &root());

    const trust::Chain chain = judge(issue(leaf, &odd));

    INFO(row.what << "\n" << text_of(chain.findings));
    if (std::string(row.what) == "no CA" || std::string(row.what) == "may not sign certificates") {
      // Which of the two is reported is OpenSSL's choice; one of them must be.
      CHECK_FALSE(chain.findings.empty());
      CHECK(std::string(row.ids).find(chain.findings.front().id) != std::string::npos);
    } else {
      CHECK(ids_of(chain.findings) == row.ids);
    }
  }
}

TEST_CASE("a path longer than a CA allows is refused", "[unit][trust]") {
  auto wanted = ca_named("Short");
  wanted.path_length = 0;
  const KeyBundle shorter = issue(wanted, &root());
  const KeyBundle below = issue(ca_named("Below"), &shorter);

  const trust::Chain chain = judge(issue(leaf_for("codeSigning"), &below));

  INFO(text_of(chain.findings));
  CHECK(ids_of(chain.findings) == "path-length");
}

TEST_CASE("weak keys are refused wherever they are", "[unit][trust]") {
  SECTION("RSA of 1024 bits") {
    const auto key = make_key(EVP_RSA_gen(1024));
    const auto chain = judge(issue_for(key, leaf_for("codeSigning"), &intermediate()));
    INFO(text_of(chain.findings));
    CHECK(ids_of(chain.findings) == "weak-key");
  }
  SECTION("RSA of 768 bits") {
    const auto key = make_key(EVP_RSA_gen(768));
    const auto chain = judge(issue_for(key, leaf_for("codeSigning"), &intermediate()));
    INFO(text_of(chain.findings));
    CHECK(ids_of(chain.findings) == "forbidden-key");
  }
  SECTION("a curve that is not NIST's") {
    const auto key = ec_key("secp256k1", "named_curve");
    const auto chain = judge(issue_for(key, leaf_for("codeSigning"), &intermediate()));
    INFO(text_of(chain.findings));
    CHECK(ids_of(chain.findings) == "forbidden-key");
  }
  SECTION("explicit parameters, CVE-2020-0601") {
    const auto key = ec_key("prime256v1", "explicit");
    const auto chain = judge(issue_for(key, leaf_for("codeSigning"), &intermediate()));
    INFO(text_of(chain.findings));
    CHECK(ids_of(chain.findings).find("explicit-curve") != std::string::npos);
    CHECK_FALSE(trust::describe(chain).trusted);
  }
  SECTION("an RSA root of 1024 bits") {
    const KeyBundle weak = issue_for(make_key(EVP_RSA_gen(1024)), ca_named("Weak Root"));
    const auto chain = judge(issue(leaf_for("codeSigning"), &weak));
    INFO(text_of(chain.findings));
    CHECK(ids_of(chain.findings) == "weak-key");
  }
}

TEST_CASE("a certificate signed with MD5 is never accepted", "[unit][trust]") {
  const KeyBundle rsa_root =
      issue_for(must(PrivateKey::generate(PrivateKey::Spec::rsa2048)), ca_named("RSA Root"));
  auto wanted = leaf_for("codeSigning");
  wanted.digest = DigestAlg::md5;

  const trust::Chain chain = judge(issue(wanted, &rsa_root));

  INFO(text_of(chain.findings));
  CHECK(ids_of(chain.findings) == "forbidden-digest");
}

TEST_CASE("a root's own SHA-1 signature does not matter", "[unit][trust]") {
  auto wanted = ca_named("Old Root");
  wanted.digest = DigestAlg::sha1;
  const KeyBundle old = issue(wanted);

  const trust::Chain chain = judge(issue(leaf_for("codeSigning"), &old));

  INFO(text_of(chain.findings));
  CHECK(chain.findings.empty());
}

TEST_CASE("without an anchor the finding says what is missing", "[unit][trust]") {
  const auto nothing = anchors_of({});
  SECTION("a root that nobody trusts") {
    const auto chain = judge(issue(leaf_for("codeSigning"), &intermediate()), nothing);
    INFO(text_of(chain.findings));
    CHECK(ids_of(chain.findings) == "chain-untrusted");
  }
  SECTION("a self-signed leaf") {
    const auto chain = judge(issue(leaf_for("codeSigning")), nothing);
    INFO(text_of(chain.findings));
    CHECK(ids_of(chain.findings) == "chain-untrusted");
  }
  SECTION("an intermediate that is not there") {
    const KeyBundle leaf = issue(leaf_for("codeSigning"), &intermediate());
    const auto chain =
        trust::build_chain({leaf.chain[0], {}, issued_day(0), {}, TrustPurpose::code_signing},
                           *anchors_of({root().chain[0]}));
    INFO(text_of(chain.findings));
    CHECK(ids_of(chain.findings) == "chain-incomplete");
    CHECK(text_of(chain.findings).find("Intermediate") != std::string::npos);
  }
}

TEST_CASE("an anchor is the whole certificate, never its name or key", "[unit][trust]") {
  const KeyBundle leaf = issue(leaf_for("codeSigning"), &intermediate());
  SECTION("same name, other key") {
    const KeyBundle impostor = issue(ca_named("Root"));
    const auto chain = judge(leaf, anchors_of({impostor.chain[0]}));
    INFO(text_of(chain.findings));
    CHECK_FALSE(trust::describe(chain).trusted);
    CHECK_FALSE(ids_of(chain.findings).empty());
  }
  SECTION("an embedded root with the anchor's name does not become one") {
    const KeyBundle real = issue(ca_named("Root"));
    const auto chain = judge(leaf, anchors_of({real.chain[0]}));
    CHECK_FALSE(trust::describe(chain).trusted);
  }
  SECTION("both are there and only one fits") {
    const KeyBundle impostor = issue(ca_named("Root"));
    const auto chain = judge(leaf, anchors_of({impostor.chain[0], root().chain[0]}));
    INFO(text_of(chain.findings));
    REQUIRE(trust::describe(chain).trusted);
    CHECK(chain.anchor->certificate == root().chain[0].der());
  }
}

TEST_CASE("an anchor need not be self-signed", "[unit][trust]") {
  const KeyBundle leaf = issue(leaf_for("codeSigning"), &intermediate());
  SECTION("an intermediate") {
    const auto chain = judge(leaf, anchors_of({intermediate().chain[0]}));
    INFO(text_of(chain.findings));
    CHECK(trust::describe(chain).trusted);
    CHECK(chain.certificates.size() == 2);
  }
  SECTION("the leaf") {
    const auto chain = judge(leaf, anchors_of({leaf.chain[0]}));
    INFO(text_of(chain.findings));
    CHECK(trust::describe(chain).trusted);
    CHECK(chain.certificates.size() == 1);
  }
  SECTION("a self-signed leaf") {
    const KeyBundle alone = issue(leaf_for("codeSigning"));
    const auto chain = judge(alone, anchors_of({alone.chain[0]}));
    INFO(text_of(chain.findings));
    CHECK(trust::describe(chain).trusted);
  }
  SECTION("an expired pinned leaf is expired all the same") {
    const auto chain = judge(leaf, anchors_of({leaf.chain[0]}), issued_day(101));
    CHECK(ids_of(chain.findings) == "certificate-expired");
  }
}

TEST_CASE("anchors serve one purpose and no other", "[unit][trust]") {
  const KeyBundle code = issue(leaf_for("codeSigning"), &intermediate());
  const KeyBundle stamp = issue(leaf_for("critical,timeStamping"), &intermediate());
  const auto for_code = anchors_of({root().chain[0]}, {});
  const auto for_time = anchors_of({}, {root().chain[0]});
  const auto at = issued_day(0);

  CHECK(trust::describe(judge(code, for_code)).trusted);
  CHECK(ids_of(judge(code, for_time).findings) == "chain-untrusted");
  CHECK(trust::describe(judge(stamp, for_time, at, TrustPurpose::time_stamping)).trusted);
  CHECK(ids_of(judge(stamp, for_code, at, TrustPurpose::time_stamping).findings) ==
        "chain-untrusted");
  CHECK(ids_of(judge(code, for_time, at, TrustPurpose::time_stamping).findings) == "eku-wrong");
}

TEST_CASE("a cross-signed path is found when the first root is not trusted", "[unit][trust]") {
  const KeyBundle other = issue(ca_named("Other Root"));
  const KeyBundle crossed = issue_for(intermediate().key, ca_named("Intermediate"), &other);
  const KeyBundle leaf = issue(leaf_for("codeSigning"), &intermediate());
  std::vector<Certificate> pool = leaf.chain;
  pool.push_back(crossed.chain[0]);

  const auto chain =
      trust::build_chain({leaf.chain[0], pool, issued_day(0), {}, TrustPurpose::code_signing},
                         *anchors_of({other.chain[0]}));

  INFO(text_of(chain.findings));
  CHECK(trust::describe(chain).trusted);
}

TEST_CASE("a cross-signed path is found when the first one has expired", "[unit][trust]") {
  auto expired = ca_named("Intermediate");
  expired.not_after = issued_day(-10);
  const KeyBundle old = issue_for(intermediate().key, expired, &root());
  const KeyBundle leaf = issue(leaf_for("codeSigning"), &intermediate());
  const std::vector<Certificate> pool{old.chain[0], intermediate().chain[0]};

  const auto chain =
      trust::build_chain({leaf.chain[0], pool, issued_day(0), {}, TrustPurpose::code_signing},
                         *anchors_of({root().chain[0]}));

  INFO(text_of(chain.findings));
  CHECK(trust::describe(chain).trusted);
}

TEST_CASE("a cross-signed path is found when another ends in an expired one", "[unit][trust]") {
  // The middle CA is signed by both; the way to the first anchor leads through what has expired.
  const KeyBundle first = issue(ca_named("First Root"));
  auto old = ca_named("Between");
  old.not_after = issued_day(-10);
  const KeyBundle between = issue(old, &first);
  const KeyBundle by_old = issue_for(intermediate().key, ca_named("Intermediate"), &between);
  const KeyBundle leaf = issue(leaf_for("codeSigning"), &intermediate());
  const auto anchors = anchors_of({first.chain[0], root().chain[0]});

  std::vector<Certificate> pool{
      by_old.chain[0], between.chain[0], intermediate().chain[0], leaf.chain[0]};
  for (int order = 0; order < 4; ++order) {
    std::rotate(pool.begin(), pool.begin() + 1, pool.end());
    const auto chain = trust::build_chain(
        {leaf.chain[0], pool, issued_day(0), {}, TrustPurpose::code_signing}, *anchors);
    INFO(order << ": " << text_of(chain.findings));
    CHECK(trust::describe(chain).trusted);
  }
}

namespace {

/// Whether a chain is found in each order of the pool, which is put into its first one.
bool in_any_order(const KeyBundle& leaf,
                  std::vector<Certificate> pool,
                  const std::vector<Certificate>& anchors) {
  std::sort(pool.begin(), pool.end(), [](const Certificate& a, const Certificate& b) {
    return a.der() < b.der();
  });
  bool found = true;
  do {
    const auto chain = trust::build_chain(
        {leaf.chain[0], pool, issued_day(0), {}, TrustPurpose::code_signing}, *anchors_of(anchors));
    found = found && trust::describe(chain).trusted;
  } while (std::next_permutation(
      pool.begin(), pool.end(), [](const Certificate& a, const Certificate& b) {
        return a.der() < b.der();
      }));
  return found;
}

}  // namespace

TEST_CASE("a path is found whatever stands beside it, in any order", "[unit][trust]") {
  const KeyBundle leaf = issue(leaf_for("codeSigning"), &intermediate());
  std::vector<Certificate> pool{intermediate().chain[0], leaf.chain[0]};
  std::vector<Certificate> anchors{root().chain[0]};

  SECTION("a double for another purpose") {
    auto servers = ca_named("Intermediate");
    servers.extended_key_usage = "serverAuth";
    pool.push_back(issue_for(intermediate().key, servers, &root()).chain[0]);
    CHECK(in_any_order(leaf, pool, anchors));
    // And if there is no other, what is wrong with it is told.
    const std::vector<Certificate> wrong{pool.back()};
    const auto chain =
        trust::build_chain({leaf.chain[0], wrong, issued_day(0), {}, TrustPurpose::code_signing},
                           *anchors_of(anchors));
    CHECK(ids_of(chain.findings) == "eku-wrong");
  }
  SECTION("a double from another root whose key is weak") {
    const KeyBundle weak = issue_for(make_key(EVP_RSA_gen(1024)), ca_named("Weak Root"), nullptr);
    pool.push_back(issue_for(intermediate().key, ca_named("Intermediate"), &weak).chain[0]);
    anchors.push_back(weak.chain[0]);
    CHECK(in_any_order(leaf, pool, anchors));
  }
  SECTION("anchors of one name and different keys") {
    anchors.push_back(issue(ca_named("Root")).chain[0]);
    CHECK(in_any_order(leaf, pool, anchors));
    std::reverse(anchors.begin(), anchors.end());
    CHECK(in_any_order(leaf, pool, anchors));
  }
  SECTION("a loop") {
    const KeyBundle c = issue(ca_named("C"), &root());
    pool.push_back(issue_for(intermediate().key, ca_named("Intermediate"), &c).chain[0]);
    pool.push_back(issue_for(c.key, ca_named("C"), &intermediate()).chain[0]);
    pool.push_back(c.chain[0]);
    CHECK(in_any_order(leaf, pool, anchors));
  }
}

TEST_CASE("many certificates that sign each other end in bounded time", "[unit][trust]") {
  // Two names, thirty certificates each, every one issued by the other name.
  const KeyBundle a = issue(ca_named("A"));
  const KeyBundle b = issue(ca_named("B"));
  std::vector<Certificate> pool;
  for (int i = 0; i < 30; ++i) {
    pool.push_back(issue_for(a.key, ca_named("A"), &b).chain[0]);
    pool.push_back(issue_for(b.key, ca_named("B"), &a).chain[0]);
  }
  const KeyBundle leaf = issue(leaf_for("codeSigning"), &a);

  const auto start = std::chrono::steady_clock::now();
  const auto chain =
      trust::build_chain({leaf.chain[0], pool, issued_day(0), {}, TrustPurpose::code_signing},
                         *anchors_of({root().chain[0]}));
  const auto took = std::chrono::steady_clock::now() - start;

  CHECK_FALSE(trust::describe(chain).trusted);
  CHECK(took < std::chrono::seconds(5));
}

TEST_CASE("a leaf with a wrong signature is not its issuer's", "[unit][trust]") {
  const KeyBundle leaf = issue(leaf_for("codeSigning"), &intermediate());
  Bytes der = leaf.chain[0].der();
  der.back() ^= 1U;
  const Certificate forged = must(Certificate::parse(der));

  const auto chain =
      trust::build_chain({forged, leaf.chain, issued_day(0), {}, TrustPurpose::code_signing},
                         *anchors_of({root().chain[0]}));

  INFO(text_of(chain.findings));
  CHECK(ids_of(chain.findings) == "certificate-signature");
}

TEST_CASE("a leaf can be judged at a time of its own", "[unit][trust]") {
  const KeyBundle leaf = issue(leaf_for("codeSigning"), &intermediate());
  const auto store = anchors_of({root().chain[0]});
  const auto judge_at = [&](TimePoint at, TimePoint leaf_at) {
    return ids_of(trust::build_chain(
                      {leaf.chain[0], leaf.chain, at, leaf_at, TrustPurpose::code_signing}, *store)
                      .findings);
  };

  CHECK(judge_at(issued_day(0), issued_day(0)).empty());
  CHECK(judge_at(issued_day(0), issued_day(101)) == "certificate-expired");
  CHECK(judge_at(issued_day(101), issued_day(0)).empty());
  CHECK(judge_at(issued_day(0), issued_day(-101)) == "certificate-not-yet-valid");
}
