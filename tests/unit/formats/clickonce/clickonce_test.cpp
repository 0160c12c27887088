// SPDX-License-Identifier: Apache-2.0
// Made, examined and damaged without the command line. tests/interop/formats/clickonce.py has the
// independent canonicalization and the whole tool.

#include "core/file.hpp"
#include "core/text.hpp"
#include "formats/clickonce/examine.hpp"
#include "formats/clickonce/make.hpp"
#include "formats/clickonce/names.hpp"
#include "formats/clickonce/signable.hpp"
#include "formats/common/xml.hpp"
#include "support/catch.hpp"
#include "support/issued.hpp"
#include "support/must.hpp"

using namespace signctl;        // NOLINT(google-build-using-namespace): test
using namespace signctl::test;  // NOLINT(google-build-using-namespace): test

namespace {

const std::string kManifest =
    "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
    "<asmv1:assembly manifestVersion=\"1.0\" xmlns:asmv1=\"urn:schemas-microsoft-com:asm.v1\" "
    "xmlns=\"urn:schemas-microsoft-com:asm.v2\">\n"
    "  <asmv1:assemblyIdentity name=\"Sample &amp; Co\" version=\"1.0.0.0\" "
    "publicKeyToken=\"0000000000000000\" language=\"neutral\"/>\n"
    "  <description>caf\xC3\xA9</description>\n"
    "</asmv1:assembly>\n";

const std::string kStuffing(5000, 'x');
const std::string kBlanks(5000, '\n');

Bytes manifest() {
  return {kManifest.begin(), kManifest.end()};
}

const crypto::KeyBundle& identity() {
  static const crypto::KeyBundle kIdentity =
      issue(leaf_for("codeSigning", "Contoso, Ltd"), nullptr, crypto::PrivateKey::Spec::rsa2048);
  return kIdentity;
}

Bytes signed_manifest() {
  const auto draft = must(clickonce::prepare(
      manifest(), {DigestAlg::sha256, "a <b>", "", {identity().chain[0].der()}}));
  std::vector<Bytes> values;
  for (const Bytes& digest : draft.to_be_signed) {
    values.push_back(must(identity().key.sign_digest(digest, DigestAlg::sha256)));
  }
  return must(clickonce::assemble(draft, values, {}));
}

bool has(const std::vector<Finding>& findings, std::string_view id) {
  for (const Finding& one : findings) {
    if (one.id == id) {
      return true;
    }
  }
  return false;
}

Bytes replaced(const Bytes& bytes, std::string_view what, std::string_view with) {
  std::string text(as_text(bytes));
  const auto at = text.find(what);
  REQUIRE(at != std::string::npos);
  text.replace(at, what.size(), with);
  return {text.begin(), text.end()};
}

}  // namespace

TEST_CASE("clickonce: what was signed examines without objection", "[formats][clickonce]") {
  const auto facts = must(clickonce::examine(signed_manifest()));

  for (const Finding& one : facts.findings) {
    UNSCOPED_INFO(one.id << ": " << one.message);
  }
  CHECK(facts.findings.empty());
  CHECK(facts.signer == identity().chain[0].der());
  CHECK(facts.description == "a <b>");
  CHECK(facts.claimed_digest == facts.computed_digest);
}

TEST_CASE("clickonce: a lie anywhere is found", "[formats][clickonce]") {
  struct Lie {
    std::string what;
    std::string with;
    std::string id;
  };
  const auto lie = GENERATE(values<Lie>({
      {"caf", "Caf", "digest-mismatch"},
      {"Description=\"a ", "Description=\"b ", "digest-mismatch"},
      {" Hash=\"", " Hash=\"0", "clickonce-license-hash"},
      {"<SignatureValue>", "<SignatureValue>AAAA", "signature"},
      {"<Reference URI=\"\">", "<Reference URI=\"#x\">", "clickonce-reference"},
      {"#rsa-sha256", "#rsa-sha512", "clickonce-algorithm"},
      {"#enveloped-signature", "#base64", "clickonce-reference"},
      {"<Modulus>", "<Modulus>AAAA", "clickonce-strong-name-key"},
      {"<msrel:RelData xmlns:msrel=",
       "<x>hidden</x><msrel:RelData xmlns:msrel=",
       "clickonce-structure"},
      {"StrongNameSignature", "Other", "clickonce-structure"},
      {"</Signature></r:issuer>", "<x/></Signature></r:issuer>", "clickonce-structure"},
      {"issuerKeyHash=\"", "issuerKeyHash=\"0", "clickonce-publisher"},
      {"<description>", "<!--" + kStuffing + "--><description>", "unsigned-stuffing"},
      {"<description>", "<description" + kBlanks + ">", "unsigned-stuffing"},
      {"<SignatureValue>", "<!--" + kStuffing + "--><SignatureValue>", "unsigned-stuffing"},
      {"<SignatureValue>", "<?x " + kStuffing + "?><SignatureValue>", "unsigned-stuffing"},
      {"<SignatureValue>", kStuffing + "<SignatureValue>", "unsigned-stuffing"},
      {"<SignatureValue>", "<SignatureValue>" + kBlanks, "unsigned-stuffing"},
      {"</X509Data>", "<!--" + kStuffing + "--></X509Data>", "unsigned-stuffing"},
      {"</asmv1:assembly>", "</asmv1:assembly>" + kBlanks, "unsigned-stuffing"},
  }));
  INFO(lie.what << " -> " << lie.with);

  const auto facts = clickonce::examine(replaced(signed_manifest(), lie.what, lie.with));

  REQUIRE(facts);
  CHECK(has(facts->findings, lie.id));
}

TEST_CASE("clickonce: comments and line ends as people write them are no stuffing",
          "[formats][clickonce]") {
  std::string text(
      as_text(replaced(signed_manifest(), "<description>", "<!-- kept --><description>")));
  for (std::size_t at = text.find('\n'); at != std::string::npos; at = text.find('\n', at + 2)) {
    text.insert(at, "\r");
  }

  CHECK(must(clickonce::examine(as_bytes(text))).findings.empty());
}

TEST_CASE("clickonce: every prefix is refused", "[formats][clickonce]") {
  const Bytes whole = signed_manifest();
  // The newline behind the last element is not needed.
  for (std::size_t size = 0; size + 1 < whole.size(); ++size) {
    const Bytes part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    INFO(size);
    CHECK_FALSE(clickonce::open_manifest(std::make_shared<MemorySource>(part)));
  }
}

TEST_CASE("clickonce: removing gives an unsigned manifest with the old canonical form",
          "[formats][clickonce]") {
  const Bytes bare = must(clickonce::without_signature(signed_manifest()));

  const auto before = must(xml::Document::parse(manifest()));
  const auto after = must(xml::Document::parse(bare));
  CHECK(must(before.canonical(xml::Canonical::exclusive)) ==
        must(after.canonical(xml::Canonical::exclusive)));
}

TEST_CASE("clickonce: other digests and keys than the runtime reads are refused",
          "[formats][clickonce]") {
  const auto ec = issue(leaf_for("codeSigning"));

  CHECK(clickonce::prepare(manifest(), {DigestAlg::sha512, "", "", {identity().chain[0].der()}})
            .error()
            .kind == ErrorKind::unsupported);
  CHECK(clickonce::prepare(manifest(), {DigestAlg::sha256, "", "", {ec.chain[0].der()}})
            .error()
            .kind == ErrorKind::unsupported);
}

TEST_CASE("xml: document types, other encodings and deep nesting are refused", "[formats][xml]") {
  std::string deep;
  for (int i = 0; i < 2000; ++i) {
    deep += "<a>";
  }
  for (const std::string& text : {std::string("<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>"),
                                  std::string("<!DOCTYPE a SYSTEM \"http://localhost/x.dtd\"><a/>"),
                                  std::string("\xFF\xFE<\0a\0/\0>\0", 10),
                                  std::string("<a>&undefined;</a>"),
                                  std::string("<a>\xE9</a>"),
                                  std::string("<a><b></a>"),
                                  std::string(),
                                  deep}) {
    INFO(text.substr(0, 40));
    CHECK_FALSE(xml::Document::parse(as_bytes(text)));
  }
}

TEST_CASE("xml: there is an end to size, depth, attributes and namespaces", "[formats][xml]") {
  const auto nested = [](int levels) {
    std::string text;
    for (int i = 0; i < levels; ++i) {
      text = "<a>" + text + "</a>";
    }
    return text;
  };
  const auto with = [](const std::string& attribute, int count) {
    std::string text = "<a b='a=\">='";
    for (int i = 0; i < count; ++i) {
      text += " " + attribute + std::to_string(i) + "=\"" + std::to_string(i + 1) + "\"";
    }
    return text + "><!-- a=\" ' --><b/></a>";
  };
  const std::string parts(11U << 20U, ' ');
  const auto is_read = [](const std::string& text) {
    return xml::Document::parse(as_bytes(text)).has_value();
  };

  CHECK(is_read("<a>" + parts + "</a>"));
  CHECK_FALSE(is_read("<a>" + parts + parts + "</a>"));
  CHECK(is_read(nested(250)));
  CHECK_FALSE(is_read(nested(300)));
  CHECK(is_read(with("c", 255)));
  CHECK_FALSE(is_read(with("c", 256)));
  CHECK(is_read(with("xmlns:c", 100)));
  CHECK_FALSE(is_read(with("xmlns:c", 101)));
}

TEST_CASE("xml: canonical forms are those of the recommendation", "[formats][xml]") {
  // From Exclusive XML Canonicalization 1.0, 2.2: context does not leak into the exclusive form.
  const auto document = must(xml::Document::parse(
      as_bytes("<n0:local xmlns:n0=\"foo:bar\" xmlns:n3=\"ftp://example.org\"><n1:elem2 "
               "xmlns:n1=\"http://example.net\" b='2' a=\"1\"><!-- c --><n3:stuff "
               "xmlns:n3=\"ftp://example.org\"/></n1:elem2></n0:local>")));
  const auto part = document.root().children().front();

  CHECK(as_text(must(document.canonical(xml::Canonical::exclusive, part))) ==
        "<n1:elem2 xmlns:n1=\"http://example.net\" a=\"1\" b=\"2\"><n3:stuff "
        "xmlns:n3=\"ftp://example.org\"></n3:stuff></n1:elem2>");
  CHECK(as_text(must(document.canonical(xml::Canonical::inclusive, part))) ==
        "<n1:elem2 xmlns:n0=\"foo:bar\" xmlns:n1=\"http://example.net\" "
        "xmlns:n3=\"ftp://example.org\" a=\"1\" b=\"2\"><n3:stuff></n3:stuff></n1:elem2>");
}

TEST_CASE("clickonce: no comment hides what a manifest is", "[formats][clickonce]") {
  const std::string head = "<?xml version=\"1.0\"?>\n";
  const std::string comment = "<!--" + kStuffing + "-->\n<?a b?>\n";
  const std::string root = "<assembly xmlns=\"urn:schemas-microsoft-com:asm.v1\">";
  const std::string mark = "<entryPoint/></assembly>";
  const auto found = [](const std::string& text, std::string_view path) {
    const MemorySource source(Bytes(text.begin(), text.end()));
    const Format* const format = must(find_format(source, path));
    return format == nullptr ? std::string() : std::string(format->name());
  };
  CHECK(found(head + comment + root + mark, "app.exe.manifest") == "clickonce");
  CHECK(found("\xEF\xBB\xBF" + head + comment + root + mark, "app.bin") == "clickonce");
  CHECK(found(head + root + comment + mark, "app.exe.manifest") == "clickonce");
  CHECK(found(head + "<!DOCTYPE a>" + root + mark, "app.exe.manifest") == "clickonce");
  CHECK(found(head + "<!--" + kStuffing, "app.application") == "clickonce");
  // Manifests of programs, and what others call so, are none.
  CHECK(found(head + comment + root + "</assembly>", "app.exe.manifest").empty());
  CHECK(found(head + comment + "<assemblyX>" + root + mark, "app.manifest").empty());
  CHECK(found("{ \"entryPoint\": 1 }", "app.manifest").empty());
}
