// SPDX-License-Identifier: Apache-2.0
// Packages that signctl signs, and packages signed by nobody's code but the test's own, sound and
// with one lie each. tests/interop/formats/nuget.py has openssl and the whole tool.
#include "nuget_test.hpp"

#include "cms/cades.hpp"
#include "cms/signed_data.hpp"
#include "core/file.hpp"
#include "core/patched_source.hpp"
#include "core/text.hpp"
#include "crypto/der.hpp"
#include "crypto/digest.hpp"
#include "crypto/oids.hpp"
#include "formats/nuget/signable.hpp"
#include "support/catch.hpp"
#include "support/issued.hpp"
#include "support/must.hpp"
#include "support/paths.hpp"
#include "verify/verify.hpp"

#include <signctl/policy.hpp>

#include <algorithm>
#include <array>
#include <filesystem>
#include <functional>
#include <iostream>

using namespace signctl;        // NOLINT(google-build-using-namespace): test
using namespace signctl::test;  // NOLINT(google-build-using-namespace): test

namespace {

constexpr auto kRsa = crypto::PrivateKey::Spec::rsa2048;

std::shared_ptr<const ByteSource> source_of(Bytes bytes) {
  return std::make_shared<MemorySource>(std::move(bytes));
}

Bytes all_of(const ByteSource& source) {
  return must(read_bytes(source, 0, source.size()));
}

std::unique_ptr<Signable> opened(const Bytes& bytes) {
  return must(nuget::open_package(source_of(bytes)));
}

/// What signctl makes of a package.
Bytes signed_by_us(const Bytes& package,
                   DigestAlg alg = DigestAlg::sha256,
                   const crypto::KeyBundle& identity = nuget_author()) {
  auto file = opened(package);
  const auto content = must(file->content_to_sign(alg));
  const auto profile = file->profile();
  der::Parser parser(content.econtent);
  cms::SignedDataParts parts;
  parts.form = cms::Form::cms;
  parts.content_type = content.content_type;
  parts.econtent = content.econtent;
  parts.alg = alg;
  parts.chain = identity.chain;
  parts.signed_attributes_set =
      cms::encode_cades_attributes({content.content_type,
                                    crypto::hash(alg, must(parser.next("content")).content),
                                    alg,
                                    identity.chain.front(),
                                    issued_day(0),
                                    profile.commitment_type});
  parts.signature =
      must(identity.key.sign_digest(crypto::hash(alg, parts.signed_attributes_set), alg));
  const Bytes cms = cms::encode_signed_data(parts);
  return all_of(*must(PatchedSource::make(source_of(package), must(file->embed({&cms, 1})))));
}

Report verified(const Bytes& bytes) {
  auto file = opened(bytes);
  return must(
      verify::verify_file(*file, {anchors_of({nuget_root().chain[0]}), false, issued_day(0)}));
}

/// Ids of the errors of today's judgement.
std::string errors(const Report& report) {
  std::vector<Finding> today;
  for (const Finding& finding : report.findings) {
    if (finding.judgement == Judgement::now) {
      today.push_back(finding);
    }
  }
  return ids_of(today);
}

std::string errors_of(const Bytes& bytes) {
  const Report report = verified(bytes);
  INFO(text_of(report.findings));
  return errors(report);
}

/// The package signed by the test's own code, with one thing changed before it is signed.
Bytes package_signed_with(const std::function<void(CmsRecipe&)>& change,
                          const crypto::KeyBundle& identity = nuget_author()) {
  const Bytes plain = make_zip(nuget_package());
  CmsRecipe recipe = author_recipe(identity, text_over(plain));
  change(recipe);
  std::sort(recipe.signer.attributes.begin(), recipe.signer.attributes.end());
  return with_signature(nuget_package(), build(recipe, identity.key));
}

/// An author's signature with a repository's beside it.
Bytes received_package(const std::function<void(SignerRecipe&)>& change = {}) {
  const Bytes plain = make_zip(nuget_package());
  CmsRecipe recipe = author_recipe(nuget_author(), text_over(plain));
  recipe.certificates.push_back(nuget_repository().chain.front().der());
  const Bytes cms = build(recipe, nuget_author().key);
  if (!change) {
    return with_signature(nuget_package(), countersigned(cms, nuget_repository()));
  }
  const auto data = must(cms::parse_signed_data(cms));
  SignerRecipe counter = countersigner_recipe(nuget_repository(), data.signers.front().signature);
  change(counter);
  std::sort(counter.attributes.begin(), counter.attributes.end());
  const Bytes whole = must(cms::with_unsigned_attribute(
      cms, oid::kCounterSignature, {build_signer(counter, nuget_repository().key)}));
  return with_signature(nuget_package(), whole);
}

void set(std::vector<Bytes>& attributes, std::string_view oid, const std::vector<Bytes>& values) {
  drop_attribute(attributes, oid);
  attributes.push_back(attribute(oid, values));
}

}  // namespace

TEST_CASE("nuget: what signctl signs is accepted", "[formats][nuget]") {
  const auto alg = GENERATE(DigestAlg::sha256, DigestAlg::sha384, DigestAlg::sha512);

  const Report report = verified(signed_by_us(make_zip(nuget_package()), alg));

  INFO(text_of(report.findings));
  CHECK(errors(report).empty());
  REQUIRE(report.signatures.size() == 1);
  CHECK(report.signatures[0].digest_alg == alg);
  CHECK(report.signatures[0].chain.trusted);
  CHECK(report.signatures[0].signed_attributes.size() == 5);
}

TEST_CASE("nuget: the entry of the signature is as NuGet's clients write it", "[formats][nuget]") {
  const Bytes plain = make_zip(nuget_package());
  auto file = opened(plain);
  const Bytes cms{0x30, 0x00};

  const Bytes whole =
      all_of(*must(PatchedSource::make(source_of(plain), must(file->embed({&cms, 1})))));

  // The test's own writer differs in the time alone, which is 1980-01-01 for what signctl adds.
  Bytes expected = with_signature(nuget_package(), cms);
  const Bytes time{0x62, 0x58, 0x21, 0x59};
  const Bytes epoch{0x00, 0x00, 0x21, 0x00};
  const std::string name = ".signature.p7s";
  REQUIRE(whole.size() == expected.size());
  for (auto at = expected.begin();
       (at = std::search(at, expected.end(), name.begin(), name.end())) != expected.end();
       ++at) {
    const bool local = *(at - 30) == 'P' && *(at - 28) == 3;
    const auto field = at - (local ? 30 - 10 : 46 - 12);
    REQUIRE(std::equal(time.begin(), time.end(), field));
    std::copy(epoch.begin(), epoch.end(), field);
  }
  CHECK(whole == expected);
}

TEST_CASE("nuget: the package hash is that of the unsigned package", "[formats][nuget]") {
  const auto alg = GENERATE(DigestAlg::sha256, DigestAlg::sha384, DigestAlg::sha512);
  const Bytes plain = make_zip(nuget_package());
  const std::array algs{alg};

  CHECK(must(opened(plain)->file_digests(algs)).front() == crypto::hash(alg, plain));
  // Wherever the signature stands among the entries.
  for (std::size_t at = 0; at <= nuget_package().files.size(); ++at) {
    INFO(at);
    ZipSpec spec = nuget_package();
    spec.files.insert(spec.files.begin() + static_cast<std::ptrdiff_t>(at),
                      signature_file(Bytes(300, 0x30)));
    CHECK(must(opened(make_zip(spec))->file_digests(algs)).front() == crypto::hash(alg, plain));
  }
}

TEST_CASE("nuget: the hash of jsign's sample", "[formats][nuget]") {
  const std::string path =
      std::string(SIGNCTL_SOURCE_DIR) + "/../shared/testdata/jsign/nuget/minimal.1.0.0.nupkg";
  std::error_code error;
  if (!std::filesystem::exists(path, error)) {
    std::cerr << "SKIPPED: the hash of jsign's NuGet package (" << path << " is not here)\n";
    return;
  }
  const Bytes plain = slurp(path);
  const std::string golden = "1ffd424127785040fdfdc03749d3c4e5278415b96d826b59d1403db5dd53e034";
  const std::array algs{DigestAlg::sha256};

  CHECK(to_hex(must(opened(plain)->file_digests(algs)).front()) == golden);
  const Bytes whole = signed_by_us(plain);
  CHECK(to_hex(must(opened(whole)->file_digests(algs)).front()) == golden);
  CHECK(errors_of(whole).empty());
}

TEST_CASE("nuget: removal gives the original bytes back", "[formats][nuget]") {
  const Bytes plain = make_zip(nuget_package());
  const Bytes once = signed_by_us(plain);
  const Bytes twice = signed_by_us(once, DigestAlg::sha512);
  for (const Bytes& whole : {once, twice, received_package()}) {
    auto file = opened(whole);
    CHECK(all_of(*must(PatchedSource::make(source_of(whole), must(file->strip())))) == plain);
  }
  CHECK(errors_of(twice).empty());
}

TEST_CASE("nuget: the same input, key and time give the same bytes", "[formats][nuget]") {
  const Bytes plain = make_zip(nuget_package());
  CHECK(signed_by_us(plain) == signed_by_us(plain));
}

TEST_CASE("nuget: signatures of NuGet's own making are accepted", "[formats][nuget]") {
  CHECK(errors_of(package_signed_with([](CmsRecipe&) {})).empty());

  // By key identifier, as the client does it when the certificate has one.
  CHECK(errors_of(package_signed_with([](CmsRecipe& recipe) {
          recipe.version = 3;
          recipe.signer.version = 3;
          recipe.signer.sid = der::tlv(der::context_primitive(0),
                                       cms::subject_key_id(nuget_author().chain.front()));
        })).empty());

  const std::string text = text_over(make_zip(nuget_package()));
  const Bytes cms = build(repository_recipe(nuget_repository(), text), nuget_repository().key);
  const Bytes received = with_signature(nuget_package(), cms);
  CHECK(errors_of(received).empty());
  const auto facts = must(opened(received)->facts());
  const auto by = std::find_if(
      facts.begin(), facts.end(), [](const FileFact& one) { return one.name == "signed by"; });
  REQUIRE(by != facts.end());
  CHECK(by->value == "repository https://example.test/index.json, owners alice, bob");
}

TEST_CASE("nuget: a signature need not be the last entry", "[formats][nuget]") {
  const Bytes cms = build(author_recipe(nuget_author(), text_over(make_zip(nuget_package()))),
                          nuget_author().key);
  ZipSpec spec = nuget_package();
  spec.files.insert(spec.files.begin() + 1, signature_file(cms));

  CHECK(errors_of(make_zip(spec)).empty());
}

TEST_CASE("nuget: a repository's signature beside the author's is judged too", "[formats][nuget]") {
  const Report report = verified(received_package());

  INFO(text_of(report.findings));
  CHECK(errors(report).empty());
  CHECK(ids_of(report.findings, Severity::info).find("certificate-surplus") == std::string::npos);
  REQUIRE(report.signatures.size() == 2);
  const SignatureInfo& counter = report.signatures[1];
  CHECK(counter.label == "signature 1.1");
  CHECK(counter.chain.trusted);
  CHECK(counter.digest_hex == counter.computed_digest_hex);
  CHECK_FALSE(counter.digest_hex.empty());
}

TEST_CASE("nuget: who received a package is not asked who made it", "[formats][nuget]") {
  GateRules rules;
  rules.timestamp = TimestampRule::optional;
  const Report report = verified(received_package());

  rules.identity.subject = {{"CN", "Author"}};
  INFO(text_of(judge(report, rules).findings));
  CHECK(judge(report, rules).passed);
  rules.identity.subject = {{"CN", "Repository"}};
  CHECK_FALSE(judge(report, rules).passed);
}

TEST_CASE("nuget: a lie in the author's signature is found", "[formats][nuget]") {
  struct Lie {
    std::string what;
    std::function<void(CmsRecipe&)> change;
    std::string id;
  };
  const auto drop = [](std::string_view oid) {
    return [oid](CmsRecipe& recipe) { drop_attribute(recipe.signer.attributes, oid); };
  };
  const auto put = [](std::string_view oid, std::vector<Bytes> values) {
    return [oid, values](CmsRecipe& recipe) { set(recipe.signer.attributes, oid, values); };
  };
  const auto say = [](const std::string& text) {
    return [text](CmsRecipe& recipe) {
      recipe.content = der::octet_string(as_bytes(text));
      set(recipe.signer.attributes,
          oid::kMessageDigest,
          {der::octet_string(crypto::hash(DigestAlg::sha256, as_bytes(text)))});
    };
  };
  const auto commitment = [](std::string_view oid) { return der::sequence({der::oid(oid)}); };
  const crypto::Certificate& leaf = nuget_author().chain.front();
  const Bytes bare_id = der::sequence({der::sequence(
      {der::sequence({der::octet_string(crypto::hash(DigestAlg::sha256, leaf.der()))})})});
  const Bytes sha1_id = der::sequence({der::sequence(
      {der::sequence({der::algorithm_bare(oid::of(DigestAlg::sha1)),
                      der::octet_string(crypto::hash(DigestAlg::sha1, leaf.der())),
                      der::sequence({der::sequence({der::tlv(der::context(4), leaf.issuer_der())}),
                                     leaf.serial_der()})})})});
  const std::string right = text_over(make_zip(nuget_package()));
  const std::vector<Lie> lies{
      {"no commitment", drop(oid::kCommitmentType), "nuget-signature-type"},
      {"author and repository",
       put(oid::kCommitmentType,
           {commitment(oid::kProofOfOrigin), commitment(oid::kProofOfReceipt)}),
       "nuget-signature-type"},
      {"a commitment to something else",
       put(oid::kCommitmentType, {commitment("1.2.840.113549.1.9.16.6.5")}),
       "nuget-signature-type"},
      {"a commitment that is none",
       put(oid::kCommitmentType, {der::null()}),
       "nuget-signature-type"},
      {"a repository without service index",
       put(oid::kCommitmentType, {commitment(oid::kProofOfReceipt)}),
       "nuget-repository"},
      {"no certificate named", drop(oid::kSigningCertificateV2), "cms-signing-certificate"},
      {"another certificate named",
       put(oid::kSigningCertificateV2, {signing_certificate_v2(nuget_repository().chain.front())}),
       "cms-signing-certificate"},
      {"two values",
       put(oid::kSigningCertificateV2, {bare_id, bare_id}),
       "cms-signing-certificate"},
      {"no issuer and serial number",
       put(oid::kSigningCertificateV2, {bare_id}),
       "cms-signing-certificate"},
      {"named by SHA-1", put(oid::kSigningCertificateV2, {sha1_id}), "cms-signing-certificate"},
      {"the old attribute as well",
       put(oid::kSigningCertificate, {signing_certificate_v2(leaf)}),
       "cms-signing-certificate"},
      {"no time", drop(oid::kSigningTime), "cms-signing-time"},
      {"a time that is none", put(oid::kSigningTime, {der::null()}), "cms-signing-time"},
      {"another hash", say(text_over(Bytes{1, 2, 3})), "digest-mismatch"},
      {"version 2", say("Version:2" + right.substr(9)), "content-malformed"},
      {"no hash", say("Version:1\n\nA:b\n\n"), "content-malformed"},
      {"not ended", say(right.substr(0, right.size() - 1)), "content-malformed"},
      {"a hash by SHA-1",
       say("Version:1\n\n1.3.14.3.2.26-Hash:2jmj7l5rSw0yVb/vlWAYkK/YBwk=\n\n"),
       "content-malformed"},
      {"two hashes",
       say(right.substr(0, right.size() - 1) +
           text_over(make_zip(nuget_package()), DigestAlg::sha512).substr(11)),
       "content-malformed"},
      {"another digest than the signer's",
       say(text_over(make_zip(nuget_package()), DigestAlg::sha512)),
       "cms-digest-algorithms"},
      {"content that is no OCTET STRING",
       [](CmsRecipe& recipe) { recipe.content[0] = der::kUtf8String; },
       "cms-content-type"},
      {"indirect data",
       [](CmsRecipe& recipe) { recipe.content_type = oid::kSpcIndirectData; },
       "content-malformed"},
      {"no content type", drop(oid::kContentType), "cms-attributes"},
      {"another value",
       [](CmsRecipe& recipe) { recipe.signer.signature = Bytes(256, 1); },
       "signature"},
  };
  for (const Lie& lie : lies) {
    const Report report = verified(package_signed_with(lie.change));
    INFO(lie.what << "\n" << text_of(report.findings));
    CHECK((" " + errors(report) + " ").find(" " + lie.id + " ") != std::string::npos);
  }
}

TEST_CASE("nuget: a lie in the repository's signature is found", "[formats][nuget]") {
  struct Lie {
    std::string what;
    std::function<void(SignerRecipe&)> change;
    std::string id;
  };
  const auto put = [](std::string_view oid, std::vector<Bytes> values) {
    return [oid, values](SignerRecipe& recipe) { set(recipe.attributes, oid, values); };
  };
  const std::vector<Lie> lies{
      {"no URL",
       [](SignerRecipe& recipe) { drop_attribute(recipe.attributes, oid::kNugetServiceIndexUrl); },
       "nuget-repository"},
      {"an http URL",
       put(oid::kNugetServiceIndexUrl, {service_index_url("http://example.test/")}),
       "nuget-repository"},
      {"two URLs",
       put(oid::kNugetServiceIndexUrl,
           {service_index_url("https://a.test/"), service_index_url("https://b.test/")}),
       "nuget-repository"},
      {"no owner in the list",
       put(oid::kNugetPackageOwners, {package_owners({})}),
       "nuget-repository"},
      {"an owner without a name",
       put(oid::kNugetPackageOwners, {package_owners({" "})}),
       "nuget-repository"},
      {"an author beside an author",
       put(oid::kCommitmentType, {der::sequence({der::oid(oid::kProofOfOrigin)})}),
       "nuget-signature-type"},
      {"over another value",
       put(oid::kMessageDigest, {der::octet_string(crypto::hash(DigestAlg::sha256, Bytes{1}))}),
       "message-digest"},
      {"another content type",
       put(oid::kContentType, {der::oid(oid::kTstInfo)}),
       "cms-content-type"},
      {"no certificate named",
       [](SignerRecipe& recipe) { drop_attribute(recipe.attributes, oid::kSigningCertificateV2); },
       "cms-signing-certificate"},
      {"another signature value",
       [](SignerRecipe& recipe) { recipe.signature = Bytes(256, 1); },
       "signature"},
      {"something unsigned",
       [](SignerRecipe& recipe) {
         recipe.unsigned_attributes = {attribute("1.2.3.4", {der::octet_string(Bytes(5000, 1))})};
       },
       "unsigned-stuffing"},
      {"a signature beside it that nobody would look at",
       [](SignerRecipe& recipe) {
         recipe.unsigned_attributes = {
             attribute(oid::kCounterSignature, {der::octet_string(Bytes(5000, 1))})};
       },
       "unsigned-stuffing"},
  };
  for (const Lie& lie : lies) {
    const Report report = verified(received_package(lie.change));
    INFO(lie.what << "\n" << text_of(report.findings));
    CHECK((" " + errors(report) + " ").find(" " + lie.id + " ") != std::string::npos);
  }
}

TEST_CASE("nuget: a repository stands alone or beside the author, once", "[formats][nuget]") {
  const std::string text = text_over(make_zip(nuget_package()));
  const Bytes alone = build(repository_recipe(nuget_repository(), text), nuget_repository().key);
  CHECK(errors_of(with_signature(nuget_package(), countersigned(alone, nuget_repository()))) ==
        "nuget-signature-type");

  CmsRecipe recipe = author_recipe(nuget_author(), text);
  recipe.certificates.push_back(nuget_repository().chain.front().der());
  const Bytes cms = build(recipe, nuget_author().key);
  const auto data = must(cms::parse_signed_data(cms));
  const Bytes one =
      build_signer(countersigner_recipe(nuget_repository(), data.signers.front().signature),
                   nuget_repository().key);
  const Bytes both = must(cms::with_unsigned_attribute(cms, oid::kCounterSignature, {one, one}));
  CHECK(errors_of(with_signature(nuget_package(), both)) == "nuget-signature-type");

  const Bytes broken =
      must(cms::with_unsigned_attribute(cms, oid::kCounterSignature, {der::sequence({})}));
  CHECK(errors_of(with_signature(nuget_package(), broken)) == "cms-malformed");
}

TEST_CASE("nuget: certificates that NuGet does not accept", "[formats][nuget]") {
  const auto ec_root = issue(ca_named("EC root"));
  const auto by_ec = issue(leaf_for("codeSigning"), &ec_root, kRsa);
  const auto ec = issue(leaf_for("codeSigning"), &nuget_root());
  const auto lifetime = issue(leaf_for("codeSigning,1.3.6.1.4.1.311.10.3.13"), &nuget_root(), kRsa);
  const auto other = issue(leaf_for("serverAuth"), &nuget_root(), kRsa);
  auto file = opened(make_zip(nuget_package()));
  for (const auto& [identity, reason] : {std::pair(&by_ec, "ecdsa-with-SHA256"),
                                         std::pair(&ec, "EC P-256"),
                                         std::pair(&lifetime, "lifetime"),
                                         std::pair(&other, "code signing")}) {
    const auto found = must(file->check_certificate(identity->chain.front().der()));
    INFO(reason);
    REQUIRE(found.size() == 1);
    CHECK(found.front().id == "nuget-certificate");
    CHECK(found.front().severity == Severity::error);
    CHECK(found.front().message.find(reason) != std::string::npos);
    const std::string ids = errors_of(package_signed_with([](CmsRecipe&) {}, *identity));
    CHECK(ids.find("nuget-certificate") != std::string::npos);
  }
  CHECK(must(file->check_certificate(nuget_author().chain.front().der())).empty());
}

TEST_CASE("nuget: a timestamp is in the attribute of RFC 3161", "[formats][nuget]") {
  const crypto::KeyBundle authority =
      issue(leaf_for("critical,timeStamping", "Authority"), &nuget_root(), kRsa);
  const Bytes whole = signed_by_us(make_zip(nuget_package()));
  const Bytes cms = must(opened(whole)->signatures()).front().cms;
  const auto data = must(cms::parse_signed_data(cms));
  TstRecipe tst;
  tst.imprint = crypto::hash(DigestAlg::sha256, data.signers.front().signature);
  tst.time = "20260601000000Z";
  const Bytes token = build(token_recipe(authority, tst_info(tst)), authority.key);

  const Report right = verified(with_signature(
      nuget_package(), must(cms::with_unsigned_attribute(cms, oid::kTimeStampToken, {token}))));
  INFO(text_of(right.findings));
  CHECK(ids_of(right.findings).empty());
  REQUIRE(right.signatures.front().timestamp);
  CHECK(right.signatures.front().timestamp->valid);

  const Report wrong = verified(
      with_signature(nuget_package(),
                     must(cms::with_unsigned_attribute(cms, oid::kSpcRfc3161Timestamp, {token}))));
  CHECK_FALSE(wrong.signatures.front().timestamp);
  CHECK(ids_of(wrong.findings, Severity::warning).find("unsigned-attribute-unknown") !=
        std::string::npos);
}

TEST_CASE("nuget: a lie in the archive is found", "[formats][nuget]") {
  const Bytes cms = build(author_recipe(nuget_author(), text_over(make_zip(nuget_package()))),
                          nuget_author().key);
  const auto with = [&cms](const std::function<void(ZipFile&)>& change) {
    ZipSpec spec = nuget_package();
    ZipFile file = signature_file(cms);
    change(file);
    spec.files.push_back(std::move(file));
    return make_zip(spec);
  };

  CHECK(errors_of(with([](ZipFile& file) { file.flags = 0x0800; })) == "nuget-signature-entry");
  CHECK(errors_of(with([](ZipFile& file) { file.flags = 0x0002; })) == "nuget-signature-entry");
  CHECK(errors_of(with([](ZipFile& file) { file.descriptor = 16; })) == "nuget-signature-entry");
  CHECK(errors_of(with([](ZipFile& file) { file.deflated = true; })) == "nuget-signature-entry");
  CHECK(errors_of(with([](ZipFile& file) { file.zip64 = true; })) ==
        "nuget-signature-entry nuget-zip64");

  Bytes attributes = with([](ZipFile&) {});
  const std::string name = ".signature.p7s";
  const auto central =
      std::find_end(attributes.begin(), attributes.end(), name.begin(), name.end()) - 46;
  *(central + 38) = 0x20;
  CHECK(errors_of(attributes) == "nuget-signature-entry");

  // In any other case it is a file like others.
  const Bytes other = with([](ZipFile& file) { file.name = ".Signature.p7s"; });
  CHECK(errors_of(other) == "unsigned");
}

TEST_CASE("nuget: ZIP64 is refused before a signature is spent", "[formats][nuget]") {
  ZipSpec records = nuget_package();
  records.zip64 = true;
  ZipSpec fields = nuget_package();
  fields.files[2].zip64 = true;
  fields.files[2].descriptor = 0;
  for (const ZipSpec& spec : {records, fields}) {
    const auto content = opened(make_zip(spec))->content_to_sign(DigestAlg::sha256);
    REQUIRE_FALSE(content);
    CHECK(content.error().kind == ErrorKind::unsupported);
  }
}

TEST_CASE("nuget: every changed byte is noticed", "[formats][nuget]") {
  const Bytes plain = make_zip(nuget_package());
  const Bytes whole = signed_by_us(plain);
  // What stands before the signature's entry is all there was but the directory.
  const std::string mark = ".signature.p7s";
  const auto local = static_cast<std::size_t>(
      std::search(whole.begin(), whole.end(), mark.begin(), mark.end()) - whole.begin() - 30);
  for (std::size_t at = 0; at < local; at += 7) {
    Bytes changed = whole;
    changed[at] ^= 0x01;
    const auto file = nuget::open_package(source_of(changed));
    INFO(at);
    CHECK((!file || !errors_of(changed).empty()));
  }
}

TEST_CASE("nuget: every prefix is refused", "[formats][nuget]") {
  const Bytes whole = signed_by_us(make_zip(nuget_package()));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Bytes part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    INFO(size);
    CHECK_FALSE(nuget::open_package(source_of(part)));
  }
}

TEST_CASE("nuget: every prefix of the signature is refused", "[formats][nuget]") {
  const Bytes whole = signed_by_us(make_zip(nuget_package()));
  const Bytes cms = must(opened(whole)->signatures()).front().cms;
  for (std::size_t size = 0; size < cms.size(); ++size) {
    const Bytes part(cms.begin(), cms.begin() + static_cast<std::ptrdiff_t>(size));
    INFO(size);
    CHECK(errors_of(with_signature(nuget_package(), part)) == "cms-malformed");
  }
  Bytes longer = cms;
  longer.push_back(0);
  CHECK(errors_of(with_signature(nuget_package(), longer)) == "cms-malformed");
}

TEST_CASE("nuget: exchanging what is inside takes the signature off", "[formats][nuget]") {
  const Bytes whole = signed_by_us(make_zip(nuget_package()));
  auto file = opened(whole);
  const auto members = must(file->members());
  REQUIRE(members.size() == 4);
  const auto at = std::find_if(members.begin(), members.end(), [](const Member& one) {
    return one.path == "lib/net8.0/a.txt";
  });
  REQUIRE(at != members.end());
  const auto index = static_cast<std::size_t>(at - members.begin());
  const Bytes other(70'000, 'x');
  const std::array exchanged{Replacement{index, source_of(other)}};

  const auto edited =
      must(PatchedSource::make(source_of(whole), must(file->exchange_members(exchanged))));

  auto again = must(nuget::open_package(edited));
  CHECK(must(again->signatures()).empty());
  CHECK(all_of(*must(again->open_member(index))) == other);
  CHECK(must(again->members()).size() == 4);
}

TEST_CASE("nuget: known by its contents, whatever it is called", "[formats][nuget]") {
  const auto source = source_of(make_zip(nuget_package()));
  CHECK(must(detect_format(*source, "package.dat"))->name() == "nuget");

  ZipSpec spec = nuget_package();
  spec.files[1].name = "deeper/Some.Package.nuspec";
  CHECK(must(detect_format(*source_of(make_zip(spec)), "x.zip"))->name() == "zip");
  CHECK_FALSE(nuget::open_package(source_of(make_zip(spec))));
}

TEST_CASE("nuget: it holds one signature and no page hashes", "[formats][nuget]") {
  auto file = opened(make_zip(nuget_package()));
  CHECK(file->append_style() == AppendStyle::none);
  const std::array two{Bytes{0x30, 0x00}, Bytes{0x30, 0x00}};
  CHECK_FALSE(file->embed(two));
  CHECK_FALSE(file->hash_pages());
}
