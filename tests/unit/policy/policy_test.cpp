// SPDX-License-Identifier: Apache-2.0
#include "core/text.hpp"
#include "policy/subject.hpp"
#include "policy/tolerances.hpp"
#include "support/catch.hpp"

#include <signctl/policy.hpp>

#include <algorithm>
#include <functional>
#include <set>

using namespace signctl;

namespace {

constexpr const char* kLifetimeSigning = "1.3.6.1.4.1.311.10.3.13";
constexpr const char* kCodeSigning = "1.3.6.1.5.5.7.3.3";

TimePoint at(const char* date) {
  return from_iso8601(date).value();
}

CertificateInfo certificate(const std::string& cn) {
  CertificateInfo info;
  info.subject = "CN=" + cn + ", O=Contoso Ltd";
  info.subject_attributes = {{"O", "Contoso Ltd"}, {"CN", cn}};
  info.sha1_hex = std::string(40, 'c');
  info.sha256_hex = std::string(64, 'a');
  info.key = "RSA 3072";
  info.signature_algorithm = "sha256WithRSAEncryption";
  return info;
}

ChainInfo chain(const std::string& leaf_cn) {
  ChainInfo info;
  info.certificates = {certificate(leaf_cn), certificate("Issuing CA"), certificate("Root")};
  info.certificates[0].issuer = info.certificates[1].subject;
  info.certificates[0].extended_key_usage = std::vector<std::string>{kCodeSigning};
  info.trusted = true;
  info.anchor_source = "test";
  return info;
}

TimestampInfo good_timestamp() {
  TimestampInfo info;
  info.valid = true;
  info.time = at("2026-11-01");
  info.digest = "sha256";
  info.signer_digest = "sha256";
  info.chain = chain("TSA");
  return info;
}

SignatureInfo signature(const std::string& label, int depth) {
  SignatureInfo info;
  info.label = label;
  info.depth = depth;
  info.digest_hex = std::string(64, '1');
  info.computed_digest_hex = info.digest_hex;
  info.chain = chain("Contoso Ltd");
  info.timestamp = good_timestamp();
  return info;
}

/// One signature with one nested in it, both without fault.
Report good_report() {
  Report report;
  report.judged_at = at("2026-11-23");
  report.signatures = {signature("signature 1", 0), signature("signature 1.1", 1)};
  return report;
}

GateRules rules(Profile profile) {
  GateRules made;
  made.profile = profile;
  return made;
}

Finding error_about(const std::string& id, const std::string& subject) {
  return {id, Severity::error, subject, "wrong"};
}

std::string ids(const std::vector<Finding>& findings) {
  std::string text;
  for (const Finding& finding : findings) {
    text += (text.empty() ? "" : ", ") + finding.id + " (" + finding.subject + ")";
  }
  return text;
}

std::string objections(const Report& report, const GateRules& gate) {
  const Verdict verdict = judge(report, gate);
  CHECK(verdict.passed == verdict.objections().empty());
  return ids(verdict.objections());
}

Severity severity_of(const Finding& finding, const GateRules& gate, Report report = good_report()) {
  report.findings = {finding};
  const Verdict verdict = judge(report, gate);
  REQUIRE_FALSE(verdict.findings.empty());
  CHECK(verdict.findings[0].id == finding.id);
  return verdict.findings[0].severity;
}

}  // namespace

TEST_CASE("policy: what nobody judged has not passed", "[policy]") {
  CHECK_FALSE(Verdict().passed);
  CHECK_FALSE(judge(Report(), GateRules()).passed);
}

TEST_CASE("policy: a report without fault passes under every profile", "[policy]") {
  for (const Profile profile : {Profile::strict, Profile::compat_windows}) {
    CHECK(objections(good_report(), rules(profile)).empty());
    CHECK(judge(good_report(), rules(profile)).passed);
  }
}

TEST_CASE("policy: errors object, warnings and notes do not", "[policy]") {
  Report report = good_report();
  report.findings = {{"a", Severity::info, "file", "m"}, {"b", Severity::warning, "file", "m"}};
  CHECK(judge(report, GateRules()).passed);
  CHECK(judge(report, GateRules()).findings.size() == 2);

  report.findings.push_back(error_about("c", "file"));
  report.findings.push_back(error_about("d", "file"));
  CHECK(objections(report, GateRules()) == "c (file), d (file)");
}

TEST_CASE("policy: an unsigned file never passes", "[policy]") {
  Report report;
  GateRules lenient = rules(Profile::compat_windows);
  lenient.timestamp = TimestampRule::optional;
  lenient.rehearsal = RehearsalRule::accept;

  CHECK(objections(report, lenient) == "unsigned (file)");
  report.findings = {{"unsigned", Severity::info, "file", "m"}};
  CHECK(objections(report, lenient) == "unsigned (file)");
  report.findings = {error_about("unsigned", "file")};
  CHECK(objections(report, lenient) == "unsigned (file)");
}

TEST_CASE("policy: silence is no proof", "[policy]") {
  const auto damage = GENERATE(values<std::pair<std::string, std::function<void(SignatureInfo&)>>>({
      {"no digest", [](SignatureInfo& s) { s.digest_hex = s.computed_digest_hex = ""; }},
      {"nothing computed", [](SignatureInfo& s) { s.computed_digest_hex = ""; }},
      {"another digest", [](SignatureInfo& s) { s.computed_digest_hex[0] = '2'; }},
      {"no chain", [](SignatureInfo& s) { s.chain.certificates.clear(); }},
      {"no anchor",
       [](SignatureInfo& s) {
         s.chain.trusted = false;
         s.chain.anchor_source = "";
       }},
  }));
  INFO(damage.first);
  Report report = good_report();
  damage.second(report.signatures[0]);
  CHECK(objections(report, rules(Profile::strict)) == "signature-unproven (signature 1)");
  CHECK(objections(report, rules(Profile::compat_windows)) == "signature-unproven (signature 1)");

  Report nested = good_report();
  damage.second(nested.signatures[1]);
  CHECK(objections(nested, rules(Profile::strict)) == "signature-unproven (signature 1.1)");
  CHECK(objections(nested, rules(Profile::compat_windows)).empty());

  // A fault that is named already is not named again.
  report.findings = {error_about("digest-mismatch", "signature 1")};
  CHECK(objections(report, rules(Profile::strict)) == "digest-mismatch (signature 1)");
}

TEST_CASE("policy: nothing is tolerated by the strict profile", "[policy]") {
  for (const Tolerance& row : windows_tolerances()) {
    INFO(row.id);
    CHECK(severity_of(error_about(std::string(row.id), "signature 1"), rules(Profile::strict)) ==
          Severity::error);
  }
  CHECK(severity_of(error_about("x", "signature 1.1"), rules(Profile::strict)) == Severity::error);
}

TEST_CASE("policy: what Windows tolerates without a condition becomes a warning", "[policy]") {
  for (const char* id : {"pe-padding-not-zero",
                         "pe-padding-too-long",
                         "pe-table-coverage",
                         "pe-entry-type",
                         "pe-entry-revision",
                         "pe-multiple-entries",
                         "pe-table-misaligned"}) {
    INFO(id);
    CHECK(severity_of(error_about(id, "file"), rules(Profile::compat_windows)) ==
          Severity::warning);
  }
  for (const char* id :
       {"pe-page-hashes", "cms-version", "cms-octet-string", "nested-count", "unsigned-stuffing"}) {
    INFO(id);
    CHECK(severity_of(error_about(id, "signature 1"), rules(Profile::compat_windows)) ==
          Severity::warning);
  }
  for (const char* id : {"timestamp-eku-not-critical",
                         "timestamp-eku-not-alone",
                         "timestamp-certificate-binding",
                         "timestamp-accuracy",
                         "countersignature-bare-rsa"}) {
    INFO(id);
    CHECK(severity_of(error_about(id, "signature 1 timestamp"), rules(Profile::compat_windows)) ==
          Severity::warning);
  }
}

TEST_CASE("policy: what makes a signature worthless is an error under every profile", "[policy]") {
  for (const std::string id : {"digest-mismatch",
                               "message-digest",
                               "signature",
                               "signer-certificate",
                               "chain-untrusted",
                               "chain-incomplete",
                               "certificate-signature",
                               "certificate-expired",
                               "certificate-not-yet-valid",
                               "eku-wrong",
                               "basic-constraints",
                               "path-length",
                               "name-constraints",
                               "explicit-curve",
                               "critical-extension",
                               "cms-malformed",
                               "cms-attributes",
                               "cms-content-type",
                               "cms-digest-algorithms",
                               "cms-signer-count",
                               "content-malformed",
                               "pe-data-type",
                               "pe-page-hashes-malformed",
                               "pe-ambiguous-layout",
                               "pe-data-after-table",
                               "pe-section-in-table",
                               "pe-table-in-middle",
                               "timestamp-structure",
                               "timestamp-signature",
                               "timestamp-imprint",
                               "timestamp-eku",
                               "timestamp-future",
                               "timestamp-duplicate",
                               "timestamp-outside-validity",
                               "certificate-revoked",
                               "an-id-of-tomorrow"}) {
    INFO(id);
    for (const std::string subject : {"file", "signature 1", "signature 1 timestamp"}) {
      CHECK(severity_of(error_about(id, subject), rules(Profile::compat_windows)) ==
            Severity::error);
    }
    const auto rows = windows_tolerances();
    CHECK(std::none_of(rows.begin(), rows.end(), [&](const Tolerance& r) { return r.id == id; }));
  }
}

TEST_CASE("policy: every tolerance has a reason and stands once", "[policy]") {
  std::set<std::string_view> seen;
  for (const Tolerance& row : windows_tolerances()) {
    INFO(row.id);
    CHECK_FALSE(row.why.empty());
    CHECK(seen.insert(row.id).second);
  }
}

TEST_CASE("policy: Windows accepts weak algorithms only as far as it did", "[policy]") {
  struct Row {
    std::string what;
    std::string id;
    std::string subject;
    std::function<void(SignatureInfo&)> make;
    Severity severity;
  };
  constexpr Severity kWarning = Severity::warning;
  constexpr Severity kError = Severity::error;
  const std::string leaf = "signature 1, certificate CN=Contoso Ltd, O=Contoso Ltd";
  const std::string authority = "signature 1 timestamp, certificate CN=TSA, O=Contoso Ltd";
  const auto stamped = [](const char* date) {
    return [date](SignatureInfo& s) { s.timestamp->time = at(date); };
  };
  const std::vector<Row> rows{
      {"SHA-1 file digest",
       "weak-digest",
       "signature 1",
       [](SignatureInfo& s) { s.digest_alg = DigestAlg::sha1; },
       kWarning},
      {"MD5 file digest",
       "weak-digest",
       "signature 1",
       [](SignatureInfo& s) { s.digest_alg = DigestAlg::md5; },
       kError},
      {"weak digest of an unknown subject",
       "weak-digest",
       "file",
       [](SignatureInfo& s) { s.digest_alg = DigestAlg::sha1; },
       kError},
      {"SHA-1 timestamp",
       "timestamp-weak-digest",
       "signature 1 timestamp",
       [](SignatureInfo& s) { s.timestamp->digest = s.timestamp->signer_digest = "sha1"; },
       kWarning},
      {"MD5 timestamp",
       "timestamp-weak-digest",
       "signature 1 timestamp",
       [](SignatureInfo& s) { s.timestamp->signer_digest = "md5"; },
       kError},
      {"MD5 imprint",
       "timestamp-weak-digest",
       "signature 1 timestamp",
       [](SignatureInfo& s) { s.timestamp->digest = "md5"; },
       kError},
      {"timestamp of an unknown digest",
       "timestamp-weak-digest",
       "signature 1 timestamp",
       [](SignatureInfo& s) { s.timestamp->digest = "1.2.3"; },
       kError},
      {"SHA-1 certificate, timestamped in 2019",
       "weak-certificate-digest",
       leaf,
       [&](SignatureInfo& s) {
         stamped("2019-12-31")(s);
         s.chain.certificates[0].signature_algorithm = "sha1WithRSAEncryption";
       },
       kWarning},
      {"ECDSA with SHA-1 certificate, timestamped in 2019",
       "weak-certificate-digest",
       leaf,
       [&](SignatureInfo& s) {
         stamped("2019-12-31")(s);
         s.chain.certificates[0].signature_algorithm = "ecdsa-with-SHA1";
       },
       kWarning},
      {"SHA-1 certificate, timestamped in 2020",
       "weak-certificate-digest",
       leaf,
       [&](SignatureInfo& s) {
         stamped("2020-01-01")(s);
         s.chain.certificates[0].signature_algorithm = "sha1WithRSAEncryption";
       },
       kError},
      {"SHA-1 certificate, timestamp not valid",
       "weak-certificate-digest",
       leaf,
       [&](SignatureInfo& s) {
         stamped("2019-12-31")(s);
         s.timestamp->valid = false;
         s.chain.certificates[0].signature_algorithm = "sha1WithRSAEncryption";
       },
       kError},
      {"SHA-1 certificate, no timestamp",
       "weak-certificate-digest",
       leaf,
       [&](SignatureInfo& s) {
         s.timestamp.reset();
         s.chain.certificates[0].signature_algorithm = "sha1WithRSAEncryption";
       },
       kError},
      {"MD5 certificate",
       "weak-certificate-digest",
       leaf,
       [&](SignatureInfo& s) {
         stamped("2010-01-01")(s);
         s.chain.certificates[0].signature_algorithm = "md5WithRSAEncryption";
       },
       kError},
      {"two certificates of one name, one with MD5",
       "weak-certificate-digest",
       leaf,
       [&](SignatureInfo& s) {
         stamped("2010-01-01")(s);
         s.chain.certificates[0].signature_algorithm = "sha1WithRSAEncryption";
         s.chain.certificates[1] = s.chain.certificates[0];
         s.chain.certificates[1].signature_algorithm = "md5WithRSAEncryption";
       },
       kError},
      {"a certificate that is not in the chain",
       "weak-certificate-digest",
       "signature 1, certificate CN=Somebody",
       stamped("2010-01-01"),
       kError},
      {"SHA-1 certificate of the authority",
       "weak-certificate-digest",
       authority,
       [&](SignatureInfo& s) {
         stamped("2019-12-31")(s);
         s.timestamp->chain.certificates[0].signature_algorithm = "sha1WithRSAEncryption";
       },
       kWarning},
      {"RSA 1024 in 2013",
       "weak-key",
       leaf,
       [&](SignatureInfo& s) {
         stamped("2013-12-31")(s);
         s.chain.certificates[0].key = "RSA 1024";
       },
       kWarning},
      {"RSA 1024 in 2014",
       "weak-key",
       leaf,
       [&](SignatureInfo& s) {
         stamped("2014-01-01")(s);
         s.chain.certificates[0].key = "RSA 1024";
       },
       kError},
      {"RSA 512 in 2010",
       "weak-key",
       leaf,
       [&](SignatureInfo& s) {
         stamped("2010-01-01")(s);
         s.chain.certificates[0].key = "RSA 512";
       },
       kError},
      {"an odd curve in 2010",
       "weak-key",
       leaf,
       [&](SignatureInfo& s) {
         stamped("2010-01-01")(s);
         s.chain.certificates[0].key = "EC secp112r1";
       },
       kError},
  };
  for (const Row& row : rows) {
    INFO(row.what);
    Report report = good_report();
    row.make(report.signatures[0]);
    CHECK(severity_of(error_about(row.id, row.subject), rules(Profile::compat_windows), report) ==
          row.severity);
  }
}

TEST_CASE("policy: Windows forgives usages of the leaf, not of its CAs or authorities",
          "[policy]") {
  const GateRules compat = rules(Profile::compat_windows);
  const std::string leaf = "signature 1, certificate CN=Contoso Ltd, O=Contoso Ltd";
  const std::string ca = "signature 1, certificate CN=Issuing CA, O=Contoso Ltd";
  const std::string authority = "signature 1 timestamp, certificate CN=TSA, O=Contoso Ltd";

  CHECK(severity_of(error_about("eku-missing", leaf), compat) == Severity::warning);
  CHECK(severity_of(error_about("eku-missing", authority), compat) == Severity::error);
  CHECK(severity_of(error_about("eku-missing", ca), compat) == Severity::error);
  CHECK(severity_of(error_about("key-usage", leaf), compat) == Severity::warning);
  CHECK(severity_of(error_about("key-usage", authority), compat) == Severity::warning);
  CHECK(severity_of(error_about("key-usage", ca), compat) == Severity::error);
  // A CA that bears the leaf's name does not profit from it.
  Report report = good_report();
  report.signatures[0].chain.certificates[1].subject =
      report.signatures[0].chain.certificates[0].subject;
  CHECK(severity_of(error_about("key-usage", leaf), compat, report) == Severity::error);
}

TEST_CASE("policy: a nested signature that fails is a warning for Windows only", "[policy]") {
  for (const char* subject : {"signature 1.1",
                              "signature 1.1 timestamp",
                              "signature 1.1, certificate CN=signature 1, O=x",
                              "signature 1.1 timestamp, certificate CN=x"}) {
    INFO(subject);
    const Finding finding = error_about("digest-mismatch", subject);
    CHECK(severity_of(finding, rules(Profile::compat_windows)) == Severity::warning);
    CHECK(severity_of(finding, rules(Profile::strict)) == Severity::error);
  }
}

TEST_CASE("policy: names in a file cannot pass for a nested signature", "[policy]") {
  Report report = good_report();
  report.signatures.push_back(signature("signature 10", 0));
  for (const char* subject : {"signature 1, certificate CN=signature 1.1",
                              "certificate signature 1.1",
                              "file signature 1.1",
                              "signature 10",
                              "signature 1.10",
                              "signature 2.1",
                              "signature"}) {
    INFO(subject);
    CHECK(severity_of(error_about("chain-untrusted", subject),
                      rules(Profile::compat_windows),
                      report) == Severity::error);
  }
}

TEST_CASE("policy: every signature at the top must pass, for Windows too", "[policy]") {
  Report report = good_report();
  report.signatures.push_back(signature("signature 2", 0));
  report.findings = {error_about("digest-mismatch", "signature 2")};

  CHECK(objections(report, rules(Profile::compat_windows)) == "digest-mismatch (signature 2)");
}

TEST_CASE("policy: a required timestamp must be there and valid", "[policy]") {
  Report absent = good_report();
  absent.signatures[0].timestamp.reset();
  Report invalid = good_report();
  invalid.signatures[0].timestamp->valid = false;
  Report nested = good_report();
  nested.signatures[1].timestamp.reset();
  GateRules optional;
  optional.timestamp = TimestampRule::optional;

  for (const Profile profile : {Profile::strict, Profile::compat_windows}) {
    CHECK(objections(absent, rules(profile)) == "timestamp-missing (signature 1)");
    CHECK(objections(invalid, rules(profile)) == "timestamp-missing (signature 1)");
  }
  CHECK(objections(nested, rules(Profile::strict)) == "timestamp-missing (signature 1.1)");
  CHECK(objections(nested, rules(Profile::compat_windows)).empty());
  CHECK(objections(absent, optional).empty());
  CHECK(objections(nested, optional).empty());
}

TEST_CASE("policy: an end with the certificate is forgiven only to who wants no timestamp",
          "[policy]") {
  Finding expiry = error_about("certificate-expired", "signature 1, certificate CN=Contoso Ltd");
  expiry.judgement = Judgement::after_expiry;
  GateRules required;
  GateRules optional;
  optional.timestamp = TimestampRule::optional;

  Report without = good_report();
  without.signatures[0].timestamp.reset();
  CHECK(severity_of(expiry, required, without) == Severity::error);
  CHECK(severity_of(expiry, optional, without) == Severity::warning);

  // With a timestamp it is not the timestamp that is missing.
  CHECK(severity_of(expiry, required) == Severity::error);
  CHECK(severity_of(expiry, optional) == Severity::error);

  // Lifetime signing ends with the certificate whatever is done.
  Report lifetime = without;
  lifetime.signatures[0].chain.certificates[0].extended_key_usage->push_back(kLifetimeSigning);
  CHECK(severity_of(expiry, optional, lifetime) == Severity::error);

  // Today's expiry is another matter.
  Finding now = expiry;
  now.judgement = Judgement::now;
  CHECK(severity_of(now, optional, without) == Severity::error);
  // And Windows does not look ahead.
  CHECK(severity_of(expiry, rules(Profile::compat_windows)) == Severity::warning);
  CHECK(severity_of(now, rules(Profile::compat_windows)) == Severity::error);
}

TEST_CASE("policy: a rehearsal is never taken for the real thing", "[policy]") {
  struct Row {
    std::string what;
    std::function<void(Report&)> mark;
    std::string subject;
  };
  const auto row = GENERATE(values<Row>({
      {"the leaf",
       [](Report& r) { r.signatures[0].chain.certificates[0].rehearsal = true; },
       "signature 1"},
      {"the root",
       [](Report& r) { r.signatures[0].chain.certificates[2].rehearsal = true; },
       "signature 1"},
      {"the authority",
       [](Report& r) { r.signatures[0].timestamp->chain.certificates[1].rehearsal = true; },
       "signature 1"},
      {"nested",
       [](Report& r) { r.signatures[1].chain.certificates[0].rehearsal = true; },
       "signature 1.1"},
  }));
  INFO(row.what);
  Report report = good_report();
  row.mark(report);

  for (const Profile profile : {Profile::strict, Profile::compat_windows}) {
    GateRules gate = rules(profile);
    CHECK(judge(report, gate).rehearsal);
    CHECK(objections(report, gate) == "rehearsal (" + row.subject + ")");

    gate.rehearsal = RehearsalRule::accept;
    const Verdict accepted = judge(report, gate);
    CHECK(accepted.passed);
    CHECK(accepted.rehearsal);
    REQUIRE(accepted.findings.size() == 1);
    CHECK(accepted.findings[0].id == "rehearsal");
    CHECK(accepted.findings[0].severity == Severity::info);
  }
  CHECK_FALSE(judge(good_report(), GateRules()).rehearsal);
}

TEST_CASE("policy: accepting rehearsals accepts nothing else", "[policy]") {
  Report report = good_report();
  report.signatures[0].chain.certificates[0].rehearsal = true;
  report.findings = {error_about("digest-mismatch", "signature 1")};
  GateRules gate;
  gate.rehearsal = RehearsalRule::accept;

  CHECK(objections(report, gate) == "digest-mismatch (signature 1)");
}

TEST_CASE("policy: the signer must be who was asked for", "[policy]") {
  struct Row {
    std::string what;
    std::function<void(IdentityRule&)> want;
    std::string mismatch;  ///< Empty when the signer matches.
  };
  const auto row = GENERATE(values<Row>({
      {"CN and O",
       [](IdentityRule& r) {
         r.subject = {{"CN", "Contoso Ltd"}, {"O", "Contoso Ltd"}};
       },
       ""},
      {"another CN",
       [](IdentityRule& r) {
         r.subject = {{"CN", "Fabrikam"}};
       },
       "CN is \"Contoso Ltd\", wanted \"Fabrikam\""},
      {"a part of the CN",
       [](IdentityRule& r) {
         r.subject = {{"CN", "Contoso"}};
       },
       "CN is \"Contoso Ltd\", wanted \"Contoso\""},
      {"other letters",
       [](IdentityRule& r) {
         r.subject = {{"CN", "contoso ltd"}};
       },
       "wanted"},
      {"an absent attribute",
       [](IdentityRule& r) {
         r.subject = {{"OU", "x"}};
       },
       "OU is absent"},
      {"an absent attribute, wanted empty",
       [](IdentityRule& r) {
         r.subject = {{"OU", ""}};
       },
       "OU is absent"},
      {"an unknown attribute",
       [](IdentityRule& r) {
         r.subject = {{"commonName", "Contoso Ltd"}};
       },
       "commonName is absent"},
      {"the purpose", [](IdentityRule& r) { r.eku = {kCodeSigning}; }, ""},
      {"one purpose too many",
       [](IdentityRule& r) {
         r.eku = {kCodeSigning, "1.3.6.1.4.1.311.97.1.0"};
       },
       "1.3.6.1.4.1.311.97.1.0 is absent, found 1.3.6.1.5.5.7.3.3"},
      {"the thumbprint", [](IdentityRule& r) { r.sha256_thumbprint = std::string(64, 'A'); }, ""},
      {"another thumbprint",
       [](IdentityRule& r) { r.sha256_thumbprint = std::string(64, 'b'); },
       "thumbprint is \"aaaa"},
      {"the SHA-1 thumbprint",
       [](IdentityRule& r) { r.sha1_thumbprint = std::string(40, 'C'); },
       ""},
      {"another SHA-1 thumbprint",
       [](IdentityRule& r) { r.sha1_thumbprint = std::string(40, 'd'); },
       "SHA-1 thumbprint is \"cccc"},
      {"a part of the name", [](IdentityRule& r) { r.cn_part = "TOSO l"; }, ""},
      {"a part of another name",
       [](IdentityRule& r) { r.cn_part = "Fabrikam"; },
       "CN is \"Contoso Ltd\", wanted one with \"Fabrikam\""},
      {"the issuer", [](IdentityRule& r) { r.issuer_cn = "Issuing CA"; }, ""},
      {"the root for an issuer",
       [](IdentityRule& r) { r.issuer_cn = "Root"; },
       "issuer's CN is \"Issuing CA\", wanted \"Root\""},
      {"one right and one wrong",
       [](IdentityRule& r) {
         r.subject = {{"CN", "Contoso Ltd"}};
         r.issuer_cn = "Root";
       },
       "issuer's CN"},
  }));
  INFO(row.what);
  for (const Profile profile : {Profile::strict, Profile::compat_windows}) {
    GateRules gate = rules(profile);
    row.want(gate.identity);
    Report report = good_report();
    report.signatures.pop_back();

    const Verdict verdict = judge(report, gate);

    CHECK(verdict.passed == row.mismatch.empty());
    if (!row.mismatch.empty()) {
      REQUIRE(ids(verdict.objections()) == "identity-mismatch (signature 1)");
      CHECK_THAT(verdict.objections()[0].message, Catch::Contains(row.mismatch));
    }
  }
}

TEST_CASE("policy: two values of one attribute match neither", "[policy]") {
  Report report = good_report();
  report.signatures.pop_back();
  report.signatures[0].chain.certificates[0].subject_attributes.emplace_back("CN", "Fabrikam\n");
  GateRules gate;
  gate.identity.subject = {{"CN", "Contoso Ltd"}};

  const Verdict verdict = judge(report, gate);

  REQUIRE(ids(verdict.objections()) == "identity-mismatch (signature 1)");
  CHECK_THAT(verdict.objections()[0].message,
             Catch::Contains("\"Contoso Ltd\" and \"Fabrikam\\x0a\""));
}

TEST_CASE("policy: the issuer of a self-signed leaf is the leaf, of a lone leaf unknown",
          "[policy]") {
  Report report = good_report();
  report.signatures.pop_back();
  report.signatures[0].chain.certificates.resize(1);
  GateRules gate;
  gate.identity.issuer_cn = "Contoso Ltd";

  CHECK(objections(report, gate) == "identity-mismatch (signature 1)");
  report.signatures[0].chain.certificates[0].self_signed = true;
  CHECK(objections(report, gate).empty());
}

TEST_CASE("policy: a leaf without extended key usage has no purpose that was asked for",
          "[policy]") {
  Report report = good_report();
  report.signatures.pop_back();
  report.signatures[0].chain.certificates[0].extended_key_usage.reset();
  GateRules gate;
  gate.identity.eku = {kCodeSigning};

  CHECK(objections(report, gate) == "identity-mismatch (signature 1)");
}

TEST_CASE("policy: whose signatures the identity is asked of", "[policy]") {
  GateRules strict;
  strict.identity.subject = {{"CN", "Contoso Ltd"}};
  GateRules compat = strict;
  compat.profile = Profile::compat_windows;
  Report nested = good_report();
  nested.signatures[1].chain = chain("Fabrikam");
  Report second = good_report();
  second.signatures.push_back(signature("signature 2", 0));
  second.signatures[2].chain = chain("Fabrikam");

  CHECK(objections(nested, strict) == "identity-mismatch (signature 1.1)");
  CHECK(objections(nested, compat).empty());
  CHECK(objections(second, strict) == "identity-mismatch (signature 2)");
  CHECK(objections(second, compat) == "identity-mismatch (signature 2)");
}

TEST_CASE("policy: a signature without a known signer matches no identity", "[policy]") {
  Report report = good_report();
  report.signatures.pop_back();
  report.signatures[0].chain.certificates.clear();
  report.findings = {error_about("signer-certificate", "signature 1")};
  GateRules gate;
  gate.identity.subject = {{"CN", "Contoso Ltd"}};

  CHECK(objections(report, gate) ==
        "signer-certificate (signature 1), identity-mismatch (signature 1)");
}
