// SPDX-License-Identifier: Apache-2.0
#include "cli/render.hpp"

#include "cli/errors.hpp"
#include "core/text.hpp"

#include <algorithm>

namespace signctl::cli {

namespace {

Color color_of(Severity severity) {
  switch (severity) {
    case Severity::info:
      return Color::plain;
    case Severity::warning:
      return Color::yellow;
    case Severity::error:
      return Color::red;
  }
  return Color::plain;
}

constexpr std::size_t kIndent = 2;

void field(Context& context, std::size_t indent, std::string_view name, std::string_view value) {
  if (value.empty()) {
    return;
  }
  constexpr std::size_t kNameWidth = 20;
  std::string line(indent, ' ');
  line += name;
  line.append(name.size() < kNameWidth ? kNameWidth - name.size() : 1, ' ');
  context.line(line + printable(value));
}

std::string timestamp_text(const TimestampInfo& timestamp) {
  if (!timestamp.valid) {
    return "present, but not valid";
  }
  std::string text = to_iso8601(timestamp.time);
  if (timestamp.kind == TimestampKind::authenticode) {
    text += " (legacy)";
  }
  if (!timestamp.chain.certificates.empty()) {
    text += " by " + timestamp.chain.certificates.front().subject;
  }
  return text;
}

void print_signature_short(Context& context, const SignatureInfo& signature) {
  const auto& chain = signature.chain.certificates;
  field(context,
        kIndent,
        signature.label + ":",
        std::string(digest_name(signature.digest_alg)) + " " + signature.digest_hex);
  if (!chain.empty()) {
    field(context, kIndent + 2, "signed by", chain.front().subject);
    field(context, kIndent + 2, "issued by", chain.front().issuer);
  }
  field(context,
        kIndent + 2,
        "timestamp",
        signature.timestamp ? timestamp_text(*signature.timestamp) : "none");
  field(context,
        kIndent + 2,
        "trusted by",
        signature.chain.trusted ? signature.chain.anchor_source : "nobody");
}

/// One line on what is inside, and with -v one for each file.
void print_members(Context& context, const Report& report) {
  if (!report.looked_inside) {
    return;
  }
  std::size_t signed_ones = 0;
  for (const Report& member : report.members) {
    signed_ones += member.signatures.empty() ? 0 : 1;
    if (context.verbose()) {
      const std::string state = !member.signatures.empty() ? "signed"
                                : member.needs_signature   ? "not signed"
                                                           : "no signature needed";
      field(context, kIndent, "inside", member.path + " (" + state + ")");
    }
  }
  field(context,
        kIndent,
        "inside",
        std::to_string(report.members.size()) + " file" + (report.members.size() == 1 ? "" : "s") +
            " of known types, " +
            (report.members.empty() ? "so nothing inside was proven"
                                    : std::to_string(signed_ones) + " signed"));
}

void print_certificate(Context& context, const CertificateInfo& certificate, std::size_t indent) {
  context.line(std::string(indent, ' ') + "- " + certificate.subject +
               (certificate.rehearsal ? "  (REHEARSAL)" : ""));
  indent += 4;
  field(context, indent, "issuer", certificate.issuer);
  field(context, indent, "serial", certificate.serial_hex);
  field(context, indent, "sha256", certificate.sha256_hex);
  field(context, indent, "sha1", certificate.sha1_hex);
  field(context,
        indent,
        "valid",
        to_iso8601(certificate.not_before) + " to " + to_iso8601(certificate.not_after));
  field(
      context, indent, "key", certificate.key + ", signed with " + certificate.signature_algorithm);
  if (certificate.extended_key_usage) {
    field(context, indent, "usage", join(*certificate.extended_key_usage, ", "));
  }
}

void print_chain(Context& context, std::string_view title, const ChainInfo& chain) {
  context.line("  " + std::string(title) + ": " +
               (chain.trusted ? "trusted by " + printable(chain.anchor_source) : "not trusted"));
  for (const CertificateInfo& certificate : chain.certificates) {
    print_certificate(context, certificate, 4);
  }
}

void print_attributes(Context& context,
                      std::string_view title,
                      const std::vector<AttributeInfo>& attributes) {
  if (attributes.empty()) {
    return;
  }
  context.line("  " + std::string(title) + ":");
  for (const AttributeInfo& attribute : attributes) {
    const std::string name =
        attribute.name.empty() ? attribute.oid : attribute.name + " (" + attribute.oid + ")";
    context.line("    " + printable(name) + ": " + printable(attribute.value));
  }
}

void print_timestamp(Context& context, const TimestampInfo& timestamp) {
  field(context, 2, "timestamp", timestamp_text(timestamp));
  field(context, 4, "digest", timestamp.digest + ", signed with " + timestamp.signer_digest);
  field(context, 4, "policy", timestamp.policy);
  field(context, 4, "serial", timestamp.serial_hex);
  if (timestamp.accuracy) {
    field(context, 4, "accuracy", std::to_string(timestamp.accuracy->count()) + " ms");
  }
  print_chain(context, "timestamp chain", timestamp.chain);
}

void print_signature(Context& context, const SignatureInfo& signature) {
  context.line("");
  context.line(context.paint(signature.label, Color::bold) + "  " + printable(signature.location));
  field(context,
        2,
        "digest",
        std::string(digest_name(signature.digest_alg)) + " " + signature.digest_hex);
  if (signature.computed_digest_hex != signature.digest_hex) {
    field(context, 2, "file has", signature.computed_digest_hex);
  }
  field(context, 2, "algorithm", signature.signature_algorithm);
  field(context, 2, "description", signature.description);
  field(context, 2, "url", signature.url);
  field(context, 2, "page hashes", signature.page_hashes ? "yes" : "no");
  print_chain(context, "chain", signature.chain);
  if (signature.timestamp) {
    print_timestamp(context, *signature.timestamp);
  } else {
    field(context, 2, "timestamp", "none");
  }
  print_attributes(context, "signed attributes", signature.signed_attributes);
  print_attributes(context, "unsigned attributes", signature.unsigned_attributes);
}

}  // namespace

std::string finding_text(const Finding& finding) {
  std::string text = finding.id;
  if (!finding.subject.empty()) {
    text += " (" + finding.subject + ")";
  }
  text += ": " + finding.message;
  if (finding.judgement == Judgement::after_expiry) {
    text += " [once the certificate has expired]";
  }
  return printable(text);
}

void print_verdict(Context& context, const engine::FileOutcome& outcome) {
  const Verdict& verdict = outcome.verdict;
  std::string head = verdict.passed ? context.paint("OK", Color::green) + "      "
                                    : context.paint("FAILED", Color::red) + "  ";
  context.line(head + printable(outcome.path));
  if (verdict.rehearsal) {
    context.line("  " + context.paint("REHEARSAL: signed with a certificate for rehearsals; this "
                                      "must not be released",
                                      Color::yellow));
  }
  for (const SignatureInfo& signature : outcome.report.signatures) {
    print_signature_short(context, signature);
  }
  print_members(context, outcome.report);
  for (const Finding& finding : verdict.findings) {
    if (finding.severity == Severity::info && !context.verbose()) {
      continue;
    }
    context.line("  " + context.paint(severity_name(finding.severity), color_of(finding.severity)) +
                 ": " + finding_text(finding));
  }
}

void print_refusal(Context& context, const engine::FileOutcome& outcome) {
  print_error(context,
              {ErrorKind::gate, "the gate refused " + outcome.path + "; nothing was written"});
  const auto objections = outcome.verdict.objections();
  print_objections(context, objections);
  for (const Finding& finding : objections) {
    annotate(context, outcome.path, finding_text(finding));
  }
}

namespace {

/// Facts of one name that follow each other, such as the members of a catalog, are cut short.
void print_facts(Context& context, const std::vector<FileFact>& facts) {
  constexpr std::size_t kMostAlike = 20;
  for (std::size_t begin = 0; begin < facts.size();) {
    std::size_t end = begin;
    while (end < facts.size() && facts[end].name == facts[begin].name) {
      ++end;
    }
    const std::size_t shown = context.verbose() ? end : std::min(end, begin + kMostAlike);
    for (std::size_t i = begin; i < shown; ++i) {
      field(context, 2, facts[i].name, facts[i].value);
    }
    if (shown < end) {
      field(context,
            2,
            facts[begin].name,
            "and " + std::to_string(end - shown) + " more (all with --verbose or --json)");
    }
    begin = end;
  }
}

}  // namespace

void print_report(Context& context, const Report& report, Ranges ranges) {
  context.line(context.paint(printable(report.path), Color::bold));
  field(context, 2, "format", report.format);
  const bool has_size =
      std::ranges::any_of(report.facts, [](const FileFact& fact) { return fact.name == "size"; });
  if (!has_size) {
    field(context, 2, "size", std::to_string(report.size_bytes) + " bytes");
  }
  print_facts(context, report.facts);
  if (ranges == Ranges::show) {
    context.line("  hashed ranges:");
    for (const HashedRange& range : report.hashed_ranges) {
      context.line("    [" + std::to_string(range.begin) + ", " + std::to_string(range.end) +
                   ")  " + printable(range.what));
    }
  }
  for (const SignatureInfo& signature : report.signatures) {
    print_signature(context, signature);
  }
  if (report.findings.empty()) {
    return;
  }
  context.line("");
  context.line("findings:");
  for (const Finding& finding : report.findings) {
    context.line("  " + context.paint(severity_name(finding.severity), color_of(finding.severity)) +
                 ": " + finding_text(finding));
  }
}

std::string summary_line(const engine::RunSummary& summary, std::string_view done) {
  std::string line = std::to_string(summary.planned) +
                     " planned = " + std::to_string(summary.done) + " " + std::string(done) +
                     " + " + std::to_string(summary.skipped) + " skipped";
  if (summary.failed > 0) {
    line += " + " + std::to_string(summary.failed) + " failed";
  }
  if (summary.not_started > 0) {
    line += " + " + std::to_string(summary.not_started) + " not started";
  }
  return line;
}

std::string quota_text(int signatures_a_year) {
  return std::to_string(signatures_a_year) + " signatures a certificate and year";
}

std::string table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], row[i].size());
    }
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) {
        line.append(widths[i] - row[i].size() + 2, ' ');
      }
    }
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

}  // namespace signctl::cli
