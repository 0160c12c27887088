// SPDX-License-Identifier: Apache-2.0
#include "crypto/certificate.hpp"

#include "core/text.hpp"
#include "crypto/der.hpp"
#include "crypto/issue.hpp"
#include "crypto/name_text.hpp"
#include "crypto/oids.hpp"
#include "support/catch.hpp"
#include "support/issued.hpp"
#include "support/must.hpp"
#include "tools.hpp"

#include <algorithm>
#include <array>
#include <map>

namespace signctl::crypto {
namespace {

using test::ca_named;
using test::issue;
using test::issued_day;
using test::leaf_for;
using test::must;

/// A root, two intermediates and a leaf.
struct Tree {
  KeyBundle root = issue(ca_named("Root"));
  KeyBundle upper = issue(ca_named("Upper"), &root);
  KeyBundle lower = issue(ca_named("Lower"), &upper);
  KeyBundle leaf = issue(leaf_for("codeSigning"), &lower);
  Certificate root_cert = root.chain.front();
  Certificate upper_cert = upper.chain.front();
  Certificate lower_cert = lower.chain.front();
  Certificate leaf_cert = leaf.chain.front();
};

using Chain = std::vector<Certificate>;

Bytes rdn(std::string_view type, std::uint8_t tag, ByteView value) {
  return der::set({der::sequence({der::oid(type), der::tlv(tag, value)})});
}

}  // namespace

TEST_CASE("certificates: PEM among other text, DER and PKCS #7 are read in order", "[crypto]") {
  const Tree tree;
  const Chain two{tree.leaf_cert, tree.lower_cert};
  const std::string pem = to_pem(two);

  CHECK(must(read_certificates(as_bytes(pem))) == two);
  CHECK(must(read_certificates(as_bytes("junk\n-----BEGIN X-----\nAAAA\n-----END X-----\n" + pem +
                                        "\nmore junk"))) == two);
  CHECK(must(read_certificates(tree.leaf_cert.der())) == Chain{tree.leaf_cert});
  std::string windows;
  for (const char c : pem) {
    windows += c == '\n' ? "\r\n" : std::string(1, c);
  }
  CHECK(must(read_certificates(as_bytes(windows))) == two);
  if (test::has_openssl("PKCS #7 bundles are read")) {
    const test::TemporaryFolder folder;
    test::spill(folder.file("in.pem"), as_bytes(pem));
    const auto form = GENERATE("PEM", "DER");
    REQUIRE(test::shell("openssl crl2pkcs7 -nocrl -certfile " + folder.file("in.pem") +
                        " -outform " + form + " -out " + folder.file("out.p7b"))
                .status == 0);
    auto read = must(read_certificates(test::slurp(folder.file("out.p7b"))));
    CHECK(read.size() == 2);
    CHECK(std::is_permutation(read.begin(), read.end(), two.begin(), two.end()));
  }
}

TEST_CASE("certificates: what holds none is refused as input", "[crypto]") {
  const Tree tree;
  Bytes longer = tree.leaf_cert.der();
  longer.push_back(0);
  const std::string pem = to_pem(Chain{tree.leaf_cert});
  const std::string broken = "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n";
  for (const Bytes& wrong : {Bytes{},
                             Bytes{0x30, 0x00},
                             longer,
                             Bytes(pem.begin(), pem.begin() + 200),
                             Bytes(broken.begin(), broken.end())}) {
    const auto read = read_certificates(wrong);
    REQUIRE_FALSE(read);
    CHECK(read.error().kind == ErrorKind::input);
  }
  const Bytes& whole = tree.leaf_cert.der();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    INFO(size);
    CHECK_FALSE(Certificate::parse(ByteView(whole).first(size)));
  }
}

TEST_CASE("order_chain: from the leaf upwards, the root left out", "[crypto]") {
  const Tree tree;
  const Chain wanted{tree.leaf_cert, tree.lower_cert, tree.upper_cert};

  CHECK(order_chain(tree.leaf_cert,
                    {tree.root_cert, tree.upper_cert, tree.leaf_cert, tree.lower_cert}) == wanted);
  CHECK(order_chain(tree.leaf_cert, {tree.upper_cert, tree.lower_cert}) == wanted);
  CHECK(order_chain(tree.leaf_cert, {tree.upper_cert}) == Chain{tree.leaf_cert});
  CHECK(order_chain(tree.leaf_cert, {}) == Chain{tree.leaf_cert});
  CHECK(order_chain(tree.root_cert, {tree.root_cert, tree.upper_cert}) == Chain{tree.root_cert});
}

TEST_CASE("order_chain: a namesake without the right key is passed over", "[crypto]") {
  const Tree tree;
  const KeyBundle namesake = issue(ca_named("Lower"), &tree.upper);
  const Certificate stranger = issue(leaf_for("codeSigning", "Other")).chain.front();

  const auto chain = order_chain(
      tree.leaf_cert,
      {stranger, namesake.chain.front(), tree.lower_cert, tree.lower_cert, tree.upper_cert});

  CHECK(chain == Chain{tree.leaf_cert, tree.lower_cert, tree.upper_cert});
}

TEST_CASE("order_chain: all that may stand above one are kept", "[crypto]") {
  const Tree tree;
  const KeyBundle other = issue(ca_named("Other Root"));
  const Certificate twin = test::issue_for(tree.lower.key, ca_named("Lower"), &other).chain.front();

  const auto chain = order_chain(tree.leaf_cert, {twin, tree.upper_cert, tree.lower_cert});

  CHECK(chain == Chain{tree.leaf_cert, twin, tree.lower_cert, tree.upper_cert});
}

TEST_CASE("certificate: an RSA key with an exponent that nobody uses is none", "[crypto]") {
  const KeyBundle rsa = issue(leaf_for("codeSigning"), nullptr, PrivateKey::Spec::rsa2048);
  Bytes der = rsa.chain.front().der();
  const std::array<std::uint8_t, 5> exponent{0x02, 0x03, 0x01, 0x00, 0x01};
  const auto at = std::search(der.begin(), der.end(), exponent.begin(), exponent.end());
  REQUIRE(at != der.end());
  CHECK(must(Certificate::parse(der)).key().type == KeyType::rsa);
  *(at + 4) = 0x00;  // Even: nothing was ever signed for it.

  const Certificate odd = must(Certificate::parse(der));

  CHECK(odd.key().type == KeyType::other);
  CHECK_FALSE(rsa.chain.front().signed_by(odd));
}

TEST_CASE("order_chain: two that vouch for each other end the walk", "[crypto]") {
  const Tree tree;
  // Root's key again, but below Lower: a circle.
  const KeyBundle circle = test::issue_for(tree.root.key, ca_named("Root"), &tree.lower);

  const auto chain =
      order_chain(tree.leaf_cert, {circle.chain.front(), tree.upper_cert, tree.lower_cert});

  CHECK(chain == Chain{tree.leaf_cert, tree.lower_cert, tree.upper_cert, circle.chain.front()});
}

TEST_CASE("certificate: usages, constraints and the rehearsal mark are read", "[crypto]") {
  auto wanted = leaf_for("critical,codeSigning,1.3.6.1.4.1.311.10.3.13");
  wanted.rehearsal = true;
  const Certificate leaf = issue(wanted).chain.front();
  wanted.extended_key_usage = "";
  wanted.key_usage = "";
  wanted.rehearsal = false;
  wanted.basic_constraints = false;
  const Certificate bare = issue(wanted).chain.front();
  const Certificate authority = issue(ca_named("CA")).chain.front();

  CHECK(leaf.has_eku(oid::kCodeSigning));
  CHECK(leaf.has_eku(oid::kLifetimeSigning));
  CHECK_FALSE(leaf.has_eku(oid::kTimeStamping));
  CHECK(leaf.extended_key_usage_critical());
  CHECK(leaf.extended_key_usage()->size() == 2);
  REQUIRE(leaf.key_usage());
  CHECK(leaf.key_usage()->digital_signature);
  CHECK_FALSE(leaf.key_usage()->key_cert_sign);
  CHECK(leaf.is_rehearsal());
  CHECK(leaf.info().rehearsal);
  CHECK_FALSE(leaf.is_ca());
  CHECK_FALSE(bare.extended_key_usage());
  CHECK_FALSE(bare.has_eku(oid::kCodeSigning));
  CHECK_FALSE(bare.key_usage());
  CHECK_FALSE(bare.is_rehearsal());
  CHECK_FALSE(bare.is_ca());
  CHECK(authority.is_ca());
  CHECK(authority.key_usage()->key_cert_sign);
  CHECK(authority.info().self_signed);
}

TEST_CASE("certificate: a usage that cannot be read grants nothing", "[crypto]") {
  auto wanted = leaf_for("");
  wanted.extra_extensions = {{"2.5.29.37", "DER:0401aa"}};
  const Certificate broken = issue(wanted).chain.front();

  REQUIRE(broken.extended_key_usage());
  CHECK(broken.extended_key_usage()->empty());
}

TEST_CASE("certificate: fields are those that openssl shows", "[crypto]") {
  if (!test::has_openssl("fields are those that openssl shows")) {
    return;
  }
  const Tree tree;
  const test::TemporaryFolder folder;
  test::spill(folder.file("a.pem"), as_bytes(to_pem(Chain{tree.leaf_cert})));
  const auto shown = test::shell(
      "openssl x509 -noout -serial -fingerprint -sha256 -subject -nameopt RFC2253 -in " +
      folder.file("a.pem"));
  std::string text = to_lower(shown.output);
  std::erase(text, ':');

  CHECK(text.find("serial=" + tree.leaf_cert.info().serial_hex) != std::string::npos);
  CHECK(text.find("fingerprint=" + tree.leaf_cert.info().sha256_hex) != std::string::npos);
  CHECK(tree.leaf_cert.info().subject == "CN=Leaf");
  CHECK(tree.leaf_cert.info().issuer == "CN=Lower");
  CHECK(tree.leaf_cert.not_before() == issued_day(-100));
  CHECK(tree.leaf_cert.not_after() == issued_day(100));
  CHECK(tree.leaf_cert.signature_digest() == DigestAlg::sha256);
  CHECK(tree.leaf_cert.signed_by(tree.lower_cert));
  CHECK_FALSE(tree.leaf_cert.signed_by(tree.upper_cert));
}

TEST_CASE("issue: openssl accepts the chains that are made", "[crypto]") {
  if (!test::has_openssl("openssl accepts the chains that are made")) {
    return;
  }
  const Tree tree;
  const test::TemporaryFolder folder;
  test::spill(folder.file("root.pem"), as_bytes(to_pem(Chain{tree.root_cert})));
  test::spill(folder.file("rest.pem"), as_bytes(to_pem(Chain{tree.lower_cert, tree.upper_cert})));
  test::spill(folder.file("leaf.pem"), as_bytes(to_pem(Chain{tree.leaf_cert})));
  const std::string at = std::to_string(issued_day(0).time_since_epoch().count());

  const auto verified = test::shell("openssl verify -x509_strict -attime " + at + " -CAfile " +
                                    folder.file("root.pem") + " -untrusted " +
                                    folder.file("rest.pem") + " " + folder.file("leaf.pem"));

  INFO(verified.output);
  CHECK(verified.status == 0);
}

TEST_CASE("issue: what cannot be a name is a usage error that shows it", "[crypto]") {
  auto wanted = leaf_for("codeSigning");
  wanted.subject = {{"C", "Germany"}};
  const auto key = must(PrivateKey::generate(PrivateKey::Spec::p256));

  const auto made = issue_certificate(wanted, key, nullptr);

  REQUIRE_FALSE(made);
  CHECK(made.error().kind == ErrorKind::usage);
  CHECK(made.error().message.find("Germany") != std::string::npos);
}

TEST_CASE("issue: serial numbers are positive, long and new each time", "[crypto]") {
  const auto key = must(PrivateKey::generate(PrivateKey::Spec::p256));
  const auto one = must(issue_certificate(leaf_for("codeSigning"), key, nullptr));
  const auto two = must(issue_certificate(leaf_for("codeSigning"), key, nullptr));

  CHECK(one.serial_der().size() == 18);
  CHECK(one.serial_der()[2] < 0x80);
  CHECK(one.info().serial_hex != two.info().serial_hex);
}

TEST_CASE("name text: most specific first, separators escaped, controls harmless", "[crypto]") {
  const Bytes name =
      der::sequence({rdn("2.5.4.6", der::kPrintableString, as_bytes("DE")),
                     rdn("2.5.4.10", der::kUtf8String, as_bytes("Contoso, Inc. + \"Sons\"")),
                     rdn("2.5.4.3", der::kUtf8String, as_bytes("M\u00fcller \x1b[31m"))});

  CHECK(name_text(name) == "CN=M\u00fcller \\x1b[31m, O=Contoso\\, Inc. \\+ \\\"Sons\\\", C=DE");
  CHECK(name_attributes(name).front() == std::pair<std::string, std::string>("C", "DE"));
}

TEST_CASE("name text: every string type is shown", "[crypto]") {
  const auto shown = [](std::uint8_t tag, std::string_view value_hex) {
    return name_text(der::sequence({rdn("2.5.4.3", tag, from_hex(value_hex).value())}));
  };
  CHECK(shown(der::kBmpString, "004d00fc20ac") == "CN=M\u00fc\u20ac");
  CHECK(shown(0x14, "4dfc") == "CN=M\u00fc");
  CHECK(shown(0x1C, "0000004d") == "CN=#1c040000004d");
  CHECK(shown(der::kUtf8String, "4dff") == "CN=M\\xff");
  CHECK(shown(der::kUtf8String, "4d00") == "CN=M\\x00");
}

TEST_CASE("name text: unknown types, several values and broken names", "[crypto]") {
  const Bytes two = der::sequence({der::set(
      {der::sequence({der::oid("1.2.3.4"), der::tlv(der::kUtf8String, as_bytes("x"))}),
       der::sequence({der::oid("2.5.4.3"), der::tlv(der::kUtf8String, as_bytes("y"))})})});

  CHECK(name_text(two) == "CN=y, 1.2.3.4=x");
  CHECK(name_text(der::sequence({})) == "(no name)");
  CHECK(name_text(Bytes{0x30, 0x01, 0x31}) == "#300131");
  CHECK(name_attributes(Bytes{0x30, 0x01, 0x31}).empty());
}

}  // namespace signctl::crypto
