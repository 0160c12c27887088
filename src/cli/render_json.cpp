// SPDX-License-Identifier: Apache-2.0
#include "cli/render_json.hpp"

#include "core/text.hpp"

#include <signctl/exit_code.hpp>

#include <nlohmann/json.hpp>

namespace signctl::cli {

namespace {

Json to_json(const ChainInfo& chain) {
  Json json;
  json["trusted"] = chain.trusted;
  json["anchor_source"] = chain.anchor_source;
  json["certificates"] = Json::array();
  for (const CertificateInfo& certificate : chain.certificates) {
    json["certificates"].push_back(cli::to_json(certificate));
  }
  return json;
}

Json to_json(const TimestampInfo& timestamp) {
  Json json;
  json["kind"] = timestamp.kind == TimestampKind::rfc3161 ? "rfc3161" : "authenticode";
  json["valid"] = timestamp.valid;
  json["time"] = to_iso8601(timestamp.time);
  json["digest"] = timestamp.digest;
  json["policy"] = timestamp.policy;
  json["serial"] = timestamp.serial_hex;
  json["accuracy_ms"] = timestamp.accuracy ? Json(timestamp.accuracy->count()) : Json(nullptr);
  json["signer_digest"] = timestamp.signer_digest;
  json["chain"] = to_json(timestamp.chain);
  return json;
}

Json to_json(const std::vector<AttributeInfo>& attributes) {
  Json json = Json::array();
  for (const AttributeInfo& attribute : attributes) {
    json.push_back({{"oid", attribute.oid},
                    {"name", attribute.name},
                    {"value", attribute.value},
                    {"der", to_base64(attribute.der)}});
  }
  return json;
}

}  // namespace

Json document(std::string_view verb) {
  Json json;
  json["schema"] = "signctl/" + std::string(verb) + "/1";
  return json;
}

Json to_json(const Error& error) {
  Json json;
  json["kind"] = kind_name(error.kind);
  json["exit_code"] = exit_code(error.kind);
  json["message"] = error.message;
  json["hint"] = error.hint;
  json["trail"] = error.trail;
  return json;
}

std::string error_log_line(const Error& error, TimePoint now) {
  Json json;
  json["time"] = to_iso8601(now);
  json["level"] = "error";
  json.update(to_json(error));
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string finding_log_line(const Finding& finding, TimePoint now) {
  Json json;
  json["time"] = to_iso8601(now);
  json["level"] = "error";
  json.update(to_json(finding));
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void print_error_document(Context& context, const Error& error) {
  Json json = document("error");
  json.update(to_json(error));
  print_json(context, json);
}

Json to_json(const Finding& finding) {
  Json json;
  json["id"] = finding.id;
  json["severity"] = severity_name(finding.severity);
  json["subject"] = finding.subject;
  json["message"] = finding.message;
  json["judgement"] = finding.judgement == Judgement::now ? "now" : "after_expiry";
  return json;
}

Json to_json(const std::vector<Finding>& findings) {
  Json json = Json::array();
  for (const Finding& finding : findings) {
    json.push_back(to_json(finding));
  }
  return json;
}

Json to_json(const CertificateInfo& certificate) {
  Json json;
  json["subject"] = certificate.subject;
  json["issuer"] = certificate.issuer;
  json["serial"] = certificate.serial_hex;
  json["sha1"] = certificate.sha1_hex;
  json["sha256"] = certificate.sha256_hex;
  json["not_before"] = to_iso8601(certificate.not_before);
  json["not_after"] = to_iso8601(certificate.not_after);
  json["key"] = certificate.key;
  json["signature_algorithm"] = certificate.signature_algorithm;
  json["extended_key_usage"] =
      certificate.extended_key_usage ? Json(*certificate.extended_key_usage) : Json(nullptr);
  json["self_signed"] = certificate.self_signed;
  json["rehearsal"] = certificate.rehearsal;
  return json;
}

Json to_json(const SignatureInfo& signature) {
  Json json;
  json["label"] = signature.label;
  json["location"] = signature.location;
  json["depth"] = signature.depth;
  json["digest_algorithm"] = digest_name(signature.digest_alg);
  json["digest"] = signature.digest_hex;
  json["computed_digest"] = signature.computed_digest_hex;
  json["signature_algorithm"] = signature.signature_algorithm;
  json["description"] = signature.description;
  json["url"] = signature.url;
  json["page_hashes"] = signature.page_hashes;
  json["timestamp"] = signature.timestamp ? to_json(*signature.timestamp) : Json(nullptr);
  json["chain"] = to_json(signature.chain);
  json["certificates"] = Json::array();
  for (const CertificateInfo& certificate : signature.certificates) {
    json["certificates"].push_back(to_json(certificate));
  }
  json["signed_attributes"] = to_json(signature.signed_attributes);
  json["unsigned_attributes"] = to_json(signature.unsigned_attributes);
  return json;
}

Json to_json(const Report& report) {
  Json json;
  json["format"] = report.format;
  json["size_bytes"] = report.size_bytes;
  json["judged_at"] = to_iso8601(report.judged_at);
  json["facts"] = Json::array();
  for (const FileFact& fact : report.facts) {
    json["facts"].push_back({{"name", fact.name}, {"value", fact.value}});
  }
  json["hashed_ranges"] = Json::array();
  for (const HashedRange& range : report.hashed_ranges) {
    json["hashed_ranges"].push_back(
        {{"begin", range.begin}, {"end", range.end}, {"what", range.what}});
  }
  json["signatures"] = Json::array();
  for (const SignatureInfo& signature : report.signatures) {
    json["signatures"].push_back(to_json(signature));
  }
  json["looked_inside"] = report.looked_inside;
  json["members"] = Json::array();
  for (const Report& member : report.members) {
    Json inner = to_json(member);
    // Members of members are beside them, not in them.
    inner.erase("members");
    inner.erase("looked_inside");
    inner["path"] = member.path;
    inner["needs_signature"] = member.needs_signature;
    inner["findings"] = to_json(member.findings);
    json["members"].push_back(std::move(inner));
  }
  return json;
}

Json to_json(const Verdict& verdict) {
  Json json;
  json["passed"] = verdict.passed;
  json["rehearsal"] = verdict.rehearsal;
  json["findings"] = to_json(verdict.findings);
  return json;
}

Json to_json(const engine::FileResult& result, std::string_view done) {
  Json json;
  json["path"] = result.path;
  if (!result.outcome) {
    json["state"] = "error";
    json["error"] = to_json(result.outcome.error());
    return json;
  }
  const engine::FileOutcome& outcome = *result.outcome;
  switch (outcome.state) {
    case engine::FileState::done:
      json["state"] = done;
      break;
    case engine::FileState::skipped:
      json["state"] = "skipped";
      break;
    case engine::FileState::refused:
      json["state"] = "refused";
      break;
  }
  json["output"] = outcome.path;
  json["reason"] = outcome.reason;
  json["timestamp_source"] = outcome.timestamp_source;
  json["signed_inside"] = outcome.signed_inside;
  json["signer"] = outcome.signer;
  json["reused"] = outcome.reused;
  // A file that was never looked into has no report.
  const bool judged = !outcome.report.format.empty();
  json["verdict"] = judged ? to_json(outcome.verdict) : Json(nullptr);
  json["report"] = judged ? to_json(outcome.report) : Json(nullptr);
  return json;
}

Json quota_json(int signatures_a_year) {
  return signatures_a_year > 0 ? Json(signatures_a_year) : Json(nullptr);
}

Json batch_document(std::string_view verb,
                    std::string_view done,
                    const engine::RunSummary& summary) {
  Json json = document(verb);
  json["exit_code"] = summary.exit_code();
  json["planned"] = summary.planned;
  json[std::string(done)] = summary.done;
  json["skipped"] = summary.skipped;
  json["failed"] = summary.failed;
  json["not_started"] = summary.not_started;
  if (summary.failure) {
    json["error"] = to_json(*summary.failure);
  }
  if (!summary.signers.empty()) {
    json["reused"] = summary.reused;
    json["signers"] = Json::array();
    for (const engine::SignerTally& signer : summary.signers) {
      json["signers"].push_back({{"name", signer.name},
                                 {"provider", signer.provider},
                                 {"billable", signer.billable},
                                 {"signatures", signer.signatures}});
    }
  }
  json["files"] = Json::array();
  for (const engine::FileResult& file : summary.files) {
    json["files"].push_back(to_json(file, done));
  }
  return json;
}

void print_json(Context& context, const Json& json) {
  // File names need not be UTF-8; JSON has to be.
  context.write(json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

}  // namespace signctl::cli
