// SPDX-License-Identifier: Apache-2.0
// What the gate makes of files inside the judged one.
#include "support/catch.hpp"

#include <signctl/policy.hpp>

#include <string>

using namespace signctl;

namespace {

ChainInfo trusted_chain(const std::string& name) {
  CertificateInfo leaf;
  leaf.subject = "CN=" + name;
  leaf.subject_attributes = {{"CN", name}};
  ChainInfo chain;
  chain.certificates = {leaf};
  chain.trusted = true;
  chain.anchor_source = "test";
  return chain;
}

Report signed_report(const std::string& path, const std::string& signer) {
  SignatureInfo signature;
  signature.label = "signature 1";
  signature.digest_hex = "11";
  signature.computed_digest_hex = "11";
  signature.chain = trusted_chain(signer);
  TimestampInfo timestamp;
  timestamp.valid = true;
  timestamp.chain = trusted_chain("TSA");
  signature.timestamp = timestamp;
  Report report;
  report.path = path;
  report.signatures.push_back(signature);
  report.looked_inside = true;
  return report;
}

Report unsigned_report(const std::string& path) {
  Report report;
  report.path = path;
  report.looked_inside = true;
  report.findings.push_back({"unsigned", Severity::error, "file", "the file carries no signature"});
  return report;
}

GateRules rules(NestedRule nested) {
  GateRules made;
  made.nested = nested;
  return made;
}

/// "id severity (subject)" of the findings that are not infos.
std::string text_of(const Verdict& verdict) {
  std::string text;
  for (const Finding& finding : verdict.findings) {
    if (finding.severity != Severity::info) {
      text += finding.id + " " + severity_name(finding.severity) + " (" + finding.subject + ");";
    }
  }
  return text;
}

}  // namespace

TEST_CASE("policy inside: an unsigned file is refused, reported or not looked for", "[policy]") {
  Report report = signed_report("setup.msi", "Contoso");
  report.members = {signed_report("app.cab/a.exe", "Contoso"), unsigned_report("app.cab/b.dll")};

  const Verdict strict = judge(report, rules(NestedRule::require_signed));
  CHECK_FALSE(strict.passed);
  CHECK(text_of(strict) == "unsigned error (app.cab/b.dll);");

  const Verdict mild = judge(report, rules(NestedRule::report));
  CHECK(mild.passed);
  CHECK(text_of(mild) == "unsigned warning (app.cab/b.dll);");

  CHECK(judge(report, rules(NestedRule::off)).passed);
  CHECK(text_of(judge(report, rules(NestedRule::off))).empty());
}

TEST_CASE("policy inside: a bad signature is named with its path", "[policy]") {
  Report report = signed_report("setup.msi", "Contoso");
  report.members = {signed_report("a.exe", "Contoso")};
  report.members[0].findings.push_back(
      {"digest-mismatch", Severity::error, "signature 1", "the file has been changed"});

  const Verdict verdict = judge(report, rules(NestedRule::require_signed));

  CHECK_FALSE(verdict.passed);
  CHECK(text_of(verdict) == "digest-mismatch error (a.exe, signature 1);");
}

TEST_CASE("policy inside: others' signatures are welcome, missing timestamps are not", "[policy]") {
  Report report = signed_report("setup.msi", "Contoso");
  report.members = {signed_report("vcruntime.dll", "Fabrikam")};
  GateRules gate = rules(NestedRule::require_signed);
  gate.identity.subject = {{"CN", "Contoso"}};
  CHECK(judge(report, gate).passed);

  report.members[0].signatures[0].timestamp.reset();
  CHECK(text_of(judge(report, gate)) == "timestamp-missing error (vcruntime.dll, signature 1);");
}

TEST_CASE("policy inside: what only carries files need not be signed", "[policy]") {
  Report report = signed_report("setup.msi", "Contoso");
  report.members = {unsigned_report("app.cab")};
  report.members[0].needs_signature = false;

  CHECK(judge(report, rules(NestedRule::require_signed)).passed);

  report.members[0] = signed_report("app.cab", "Contoso");
  report.members[0].needs_signature = false;
  report.members[0].signatures[0].chain.trusted = false;
  CHECK_FALSE(judge(report, rules(NestedRule::require_signed)).passed);
}

TEST_CASE("policy inside: an archive proves itself by what is inside", "[policy]") {
  Report report = unsigned_report("files.zip");
  report.needs_signature = false;
  report.members = {signed_report("a.exe", "Contoso")};

  CHECK(judge(report, rules(NestedRule::require_signed)).passed);
  report.members.push_back(unsigned_report("b.exe"));
  CHECK_FALSE(judge(report, rules(NestedRule::require_signed)).passed);

  // Without looking, nothing is proven.
  report.looked_inside = false;
  report.members.clear();
  CHECK_FALSE(judge(report, rules(NestedRule::off)).passed);
  CHECK_FALSE(judge(report, rules(NestedRule::require_signed)).passed);
  // What can be signed has to be.
  report.looked_inside = true;
  report.needs_signature = true;
  CHECK_FALSE(judge(report, rules(NestedRule::require_signed)).passed);
}

TEST_CASE("policy inside: a rehearsal inside makes the whole one", "[policy]") {
  Report report = signed_report("setup.msi", "Contoso");
  report.members = {signed_report("a.exe", "Contoso")};
  report.members[0].signatures[0].chain.certificates[0].rehearsal = true;

  GateRules gate = rules(NestedRule::require_signed);
  CHECK(text_of(judge(report, gate)) == "rehearsal error (a.exe, signature 1);");
  gate.rehearsal = RehearsalRule::accept;
  CHECK(judge(report, gate).passed);
  CHECK(judge(report, gate).rehearsal);
}

TEST_CASE("policy inside: what could not be looked at counts as the rule says", "[policy]") {
  Report report = signed_report("setup.msi", "Contoso");
  report.findings.push_back({"member-unreadable", Severity::error, "file", "torn"});
  Report torn = unsigned_report("a.cab");
  torn.needs_signature = false;
  torn.findings = {{"members-limit", Severity::error, "file", "too much"}};
  report.members = {torn};

  CHECK(text_of(judge(report, rules(NestedRule::require_signed))) ==
        "member-unreadable error (file);members-limit error (a.cab);");
  const Verdict mild = judge(report, rules(NestedRule::report));
  CHECK(mild.passed);
  CHECK(text_of(mild) == "member-unreadable warning (file);members-limit warning (a.cab);");
}
